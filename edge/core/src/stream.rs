//! Event streams (HTML §9.2) on their way to the caller: how they are known, asked for and described.
//!
//! What passes is known by its type, whatever its route: the same path may answer JSON or events. A comment between
//! events and a `retry:` line mean nothing to what a page makes of a stream, so these are all that is ever put in; where
//! they may stand is seen where the bytes are (`edge/src/heartbeat.js`).
//!
//! Left out: what comments cannot do. They go towards the client; nothing of them reaches the load balancer, whose idle
//! timeout has to be longer than the origin's longest silence.

use http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use crate::headers::{append, list, single};

/// When browsers are to come back whose stream has ended: as soon as they do by themselves, about (ms), …
const RETRY_MS: u32 = 2_000;
/// … and up to so much later (ms), each at another time, so that those who were cut off together do not all come back
/// together.
const SPREAD_MS: u32 = 3_000;

const NO_TRANSFORM: &str = "no-transform";

/// How an event stream is kept alive in the eyes of those who would drop a silent one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// A silence of so many milliseconds between events is broken by a comment.
    pub silence_ms: u32,
    /// What the stream begins with: whole lines and an empty one, or nothing.
    pub first: String,
}

/// Whether the client is one that reads events.
#[must_use]
pub fn listens(request: &HeaderMap) -> bool {
    list(request, ACCEPT).any(is_type)
}

/// Whether an answer is a stream of events.
#[must_use]
pub fn is_events(response: &HeaderMap) -> bool {
    single(response, CONTENT_TYPE).is_some_and(is_type)
}

/// Parameters of the type say nothing: events are UTF-8.
fn is_type(value: &str) -> bool {
    let kind = value.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("text/event-stream")
}

/// Asks the origin for events that are not encoded (RFC 9110 §12.5.3): an encoder holds them back.
pub fn ask_plain(request: &mut HeaderMap) {
    request.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

/// Keeps everybody on the way from encoding events, or holding them back for it (RFC 9111 §5.2.2.6).
pub fn keep_plain(response: &mut HeaderMap) {
    if !list(response, CACHE_CONTROL).any(|directive| directive.eq_ignore_ascii_case(NO_TRANSFORM)) {
        append(response, CACHE_CONTROL, NO_TRANSFORM);
    }
}

/// Describes events that are read on the way, decoded, and may be more than the origin's.
pub fn describe_read(response: &mut HeaderMap) {
    for field in [CONTENT_ENCODING, CONTENT_LENGTH] {
        response.remove(field);
    }
}

/// Tells a browser when to come back if its stream ends; the origin's own word would come later, and hold. `random`
/// spreads the times.
#[must_use]
pub fn retry(random: u16) -> String {
    let spread_ms = SPREAD_MS.saturating_mul(random.into()) >> 16;
    format!("retry: {}\n\n", RETRY_MS.saturating_add(spread_ms))
}

#[cfg(test)]
mod tests {
    use http::header::HeaderName;

    use super::*;

    fn fields(fields: &[(HeaderName, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn events_are_known_by_their_type() {
        for kind in ["text/event-stream", "Text/Event-Stream; charset=utf-8", "text/event-stream ;x"] {
            assert!(is_events(&fields(&[(CONTENT_TYPE, kind)])), "{kind}");
        }
        for kind in ["application/json", "text/event-streams", ""] {
            assert!(!is_events(&fields(&[(CONTENT_TYPE, kind)])), "{kind}");
        }
    }

    #[test]
    fn an_event_source_says_what_it_reads() {
        assert!(listens(&fields(&[(ACCEPT, "text/event-stream")])));
        assert!(listens(&fields(&[(ACCEPT, "application/json, text/event-stream;q=0.9")])));
        assert!(!listens(&fields(&[(ACCEPT, "*/*")])));
    }

    #[test]
    fn rfc9111_5_2_2_6_events_may_not_be_transformed() {
        for (said, then) in [
            (&[][..], "no-transform"),
            (&[(CACHE_CONTROL, "no-cache")], "no-cache, no-transform"),
            (&[(CACHE_CONTROL, "no-cache, No-Transform")], "no-cache, No-Transform"),
        ] {
            let mut headers = fields(said);
            keep_plain(&mut headers);
            assert_eq!(headers[CACHE_CONTROL], then);
        }
    }

    #[test]
    fn browsers_are_told_to_come_back_at_different_times() {
        assert_eq!(retry(0), "retry: 2000\n\n");
        assert_eq!(retry(u16::MAX), "retry: 4999\n\n");
    }
}
