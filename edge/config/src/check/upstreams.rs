//! The origins that requests may go to, and how routes make use of them.

use std::ops::RangeInclusive;

use edge_core::plan::{Priority, Upstream};

use super::origin::{self, Times};
use super::route_limits::is_event_stream;
use super::text::{check_items, check_known, check_name, check_range, check_twice, choice, leaked};
use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined};
use crate::written::{self, Written};

/// What stands behind all services where nothing is said.
pub(super) const ORIGIN: Upstream = Upstream { name: "origin", variable: "ORIGIN", weight: 1, services: &[] };
/// A share of less than a thousandth tells nobody anything.
const WEIGHTS: RangeInclusive<u32> = 1..=1_000;
/// One is the request itself; many more than three are a flood.
const TRIES: RangeInclusive<u32> = 1..=5;
const USUAL_TRIES: u32 = 3;
const PRIORITIES: [(&str, Option<Priority>); 3] = [
    ("background", Some(Priority::Background)),
    ("interactive", Some(Priority::Interactive)),
    ("vital", Some(Priority::Vital)),
];

/// The upstreams that hold.
pub(crate) fn check(written: &Written, report: &Report) -> Vec<Upstream> {
    let given = upstreams(written);
    if given.is_empty() {
        return vec![ORIGIN];
    }
    let names: Vec<_> = given.iter().filter_map(|upstream| upstream.name.clone()).collect();
    check_twice("upstream", &names, report);
    check_served(written, given, report);
    given.iter().filter_map(|upstream| checked(upstream, written, report)).collect()
}

pub(super) fn upstreams(written: &Written) -> &[written::Upstream] {
    written.origin.as_ref().and_then(|origin| origin.upstreams.as_deref()).unwrap_or_default()
}

fn checked(upstream: &written::Upstream, written: &Written, report: &Report) -> Option<Upstream> {
    check_name(upstream.name.as_ref()?, report);
    check_range("weight", upstream.weight.good(), &WEIGHTS, report);
    if let Some(services) = upstream.services.good() {
        let known: Vec<_> = written.services.iter().map(|service| service.name.value.as_str()).collect();
        check_items("services", services.line, &services.value, report);
        check_known("service", &services.value, &known, report);
    }
    Some(Upstream {
        name: leak::text(&upstream.name.as_ref()?.value),
        variable: leak::text(&upstream.variable.as_ref()?.value),
        weight: upstream.weight.good().map_or(1, |weight| weight.value),
        services: upstream.services.good().map_or(&[], |services| leaked(&services.value)),
    })
}

/// A service that takes traffic and stands behind no upstream could not be asked.
fn check_served(written: &Written, given: &[written::Upstream], report: &Report) {
    for service in written.services.iter().filter(|service| !service.port.is_absent()) {
        let name = &service.name;
        let serves = |upstream: &written::Upstream| match &upstream.services {
            Given::Good(services) => services.value.iter().any(|other| other.value == name.value),
            _ => true,
        };
        if !given.iter().any(serves) {
            let text =
                format!("service `{}` stands behind no [[origin.upstream]]; add it to one", name.value);
            report.add(name.line, text);
        }
    }
}

/// How long the route waits, and for whom. One with a time of its own to the first byte, or that its callers let wait,
/// takes its time: a try is given up early there only if that is said too.
pub(super) fn times(
    route: &written::Route,
    methods: &[&str],
    written: &Written,
    default: Times,
    report: &Report,
) -> Times {
    let own = route.first_byte.good().map(|seconds| origin::first_byte_ms(seconds, report));
    let first_byte_ms = own.unwrap_or(default.first_byte_ms);
    let takes_its_time = own.is_some() || !route.wait.is_absent();
    let usual = if takes_its_time { first_byte_ms } else { default.try_ms };
    let try_ms = origin::try_ms(route.try_seconds.good(), usual, first_byte_ms, report);
    let hedge = route.hedge.good();
    let fault = hedge.and_then(|hedge| no_hedge(hedge, route, methods, written, first_byte_ms));
    if let (Some(hedge), Some(fault)) = (hedge, fault) {
        report.add(hedge.line, format!("hedge_ms {fault}"));
    }
    Times { first_byte_ms, try_ms, hedge_ms: hedge.map(|hedge| hedge.value) }
}

/// How often a request is tried: three times, as each is another's chance too.
pub(super) fn tries(route: &written::Route, report: &Report) -> u32 {
    check_range("tries", route.tries.good(), &TRIES, report);
    route.tries.good().map_or(USUAL_TRIES, |tries| tries.value)
}

/// Why a route is not to be asked twice.
fn no_hedge(
    hedge: &Lined<u32>,
    route: &written::Route,
    methods: &[&str],
    written: &Written,
    first_byte_ms: u32,
) -> Option<&'static str> {
    match () {
        () if methods != ["GET"] => Some("asks twice, which is for cheap GETs; give methods = [\"GET\"]"),
        () if is_event_stream(route) => Some("would start two event streams; remove it"),
        () if upstreams(written).len() < 2 => {
            Some("needs a second [[origin.upstream]]; add one, or remove it")
        }
        () if hedge.value >= first_byte_ms => Some("is not before the first byte's time is over; give less"),
        () => None,
    }
}

/// How much the route's requests matter.
pub(super) fn priority(route: &written::Route, report: &Report) -> Option<Priority> {
    choice("priority", &route.priority, None, &PRIORITIES, report).flatten()
}
