//! Whether every route can be reached, by the gateway's own matcher.
//!
//! Refuses routes between which nothing decides (ambiguous) and routes whose every request others take before
//! them (shadowed). A request with an empty segment, as `/a/`, does not save a route from being shadowed
//! unless it has `raw_path`: nobody writes a route for that alone.

use edge_core::plan::{Host, Plan, Route, Segment};
pub(crate) use edge_core::route::METHODS;
use edge_core::route::{matches, split, takes};

use crate::fault::Report;
use crate::order;

/// Text that no route has: a witness of captures alone.
const ANY: &str = "~any~";

/// Notes the ambiguous and the shadowed. `routes` is in order of precedence.
pub(crate) fn check(routes: &[Route], report: &Report) {
    let mut earlier: Vec<&Route> = Vec::new();
    for route in routes {
        match earlier.iter().find(|other| is_ambiguous(other, route)) {
            Some(other) => ambiguous(other, route, report),
            None => shadowed(&earlier, route, report),
        }
        earlier.push(route);
    }
}

/// Whether a GET of `path` on any of `hosts` ends at `service`.
pub(crate) fn serves(plan: &Plan, service: &str, path: &str) -> bool {
    let segments = split(path);
    let first = |host: &Host| plan.routes.iter().find(|route| reaches(route, host.name, "GET", &segments));
    plan.hosts.iter().filter_map(first).any(|route| route.service == service)
}

fn is_ambiguous(one: &Route, other: &Route) -> bool {
    let same_rank = one.methods.is_empty() == other.methods.is_empty();
    let share_host = one.hosts.iter().any(|host| other.hosts.contains(host));
    let share_method = METHODS.iter().any(|method| takes(one, method) && takes(other, method));
    same_rank && share_host && share_method && order::shape(one) == order::shape(other)
}

fn ambiguous(one: &Route, other: &Route, report: &Report) {
    let (first, second) = if one.line <= other.line { (one, other) } else { (other, one) };
    let text = format!(
        "path `{}` of route `{}` takes the same requests as `{}` of route `{}` on line {}; give them different hosts \
         or methods, or remove one",
        second.pattern, second.name, first.pattern, first.name, first.line
    );
    report.add(second.line, text);
}

fn shadowed(earlier: &[&Route], route: &Route, report: &Report) {
    let longest = earlier.iter().map(|other| other.segments.len()).max().unwrap_or_default();
    let witnesses = witnesses(route, longest.saturating_add(1));
    let free = |host: &&&str| witnesses.iter().any(|path| is_free(earlier, route, host, path));
    let hidden: Vec<&str> = route.hosts.iter().filter(|host| !free(host)).copied().collect();
    if hidden.is_empty() {
        return;
    }
    let text = format!(
        "path `{}` of route `{}` is never reached on {}: more specific routes take all of it; remove it there",
        route.pattern,
        route.name,
        hidden.join(" and ")
    );
    report.add(route.line, text);
}

/// Whether `path` comes to `route` by any method.
fn is_free(earlier: &[&Route], route: &Route, host: &str, path: &[&str]) -> bool {
    let mut methods = METHODS.iter().filter(|method| takes(route, method));
    methods.any(|method| !earlier.iter().any(|other| reaches(other, host, method, path)))
}

fn reaches(route: &Route, host: &str, method: &str, path: &[&str]) -> bool {
    route.hosts.contains(&host) && takes(route, method) && matches(route.segments, path)
}

/// Paths that stand for all that the pattern takes: a tail once in every length that could matter.
fn witnesses(route: &Route, longest: usize) -> Vec<Vec<&'static str>> {
    let filler = if route.raw_path { "" } else { ANY };
    let mut path: Vec<&str> = Vec::new();
    for segment in route.segments {
        match *segment {
            Segment::Literal(text) => path.push(text),
            Segment::Param(_) => path.push(ANY),
            Segment::Tail(_) => {
                return (1..=longest).map(|length| [&path[..], &vec![filler; length]].concat()).collect();
            }
        }
    }
    vec![path]
}
