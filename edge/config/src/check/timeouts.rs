//! How long the content of a route's answers may take.

use std::ops::RangeInclusive;

use edge_core::plan::Timeouts;

use super::route_limits::is_event_stream;
use super::text::check_range;
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::Route;

/// A day; timers take no more than 24 of them.
const TOTAL: RangeInclusive<u32> = 1..=86_400;
/// Unless it is told otherwise, the load balancer gives up after 330 s of silence: more would say nothing.
const IDLE: RangeInclusive<u32> = 1..=300;

/// The timeouts of a route whose answers may take `first_byte_seconds` to begin.
pub(super) fn check(route: &Route, first_byte_seconds: u32, report: &Report) -> Option<Timeouts> {
    let (idle_ms, total_ms) =
        (ms("idle_seconds", &route.idle, &IDLE, report), ms("total_seconds", &route.total, &TOTAL, report));
    let fault = |given: &Lined<u32>, text: &str| report.add(given.line, text);
    let given = route.idle.good().or(route.total.good())?;
    if is_event_stream(route) {
        fault(given, "event streams are silent and last; remove `idle_seconds` and `total_seconds`");
    }
    if !route.cache.is_absent() {
        fault(
            given,
            "what is stored is read to its end; remove `cache`, or `idle_seconds` and `total_seconds`",
        );
    }
    if route.service.is_absent() {
        fault(given, "no service answers here; remove `idle_seconds` and `total_seconds`");
    }
    if let Some(total) = route.total.good().filter(|total| total.value <= first_byte_seconds) {
        let value = total.value;
        fault(
            total,
            &format!("total_seconds {value}: an answer may take {first_byte_seconds} s to begin; give more"),
        );
    }
    Some(Timeouts { idle_ms, total_ms })
}

fn ms(key: &str, given: &Given<u32>, range: &RangeInclusive<u32>, report: &Report) -> Option<u32> {
    check_range(key, given.good(), range, report);
    Some(given.good()?.value.saturating_mul(1_000))
}
