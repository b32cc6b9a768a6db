//! One normal form of the request path, used for matching, authorising and forwarding alike.
//!
//! Gateways that match one form and forward another let requests slip past their rules; so whatever two parsers
//! could read differently is refused here, not repaired. RFC 3986 §6.2.2: escapes of unreserved characters are
//! decoded, what no URI may hold is escaped; everything else stays byte for byte. Not decided here: which route may carry what
//! [`Normal::suspect`] reports (see [`crate::plan::Route::raw_path`]).

use std::fmt;

/// A path in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normal {
    /// Starts with `/`.
    pub text: String,
    /// Something that only a route with `raw_path` takes.
    pub suspect: Option<PathFault>,
}

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// Does not start with `/`.
    NotAbsolute,
    /// A character that must be escaped, or the escape of a control character.
    Control,
    /// `%` without two hexadecimal digits behind it.
    BadEscape,
    /// A segment `.` or `..`, escaped or not, with or without `;parameters`.
    DotSegment,
    /// `\` or `%5C`, which some parsers take for `/`.
    Backslash,
    /// `%2F`. Taken on raw routes.
    EncodedSlash,
    /// `//`. Taken on raw routes.
    EmptySegment,
    /// `%25` before two hexadecimal digits: a second decoding would change the path. Taken on raw routes.
    DoubleEscape,
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "the path does not start with `/`",
            Self::Control => "the path contains a control character or one that must be escaped",
            Self::BadEscape => "the path contains `%` without two hexadecimal digits",
            Self::DotSegment => "the path contains a `.` or `..` segment",
            Self::Backslash => "the path contains a backslash",
            Self::EncodedSlash => "the path contains an encoded slash",
            Self::EmptySegment => "the path contains an empty segment",
            Self::DoubleEscape => "the path is escaped twice",
        })
    }
}

/// The normal form of `raw`, or why there is none.
pub fn normalise(raw: &str) -> Result<Normal, PathFault> {
    if !raw.starts_with('/') {
        return Err(PathFault::NotAbsolute);
    }
    let text = decode_unreserved(raw)?;
    let decoded = decode_all(&text);
    if decoded.contains(&b'\\') {
        return Err(PathFault::Backslash);
    }
    if decoded.split(|&byte| byte == b'/').any(is_dot_segment) {
        return Err(PathFault::DotSegment);
    }
    let suspect = suspect(&text, &decoded);
    Ok(Normal { text, suspect })
}

/// Decodes escapes of unreserved characters (RFC 3986 §2.3) and refuses what no path may hold.
fn decode_unreserved(raw: &str) -> Result<String, PathFault> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            push_plain(&mut text, byte)?;
            continue;
        }
        let (value, tail) = escape(tail).ok_or(PathFault::BadEscape)?;
        match value {
            0..=0x1f | 0x7f => return Err(PathFault::Control),
            _ if is_unreserved(value) => text.push(char::from(value)),
            _ => text.extend(['%'].into_iter().chain(rest.iter().take(2).copied().map(char::from))),
        }
        rest = tail;
    }
    Ok(text)
}

/// A byte that stands unescaped. What no URI may hold (RFC 3986 §2) is escaped: the platform would do it on the way.
fn push_plain(text: &mut String, byte: u8) -> Result<(), PathFault> {
    match byte {
        0..=0x20 | 0x7f.. => return Err(PathFault::Control),
        b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => push_escaped(text, byte),
        _ => text.push(char::from(byte)),
    }
    Ok(())
}

fn push_escaped(text: &mut String, byte: u8) {
    text.push('%');
    text.push_str(&crate::trace::hex(&[byte]).to_ascii_uppercase());
}

/// A query as it is sent: what the platform's `fetch` would escape on the way is escaped here already, so that what is
/// signed is what arrives (URL Standard, special-query percent-encode set). The rest stays byte for byte.
#[must_use]
pub fn escape_query(query: &str) -> String {
    let mut text = String::with_capacity(query.len());
    for byte in query.bytes() {
        match byte {
            0..=0x20 | 0x7f.. | b'"' | b'#' | b'<' | b'>' | b'\'' => push_escaped(&mut text, byte),
            _ => text.push(char::from(byte)),
        }
    }
    text
}

