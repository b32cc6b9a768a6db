//! Cookies on their way to a sandbox and from it: neither side gets a name that means something elsewhere, and a cookie
//! holds for the host that set it and no other (RFC 6265 §5.2.3).
//!
//! Left out: what a page's scripts set. Only a domain apart from the app's keeps those from it.

use http::HeaderValue;

/// What Daytona's proxy keeps in cookies: `daytona-sandbox-auth-…`, `daytona-preview-page-accepted`.
const DAYTONA: &[u8] = b"daytona-";

/// A `Cookie` field without what is not the sandbox's; `sessions` are the names of the app's session cookies, of whose
/// pieces the names begin so. `None` where nothing is left.
#[must_use]
pub fn sent(field: &HeaderValue, sessions: &[String]) -> Option<HeaderValue> {
    let pairs = field.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let kept: Vec<&[u8]> =
        pairs.filter(|pair| !pair.is_empty() && !is_foreign(name(pair), sessions)).collect();
    HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok().filter(|field| !field.is_empty())
}

/// A `Set-Cookie` field as the viewer may have it: without `Domain`. `None` for one under a name of the app's or
/// Daytona's, or under none: its value could stand for another's name when it is sent back.
#[must_use]
pub fn set(field: &HeaderValue, sessions: &[String]) -> Option<HeaderValue> {
    let mut parts = field.as_bytes().split(|byte| *byte == b';');
    let pair = parts.next()?.trim_ascii();
    let name = name(pair);
    if name.is_empty() || is_foreign(name, sessions) {
        return None;
    }
    let others =
        parts.map(<[u8]>::trim_ascii).filter(|part| !before_equals(part).eq_ignore_ascii_case(b"domain"));
    let kept: Vec<&[u8]> = [pair].into_iter().chain(others).collect();
    HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok()
}

/// A cookie's name; empty where there is no `=`: what stands there is then a value (RFC 6265bis §5.6).
fn name(pair: &[u8]) -> &[u8] {
    if pair.contains(&b'=') { before_equals(pair) } else { &[] }
}

fn before_equals(part: &[u8]) -> &[u8] {
    part.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
}

fn is_foreign(name: &[u8], sessions: &[String]) -> bool {
    name.starts_with(DAYTONA) || sessions.iter().any(|session| name.starts_with(session.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sessions() -> Vec<String> {
        vec!["sb-ref-auth-token".to_owned()]
    }

    fn set_of(text: &str) -> Option<String> {
        let field = set(&HeaderValue::from_bytes(text.as_bytes()).unwrap(), &sessions())?;
        Some(String::from_utf8(field.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn a_cookie_holds_for_the_host_that_set_it() {
        for (said, becomes) in [
            ("a=1", "a=1"),
            ("a=1; Domain=he2.ai; Path=/; Secure", "a=1; Path=/; Secure"),
            ("a=1;domain=.previews.example;DOMAIN = x;HttpOnly", "a=1; HttpOnly"),
            ("a=1; Domain", "a=1"),
            ("a=1;\tDomain\t=\the2.ai", "a=1"),
            (
                "a=domain=x; Max-Age=5; SameSite=None; Partitioned",
                "a=domain=x; Max-Age=5; SameSite=None; Partitioned",
            ),
            ("__Host-a=1; Path=/; Secure", "__Host-a=1; Path=/; Secure"),
            ("sb-another-auth-token=1", "sb-another-auth-token=1"),
            ("a=ü", "a=ü"),
        ] {
            assert_eq!(set_of(said).as_deref(), Some(becomes), "{said}");
        }
    }

    #[test]
    fn names_that_mean_something_elsewhere_are_neither_set_nor_sent() {
        for said in [
            "sb-ref-auth-token=x; Path=/",
            "sb-ref-auth-token.0=x",
            " sb-ref-auth-token-code-verifier=x",
            "daytona-sandbox-auth-0b5e=x",
            "=sb-ref-auth-token=x",
            "sb-ref-auth-token",
            "",
        ] {
            assert_eq!(set_of(said), None, "{said}");
        }
        let field = "a=1; sb-ref-auth-token.0=x;sb-ref-auth-token=y; b=2;; daytona-sandbox-auth-x=1; theme";
        let left = sent(&HeaderValue::from_static(field), &sessions()).unwrap();
        assert_eq!(left, "a=1; b=2; theme");
        assert_eq!(sent(&HeaderValue::from_static("sb-ref-auth-token=y"), &sessions()), None);
    }

    proptest! {
        #[test]
        fn no_spelling_keeps_a_domain_or_a_foreign_name(
            text in "[ =]{0,2}(a|sb-ref-auth-token|daytona-x)[ \t]?=[a-z=]{0,3}([ ;\t]{0,2};[ \t]?(Domain|dOMAIN|Path|domain )[ =a-z.]{0,6}){0,4}"
        ) {
            if let Some(left) = set_of(&text) {
                prop_assert!(left.starts_with('a'), "{left}");
                let attributes: Vec<_> = left.split(';').skip(1).map(|part| part.split('=').next().unwrap().trim()).collect();
                prop_assert!(!attributes.iter().any(|name| name.eq_ignore_ascii_case("domain")), "{left}");
            }
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(field) = HeaderValue::from_bytes(&bytes) {
                let _ = (set(&field, &sessions()), sent(&field, &sessions()));
            }
        }
    }
}
