//! How old a stored response is and how long it may be used (RFC 9111 §4.2).

use http::HeaderMap;
use http::StatusCode;
use http::header::{AGE, DATE, EXPIRES, LAST_MODIFIED};

use super::control::{Control, delta_seconds};
use super::date::unix_seconds;
use super::storable::is_heuristically_cacheable;
use crate::headers::{list, single};
use crate::plan::Cache;

/// A guessed life is at most a day, in seconds.
const MOST_GUESSED: u64 = 86_400;

/// What a field says as a date, in Unix seconds.
pub(super) fn date(headers: &HeaderMap, name: impl http::header::AsHeaderName) -> Option<u64> {
    single(headers, name).and_then(unix_seconds)
}

/// §4.2.1: the freshness lifetime in seconds; none where neither the origin nor the route says anything.
///
/// An error lives no longer than the route lets it, and nothing is assigned to it: what the origin said nothing about
/// may be over the next moment.
pub(super) fn lifetime(
    policy: &Cache,
    status: StatusCode,
    headers: &HeaderMap,
    control: &Control,
    received_ms: u64,
) -> Option<u64> {
    let assigned = policy.assign.filter(|_| status == StatusCode::OK && !control.present).map(u64::from);
    let life = explicit(headers, control, received_ms)
        .or(assigned)
        .or_else(|| guessed(policy, status, headers, control, received_ms))?;
    let is_error = status.is_client_error() || status.is_server_error();
    let most = policy.most_error_seconds.filter(|_| is_error).map_or(u64::MAX, u64::from);
    Some(life.min(most))
}

/// What the origin says. §5.3: an invalid `Expires`, `0` above all, is in the past.
pub(super) fn explicit(headers: &HeaderMap, control: &Control, received_ms: u64) -> Option<u64> {
    let directive = control.s_maxage.or(control.max_age);
    let expires = || {
        (!control.targeted && headers.contains_key(EXPIRES)).then(|| {
            let sent = date(headers, DATE).unwrap_or(received_ms / 1_000);
            date(headers, EXPIRES).map_or(0, |expires| expires.saturating_sub(sent))
        })
    };
    directive.or_else(expires)
}

/// §4.2.2: a tenth of the time since the last change, where the route allows a guess.
fn guessed(
    policy: &Cache,
    status: StatusCode,
    headers: &HeaderMap,
    control: &Control,
    received_ms: u64,
) -> Option<u64> {
    let may = policy.heuristic && (control.public || is_heuristically_cacheable(status));
    let changed = date(headers, LAST_MODIFIED).filter(|_| may)?;
    let sent = date(headers, DATE).unwrap_or(received_ms / 1_000);
    Some((sent.saturating_sub(changed) / 10).min(MOST_GUESSED))
}

/// §4.2.3: `corrected_initial_age`, the age in seconds on arrival of a response asked for and received at these times
/// (Unix ms).
pub(super) fn initial_age(headers: &HeaderMap, requested_ms: u64, received_ms: u64) -> u64 {
    let received = received_ms / 1_000;
    let apparent = received.saturating_sub(date(headers, DATE).unwrap_or(received));
    // §5.1: of several values the first; an invalid one is none.
    let age_value = list(headers, AGE).next().and_then(delta_seconds).unwrap_or(0);
    let delay = received_ms.saturating_sub(requested_ms) / 1_000;
    apparent.max(age_value.saturating_add(delay))
}
