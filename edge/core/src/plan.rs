//! What the gateway runs on: he2.toml after checking, as `'static` data.
//!
//! `he2-config` makes a [`Plan`] out of he2.toml; the build writes it out as Rust source, so the Worker parses
//! nothing at start or per request, and the `he2` command uses the same value directly. Secrets and addresses
//! that differ between deployments are not here: they are the Worker's variables.

mod auth;
mod heads;
mod limit;
mod preview;
mod wait;

pub use auth::{
    Admin, Algorithm, Audiences, Auth, AuthPlan, ClaimNames, Condition, Hs256, Issuer, Network, Scheme,
    SignIn, Source, Subject, Test, Value, Webhook,
};
pub use heads::{Access, HeadLimits, Retirement, Security};
pub use limit::{Concurrency, Limit, NO_TIER, OnError, Part, RateLimitFields, Tier, TierOf, Window};
pub use preview::{Ports, Previews};
pub use wait::Wait;

/// Everything he2.toml says about the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Plan {
    /// Public host names. A request for any other is misdirected (RFC 9110 §7.4).
    pub hosts: &'static [Host],
    /// What answers behind the load balancer.
    pub services: &'static [Service],
    /// The origins that stand behind them, one at least.
    pub upstreams: &'static [Upstream],
    /// Most specific first; [`crate::route::find`] takes the first that matches.
    pub routes: &'static [Route],
    /// How tokens are checked, whoever issued them.
    pub auth: AuthPlan,
    /// Who issues tokens.
    pub issuers: &'static [Issuer],
    /// What runs in sandboxes, if it is shown at all.
    pub previews: Option<Previews>,
    /// Which pages may call the API from a browser.
    pub cors: Cors,
    /// In which form callers are told how their limits stand.
    pub rate_limit_fields: RateLimitFields,
    /// Request header that carries the origin-lock secret to the load balancer, in lower case.
    pub lock_header: &'static str,
    /// How large a request's head may be.
    pub request: HeadLimits,
    /// Who is kept out by where they come from.
    pub access: &'static [Access],
    /// Which requests leave a line in the log.
    pub log: Log,
    /// Every Worker variable and secret that the plan names, once each.
    pub variables: &'static [&'static str],
}

/// One public host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Host {
    /// In lower case, without a port.
    pub name: &'static str,
    /// Set when every request is redirected (308) to the same path on that host.
    pub redirect: Option<&'static str>,
    /// Line in he2.toml.
    pub line: u32,
}

/// One service of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Service {
    /// Its name in he2.toml.
    pub name: &'static str,
    /// Port of the container; none for a service that takes no traffic.
    pub port: Option<u16>,
    /// Path that tells whether it is well; there whenever the port is.
    pub health: Option<&'static str>,
}

/// How many of a hundred requests of a class leave a line in the log, 1 to 100 ([`crate::sample`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Log {
    /// Answers of the origin, and of the edge itself.
    pub ok: u8,
    /// Answers out of the cache.
    pub cached: u8,
    /// Preflights.
    pub preflight: u8,
}

/// One origin that requests may go to. It is off in a deployment that does not set its variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Upstream {
    /// Its name in he2.toml, by which callers fall to it.
    pub name: &'static str,
    /// The Worker's variable that holds its scheme and authority.
    pub variable: &'static str,
    /// Its part of the callers, by the sum of the weights of those that are on.
    pub weight: u32,
    /// The services that it serves; empty for all.
    pub services: &'static [&'static str],
}

/// How much a request matters where an upstream has more to do than it can; the last one most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Priority {
    /// Nobody waits for it: refreshes of the cache, prefetches.
    Background,
    /// Nobody in particular waits.
    Anonymous,
    /// A signed-in user or an API key's holder waits.
    Interactive,
    /// Health checks and webhooks, whose senders conclude something from a refusal.
    Vital,
}

/// One route: which requests, and what happens to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Route {
    /// The route's name in he2.toml; several patterns of one route share it.
    pub name: &'static str,
    /// Line of its pattern in he2.toml.
    pub line: u32,
    /// The host names it answers on.
    pub hosts: &'static [&'static str],
    /// The methods it takes, in upper case; empty for all. HEAD is wherever GET is.
    pub methods: &'static [&'static str],
    /// As written, for people: `/api/agents/{agent_id}`.
    pub pattern: &'static str,
    /// The pattern, split at `/`; `/` itself is no segments at all.
    pub segments: &'static [Segment],
    /// Name of the service in [`Plan::services`]. Empty for a blocked route, and for one that the edge answers.
    pub service: &'static str,
    /// What answers it at the edge itself.
    pub edge: Option<Edge>,
    /// Who may pass.
    pub auth: Auth,
    /// How often; none for never limited.
    pub limit: Option<Limit>,
    /// What a request takes from the limit's quotas, at least 1.
    pub cost: u32,
    /// How many at once; a request needs a place in each.
    pub concurrency: &'static [Concurrency],
    /// Server-sent events: what may pass is refused so that an `EventSource` comes back.
    pub event_stream: bool,
    /// What may be stored; none for nothing, whatever the origin says.
    pub cache: Option<Cache>,
    /// Whether encoded slashes and empty segments may stand in the path (file ids). Dot segments never may.
    pub raw_path: bool,
    /// Whether pages of other origins may read its answers, and are told so (Fetch, "CORS protocol").
    pub cors: bool,
    /// How long the origin may take until its response head, in milliseconds: all tries, and the waits between them.
    pub first_byte_ms: u32,
    /// How long one try may take where another upstream can be asked instead, in milliseconds.
    pub try_ms: u32,
    /// How often a request is tried at most, where it may be tried again.
    pub tries: u32,
    /// After how long another upstream is asked too, and the first answer taken, in milliseconds; none for never.
    pub hedge_ms: Option<u32>,
    /// How long its answers' content may take; none for as long as it likes.
    pub timeouts: Option<Timeouts>,
    /// How much its requests matter; none for by who calls.
    pub priority: Option<Priority>,
    /// Event streams that are silent for so many milliseconds get a comment; none for never.
    pub heartbeat_ms: Option<u32>,
    /// Longer content is refused (bytes).
    pub max_body_bytes: u32,
    /// How long a caller may let it wait; none where callers do not say.
    pub wait: Option<Wait>,
    /// What its answers tell browsers to refuse; none for what the origin says alone.
    pub security: Option<Security>,
    /// Set when it is going away.
    pub retirement: Option<Retirement>,
}

