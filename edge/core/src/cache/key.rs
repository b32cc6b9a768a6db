//! The key under which answers are stored: the URL, with the parameters of its query that matter.

use crate::plan::Query;

/// The key of a request: its whole URL (RFC 9111 §2). Tokens are out of the query by now.
#[must_use]
pub fn key(host: &str, path: &str, query: Option<&str>) -> String {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("https://{host}{path}{query}")
}

/// Longer paths with their queries (bytes) are not stored: what an isolate remembers by key must not grow with them.
const LONGEST: usize = 2_048;

/// Whether a URL is short enough to be a key.
#[must_use]
pub fn is_short(path: &str, query: Option<&str>) -> bool {
    path.len().saturating_add(query.map_or(0, str::len)) <= LONGEST
}

/// The parameters that tell answers apart, in the order in which they came; none where nothing is left.
#[must_use]
pub fn kept(query: Option<&str>, rule: Query) -> Option<String> {
    let keeps = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        match rule {
            Query::All => true,
            Query::Only(names) => names.contains(&name),
            Query::Except(names) => !names.contains(&name),
        }
    };
    let kept = query?.split('&').filter(keeps).collect::<Vec<_>>().join("&");
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_url_and_the_parameters_that_matter() {
        assert_eq!(key("he2.ai", "/a", Some("b=1")), "https://he2.ai/a?b=1");
        let of = |rule| kept(Some("b=1&utm=2&a=3&b=4"), rule);
        assert_eq!(of(Query::All).as_deref(), Some("b=1&utm=2&a=3&b=4"));
        assert_eq!(of(Query::Only(&["b"])).as_deref(), Some("b=1&b=4"));
        assert_eq!(of(Query::Except(&["utm"])).as_deref(), Some("b=1&a=3&b=4"));
        assert_eq!(of(Query::Only(&["z"])), None);
        assert_eq!(kept(None, Query::All), None);
    }
}
