//! What came of one try, and what it says of the upstream.
//!
//! Only what a gateway can know counts against an upstream: no answer, or an answer in a gateway's name (RFC
//! 9110 §15.6.3 to §15.6.5). A 500 is the app's word on one request, and a 429 its word on one caller.

use http::{HeaderMap, StatusCode};

use crate::retry_after;

/// What came of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A response that says nothing against the upstream, whatever it says to the caller.
    Answered,
    /// No connection, or one that broke before the response head.
    Failed,
    /// No response head in time.
    TimedOut,
    /// 502, 503 or 504.
    Unavailable {
        /// The status.
        status: StatusCode,
        /// How long the upstream asks to be left alone (`Retry-After`, RFC 9110 §10.2.3), in milliseconds.
        retry_after_ms: Option<u64>,
    },
}

impl Outcome {
    /// What a response head says. `now_ms` is Unix time, for a `Retry-After` that is a date.
    ///
    /// Cloudflare answers for an origin that it cannot reach: 522 and 524 for one that is too slow, the other
    /// 52x and 530 for one without a usable connection
    /// (<https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/>).
    #[must_use]
    pub fn of(status: StatusCode, headers: &HeaderMap, now_ms: u64) -> Self {
        match status.as_u16() {
            502..=504 => Self::Unavailable { status, retry_after_ms: retry_after::wait_ms(headers, now_ms) },
            522 | 524 => Self::TimedOut,
            520..=527 | 530 => Self::Failed,
            _ => Self::Answered,
        }
    }

    /// Whether the upstream did its part.
    #[must_use]
    pub fn is_good(self) -> bool {
        self == Self::Answered
    }

    /// Whether it speaks for an upstream that has more to do than it can: 503 (RFC 9110 §15.6.4), or too
    /// slow. A connection that fails, or 502, speaks for one that is not there.
    #[must_use]
    pub fn is_overload(self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Unavailable { status, .. } => status != StatusCode::BAD_GATEWAY,
            Self::Answered | Self::Failed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;

    use super::*;

    fn of(status: u16, retry_after: Option<&str>) -> Outcome {
        let value = retry_after.map(|value| (RETRY_AFTER, value.parse().unwrap()));
        Outcome::of(StatusCode::from_u16(status).unwrap(), &value.into_iter().collect(), 784_111_770_000)
    }

    fn asked(retry_after: &str) -> Option<u64> {
        let Outcome::Unavailable { retry_after_ms, .. } = of(503, Some(retry_after)) else { panic!() };
        retry_after_ms
    }

    #[test]
    fn rfc9110_10_2_3_retry_after_is_seconds_or_a_date() {
        assert_eq!(asked("120"), Some(120_000));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7_000));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "a date that has passed");
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
    }

    #[test]
    fn only_a_gateways_errors_count_against_an_upstream() {
        for status in [200, 101, 304, 404, 429, 500, 501, 505, 511] {
            assert!(of(status, None).is_good(), "{status}");
        }
        for status in [502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530] {
            assert!(!of(status, None).is_good(), "{status}");
        }
    }

    #[test]
    fn what_is_too_slow_or_says_so_is_overloaded_and_what_is_not_there_is_not() {
        for status in [503, 504, 522, 524] {
            assert!(of(status, None).is_overload(), "{status}");
        }
        for status in [200, 502, 521, 530] {
            assert!(!of(status, None).is_overload(), "{status}");
        }
        assert!(Outcome::TimedOut.is_overload() && !Outcome::Failed.is_overload());
    }
}
