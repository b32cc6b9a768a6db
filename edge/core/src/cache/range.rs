//! Parts of a stored response (RFC 9110 §14).
//!
//! One range of bytes is served as a 206. Several at once are answered with the whole, as §14.2 allows.

use http::HeaderMap;
use http::header::{DATE, ETAG, IF_RANGE, LAST_MODIFIED, RANGE};

use super::fresh::date;
use super::index::Variant;
use crate::headers::single;

/// Which bytes of a stored response a request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    Whole,
    /// From the first to the last of these, both included: a 206.
    Bytes {
        /// Counted from 0.
        first: u64,
        /// Less than the length.
        last: u64,
    },
    /// None: 416 (RFC 9110 §15.5.17).
    Unsatisfiable,
}

impl Part {
    /// `Content-Range` of a response of this length.
    #[must_use]
    pub fn content_range(self, length: u64) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Bytes { first, last } => Some(format!("bytes {first}-{last}/{length}")),
            Self::Unsatisfiable => Some(format!("bytes */{length}")),
        }
    }
}

/// The part of a stored response that a request asks for.
#[must_use]
pub fn part(variant: &Variant, asked: &HeaderMap) -> Part {
    let wanted = single(asked, RANGE).filter(|_| variant.status == 200 && is_same(variant, asked));
    wanted.and_then(|range| bytes(range, variant.length)).unwrap_or(Part::Whole)
}

/// §13.1.5: `If-Range` wants a part only of the very response that the client has: a strong tag or the exact date.
fn is_same(variant: &Variant, asked: &HeaderMap) -> bool {
    let Some(wanted) = asked.get(IF_RANGE) else { return true };
    let wanted = wanted.to_str().unwrap_or_default();
    if wanted.contains('"') {
        return !wanted.starts_with("W/") && single(&variant.headers, ETAG) == Some(wanted);
    }
    // §8.8.2.2: a date tells versions apart only when it is well before that of the response.
    let changed = date(&variant.headers, LAST_MODIFIED);
    let sent = date(&variant.headers, DATE);
    changed.zip(sent).is_some_and(|(changed, sent)| changed < sent)
        && single(&variant.headers, LAST_MODIFIED) == Some(wanted)
}

/// §14.1.2: one range of bytes; none where it is no such, and is to be ignored.
fn bytes(range: &str, length: u64) -> Option<Part> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes"))?;
    let end = length.saturating_sub(1);
    let (first, last) = match (first.trim(), last.trim()) {
        ("", suffix) => (length.saturating_sub(number(suffix)?), end),
        (first, "") => (number(first)?, end),
        (first, last) => (number(first)?, number(last)?),
    };
    match () {
        () if first >= length => Some(Part::Unsatisfiable),
        () if last < first => None,
        () => Some(Part::Bytes { first, last: last.min(end) }),
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
