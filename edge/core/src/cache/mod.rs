//! What may be stored and reused: RFC 9111 for a shared cache, over a platform cache that is mere storage.
//!
//! The platform's cache knows neither `Vary` nor why it did not store; so it gets everything under one key with a
//! long lifetime, and these functions decide. Identity never enters a shared answer: a known caller bypasses the
//! cache unless the route says that one copy is for all. Left out: validating a stale response with the origin,
//! serving it stale, several variants of one URL, and collapsing of concurrent misses.

pub mod control;
mod fresh;

use std::fmt;

use http::header::{CONTENT_LENGTH, ETAG, HeaderName, IF_NONE_MATCH, RANGE, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::headers::{list, single};
use crate::plan::{Cache, Route};
use control::Control;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The cache's name in `Cache-Status` (RFC 9211).
const NAME: &str = "he2";

/// The head of a stored response, and what is needed to reuse it. Its JSON is the stored layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Response status.
    pub status: u16,
    /// Response fields, as the caller may see them.
    pub headers: Vec<(String, String)>,
    /// The request's values of the fields that `Vary` names (§4.1).
    pub vary: Vec<(String, Option<String>)>,
    /// When the origin was asked, in Unix milliseconds.
    pub requested_ms: u64,
    /// When its head arrived, in Unix milliseconds.
    pub received_ms: u64,
    /// Freshness that the route assigned, in seconds.
    pub assigned: Option<u32>,
}

/// Why the cache stays out of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bypass {
    /// The route stores nothing.
    Route,
    /// Neither GET nor HEAD.
    Method,
    /// A known caller, and the route's answers are not the same for all.
    Identity,
    /// A part of the response is asked for.
    Range,
    /// The request says `no-store`.
    Request,
}

/// What a stored response is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// Serve it; its age and what is left of its life, in seconds.
    Fresh {
        /// Goes into `Age`.
        age: u64,
        /// Goes into `Cache-Status`.
        ttl: u64,
    },
    /// Its life is over, or the request wants a younger one.
    Stale,
    /// It was selected by other request fields (§4.1).
    VaryMiss,
    /// The request wants the origin's word (§5.2.1.4).
    Request,
}

/// Whether the cache takes part in a request.
pub fn admit(route: &Route, caller: &Caller, method: &Method, headers: &HeaderMap) -> Result<(), Bypass> {
    // An API key's secret is for the origin to check: only its answer shows that the caller is one.
    let shared =
        matches!(route.cache, Cache::Assign { shared: true, .. }) && !matches!(caller, Caller::ApiKey(_));
    match () {
        () if route.cache == Cache::Off => Err(Bypass::Route),
        () if method != Method::GET && method != Method::HEAD => Err(Bypass::Method),
        () if caller.is_identified() && !shared => Err(Bypass::Identity),
        () if headers.contains_key(RANGE) => Err(Bypass::Range),
        () if Control::of(headers).no_store => Err(Bypass::Request),
        () => Ok(()),
    }
}

/// The key of a request: its whole URL (§2). Tokens are out of the query by now.
#[must_use]
pub fn key(host: &str, path: &str, query: Option<&str>) -> String {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("https://{host}{path}{query}")
}

/// What a stored response is good for, for this request (§4). Where the route assigned its life, to spare the origin,
/// a client's wish for a younger one counts for nothing.
#[must_use]
pub fn reuse(stored: &Stored, request: &HeaderMap, now_ms: u64) -> Reuse {
    let wants = Control::of(request);
    let headers = stored.header_map();
    if stored.vary.iter().any(|(name, value)| selecting(request, name) != *value) {
        return Reuse::VaryMiss;
    }
    if wants.no_cache && stored.assigned.is_none() {
        return Reuse::Request;
    }
    let age = fresh::age(&headers, stored.requested_ms, stored.received_ms, now_ms);
    let life = fresh::lifetime(&headers, stored.assigned).unwrap_or(0);
    let ttl = life.saturating_sub(age);
    let young = wants.max_age.is_none_or(|max| age <= max) && ttl > wants.min_fresh.unwrap_or(0);
    match ttl > 0 && (young || stored.assigned.is_some()) {
        true => Reuse::Fresh { age, ttl },
        false => Reuse::Stale,
    }
}

/// Whether a request wants nothing but a stored response (§5.2.1.7).
#[must_use]
pub fn only_if_cached(request: &HeaderMap) -> bool {
    Control::of(request).only_if_cached
}

