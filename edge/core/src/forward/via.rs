//! `Via`: who passed a message on, and whether the gateway did so before (RFC 9110 §7.6.3).
//!
//! Members are split at every comma, those in comments too: a comment that somebody leaves open must not hide the
//! members after it. At worst a comment that names the gateway is taken for a loop. Values are read as bytes, because a
//! comment may hold what is no text. Answers get no member: a gateway may leave it out.

use http::header::VIA;
use http::{HeaderMap, HeaderValue};

/// The gateway's name in `Via`.
pub const PSEUDONYM: &str = "he2-edge";

/// Whether the gateway finds itself in `Via`.
#[must_use]
pub fn is_loop(headers: &HeaderMap) -> bool {
    let members = headers.get_all(VIA).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.filter_map(received_by).any(|by| by.eq_ignore_ascii_case(PSEUDONYM.as_bytes()))
}

/// Adds the gateway as the last that passed the message on. It arrived by `protocol`, as the platform names it:
/// `HTTP/1.1`, `HTTP/2`; where that is not known, by the oldest that can be.
pub(super) fn stamp(headers: &mut HeaderMap, protocol: Option<&str>) {
    let version = protocol.and_then(|protocol| protocol.strip_prefix("HTTP/")).unwrap_or("1.1");
    if let Ok(member) = HeaderValue::from_str(&format!("{version} {PSEUDONYM}")) {
        headers.append(VIA, member);
    }
}

fn received_by(member: &[u8]) -> Option<&[u8]> {
    member.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (VIA, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    #[test]
    fn rfc9110_7_6_3_the_gateway_finds_itself_wherever_it_stands() {
        for lines in [
            &[&b"1.1 he2-edge"[..]][..],
            &[b"1.0 fred,\t 2  HE2-Edge (staging)"],
            &[b"1.1 a", b"HTTP/1.1 he2-edge , 1.1 b"],
            &[b"1.1 a (never closed, 1.1 he2-edge"],
            &[b"1.1 a (\xFF), 1.1 he2-edge"],
        ] {
            assert!(is_loop(&via(lines)), "{lines:?}");
        }
    }

    #[test]
    fn others_are_not_taken_for_the_gateway() {
        for lines in
            [&[][..], &[&b"1.1 he2-edge-staging"[..]], &[b"he2-edge"], &[b"1.1 a (of he2-edge)"], &[b", ,"]]
        {
            assert!(!is_loop(&via(lines)), "{lines:?}");
        }
    }

    #[test]
    fn rfc9110_7_6_3_a_member_tells_the_protocol_by_which_the_message_arrived() {
        let mut headers = via(&[b"1.1 a (\xFF)"]);
        stamp(&mut headers, Some("HTTP/2"));
        stamp(&mut headers, None);
        let lines: Vec<_> = headers.get_all(VIA).iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(lines, [&b"1.1 a (\xFF)"[..], b"2 he2-edge", b"1.1 he2-edge"]);
        assert!(is_loop(&headers));
    }
}
