//! What groups stored responses together: `Cache-Tag`, and cache groups (RFC 9875).

use http::{HeaderMap, HeaderName};

use super::dictionary;
use crate::headers::list;

/// Comma separated, as Cloudflare's own cache and others take it
/// (<https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/>).
const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");
const CACHE_GROUPS: HeaderName = HeaderName::from_static("cache-groups");
const CACHE_GROUP_INVALIDATION: HeaderName = HeaderName::from_static("cache-group-invalidation");

/// Tags and groups of one response, at most.
const MOST: usize = 128;

/// The tags and groups of a response.
pub(super) fn tags(headers: &HeaderMap) -> Vec<String> {
    let tags = list(headers, CACHE_TAG).map(str::to_owned);
    tags.chain(strings(headers, &CACHE_GROUPS)).take(MOST).collect()
}

/// Groups that one answer makes invalid, at most, and their length in bytes: they share the operators' list of purges.
const MOST_INVALIDATED: usize = 8;
const LONGEST: usize = 128;

/// The groups that an answer to an unsafe method makes invalid (RFC 9875 §3).
#[must_use]
pub fn invalidated(headers: &HeaderMap) -> Vec<String> {
    let groups = strings(headers, &CACHE_GROUP_INVALIDATION).into_iter();
    groups.filter(|group| group.len() <= LONGEST).take(MOST_INVALIDATED).collect()
}

/// A list of strings (RFC 9651 §3.1); one that is out of form is none.
fn strings(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().ok());
    let text = lines.collect::<Option<Vec<_>>>().map(|lines| lines.join(","));
    text.and_then(|text| dictionary::strings(&text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9875_2_tags_and_groups_are_read() {
        let of = |name: &'static str, value: &str| {
            tags(&[(HeaderName::from_static(name), value.parse().unwrap())].into_iter().collect())
        };
        assert_eq!(of("cache-tag", "build-7, marketing"), ["build-7", "marketing"]);
        assert_eq!(of("cache-groups", "\"build, 7\", \"b\\\"q\";x=1"), ["build, 7", "b\"q"]);
        assert!(of("cache-groups", "build-7").is_empty(), "a token is no string");
        assert!(of("cache-groups", "\"a\",").is_empty());
    }
}
