//! Routes that the edge answers itself, or passes on to a third party, in place of a service.

use edge_core::plan::{Auth, Edge, Proxy, Segment, SignIn};

use super::routes::Pattern;
use super::text::is_authority;
use crate::fault::Report;
use crate::read::Lined;
use crate::{leak, suggest, written};

const EDGES: [(&str, Edge); 7] = [
    ("revocations", Edge::Revocations),
    ("purge", Edge::Purge),
    ("limits", Edge::Limits),
    ("my-limits", Edge::MyLimits),
    ("health", Edge::Health),
    ("ready", Edge::Ready),
    ("sentry-tunnel", Edge::SentryTunnel),
];

/// What the edge does for a route in place of a service.
pub(super) fn check(
    route: &written::Route,
    auth: Option<Auth>,
    patterns: &[Pattern],
    report: &Report,
) -> Option<Edge> {
    match (route.edge.good(), route.proxy.good()) {
        (Some(edge), _) => answer(edge, auth, report),
        (None, Some(proxy)) => third_party(proxy, auth, patterns, report).map(Edge::Proxy),
        (None, None) => None,
    }
}

fn answer(edge: &Lined<String>, auth: Option<Auth>, report: &Report) -> Option<Edge> {
    let found = EDGES.iter().find(|(name, _)| *name == edge.value).map(|(_, edge)| *edge);
    if found.is_none() {
        let hint = suggest::hint(&edge.value, EDGES.map(|(name, _)| name));
        report.add(edge.line, format!("unknown edge `{}`; {hint}", edge.value));
    }
    if let Some(fault) = auth.zip(found).and_then(|(auth, edge)| answers_nobody(auth, edge)) {
        report.add(edge.line, format!("edge `{}` {fault}", edge.value));
    }
    found
}

/// Why a class does not go with an answer of the edge.
fn answers_nobody(auth: Auth, edge: Edge) -> Option<&'static str> {
    match (edge, auth) {
        (_, Auth::Blocked)
        | (Edge::Revocations | Edge::Purge | Edge::Limits, Auth::Admin(_))
        | (Edge::MyLimits, Auth::SignIn(SignIn { required: true, .. }))
        | (Edge::Health | Edge::Ready | Edge::SentryTunnel | Edge::Proxy(_), Auth::Public) => None,
        (Edge::MyLimits, _) => Some("is for whoever is signed in; give the route auth `any_of`"),
        (Edge::Revocations | Edge::Purge | Edge::Limits, _) => {
            Some("is for operators; give the route auth `admin`")
        }
        _ => Some("is for everybody, and knows no callers; give the route auth `public`"),
    }
}

/// `https://eu.i.posthog.com/{*rest}`, its capture being the path's; or a complete address.
fn third_party(
    proxy: &Lined<String>,
    auth: Option<Auth>,
    patterns: &[Pattern],
    report: &Report,
) -> Option<Proxy> {
    let note = |fault: &str| report.add(proxy.line, format!("proxy `{}` {fault}", proxy.value));
    let (base, tail) = split(&proxy.value);
    let address = base.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let is_address = address.is_some_and(|(host, path)| {
        is_authority(host, "443")
            && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}?#".contains(&byte))
    });
    let captured = tail.is_none_or(|tail| {
        patterns.iter().all(|(_, _, segments)| segments.last().is_some_and(|last| is_tail(*last, tail)))
    });
    match () {
        () if !is_address => note("must be as `https://example.com/{*rest}`"),
        () if !captured => note("ends with what not every path captures; end the paths with the same `{*…}`"),
        () if !matches!(auth, Some(Auth::Public | Auth::Blocked) | None) => {
            note("is told nothing of who calls; give the route auth `public`");
        }
        () => return Some(Proxy { base: leak::text(base), tail: tail.map(leak::text) }),
    }
    None
}

fn split(address: &str) -> (&str, Option<&str>) {
    let captured = address.split_once("{*").and_then(|(base, tail)| Some((base, tail.strip_suffix('}')?)));
    captured.map_or((address, None), |(base, tail)| (base, Some(tail)))
}

fn is_tail(segment: Segment, name: &str) -> bool {
    matches!(segment, Segment::Tail(tail) if tail == name)
}
