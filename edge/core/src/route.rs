//! Which route takes a request: host, then path and method.
//!
//! The table is sorted when the plan is made, most specific first, so the first match is the best match and the
//! order of he2.toml means nothing. Precedence, segment by segment from the left: text, `{param}`, `{*tail}`;
//! then routes that name methods before routes that take all. Being sorted, the table is its own index: those that begin
//! alike stand together, and are found by halving, so a thousand times as many routes cost a few comparisons more.

use std::cmp::Ordering;

use crate::plan::{Host, Plan, Route, Segment};

/// The methods that there are for routes; HEAD is wherever GET is.
pub const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The outcome of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// This route takes the request.
    Route(&'static Route),
    /// No route has the path.
    NotFound,
    /// The path exists; these are its methods (RFC 9110 §15.5.6).
    MethodNotAllowed(Vec<&'static str>),
}

/// The entry of host `name` (without port, any case), if the gateway answers for it.
#[must_use]
pub fn host(plan: &'static Plan, name: &str) -> Option<&'static Host> {
    plan.hosts.iter().find(|host| host.name.eq_ignore_ascii_case(name))
}

/// The route for a path in normal form.
#[must_use]
pub fn find(plan: &'static Plan, host: &str, method: &str, path: &str) -> Find {
    let mut allowed = Vec::new();
    let found = first(plan.routes, 0, &split(path), &mut |route| {
        let on_host = route.hosts.contains(&host);
        let taken = on_host && takes(route, method);
        if on_host && !taken {
            allowed.extend(methods(route));
        }
        taken
    });
    match found {
        Some(route) => Find::Route(route),
        None if allowed.is_empty() => Find::NotFound,
        None => Find::MethodNotAllowed(with_head(allowed)),
    }
}

/// The first route that is right, of those whose pattern takes a path; it is asked of one after the other, the most
/// specific first. `routes` share their first `depth` segments, and `path` is what follows these.
fn first(
    routes: &'static [Route],
    depth: usize,
    path: &[&str],
    is_right: &mut impl FnMut(&Route) -> bool,
) -> Option<&'static Route> {
    if routes.is_empty() {
        return None;
    }
    let Some((segment, rest)) = path.split_first() else {
        return routes.iter().take_while(|route| route.segments.len() == depth).find(|route| is_right(route));
    };
    let text = part(routes, depth, |own| match own {
        Segment::Literal(text) => (*text).cmp(segment),
        Segment::Param(_) | Segment::Tail(_) => Ordering::Greater,
    });
    let params = part(routes, depth, |own| match own {
        Segment::Literal(_) => Ordering::Less,
        Segment::Param(_) => Ordering::Equal,
        Segment::Tail(_) => Ordering::Greater,
    });
    let params = if segment.is_empty() { &[] } else { params };
    let tails = part(routes, depth, |own| match own {
        Segment::Literal(_) | Segment::Param(_) => Ordering::Less,
        Segment::Tail(_) => Ordering::Equal,
    });
    let next = depth.saturating_add(1);
    first(text, next, rest, is_right)
        .or_else(|| first(params, next, rest, is_right))
        .or_else(|| tails.iter().find(|route| is_right(route)))
}

/// The routes whose segment at this depth compares as equal; one that has none there comes first.
fn part(routes: &'static [Route], depth: usize, compare: impl Fn(&Segment) -> Ordering) -> &'static [Route] {
    let compare = |route: &Route| route.segments.get(depth).map_or(Ordering::Less, &compare);
    let from = routes.partition_point(|route| compare(route).is_lt());
    let rest = routes.get(from..).unwrap_or_default();
    rest.get(..rest.partition_point(|route| compare(route).is_eq())).unwrap_or_default()
}

/// Whether the route takes the method. HEAD is wherever GET is (RFC 9110 §9.3.2). TRACE is nowhere: it would show the
/// caller what the gateway tells the origin (§9.3.8); nor is CONNECT, which is for proxies (§9.3.6).
#[must_use]
pub fn takes(route: &Route, method: &str) -> bool {
    match method {
        "HEAD" => takes(route, "GET"),
        "TRACE" | "CONNECT" => false,
        method => route.methods.is_empty() || route.methods.contains(&method),
    }
}

/// What `Allow` says of a route (RFC 9110 §10.2.1).
#[must_use]
pub fn allow(route: &Route) -> String {
    with_head(methods(route).to_vec()).join(", ")
}

/// Those that the route names, or all.
fn methods(route: &Route) -> &'static [&'static str] {
    if route.methods.is_empty() { &METHODS } else { route.methods }
}

/// What stands in a path of this route for a parameter of its pattern.
#[must_use]
pub fn param<'p>(route: &Route, path: &'p str, name: &str) -> Option<&'p str> {
    let at = route.segments.iter().position(
        |segment| matches!(segment, Segment::Param(param) | Segment::Tail(param) if *param == name),
    )?;
    let rest = path.strip_prefix('/')?;
    match route.segments.get(at)? {
        Segment::Tail(_) => rest.splitn(at.saturating_add(1), '/').nth(at),
        Segment::Literal(_) | Segment::Param(_) => rest.split('/').nth(at),
    }
}

/// A path in normal form, split at `/`; `/` itself is no segments, `/a/` is `a` and an empty one.
#[must_use]
pub fn split(path: &str) -> Vec<&str> {
    match path.strip_prefix('/').unwrap_or(path) {
        "" => Vec::new(),
        rest => rest.split('/').collect(),
    }
}

/// Whether a pattern takes a path.
#[must_use]
pub fn matches(pattern: &[Segment], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) | (Some((Segment::Tail(_), _)), Some(_)) => true,
        (Some((Segment::Literal(text), pattern)), Some((first, path))) => {
            text == first && matches(pattern, path)
        }
        (Some((Segment::Param(_), pattern)), Some((first, path))) => {
            !first.is_empty() && matches(pattern, path)
        }
        _ => false,
    }
}

fn with_head(mut methods: Vec<&'static str>) -> Vec<&'static str> {
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERN: &[Segment] = &[Segment::Literal("api"), Segment::Param("id"), Segment::Tail("rest")];

    #[test]
    fn patterns_match_whole_segments_only() {
        let hit = |path| matches(PATTERN, &split(path));
        assert!(hit("/api/7/a"));
        assert!(hit("/api/7/a/b/"));
        assert!(hit("/api/7/"), "a tail takes an empty last segment");
        assert!(!hit("/api/7"));
        assert!(!hit("/api//a"), "a parameter is never empty");
        assert!(!hit("/apiX/7/a"));
        assert!(!hit("/API/7/a"), "paths are case-sensitive (RFC 3986 §6.2.2.1)");
    }

    #[test]
    fn the_root_is_no_segments_and_a_trailing_slash_is_one_more() {
        assert!(matches(&[], &split("/")));
        assert!(!matches(&[Segment::Literal("a")], &split("/a/")));
        assert!(!matches(&[Segment::Tail("rest")], &split("/")));
    }
}
