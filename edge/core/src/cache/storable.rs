//! What may be stored (RFC 9111 §3), and which of its fields (§3.1).

use http::header::{
    AUTHORIZATION, CONTENT_LOCATION, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE,
};
use http::{HeaderMap, Method, StatusCode};

use super::control::Control;
use super::index::Variant;
use super::terms::Terms;
use super::{fresh, invalidate, tags, targeted, validate, vary};
use crate::forward::USER;
use crate::headers::single;
use crate::plan::Cache;

/// Fields that are of one exchange, and not of the response: §3.1, and the gateway's own `Server-Timing`.
const NOT_STORED: [HeaderName; 4] = [
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("server-timing"),
];

/// A request and its answer, as far as storing depends on them.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The route's policy.
    pub policy: &'a Cache,
    /// Request method.
    pub method: &'a Method,
    /// The request's fields as the origin saw them.
    pub asked: &'a HeaderMap,
    /// Response status.
    pub status: StatusCode,
    /// Response fields.
    pub headers: &'a HeaderMap,
    /// When the origin was asked, in Unix milliseconds.
    pub requested_ms: u64,
    /// When its head arrived.
    pub received_ms: u64,
}

/// The record of a response that may be stored, whose content will go by the name `body`.
#[must_use]
pub fn storable(exchange: &Exchange<'_>, body: String) -> Option<Variant> {
    let Exchange { policy, asked, status, headers, requested_ms, received_ms, .. } = *exchange;
    let control = targeted::control(headers);
    if !may(exchange, &control) {
        return None;
    }
    let terms = Terms::of(policy, status, headers, received_ms)?;
    // What is stale at once is worth keeping only for asking whether it has changed.
    if !terms.outlives_now() && !validate::has_validator(headers) {
        return None;
    }
    Some(Variant {
        body,
        status: status.as_u16(),
        headers: kept(headers),
        selecting: vary::selecting(headers, asked)?,
        content_ms: requested_ms,
        requested_ms,
        received_ms,
        age: fresh::initial_age(headers, requested_ms, received_ms),
        terms,
        length: 0,
        tags: tags::tags(headers),
    })
}

/// Whether the answer to a POST says that it is what a GET would get, and for how long (RFC 9110 §9.3.3). `place` are
/// host, path and query of the request.
#[must_use]
pub fn is_for_get(
    status: StatusCode,
    headers: &HeaderMap,
    (host, path, query): (&str, &str, Option<&str>),
    received_ms: u64,
) -> bool {
    let named = single(headers, CONTENT_LOCATION).and_then(|at| invalidate::resolve(at, host, path));
    let explicit = fresh::explicit(headers, &targeted::control(headers), received_ms);
    status == StatusCode::OK
        && explicit.is_some()
        && named.is_some_and(|(there, with)| there == path && with.as_deref() == query)
}

pub(super) fn may(exchange: &Exchange<'_>, control: &Control) -> bool {
    let Exchange { policy, method, asked, status, headers, .. } = *exchange;
    // §5.2.2.3: with `must-understand`, `no-store` is for caches that do not know the status.
    let no_store = if control.must_understand { !is_understood(status) } else { control.no_store };
    // §3.5: an answer to somebody's credentials is everybody's only by the origin's word, or the route's.
    // Of what a route shares only answers that are the same for all: what one caller may not have is its own.
    let shared = policy.shared && status == StatusCode::OK;
    let personal = asked.contains_key(AUTHORIZATION) || asked.contains_key(USER);
    let authorised = shared || control.public || control.must_revalidate || control.s_maxage.is_some();
    method == Method::GET
        && is_whole(status)
        && !no_store
        && !control.private
        && (policy.stores_cookies || !headers.contains_key(SET_COOKIE))
        && (authorised || !personal)
        && !Control::of(asked).no_store
}

/// A final answer that stands for the whole: no part of it, and no word about what somebody has.
fn is_whole(status: StatusCode) -> bool {
    !status.is_informational() && !matches!(status.as_u16(), 206 | 304)
}

/// Statuses whose caching requirements this cache knows and follows (RFC 9110 §15).
fn is_understood(status: StatusCode) -> bool {
    is_heuristically_cacheable(status) || matches!(status.as_u16(), 302 | 303 | 307 | 400 | 403 | 500..=504)
}

/// RFC 9110 §15.1: statuses whose answer may be reused by a guess.
pub(super) fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Content longer than this is not fetched for nobody (bytes).
const SHORT: u64 = 1 << 20;

/// Whether content is worth fetching to its end though its caller has left: `received` bytes of it are here.
#[must_use]
pub fn is_worth_finishing(received: u64, declared: Option<u64>) -> bool {
    declared.is_some_and(|length| length <= SHORT || received >= length / 2)
}

/// The fields that are stored.
pub(super) fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in &NOT_STORED {
        kept.remove(name);
    }
    kept
}
