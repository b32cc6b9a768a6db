//! What the gateway runs on: he2.toml after checking, as `'static` data.
//!
//! `he2-config` makes a [`Plan`] out of he2.toml; the build writes it out as Rust source, so the Worker parses
//! nothing at start or per request, and the `he2` command uses the same value directly. Secrets and addresses
//! that differ between deployments are not here: they are the Worker's variables.

/// Everything he2.toml says about the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Plan {
    /// Public host names. A request for any other is misdirected (RFC 9110 §7.4).
    pub hosts: &'static [Host],
    /// What answers behind the load balancer.
    pub services: &'static [Service],
    /// Most specific first; [`crate::route::find`] takes the first that matches.
    pub routes: &'static [Route],
    /// How tokens are checked.
    pub auth: AuthPlan,
    /// Which pages may call the API from a browser.
    pub cors: Cors,
    /// Request header that carries the origin-lock secret to the load balancer, in lower case.
    pub lock_header: &'static str,
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
    /// Name of the service in [`Plan::services`]. Empty for a blocked route.
    pub service: &'static str,
    /// Who may pass.
    pub auth: Auth,
    /// How often; none for never limited.
    pub limit: Option<Limit>,
    /// What may be stored.
    pub cache: Cache,
    /// Whether encoded slashes and empty segments may stand in the path (file ids). Dot segments never may.
    pub raw_path: bool,
    /// How long the origin may take until its response head, in milliseconds.
    pub first_byte_ms: u32,
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

/// Who may pass a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Auth {
    /// Everyone; credentials in `Authorization` are dropped, so that nobody behind can mistake them for checked.
    Public,
    /// Everyone; a token that is there must be good and makes the caller known.
    Optional,
    /// A signed-in user by a bearer token, or an API key (whose secret the origin checks).
    User,
    /// As `User`, and the token may come as `?token=` (`EventSource` cannot send headers).
    Stream,
    /// The shared key of the operators in `X-Admin-Api-Key`.
    Admin,
    /// A webhook that must carry one of these headers (lower case); the origin checks the signature.
    Webhook(&'static [&'static str]),
    /// Nobody: 404, as if it were not there.
    Blocked,
}

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Limit {
    /// Its name in he2.toml; routes with the same limit share the counters.
    pub name: &'static str,
    /// All must have room; then all are charged.
    pub windows: &'static [Window],
    /// Line in he2.toml.
    pub line: u32,
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct Window {
    /// Requests allowed, at least 1.
    pub quota: u32,
    /// Length in seconds, at least 1. It opens at a caller's first request.
    pub seconds: u32,
}

/// What may be stored of a route's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub enum Cache {
    /// Nothing, whatever the origin says.
    Off,
    /// What the origin's headers allow a shared cache (RFC 9111).
    Obey,
    /// As `Obey`; where the origin sends neither `Cache-Control` nor `Expires`, this freshness is assumed.
    Assign {
        /// Freshness lifetime in seconds.
        seconds: u32,
        /// One copy serves every caller who passed the route's auth check. Only where the answer is the same for all.
        shared: bool,
    },
}

/// How Supabase's tokens are checked. The issuer's address is the Worker's variable `ISSUER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "bake", derive(databake::Bake), databake(path = edge_core::plan))]
pub struct AuthPlan {
    /// One of these must be in `aud`.
    pub audiences: &'static [&'static str],
    /// JOSE names of the algorithms taken; `HS256` also needs the secret `JWT_HS256_SECRET`.
    pub algorithms: &'static [&'static str],
    /// Values of `role` that are a signed-in user.
    pub roles: &'static [&'static str],
    /// Clock difference forgiven in `exp`, `nbf` and `iat`, in seconds; at most 60.
    pub leeway_seconds: u32,
    /// A longer token is refused unread, in bytes.
    pub max_token_bytes: u32,
    /// Key sets are fetched again after this long at the latest, in seconds.
    pub jwks_max_age_seconds: u32,
    /// A key set is used this long after its last good fetch while the issuer is down, in seconds.
    pub jwks_stale_seconds: u32,
    /// An unknown `kid` causes at most one fetch in this time, in seconds.
    pub jwks_cooldown_seconds: u32,
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
