//! Until when Sentry wants to hear nothing: <https://develop.sentry.dev/sdk/expected-features/rate-limiting/>.
//!
//! Only errors are told to it here, so a limit counts if it names `error`, or nothing, which means everything. What is
//! held back is not kept: the documentation asks for it to be thrown away. And an isolate tells no more than [`MOST`] a
//! minute by itself: what goes wrong for everybody is one fault.

use std::time::Duration;

use http::header::HeaderName;
use http::{HeaderMap, StatusCode};

use crate::headers::list;
use crate::retry_after;

const LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
/// What a 429 without further words means (ms).
const DEFAULT_MS: u64 = 60_000;

/// Reports in a minute.
const MOST: u32 = 10;
const MINUTE_MS: u64 = 60_000;

/// What Sentry asked for, and what it was told lately.
#[derive(Debug, Default)]
pub struct Limits {
    until_ms: u64,
    /// When the minute began (Unix ms), and how many were told in it.
    minute: (u64, u32),
}

impl Limits {
    /// Whether an error may be sent now (Unix ms); it is, then.
    #[must_use]
    pub fn may_send(&mut self, now_ms: u64) -> bool {
        let (began, told) = self.minute;
        self.minute = match now_ms.saturating_sub(began) {
            ..MINUTE_MS => (began, told.saturating_add(1)),
            MINUTE_MS.. => (now_ms, 1),
        };
        now_ms >= self.until_ms && self.minute.1 <= MOST
    }

    /// Hears an answer of Sentry's. Of several limits the longest holds, whatever was said last.
    pub fn told(&mut self, status: StatusCode, headers: &HeaderMap, now_ms: u64) {
        let wait_ms = match (headers.contains_key(LIMITS), status) {
            (true, _) => list(headers, LIMITS).filter_map(for_errors).max(),
            (false, StatusCode::TOO_MANY_REQUESTS) => {
                Some(retry_after::wait_ms(headers, now_ms).unwrap_or(DEFAULT_MS))
            }
            _ => None,
        };
        self.until_ms = self.until_ms.max(now_ms.saturating_add(wait_ms.unwrap_or(0)));
    }
}

/// `retry_after:categories:scope:…`, in milliseconds, if it is for errors.
fn for_errors(limit: &str) -> Option<u64> {
    let mut parts = limit.split(':').map(str::trim);
    let seconds = parts.next()?.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let categories = parts.next().unwrap_or_default();
    let concerns = categories.is_empty() || categories.split(';').any(|category| category.trim() == "error");
    let ms = seconds.map_or(DEFAULT_MS, |wait| wait.as_millis().try_into().unwrap_or(u64::MAX));
    concerns.then_some(ms)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::RETRY_AFTER;

    use super::*;

    /// How long nothing may be sent after these answers, all at 1,000 ms.
    fn silent_ms(answers: &[(u16, &[(HeaderName, &'static str)])]) -> u64 {
        let mut limits = Limits::default();
        for (status, fields) in answers {
            let headers =
                fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
            limits.told(StatusCode::from_u16(*status).unwrap(), &headers, 1_000);
        }
        limits.until_ms - 1_000
    }

    #[test]
    fn limits_of_errors_and_of_everything_hold_on_any_status() {
        for (value, ms) in [
            ("60:transaction:key, 2700:default;error;security:organization", 2_700_000),
            ("60::organization", 60_000),
            ("1.5:error:project:quota_exceeded:custom:more", 1_500),
            ("60:transaction;made-up:key", 0),
            ("60: error ;x:key", 60_000),
            ("soon:error:key", 60_000),
        ] {
            for status in [200, 429] {
                assert_eq!(silent_ms(&[(status, &[(LIMITS, value), (RETRY_AFTER, "9")])]), ms, "{value}");
            }
        }
    }

    #[test]
    fn a_429_without_limits_is_for_everything() {
        assert_eq!(silent_ms(&[(429, &[(RETRY_AFTER, "9")])]), 9_000);
        assert_eq!(silent_ms(&[(429, &[])]), 60_000);
        assert_eq!(silent_ms(&[(503, &[(RETRY_AFTER, "9")])]), 0);
    }

    #[test]
    fn an_isolate_by_itself_tells_ten_a_minute() {
        let mut limits = Limits::default();
        let mut sent = |from: u64| (from..from + 100).filter(|now| limits.may_send(*now)).count();
        assert_eq!((sent(100_000), sent(159_000), sent(160_000)), (10, 0, 10));
    }

    #[test]
    fn a_shorter_limit_does_not_shorten_a_longer_one() {
        assert_eq!(silent_ms(&[(429, &[(RETRY_AFTER, "9")]), (429, &[(RETRY_AFTER, "1")])]), 9_000);
        assert_eq!(silent_ms(&[(429, &[(RETRY_AFTER, "9")]), (200, &[])]), 9_000);
    }
}