/// The value of two hexadecimal digits at the start of `bytes`, and what follows.
fn escape(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(2)?;
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    Some((u8::from_str_radix(text, 16).ok()?, rest))
}

/// All escapes decoded once, as an origin does it.
#[must_use]
pub fn decode_all(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = escape(tail).filter(|_| byte == b'%');
        let (value, after) = escaped.unwrap_or((byte, tail));
        out.push(value);
        rest = after;
    }
    out
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `.`, `..`, and the forms `..;x` that some servers shorten to them.
fn is_dot_segment(segment: &[u8]) -> bool {
    let name = segment.split(|&byte| byte == b';').next().unwrap_or_default();
    matches!(name, b"." | b"..")
}

fn suspect(text: &str, decoded: &[u8]) -> Option<PathFault> {
    let segments = |bytes: &[u8]| bytes.split(|&byte| byte == b'/').count();
    if segments(decoded) != segments(text.as_bytes()) {
        return Some(PathFault::EncodedSlash);
    }
    if text.contains("//") {
        return Some(PathFault::EmptySegment);
    }
    let twice = decoded.iter().enumerate().any(|(at, &byte)| {
        byte == b'%' && decoded.get(at.saturating_add(1)..).is_some_and(|rest| escape(rest).is_some())
    });
    twice.then_some(PathFault::DoubleEscape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(raw: &str) -> Option<PathFault> {
        match normalise(raw) {
            Ok(normal) => normal.suspect,
            Err(fault) => Some(fault),
        }
    }

    #[test]
    fn rfc3986_6_2_2_2_unreserved_escapes_are_decoded_and_others_stay() {
        let text = |raw| normalise(raw).unwrap().text;
        assert_eq!(text("/api/%61gents"), "/api/agents");
        assert_eq!(text("/a%7Eb%2Db"), "/a~b-b");
        assert_eq!(text("/caf%C3%a9/x%3Ay:z"), "/caf%C3%a9/x%3Ay:z");
        assert_eq!(text("/"), "/");
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_a_fault() {
        for (raw, expected) in [
            ("api", PathFault::NotAbsolute),
            ("/a\u{0}b", PathFault::Control),
            ("/a%00", PathFault::Control),
            ("/a%0d%0ab", PathFault::Control),
            ("/a b", PathFault::Control),
            ("/é", PathFault::Control),
            ("/%", PathFault::BadEscape),
            ("/%2", PathFault::BadEscape),
            ("/%+1", PathFault::BadEscape),
            ("/%zz", PathFault::BadEscape),
            ("/a/../b", PathFault::DotSegment),
            ("/a/..", PathFault::DotSegment),
            ("/./a", PathFault::DotSegment),
            ("/a/%2e%2E/b", PathFault::DotSegment),
            ("/a/..;x=1/b", PathFault::DotSegment),
            ("/a/x%2f..%2fb", PathFault::DotSegment),
            ("/a\\b", PathFault::Backslash),
            ("/a%5cb", PathFault::Backslash),
            ("/a%2Fb", PathFault::EncodedSlash),
            ("//a", PathFault::EmptySegment),
            ("/a//b", PathFault::EmptySegment),
            ("/a/%252e%252e/b", PathFault::DoubleEscape),
        ] {
            assert_eq!(fault(raw), Some(expected), "{raw:?}");
        }
    }

    #[test]
    fn ordinary_paths_have_no_fault() {
        for raw in ["/", "/a/", "/...", "/a.b/..c", "/thread_456:/workspace/index.html", "/100%25", "/%2525a"]
        {
            let expected = (raw == "/%2525a").then_some(PathFault::DoubleEscape);
            assert_eq!(fault(raw), expected, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(raw in "/[a-z./%0-9A-F;:~-]{0,40}") {
            if let Ok(once) = normalise(&raw) {
                prop_assert_eq!(normalise(&once.text), Ok(once));
            }
        }

        #[test]
        fn nothing_panics(raw in any::<String>()) {
            let _ = normalise(&raw);
        }
    }
}
