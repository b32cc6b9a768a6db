//! Asking the origin whether what is stored has changed, and what its 304 does to it (RFC 9111 §4.3).

use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::index::{Index, Variant};
use super::terms::Terms;
use super::{fresh, storable, tags, vary};
use crate::headers::{set, single};
use crate::plan::Cache;

/// Fields that tell of the content, which a 304 does not bring (§3.2).
const OF_CONTENT: [HeaderName; 4] =
    [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE, HeaderName::from_static("content-md5")];

/// Whether the origin can be asked if it has changed.
pub(super) fn has_validator(headers: &HeaderMap) -> bool {
    headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED)
}

/// §4.3.1: replaces the request's conditions by those that the stored responses give: the tags of all of them, and the
/// date of the one that is selected. Whether any was given: where none is, the client's own stay.
#[must_use]
pub fn condition(request: &mut HeaderMap, index: &Index, selected: Option<&Variant>) -> bool {
    let tags: Vec<_> = index.variants.iter().filter_map(|variant| single(&variant.headers, ETAG)).collect();
    let changed = selected.and_then(|variant| single(&variant.headers, LAST_MODIFIED));
    if tags.is_empty() && changed.is_none() {
        return false;
    }
    request.remove(IF_NONE_MATCH);
    request.remove(IF_MODIFIED_SINCE);
    if !tags.is_empty() {
        set(request, IF_NONE_MATCH, &tags.join(", "));
    }
    if let Some(date) = changed {
        set(request, IF_MODIFIED_SINCE, date);
    }
    true
}

/// §4.3.4: the stored response that a 304 confirms, updated by it; none where it confirms none of them, as one with
/// another tag does.
#[must_use]
pub fn freshen(
    policy: &Cache,
    index: &Index,
    selected: Option<&Variant>,
    asked: &HeaderMap,
    confirmation: &HeaderMap,
    (requested_ms, received_ms): (u64, u64),
) -> Option<Variant> {
    let confirmed = match confirmation.get(ETAG) {
        Some(tag) => index.variants.iter().find(|variant| is_same(variant.headers.get(ETAG), tag)),
        // Many origins send no validator with a 304, though they should: it is about the one that was asked about.
        None => selected,
    }?;
    let headers = merged(&confirmed.headers, confirmation);
    let status = StatusCode::from_u16(confirmed.status).ok()?;
    Some(Variant {
        terms: Terms::of(policy, status, &headers, received_ms)?,
        age: fresh::initial_age(confirmation, requested_ms, received_ms),
        selecting: vary::selecting(&headers, asked)?,
        tags: tags::tags(&headers),
        headers,
        requested_ms,
        received_ms,
        ..confirmed.clone()
    })
}

/// RFC 9110 §8.8.3.2, weak comparison: an origin may confirm by a weak form of its tag.
fn is_same(stored: Option<&HeaderValue>, tag: &HeaderValue) -> bool {
    let opaque =
        |value: &HeaderValue| value.as_bytes().strip_prefix(b"W/").unwrap_or(value.as_bytes()).to_vec();
    stored.is_some_and(|stored| opaque(stored) == opaque(tag))
}

/// §3.2: every field of the 304 replaces the stored one of its name.
fn merged(stored: &HeaderMap, confirmation: &HeaderMap) -> HeaderMap {
    let news = storable::kept(confirmation);
    let mut merged = stored.clone();
    for name in news.keys().filter(|name| !OF_CONTENT.contains(name)) {
        merged.remove(name);
        for value in news.get_all(name) {
            merged.append(name.clone(), value.clone());
        }
    }
    // What is not sent again is as old as the response was; its age is counted anew.
    if !news.contains_key(http::header::AGE) {
        merged.remove(http::header::AGE);
    }
    merged
}