/// How long the content of an answer may take. What takes longer is broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Timeouts {
    /// The longest silence of its sender, in milliseconds; none for any.
    pub idle_ms: Option<u32>,
    /// From the request's arrival to the end, in milliseconds; none for any time.
    pub total_ms: Option<u32>,
}

/// One part of a path pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Segment {
    /// Exactly this text. Sorts first: it is the most specific.
    Literal(&'static str),
    /// `{name}`: any one segment that is not empty.
    Param(&'static str),
    /// `{*name}`: one or more segments, whatever they are. Only at the end.
    Tail(&'static str),
}

/// What the edge answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Edge {
    /// Lists, adds and takes back revocations ([`crate::auth::revocation`]).
    Revocations,
    /// Purges what is stored ([`crate::cache::purge`]).
    Purge,
    /// Tells operators how a limit's key stands, frees it, or raises its quotas for a time.
    Limits,
    /// Tells a caller how its limits stand.
    MyLimits,
    /// Tells that the gateway runs.
    Health,
    /// Tells whether it can do its work.
    Ready,
    /// Passes reports of the app's pages on to Sentry ([`crate::sentry::tunnel`]).
    SentryTunnel,
    /// Passes requests on to a third party, without anything that says who calls.
    Proxy(Proxy),
}

/// A third party behind a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Proxy {
    /// The address, up to where what the path captures stands.
    pub base: &'static str,
    /// Name of the capture that follows; none where the address is complete.
    pub tail: Option<&'static str>,
}

/// What may be stored of a route's answers, and for how long: what the origin's fields allow a shared cache (RFC 9111),
/// and what the route adds to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own, by its name in he2.toml")]
pub struct Cache {
    /// Its name in he2.toml.
    pub name: &'static str,
    /// Freshness lifetime in seconds where the origin sends neither `Cache-Control` nor `Expires`.
    pub assign: Option<u32>,
    /// How long after its life a response may be served while a new one is fetched, where the origin does not say, in
    /// seconds (RFC 5861 §3).
    pub stale_while_revalidate: u32,
    /// How long after its life a response may be served while the origin fails, where it does not say, in seconds
    /// (RFC 5861 §4).
    pub stale_if_error: u32,
    /// One copy serves every caller who passed the route's auth check. Only where the answer is the same for all.
    pub shared: bool,
    /// A life is guessed from `Last-Modified` where nothing else is said (RFC 9111 §4.2.2).
    pub heuristic: bool,
    /// Responses that set cookies are stored too, as RFC 9111 §7.3 allows.
    pub stores_cookies: bool,
    /// `Authorization` reaches the origin of a public route, which checks it itself; answers to it are stored only by the
    /// origin's word (RFC 9111 §3.5).
    pub passes_authorization: bool,
    /// Which parameters of the query tell answers apart.
    pub query: Query,
    /// Errors (400 and above) live no longer, in seconds, whatever the origin says.
    pub most_error_seconds: Option<u32>,
    /// Requests that come while an answer is being fetched wait for it in the whole data centre, and not only in the
    /// isolate that fetches it.
    pub collapses_data_centre: bool,
}

/// Which parameters of a query are part of the cache key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Query {
    /// All.
    All,
    /// These.
    Only(&'static [&'static str]),
    /// All but these.
    Except(&'static [&'static str]),
}

/// Cross-origin access to the API (Fetch standard).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Cors {
    /// Exact origins, as `https://he2.ai`.
    pub origins: &'static [&'static str],
    /// `Access-Control-Allow-Methods`, comma separated.
    pub methods: &'static str,
    /// `Access-Control-Allow-Headers`, comma separated.
    pub headers: &'static str,
    /// `Access-Control-Expose-Headers`, comma separated.
    pub expose: &'static str,
    /// How long a browser may remember a preflight's answer, in seconds.
    pub max_age_seconds: u32,
}
