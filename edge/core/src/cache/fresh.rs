//! How old a stored response is and how long it may be used (RFC 9111 §4.2).
//!
//! Heuristic freshness (§4.2.2) is never assumed: the app sends almost no `Cache-Control`, and a guess would store
//! what nobody meant to be stored; a route assigns a lifetime instead.

use http::HeaderMap;
use http::header::{AGE, DATE, EXPIRES};

use super::control::{Control, delta_seconds};
use crate::headers::{list, single};

/// §4.2.1: the freshness lifetime in seconds, from the origin's fields, else as `assigned` by the route.
#[must_use]
pub(super) fn lifetime(headers: &HeaderMap, assigned: Option<u32>) -> Option<u64> {
    let control = Control::of(headers);
    if let Some(seconds) = control.s_maxage.or(control.max_age) {
        return Some(seconds);
    }
    if headers.contains_key(EXPIRES) {
        let date = |name| single(headers, name).and_then(unix_seconds);
        // §5.3: an invalid date, `0` above all, is in the past.
        return Some(date(EXPIRES).zip(date(DATE)).map_or(0, |(expires, date)| expires.saturating_sub(date)));
    }
    assigned.filter(|_| !control.present).map(u64::from)
}

/// §4.2.3: the age in seconds of a response asked for and received at these times, at `now` (Unix ms).
#[must_use]
pub(super) fn age(headers: &HeaderMap, requested_ms: u64, received_ms: u64, now_ms: u64) -> u64 {
    let received = received_ms / 1_000;
    let date = single(headers, DATE).and_then(unix_seconds).unwrap_or(received);
    // §5.1: of several values the first; an invalid one is none.
    let age_value = list(headers, AGE).next().and_then(delta_seconds).unwrap_or(0);
    let apparent = received.saturating_sub(date);
    let delay = received_ms.saturating_sub(requested_ms) / 1_000;
    let corrected = age_value.saturating_add(delay);
    apparent.max(corrected).saturating_add(now_ms.saturating_sub(received_ms) / 1_000)
}

/// An HTTP date (RFC 9110 §5.6.7) in Unix seconds.
fn unix_seconds(date: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(date).ok()?;
    time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
}