/// The stored form of a response, if it may be stored (§3). `asked` are the request's fields as the origin saw them,
/// and the times are when it was asked and when its head arrived (Unix ms).
///
/// §3.5 (Authorization) is met before: [`admit`] lets a known caller come here only where the route is for all.
#[must_use]
pub fn store(
    route: &Route,
    method: &Method,
    asked: &HeaderMap,
    status: StatusCode,
    headers: &HeaderMap,
    (requested_ms, received_ms): (u64, u64),
) -> Option<Stored> {
    let control = Control::of(headers);
    let assigned = match route.cache {
        Cache::Off => return None,
        Cache::Obey => None,
        // An error that the origin said nothing about may be over the next moment.
        Cache::Assign { seconds, .. } => Some(seconds).filter(|_| status == StatusCode::OK),
    };
    let may = method == Method::GET
        && is_final(status)
        && !control.no_store
        && !control.private
        && !control.no_cache
        // Cookies are somebody's. RFC 9111 would allow it (§7.3); one leaked session is worse than all hits lost.
        && !headers.contains_key(SET_COOKIE)
        && fresh::lifetime(headers, assigned).is_some_and(|seconds| seconds > 0);
    let vary = may.then(|| vary(headers, asked)).flatten()?;
    Some(Stored {
        status: status.as_u16(),
        headers: strings(headers)?,
        vary,
        requested_ms,
        received_ms,
        assigned,
    })
}

/// Statuses that stand for themselves and whose whole meaning this cache understands (§3): no parts, no 304.
fn is_final(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// The request's values of the fields named by `Vary`; none if it names everything (§4.1). `Origin` is the
/// gateway's own affair: it writes the answer's CORS fields anew each time.
fn vary(headers: &HeaderMap, asked: &HeaderMap) -> Option<Vec<(String, Option<String>)>> {
    let names: Vec<_> =
        list(headers, VARY).map(str::to_ascii_lowercase).filter(|name| name != "origin").collect();
    let values = names.iter().map(|name| (name.clone(), selecting(asked, name)));
    // What varies by a credential is somebody's, and the credential would be stored with it.
    let unstorable = |name: &String| matches!(name.as_str(), "*" | "authorization" | "cookie");
    (!names.iter().any(unstorable)).then(|| values.collect())
}

/// A selecting field's value, with the whitespace around list members normalised (§4.1).
fn selecting(request: &HeaderMap, name: &str) -> Option<String> {
    request.contains_key(name).then(|| list(request, name).collect::<Vec<_>>().join(", "))
}

/// All but `Server-Timing`, which is of one request.
fn strings(headers: &HeaderMap) -> Option<Vec<(String, String)>> {
    let kept = headers.iter().filter(|(name, _)| *name != SERVER_TIMING);
    kept.map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}

impl Stored {
    /// The response fields.
    #[must_use]
    pub fn header_map(&self) -> HeaderMap {
        let pair = |(name, value): &(String, String)| {
            Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?))
        };
        self.headers.iter().filter_map(pair).collect()
    }

    /// Whether the caller has this response already (RFC 9110 §13.1.2).
    #[must_use]
    pub fn is_held_by(&self, request: &HeaderMap) -> bool {
        let headers = self.header_map();
        let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        let Some(etag) = single(&headers, ETAG).map(opaque) else { return false };
        self.status == 200 && list(request, IF_NONE_MATCH).any(|tag| tag == "*" || opaque(tag) == etag)
    }
}

/// Fields that a 304 leaves out, because it has no content (RFC 9110 §15.4.5).
pub fn strip_content_fields(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
}

/// How the cache handled a request: the `Cache-Status` member (RFC 9211).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Served from the cache, with this many seconds left.
    Hit(u64),
    /// The cache stayed out.
    Bypass(Bypass),
    /// Nothing stored.
    UriMiss {
        /// Whether the answer was stored.
        stored: bool,
    },
    /// Something stored, of no use for this request.
    Forward {
        /// Why.
        reuse: Reuse,
        /// Whether the answer was stored.
        stored: bool,
    },
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = |stored: bool| if stored { "; stored" } else { "" };
        match *self {
            Self::Hit(ttl) => write!(f, "{NAME}; hit; ttl={ttl}"),
            Self::Bypass(why) => write!(f, "{NAME}; fwd={}", why.token()),
            Self::UriMiss { stored } => write!(f, "{NAME}; fwd=uri-miss{}", suffix(stored)),
            Self::Forward { reuse, stored } => write!(f, "{NAME}; fwd={}{}", reuse.token(), suffix(stored)),
        }
    }
}

impl Bypass {
    fn token(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Request => "request",
            Self::Route => "bypass; detail=route",
            Self::Identity => "bypass; detail=identity",
            Self::Range => "bypass; detail=range",
        }
    }
}

impl Reuse {
    fn token(self) -> &'static str {
        match self {
            Self::VaryMiss => "vary-miss",
            Self::Request => "request",
            Self::Fresh { .. } | Self::Stale => "stale",
        }
    }
}

#[cfg(test)]
mod tests;
