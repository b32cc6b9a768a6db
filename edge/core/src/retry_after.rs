//! `Retry-After` as others send it (RFC 9110 §10.2.3).

use http::HeaderMap;
use http::header::RETRY_AFTER;

use crate::cache::date::unix_seconds;
use crate::headers::single;

/// How long to wait from `now_ms` (Unix) on, in milliseconds, 0 for a date that has passed; none if the field is absent
/// or makes no sense.
#[must_use]
pub fn wait_ms(headers: &HeaderMap, now_ms: u64) -> Option<u64> {
    let value = single(headers, RETRY_AFTER)?;
    let seconds = value.parse().ok();
    let until = || unix_seconds(value).map(|until| until.saturating_sub(now_ms / 1_000));
    seconds.or_else(until).map(|seconds: u64| seconds.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &'static str) -> Option<u64> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, http::HeaderValue::from_static(value))]);
        wait_ms(&headers, 784_111_777_000)
    }

    #[test]
    fn rfc9110_10_2_3_retry_after_is_seconds_or_a_date() {
        assert_eq!(wait("120"), Some(120_000));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10_000));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:27 GMT"), Some(0), "long past");
        assert_eq!(wait("soon"), None);
        assert_eq!(wait_ms(&HeaderMap::new(), 0), None);
    }
}
