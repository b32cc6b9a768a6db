//! Asking the origin whether what is stored has changed, and what its 304 does to it (RFC 9111 §4.3).

use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::index::{Index, Variant};
use super::storable::Exchange;
use super::terms::Terms;
use super::{fresh, storable, tags, targeted, vary};
use crate::headers::{set, single};
use crate::plan::Cache;

/// Fields that tell of the content, which a 304 does not bring (§3.2).
const OF_CONTENT: [HeaderName; 4] =
    [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE, HeaderName::from_static("content-md5")];

/// Whether the origin can be asked if it has changed.
pub(super) fn has_validator(headers: &HeaderMap) -> bool {
    headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED)
}

/// §4.3.1: replaces the request's conditions by those that the stored responses give: the tag and the date of the one
/// that is selected, and the tags of those others that a 304 could put in its place. Whether any was given: where none
/// is, the client's own stay.
#[must_use]
pub fn condition(request: &mut HeaderMap, index: &Index, selected: Option<&Variant>) -> bool {
    let tag = |variant: &Variant| single(&variant.headers, ETAG).map(str::to_owned);
    let others = others(index, selected, request).filter_map(tag);
    let tags: Vec<_> = selected.and_then(tag).into_iter().chain(others).collect();
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

/// Responses that the request does not select, but might if the origin says so: by a strong tag, which stands for these
/// very bytes (RFC 9110 §8.8.1), and in a coding that was negotiated alike. Many origins give all codings one tag.
fn others<'i>(
    index: &'i Index,
    selected: Option<&Variant>,
    asked: &HeaderMap,
) -> impl Iterator<Item = &'i Variant> {
    let selected = selected.map(|variant| variant.body.clone());
    let coding = vary::normal(asked, ACCEPT_ENCODING.as_str());
    index.variants.iter().filter(move |variant| {
        let tag = single(&variant.headers, ETAG);
        let mut fields = variant.selecting.iter();
        let coded = fields.find(|(name, _)| name == ACCEPT_ENCODING.as_str());
        selected.as_ref() != Some(&variant.body)
            && tag.is_some_and(|tag| !tag.starts_with("W/"))
            && coded.is_none_or(|(_, value)| *value == coding)
    })
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
        Some(tag) => {
            let same = selected.filter(|variant| is_same(variant.headers.get(ETAG), tag));
            same.or_else(|| {
                others(index, selected, asked).find(|variant| variant.headers.get(ETAG) == Some(tag))
            })
        }
        // Many origins send no validator with a 304, though they should: it is about the one that was asked about.
        None => selected.filter(|_| others(index, selected, asked).next().is_none()),
    }?;
    let headers = merged(&confirmed.headers, confirmation);
    let status = StatusCode::from_u16(confirmed.status).ok()?;
    // What it adds may make the whole somebody's own: a cookie, `private`.
    let exchange = Exchange {
        policy,
        method: &Method::GET,
        asked,
        status,
        headers: &headers,
        requested_ms,
        received_ms,
    };
    if !storable::may(&exchange, &targeted::control(&headers)) {
        return None;
    }
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
