//! A shared HTTP cache (RFC 9111), over a platform cache that is mere storage.
//!
//! The platform's cache knows neither `Vary` nor validation nor why it did not store; so it gets everything with a long
//! life, and these functions decide. To read in this order: [`key`] (where an answer is kept), [`admit`] (whether the
//! cache takes part), [`index`] (what is kept under a key), [`reuse`] (what it is good for), [`conditional`] and
//! [`range`] (what the caller gets of it), [`storable`] and [`terms`] (what is kept, and for how long), [`validate`]
//! (whether it is still right), [`invalidate`] and [`purge`] (when it no longer is), [`status`] (what is said about it),
//! [`local`] and [`flight`] (what an isolate does by itself), [`lease`] (what the isolates of a data centre do together).
//!
//! Identity never enters a shared answer: a known caller bypasses the cache unless the route says that one copy is for
//! all. Left out: storing of parts (206).

pub mod conditional;
pub mod control;
pub(crate) mod date;
mod dictionary;
pub mod flight;
mod fresh;
pub mod index;
pub mod invalidate;
pub mod key;
pub mod lease;
pub mod local;
pub mod purge;
pub mod range;
pub mod reuse;
pub mod status;
pub mod storable;
pub mod tags;
mod targeted;
pub mod terms;
pub mod validate;
mod vary;
mod weighted;

use http::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderName, IF_MATCH, IF_UNMODIFIED_SINCE, ORIGIN,
    TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, Method};

use crate::auth::Caller;
use crate::forward::FORWARDED_PROTO;
use crate::headers::single;
use crate::plan::{Cache, Route};
use control::Control;

/// Why the cache stays out of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bypass {
    /// The route stores nothing.
    Route,
    /// Neither GET nor HEAD.
    Method,
    /// A known caller, and the route's answers are not the same for all.
    Identity,
    /// Conditions that only the origin can judge.
    Condition,
    /// A GET with content, which some origins heed though it is no part of the key.
    Content,
    /// The URL is longer than any key.
    Long,
}

/// Whether the cache takes part in a request, and by which policy.
pub fn admit<'a>(
    route: &'a Route,
    caller: &Caller,
    method: &Method,
    headers: &HeaderMap,
) -> Result<&'a Cache, Bypass> {
    let policy = policy(route, caller)?;
    match () {
        () if method != Method::GET && method != Method::HEAD => Err(Bypass::Method),
        // Where the route gives answers their life, to spare the origin, no client can make it answer more often.
        () if policy.assign.is_some() => Ok(policy),
        () if conditional::is_for_origin(headers) => Err(Bypass::Condition),
        () if has_content(headers) => Err(Bypass::Content),
        () => Ok(policy),
    }
}

/// The policy by which a caller's answers may be for all.
fn policy<'a>(route: &'a Route, caller: &Caller) -> Result<&'a Cache, Bypass> {
    let policy = route.cache.as_ref().ok_or(Bypass::Route)?;
    // An API key's secret is for the origin to check: only its answer shows that the caller is one.
    let shared = policy.shared && !matches!(caller, Caller::ApiKey(_));
    if caller.is_identified() && !shared { Err(Bypass::Identity) } else { Ok(policy) }
}

/// The policy by which the answer to a POST may be kept for later GETs (RFC 9110 §9.3.3), if it may at all: not where
/// it may be of one caller's session.
#[must_use]
pub fn admit_posted<'a>(
    route: &'a Route,
    caller: &Caller,
    method: &Method,
    headers: &HeaderMap,
) -> Option<&'a Cache> {
    let may = method == Method::POST
        && !headers.contains_key(COOKIE)
        && !UNKEYED.iter().any(|name| headers.contains_key(name))
        && !Control::of(headers).no_store;
    policy(route, caller).ok().filter(|_| may)
}

fn has_content(headers: &HeaderMap) -> bool {
    let length = single(headers, CONTENT_LENGTH);
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// Fields by which some origins answer for another method or URL than the one in the key.
const UNKEYED: [HeaderName; 14] = [
    HeaderName::from_static("x-invoke-path"),
    HeaderName::from_static("x-matched-path"),
    HeaderName::from_static("x-now-route-matches"),
    HeaderName::from_static("x-http-host-override"),
    HeaderName::from_static("x-middleware-prefetch"),
    HeaderName::from_static("x-nextjs-data"),
    HeaderName::from_static("x-url-scheme"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-host"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-host"),
    HeaderName::from_static("x-rewrite-url"),
];

/// Fields that ask for something else than an answer for all. `Origin` is the gateway's own affair.
const OF_REQUEST: [HeaderName; 6] =
    [ORIGIN, IF_MATCH, IF_UNMODIFIED_SINCE, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING];

/// Takes out of a request what must not shape an answer for all, and says which scheme and encodings are wanted: what is
/// stored goes out as it came in.
pub fn neutralise(request: &mut HeaderMap) {
    // An answer for all must not come from one caller's session.
    request.remove(COOKIE);
    for name in UNKEYED.iter().chain(&OF_REQUEST) {
        request.remove(name);
    }
    request.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
    // As in the key: what one caller asked for by another scheme is everybody's.
    request.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
