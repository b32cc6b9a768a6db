//! `Max-Forwards`: how many may pass a request on (RFC 9110 §7.6.2).
//!
//! Only OPTIONS and TRACE are bound by it; with other methods it may be ignored, and is. What the gateway answers
//! itself is not decided here: OPTIONS with what the route takes, TRACE with 405, as always (it would show the
//! fields that the gateway adds, and the platform sends none).

use http::header::MAX_FORWARDS;
use http::{HeaderMap, Method};

use crate::headers::single;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forwards {
    /// It goes on as it is.
    Unbound,
    /// It goes on with this value.
    Left(u32),
    /// It ends here: the gateway answers as its final recipient.
    Spent,
}

/// Decides about a request. A value that is no number, or stands twice, binds nobody.
#[must_use]
pub fn decide(method: &Method, headers: &HeaderMap) -> Forwards {
    let bound = matches!(*method, Method::OPTIONS | Method::TRACE);
    match single(headers, MAX_FORWARDS).filter(|_| bound).and_then(number) {
        None => Forwards::Unbound,
        Some(0) => Forwards::Spent,
        Some(more) => Forwards::Left(more.saturating_sub(1)),
    }
}

/// `1*DIGIT`; more than is supported counts as the most that is.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(method: &Method, value: &'static str) -> Forwards {
        decide(method, &HeaderMap::from_iter([(MAX_FORWARDS, http::HeaderValue::from_static(value))]))
    }

    #[test]
    fn rfc9110_7_6_2_options_and_trace_count_down_and_end_at_zero() {
        for method in [Method::OPTIONS, Method::TRACE] {
            assert_eq!(decided(&method, "0"), Forwards::Spent);
            assert_eq!(decided(&method, "1"), Forwards::Left(0));
            assert_eq!(decided(&method, "010"), Forwards::Left(9));
            assert_eq!(decided(&method, "99999999999"), Forwards::Left(u32::MAX - 1));
            assert_eq!(decide(&method, &HeaderMap::new()), Forwards::Unbound);
        }
    }

    #[test]
    fn rfc9110_7_6_2_other_methods_and_what_is_no_number_are_not_bound() {
        assert_eq!(decided(&Method::GET, "0"), Forwards::Unbound);
        for value in ["", "+1", "-1", "1, 2", "x"] {
            assert_eq!(decided(&Method::OPTIONS, value), Forwards::Unbound, "{value}");
        }
    }
}
