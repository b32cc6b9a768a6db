//! `tracestate`: what other systems keep with a trace (W3C Trace Context §3.3), passed on as one field.
//!
//! The gateway keeps nothing there itself. A field with a member that is none, or with too many, is dropped whole, as
//! the working group's tests expect (<https://github.com/w3c/trace-context/blob/main/test/test.py>); keys are taken as
//! level 2 has them, which takes every key of level 1. Of two members with one key both pass.

use http::{HeaderMap, HeaderValue};

/// Most members.
const MEMBERS: usize = 32;
/// Longest field that is passed on (bytes): what everybody should pass at least. A stranger's should not fill the head
/// of every request behind.
const LONGEST: usize = 512;
/// Members longer than this are the first to go.
const LARGE: usize = 128;

/// The caller's `tracestate`, of all its lines; none if it is empty or not valid.
pub(super) fn carried(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all("tracestate").iter().map(HeaderValue::to_str);
    let lines = lines.collect::<Result<Vec<_>, _>>().ok()?;
    let members = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    // Empty ones are allowed, since joining lines may make some.
    let mut members: Vec<_> = members.filter(|member| !member.is_empty()).collect();
    let valid = members.len() <= MEMBERS && members.iter().all(|member| is_member(member));
    shorten(&mut members);
    (valid && !members.is_empty()).then(|| members.join(","))
}

/// Whole members go: the large ones, then from the end.
fn shorten(members: &mut Vec<&str>) {
    let is_long = |members: &[&str]| {
        let commas = members.len().saturating_sub(1);
        members.iter().map(|member| member.len()).sum::<usize>().saturating_add(commas) > LONGEST
    };
    if is_long(members) {
        members.retain(|member| member.len() <= LARGE);
    }
    while is_long(members) {
        members.pop();
    }
}

fn is_member(member: &str) -> bool {
    member.split_once('=').is_some_and(|(key, value)| is_key(key) && is_value(value))
}

fn is_key(key: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=256).contains(&key.len())
        && key.as_bytes().first().is_some_and(begins)
        && key.bytes().all(|byte| begins(&byte) || b"_-*/@".contains(&byte))
}

fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len()) && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(lines: &[&str]) -> Option<String> {
        carried(&lines.iter().map(|line| ("tracestate".parse().unwrap(), line.parse().unwrap())).collect())
    }

    fn kept(line: &str) -> String {
        state(&[line]).unwrap_or_default()
    }

    #[test]
    fn w3c_trace_context_3_3_lines_are_joined_in_their_order() {
        let lines = ["foo=1 \t, bar=2", "", " , rojo=1,congo=2,", "baz=3"];
        assert_eq!(state(&lines).as_deref(), Some("foo=1,bar=2,rojo=1,congo=2,baz=3"));
        assert_eq!(kept("a= b c "), "a= b c", "spaces before a value are its own");
        assert_eq!(kept("foo=1,foo=2"), "foo=1,foo=2");
    }

    #[test]
    fn w3c_trace_context_3_3_whatever_is_allowed_passes() {
        let value: String = (' '..='~').filter(|byte| !",=".contains(*byte)).collect();
        let whole = format!("0abcdefghijklmnopqrstuvwxyz0123456789_-*/@a-z0-9_-*/={value}");
        assert_eq!(kept(&whole), whole);
        let longest = format!("{}=v", "k".repeat(256));
        assert_eq!(kept(&longest), longest);
    }

    #[test]
    fn w3c_trace_context_3_3_a_member_that_is_none_spoils_the_field() {
        let (key, value) = (format!("{}=v", "k".repeat(257)), format!("k={}", "v".repeat(257)));
        for member in [
            "foo",
            "=1",
            "foo=",
            "FOO=1",
            "foo =1",
            "foo.bar=1",
            "@foo=1",
            "a=b=c",
            "a=b\tc",
            "é=1",
            &key,
            &value,
        ] {
            assert_eq!(state(&[&format!("bar=2,{member}")]), None, "{member}");
            assert_eq!(state(&["bar=2", member]), None, "{member}");
        }
    }

    #[test]
    fn w3c_trace_context_3_3_32_members_pass_and_33_do_not() {
        let members: Vec<_> = (1..=33).map(|at| format!("bar{at:02}={at:02}")).collect();
        assert_eq!(kept(&members[..32].join(",")), members[..32].join(","));
        assert_eq!(state(&[&members.join(",")]), None);
        assert_eq!(state(&[""]), None);
        assert_eq!(state(&[]), None);
    }

    #[test]
    fn w3c_trace_context_3_3_1_5_what_is_too_long_loses_whole_members_the_large_ones_first() {
        let member = |key: &str, len: usize| format!("{key}={}", "v".repeat(len - key.len() - 1));
        let fits = [member("a", 255), member("b", 256)].join(",");
        assert_eq!((fits.len(), kept(&fits)), (512, fits.clone()));
        let small: Vec<_> = ["c", "d", "e", "f"].map(|key| member(key, 127)).into();
        let large = [member("a", 129), small.join(",")].join(",");
        assert_eq!(kept(&large), small.join(","));
        assert_eq!(kept(&[small.join(","), member("g", 100)].join(",")), small.join(","));
    }
}
