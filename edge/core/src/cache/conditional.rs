//! A client's own conditions, answered from what is stored (RFC 9110 §13, RFC 9111 §4.3.2).

use http::HeaderMap;
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED,
};

use super::fresh::date;
use super::index::Variant;
use crate::headers::{list, single};

/// Whether only the origin can judge a request's conditions.
pub(super) fn is_for_origin(asked: &HeaderMap) -> bool {
    asked.contains_key(IF_MATCH) || asked.contains_key(IF_UNMODIFIED_SINCE)
}

/// Whether the caller has this response already (RFC 9110 §13.2.2): by its tag, or by its date where the caller names
/// no tags. Only a success has conditions.
#[must_use]
pub fn is_held(variant: &Variant, asked: &HeaderMap) -> bool {
    if variant.status != 200 {
        return false;
    }
    if asked.contains_key(IF_NONE_MATCH) {
        let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
        let stored = single(&variant.headers, ETAG).map(opaque);
        return list(asked, IF_NONE_MATCH).any(|tag| tag == "*" || Some(opaque(tag)) == stored);
    }
    let changed = date(&variant.headers, LAST_MODIFIED).or_else(|| date(&variant.headers, DATE));
    let since = date(asked, IF_MODIFIED_SINCE);
    changed.zip(since).is_some_and(|(changed, since)| changed <= since)
}

/// Removes the fields that a 304 has not (RFC 9110 §15.4.5).
pub fn strip_content_fields(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_RANGE);
}
