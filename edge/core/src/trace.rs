//! W3C Trace Context: the trace goes on through the gateway, under a span of its own.
//!
//! Level 1 as recommended: <https://www.w3.org/TR/trace-context/>. `tracestate` travels with a valid
//! `traceparent` and is dropped without one. Left out: sampling; the caller's flag is kept.

use http::HeaderMap;

/// The trace a request belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// 32 lower-case hexadecimal digits, not all zero.
    pub trace_id: String,
    /// 16 lower-case hexadecimal digits: the gateway's own span.
    pub span_id: String,
    /// Two hexadecimal digits.
    pub flags: String,
    /// Whether the caller's trace goes on (its `tracestate` is then kept).
    pub continued: bool,
}

impl Trace {
    /// Goes on with the caller's trace if its `traceparent` is valid, and starts one otherwise.
    #[must_use]
    pub fn new(headers: &HeaderMap, random: [u8; 24]) -> Self {
        let digits = hex(&random);
        let (fresh, span) = digits.split_at_checked(32).unwrap_or_default();
        let parent = parent(headers);
        Self {
            continued: parent.is_some(),
            span_id: span.to_owned(),
            flags: parent.map_or("01", |(_, flags)| flags).to_owned(),
            trace_id: parent.map_or(fresh, |(id, _)| id).to_owned(),
        }
    }

    /// The field value for the forwarded request.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

/// Trace id and flags of a valid `traceparent`; more than one field is none (§3.2.1).
fn parent(headers: &HeaderMap) -> Option<(&str, &str)> {
    let mut fields = headers.get_all("traceparent").iter();
    let (value, None) = (fields.next()?.to_str().ok()?, fields.next()) else { return None };
    let mut parts = value.split('-');
    let (version, id, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let more = parts.next().is_some();
    let valid = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || !more)
        && [(id, 32), (span, 16)].iter().all(|(text, len)| is_hex(text, *len) && !zero(text))
        && is_hex(flags, 2);
    valid.then_some((id, flags))
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
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
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
            assert!(!trace(&[value]).continued, "{value}");
        }
        assert!(!trace(&[GOOD, GOOD]).continued);
        assert_eq!(trace(&[]).trace_id, "ab".repeat(16));
    }
}
