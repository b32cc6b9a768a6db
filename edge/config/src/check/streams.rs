//! What event streams are given on their way.

use std::ops::RangeInclusive;

use super::text::check_range;
use crate::fault::Report;
use crate::written::{Route, Streams};

/// A silence after which a heartbeat comes, in seconds, where none is given: what HTML §9.2.7 advises.
const HEARTBEAT_SECONDS: u32 = 15;
/// Cloudflare gives up on a silent connection after 100 s, and other proxies after 60.
const SECONDS: RangeInclusive<u32> = 1..=55;

/// What holds for all routes.
pub(super) fn check(streams: Option<&Streams>, report: &Report) {
    check_range("heartbeat_seconds", streams.and_then(|streams| streams.heartbeat.good()), &SECONDS, report);
}

/// After how long a silence a route's event streams get a heartbeat, in milliseconds; none where it says so.
pub(super) fn heartbeat_ms(route: &Route, streams: Option<&Streams>) -> Option<u32> {
    let beats = route.heartbeat.good().is_none_or(|beats| beats.value);
    let given = streams.and_then(|streams| streams.heartbeat.good());
    let seconds = given.map_or(HEARTBEAT_SECONDS, |seconds| seconds.value);
    beats.then_some(seconds.saturating_mul(1_000))
}
