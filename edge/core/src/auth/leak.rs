//! Secret keys of the Supabase project in a request: they open the whole database, and whoever sends one here has let
//! it out. Left out: tokens of the role `service_role`, which are refused as tokens are; and cookies, which a page of
//! a host below the same domain can plant with somebody who has nothing to do with it.

use std::borrow::Cow;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::credential::{is_api_key, is_jwt, is_key_byte};
use crate::path::decode_all;

/// What a secret key of a Supabase project begins with. Source: <https://supabase.com/docs/guides/api/api-keys>.
const PROJECT_SECRET: &str = "sb_secret_";
/// What stands in it before its first underscore.
const PROJECT_START: &str = "sb";
/// Fewer characters after it are talk about such keys, not one.
const LEAST_SECRET: usize = 16;

/// Where a secret key of the Supabase project arrived: the field's name, `path` or `query`.
#[must_use]
pub fn found(path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<String> {
    if has_project_secret(&decoded(path)) {
        return Some("path".to_owned());
    }
    if query.is_some_and(|query| has_project_secret(&decoded(query))) {
        return Some("query".to_owned());
    }
    let leaks = |value: &HeaderValue| value.to_str().is_ok_and(has_project_secret);
    let mut fields = headers.iter().filter(|(name, _)| *name != COOKIE);
    fields.find(|(_, value)| leaks(value)).map(|(name, _)| name.to_string())
}

/// A path as it may be logged: what stands in it like a token or a key is left out.
#[must_use]
pub fn masked(path: &str) -> String {
    let segment = |segment: &str| match is_secret(&decoded(segment)) {
        true => "(hidden)".to_owned(),
        false => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn is_secret(segment: &str) -> bool {
    is_jwt(segment) || is_api_key(segment) || has_project_secret(segment)
}

/// As the origin would read it.
fn decoded(text: &str) -> Cow<'_, str> {
    match text.contains('%') {
        true => Cow::Owned(String::from_utf8_lossy(&decode_all(text)).into_owned()),
        false => Cow::Borrowed(text),
    }
}

fn has_project_secret(text: &str) -> bool {
    // Every field of every request comes here, and a byte is found sooner than a word.
    text.match_indices('_').any(|(at, _)| {
        let from = at.checked_sub(PROJECT_START.len()).and_then(|from| text.as_bytes().get(from..));
        let rest = from.and_then(|from| from.strip_prefix(PROJECT_SECRET.as_bytes())).unwrap_or_default();
        rest.iter().take_while(|byte| is_key_byte(**byte)).count() >= LEAST_SECRET
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn a_projects_secret_key_is_found_wherever_it_stands() {
        let key = format!("sb_secret_{}", "a".repeat(31));
        let none = HeaderMap::new();
        for (name, value) in [("apikey", key.clone()), ("authorization", format!("Bearer {key}"))] {
            assert_eq!(found("/", None, &headers(name, &value)).as_deref(), Some(name));
        }
        assert_eq!(found("/", Some(&format!("a=1&apikey={key}")), &none).as_deref(), Some("query"));
        let escaped = key.replace("sb_", "sb%5F");
        assert_eq!(found("/", Some(&escaped), &none).as_deref(), Some("query"));
        assert_eq!(found(&format!("/x/{escaped}"), None, &none).as_deref(), Some("path"));
    }

    #[test]
    fn a_logged_path_holds_no_token_and_no_key() {
        let key = format!("he-{}", "a".repeat(36));
        for secret in
            ["eyJhbGciOiJub25lIn0.e30.x", &key, &key.replace("he-", "he%2D"), "sb_secret_0123456789abcdef"]
        {
            assert_eq!(masked(&format!("/a/{secret}/b")), "/a/(hidden)/b", "{secret}");
        }
        assert_eq!(masked("/api/agents/he-1/a.b.c//%2F"), "/api/agents/he-1/a.b.c//%2F");
    }

    #[test]
    fn talk_about_such_keys_is_none_and_a_planted_cookie_locks_nobody_out() {
        let talk = headers("referer", "https://he2.ai/docs?q=sb_secret_keys");
        assert_eq!(found("/docs/sb_secret_keys", Some("q=sb_secret_"), &talk), None);
        let planted = headers("cookie", &format!("x=sb_secret_{}", "a".repeat(31)));
        assert_eq!(found("/", None, &planted), None);
    }
}
