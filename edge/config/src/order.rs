//! The order of the routes: most specific first, whatever the order of the file.
//!
//! Segment by segment from the left: text, `{param}`, `{*tail}`; the names of captures say nothing. Then
//! routes that name methods, before those that take all. Two routes that are still equal and share a host and
//! a method are ambiguous, which [`crate::reach`] refuses; so the order is total.

use edge_core::plan::{Route, Segment};

/// A segment without the name of its capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Literal(&'static str),
    Param,
    Tail,
}

/// The pattern without the names of its captures.
pub(crate) fn shape(route: &Route) -> Vec<Rank> {
    let rank = |segment: &Segment| match *segment {
        Segment::Literal(text) => Rank::Literal(text),
        Segment::Param(_) => Rank::Param,
        Segment::Tail(_) => Rank::Tail,
    };
    route.segments.iter().map(rank).collect()
}

/// Sorts `routes` into the order in which the gateway tries them.
pub(crate) fn sort(routes: &mut [Route]) {
    routes.sort_by_cached_key(|route| (shape(route), route.methods.is_empty(), route.methods, route.hosts));
}
