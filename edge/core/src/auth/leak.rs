//! Secret keys of the Supabase project in a request: they open the whole database, and whoever sends one here has let
//! it out. Left out: tokens of the role `service_role`, which are refused as tokens are.

use http::{HeaderMap, HeaderValue};

use super::credential::is_key_byte;

/// What a secret key of a Supabase project begins with. Source: <https://supabase.com/docs/guides/api/api-keys>.
const PROJECT_SECRET: &str = "sb_secret_";
/// Fewer characters after it are talk about such keys, not one.
const LEAST_SECRET: usize = 16;

/// Where a secret key of the Supabase project arrived: the field's name, or `query`.
#[must_use]
pub fn found(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    if query.is_some_and(has_project_secret) {
        return Some("query".to_owned());
    }
    let leaks = |value: &HeaderValue| value.to_str().is_ok_and(has_project_secret);
    headers.iter().find(|(_, value)| leaks(value)).map(|(name, _)| name.to_string())
}

fn has_project_secret(text: &str) -> bool {
    text.match_indices(PROJECT_SECRET).any(|(at, _)| {
        let rest = text.get(at.saturating_add(PROJECT_SECRET.len())..).unwrap_or_default();
        rest.bytes().take_while(|byte| is_key_byte(*byte)).count() >= LEAST_SECRET
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_secret_key_is_found_wherever_it_stands() {
        let key = format!("sb_secret_{}", "a".repeat(31));
        let headers = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
        };
        for (name, value) in [("apikey", key.clone()), ("authorization", format!("Bearer {key}"))] {
            assert_eq!(found(&headers(name, &value), None).as_deref(), Some(name));
        }
        assert_eq!(found(&HeaderMap::new(), Some(&format!("a=1&apikey={key}"))).as_deref(), Some("query"));
        let talk = headers("referer", "https://he2.ai/docs?q=sb_secret_keys");
        assert_eq!(found(&talk, Some("q=sb_secret_")), None, "talk about such keys is none");
    }
}
