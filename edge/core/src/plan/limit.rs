//! What the plan says of limits: how often callers may call, and how many of their requests may be under way at once.

use super::Condition;

/// How often callers may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of he2.toml")]
pub struct Limit {
    /// Its name in he2.toml; routes with the same limit share the counters.
    pub name: &'static str,
    /// Whose counters: requests that are alike in all of these share them. Never empty.
    pub by: &'static [Part],
    /// All must have room; then all are charged.
    pub windows: &'static [Window],
    /// Callers with other windows; the first that a caller is of holds.
    pub tiers: &'static [Tier],
    /// The response field, in lower case, in which the origin may say that a request cost more than its route says.
    pub cost_field: Option<&'static str>,
    /// Answers from the cache are charged like all others.
    pub counts_hits: bool,
    /// Every request is asked about: nothing is lent to isolates, and the count is exact at each moment.
    pub strict: bool,
    /// What happens while nobody can be asked.
    pub on_error: OnError,
    /// It counts and logs, and refuses nobody.
    pub shadow: bool,
    /// The app's clients show what a refusal says of running agents, so it says that in their form.
    pub tells_runs: bool,
    /// Line in he2.toml.
    pub line: u32,
}

/// What tells one counter from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Part {
    /// The user, else the API key, else the address. It stands in too for a session or a claim that there is not.
    Caller,
    /// The address; of IPv6 the /64.
    Address,
    /// The user's session.
    Session,
    /// The value of the claim at this path.
    Claim(&'static [&'static str]),
    /// What stands in the path for this parameter; nothing on routes without it.
    Param(&'static str),
    /// The route's service.
    Service,
}

/// What operators call the callers of no tier.
pub const NO_TIER: &str = "default";

/// Callers that have windows of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Tier {
    /// For people.
    pub name: &'static str,
    /// Who is of it.
    pub of: TierOf,
    /// In place of the limit's.
    pub windows: &'static [Window],
}

/// Who is of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum TierOf {
    /// Users of whose token this holds.
    User(Condition),
    /// API keys that begin like this.
    ApiKey(&'static str),
}

/// What happens to a request while its limit's object cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum OnError {
    /// It passes.
    Allow,
    /// It is refused, with 503.
    Deny,
    /// It is counted by the isolate alone.
    Local,
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Window {
    /// Requests allowed, at least 1.
    pub quota: u32,
    /// Length in seconds, at least 1. A fixed window opens at a caller's first request.
    pub seconds: u32,
    /// GCRA: requests that may come at once, at least 1. None: a fixed window.
    pub burst: Option<u32>,
}

/// How many requests may be under way at once: an event stream until it ends, any other until its response head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Concurrency {
    /// Its name in he2.toml; routes with the same one share the places.
    pub name: &'static str,
    /// Whose places. Never empty.
    pub by: &'static [Part],
    /// Places, at least 1.
    pub most: u32,
    /// For how long a place is held that nobody renews (s): after an isolate died, it is free again no later.
    pub lease_seconds: u32,
    /// While nobody can be asked, nobody is let in.
    pub closed_on_error: bool,
    /// It counts and logs, and refuses nobody.
    pub shadow: bool,
    /// Line in he2.toml.
    pub line: u32,
}

/// Generations of the `RateLimit` fields; clients read one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum RateLimitFields {
    /// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset` (draft-ietf-httpapi-ratelimit-headers-06).
    Draft06,
    /// `RateLimit: limit=…, remaining=…, reset=…` (draft-07).
    Draft07,
    /// `RateLimit: "name";r=…;t=…` and `RateLimit-Policy: "name";q=…;w=…` (draft-11).
    Draft11,
}
