//! W3C Trace Context: the trace goes on through the gateway, under a span of its own.
//!
//! Level 1 as recommended: <https://www.w3.org/TR/trace-context-1/>. `tracestate` travels with a valid
//! `traceparent` and is dropped without one. Left out: sampling; the caller's flag is kept. Of the flags it is the only
//! one that level 1 knows, so level 2's for random trace ids does not pass.

mod state;

use http::{HeaderMap, HeaderName};

use crate::headers::set;

/// Who the request comes from (§3.2).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The only flag (§3.2.2.5.1).
const SAMPLED: u8 = 1;

/// The trace a request belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// 32 lower-case hexadecimal digits, not all zero.
    pub trace_id: String,
    /// 16 lower-case hexadecimal digits: the gateway's own span.
    pub span_id: String,
    /// The caller's span, where the caller's trace goes on.
    pub parent_id: Option<String>,
    /// Whether the caller may have recorded it.
    pub sampled: bool,
    /// What other systems keep with the caller's trace.
    pub state: Option<String>,
}

impl Trace {
    /// Goes on with the caller's trace if its `traceparent` is valid, and starts one otherwise.
    #[must_use]
    pub fn new(headers: &HeaderMap, random: [u8; 24]) -> Self {
        let digits = hex(&random);
        let (fresh, span) = digits.split_at_checked(32).unwrap_or_default();
        let parent = parent(headers);
        Self {
            trace_id: parent.map_or(fresh, |parent| parent.trace_id).to_owned(),
            span_id: span.to_owned(),
            parent_id: parent.map(|parent| parent.span_id.to_owned()),
            sampled: parent.is_none_or(|parent| parent.sampled),
            state: parent.and_then(|_| state::carried(headers)),
        }
    }

    /// The field value for the answer, and for the forwarded request until [`descend`].
    #[must_use]
    pub fn traceparent(&self) -> String {
        traceparent(&self.trace_id, &self.span_id, self.sampled)
    }
}

fn traceparent(trace_id: &str, span_id: &str, sampled: bool) -> String {
    format!("00-{trace_id}-{span_id}-{:02x}", u8::from(sampled))
}

/// Gives a request for the origin, which is the so many-th, a span below the one that its fields name: they name that
/// one from now on. Its id; none where the fields name none.
pub fn descend(headers: &mut HeaderMap, nth: usize) -> Option<String> {
    let Parent { trace_id, span_id, sampled } = parent(headers)?;
    let digest = hmac_sha256::Hash::hash(format!("{span_id}/{nth}").as_bytes());
    let below = hex(digest.first_chunk::<8>()?);
    let value = traceparent(trace_id, &below, sampled);
    set(headers, TRACEPARENT, &value);
    Some(below)
}

/// What a valid `traceparent` says.
#[derive(Clone, Copy)]
struct Parent<'a> {
    trace_id: &'a str,
    span_id: &'a str,
    sampled: bool,
}

/// A valid `traceparent`, of this version or a later one (§3.2.4); more than one field is none.
fn parent(headers: &HeaderMap) -> Option<Parent<'_>> {
    let mut fields = headers.get_all(TRACEPARENT).iter();
    let (value, None) = (fields.next()?.to_str().ok()?, fields.next()) else { return None };
    let mut parts = value.split('-');
    let (version, id, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || !more)
        && [(id, 32), (span, 16)].iter().all(|(text, len)| is_hex(text, *len) && !zero(text))
        && is_hex(flags, 2);
    // The others are set to zero (§3.2.2.5.2).
    let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & SAMPLED != 0);
    valid.then_some(Parent { trace_id: id, span_id: span, sampled })
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn zero(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(values: &[&str]) -> Trace {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("traceparent", value.parse().unwrap());
        }
        Trace::new(&headers, [0xab; 24])
    }

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    /// The id of a trace that begins here.
    fn fresh() -> String {
        "ab".repeat(16)
    }

    #[test]
    fn a_valid_traceparent_goes_on_under_a_new_span() {
        let expected = "00-4bf92f3577b34da6a3ce929d0e0e4736-abababababababab-00";
        assert_eq!(trace(&[GOOD]).traceparent(), expected);
        assert_eq!(trace(&[&format!("{}-more", GOOD.replacen("00", "cc", 1))]).traceparent(), expected);
    }

    #[test]
    fn an_invalid_or_repeated_traceparent_starts_a_new_trace() {
        for value in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(trace(&[value]).trace_id, fresh(), "{value}");
        }
        assert_eq!(trace(&[GOOD, GOOD]).trace_id, fresh());
        assert_eq!(trace(&[&format!("{GOOD}, {GOOD}")]).trace_id, fresh(), "as the platform joins them");
        assert_eq!(trace(&[]).trace_id, fresh());
        assert!(trace(&[]).sampled);
    }

    #[test]
    fn w3c_trace_context_3_2_2_5_of_the_flags_only_sampled_goes_on() {
        for (flags, sent) in
            [("00", "00"), ("01", "01"), ("02", "00"), ("09", "01"), ("ff", "01"), ("fe", "00")]
        {
            let value = GOOD.strip_suffix("00").unwrap().to_owned() + flags;
            let later = value.replacen("00", "cc", 1) + "-more";
            for value in [value, later] {
                assert_eq!(trace(&[&value]).traceparent().rsplit_once('-').unwrap().1, sent, "{value}");
            }
        }
    }

    #[test]
    fn w3c_trace_context_3_2_4_a_later_version_is_read_as_far_as_it_is_known() {
        let later = |rest: &str| trace(&[&(GOOD.replacen("00", "01", 1) + rest)]).trace_id != fresh();
        assert!(later("") && later("-") && later("-more-of-it"));
        assert!(!later("0") && !later(".more"));
        for value in ["0-", "0x-", "000-", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"] {
            assert_eq!(trace(&[value]).trace_id, fresh(), "{value}");
        }
    }
}
