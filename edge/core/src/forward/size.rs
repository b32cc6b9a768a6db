//! How large a request's head may be: one that no server behind would take is refused here, with a reason.
//!
//! Left out: the platform's own limits, which are wider and hold before this code runs
//! (<https://developers.cloudflare.com/workers/platform/limits/>), and content.

use http::HeaderMap;
use http::header::HeaderName;

use crate::plan::HeadLimits;

/// What is too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TooLarge {
    /// Path and query: 414 (RFC 9110 §15.5.15); the most that is taken, in bytes.
    Target(u32),
    /// The query: 414; likewise.
    Query(u32),
    /// The number of fields: 431 (RFC 6585 §5); the most that is taken.
    Fields(u32),
    /// All of it: 431; the most that is taken, in bytes, and the field that takes most of it, which the answer should
    /// name.
    Head(u32, Option<HeaderName>),
}

/// Whether the head is small enough. `query` without its `?`.
pub fn check(
    limits: &HeadLimits,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), TooLarge> {
    let HeadLimits { target_bytes, query_bytes, fields, head_bytes } = *limits;
    let query = query.map_or(0, str::len);
    let target = path.len().saturating_add(query);
    match () {
        () if exceeds(query, query_bytes) => Err(TooLarge::Query(query_bytes)),
        () if exceeds(target, target_bytes) => Err(TooLarge::Target(target_bytes)),
        () if exceeds(headers.len(), fields) => Err(TooLarge::Fields(fields)),
        () if exceeds(target.saturating_add(bytes(headers)), head_bytes) => {
            Err(TooLarge::Head(head_bytes, largest(headers)))
        }
        () => Ok(()),
    }
}

fn exceeds(size: usize, most: u32) -> bool {
    usize::try_from(most).is_ok_and(|most| size > most)
}

fn bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len())).sum()
}

fn largest(headers: &HeaderMap) -> Option<HeaderName> {
    headers.iter().max_by_key(|(_, value)| value.len()).map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{ACCEPT, COOKIE};

    use super::*;

    const LIMITS: HeadLimits =
        HeadLimits { target_bytes: 12_288, query_bytes: 9_216, fields: 100, head_bytes: 15_360 };

    fn checked(path: &str, query: Option<&str>, headers: &HeaderMap) -> Result<(), TooLarge> {
        check(&LIMITS, path, query, headers)
    }

    fn fields(count: usize, each: usize) -> HeaderMap {
        let value = HeaderValue::from_str(&"v".repeat(each)).unwrap();
        (0..count).map(|_| (ACCEPT, value.clone())).collect()
    }

    fn of(len: usize) -> String {
        "p".repeat(len)
    }

    #[test]
    fn the_last_byte_that_is_taken_and_the_first_that_is_not() {
        let none = HeaderMap::new();
        assert_eq!(checked("/", Some(&of(9_216)), &none), Ok(()));
        assert_eq!(checked("/", Some(&of(9_217)), &none), Err(TooLarge::Query(9_216)));
        assert_eq!(checked(&of(12_288), None, &none), Ok(()));
        assert_eq!(checked(&of(12_288), Some("q"), &none), Err(TooLarge::Target(12_288)));
        assert_eq!(checked("/", None, &fields(100, 1)), Ok(()));
        assert_eq!(checked("/", None, &fields(101, 1)), Err(TooLarge::Fields(100)));
    }

    #[test]
    fn rfc6585_5_the_field_at_fault_is_named() {
        let mut headers = fields(2, 100);
        let room = 15_360 - 1 - bytes(&headers) - COOKIE.as_str().len();
        headers.insert(COOKIE, HeaderValue::from_str(&of(room)).unwrap());
        assert_eq!(checked("/", None, &headers), Ok(()));
        assert_eq!(checked("/p", None, &headers), Err(TooLarge::Head(15_360, Some(COOKIE))));
    }
}
