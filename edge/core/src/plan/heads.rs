//! What the plan says of heads: how large those of requests may be, who is kept out by where they come from, and what
//! is added to those of answers.

use super::Network;

/// How large a request's head may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct HeadLimits {
    /// Path and query together, in bytes.
    pub target_bytes: u32,
    /// The query, in bytes.
    pub query_bytes: u32,
    /// Header fields.
    pub fields: u32,
    /// Path, query, and the fields' names and values, in bytes.
    pub head_bytes: u32,
}

/// Whom a rule keeps out of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Access {
    /// Whoever is in none of the lists is kept out; else whoever is in one.
    pub allow: bool,
    /// Countries: two letters of ISO 3166-1, `T1` for Tor, `XX` where it is not known.
    pub countries: &'static [&'static str],
    /// Numbers of autonomous systems.
    pub asns: &'static [u32],
    /// Blocks of addresses.
    pub networks: &'static [Network],
    /// Names of the routes that it holds for; empty for all.
    pub routes: &'static [&'static str],
    /// Line in he2.toml.
    pub line: u32,
}

/// What answers tell browsers to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Security {
    /// Names in lower case, and values.
    pub fields: &'static [(&'static str, &'static str)],
    /// They take the place of the origin's own of these names; else those stand.
    pub replaces: bool,
}

/// That a route is going away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Retirement {
    /// From when on nobody should begin to use it (Unix seconds); may lie ahead.
    pub deprecated: u64,
    /// From when on it may not answer any more (Unix seconds).
    pub sunset: Option<u64>,
    /// Address of a page that explains it.
    pub link: Option<&'static str>,
}
