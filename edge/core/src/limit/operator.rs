//! What operators ask of a limit's key: to see it, to free it, or to raise its quotas for a time.

use serde::Deserialize;

use super::ledger::By;

/// A key, and what is to be done with it before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// As [`super::asking`] names it.
    pub key: String,
    /// Whose windows are meant, where the limit has tiers.
    pub tier: Option<String>,
    /// How far its quotas are raised, and until when (Unix seconds).
    pub raise: Option<(By, u64)>,
    /// Whether all that was charged is forgotten.
    pub resets: bool,
}

/// Longest key (bytes).
const LONGEST_KEY: usize = 512;
/// For how long a raise may be (s): what is meant for ever belongs into he2.toml.
const LONGEST_RAISE: u64 = 30 * 86_400;

const FORM: &str = "write {\"key\": \"api/user/…\"}; to raise also \"until\" (Unix seconds, at most 30 days ahead) \
    and either \"percent\" or \"quotas\", one for each window; and \"tier\", if the caller is of one";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    key: String,
    tier: Option<String>,
    percent: Option<u32>,
    quotas: Option<Vec<u32>>,
    until: Option<u64>,
}

/// From `?key=…`, the key with its slashes, and `&tier=…`.
pub fn look(query: Option<&str>) -> Result<Change, &'static str> {
    let given = |name: &str| {
        let mut pairs = query.unwrap_or_default().split('&');
        let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.map(crate::path::decode_all).and_then(|value| String::from_utf8(value).ok())
    };
    change(given("key").ok_or("name the key, as ?key=api/user/…")?, given("tier"))
}

/// From `{"key": …}`.
pub fn reset(content: &[u8]) -> Result<Change, &'static str> {
    match serde_json::from_slice(content) {
        Ok(Written { key, tier, percent: None, quotas: None, until: None }) => {
            Ok(Change { resets: true, ..change(key, tier)? })
        }
        _ => Err(FORM),
    }
}

/// From `{"key": …, "percent": 200, "until": …}`, or with `"quotas": […]`; received at `now` (Unix seconds).
pub fn raise(content: &[u8], now: u64) -> Result<Change, &'static str> {
    let Written { key, tier, percent, quotas, until } = serde_json::from_slice(content).map_err(|_| FORM)?;
    let by = match (percent, quotas) {
        (Some(percent), None) => By::Percent(percent),
        (None, Some(quotas)) => By::Quotas(quotas),
        _ => return Err(FORM),
    };
    let until = until.filter(|until| *until <= now.saturating_add(LONGEST_RAISE)).ok_or(FORM)?;
    Ok(Change { raise: Some((by, until)), ..change(key, tier)? })
}

fn change(key: String, tier: Option<String>) -> Result<Change, &'static str> {
    match (1..=LONGEST_KEY).contains(&key.len()) {
        true => Ok(Change { key, tier, raise: None, resets: false }),
        false => Err("the key is empty or too long"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_looked_up_freed_or_raised_for_a_time() {
        let key = |change: Result<Change, _>| change.map(|change| (change.key, change.raise, change.resets));
        let user = || "api/user/u 1".to_owned();
        assert_eq!(key(look(Some("a=b&key=api/user/u%201"))), Ok((user(), None, false)));
        assert_eq!(look(Some("key=k&tier=free")).unwrap().tier.as_deref(), Some("free"));
        assert_eq!(key(reset(br#"{"key":"api/user/u 1"}"#)), Ok((user(), None, true)));
        let raised = raise(br#"{"key":"api/user/u 1","percent":200,"until":100}"#, 50);
        assert_eq!(key(raised), Ok((user(), Some((By::Percent(200), 100)), false)));
        let quotas = raise(br#"{"key":"k","quotas":[1,2],"until":40}"#, 50);
        assert_eq!(quotas.unwrap().raise, Some((By::Quotas(vec![1, 2]), 40)), "what is past ends a raise");
    }

    #[test]
    fn what_is_not_in_that_form_is_refused() {
        for query in [None, Some("a=b"), Some("key="), Some("key=%ff")] {
            assert!(look(query).is_err(), "{query:?}");
        }
        for content in ["", "{}", "[]", r#"{"key":"k","percent":1}"#, r#"{"key":"k","all":true}"#] {
            assert!(reset(content.as_bytes()).is_err(), "{content}");
        }
        for content in [
            r#"{"key":"k"}"#,
            r#"{"key":"k","percent":1}"#,
            r#"{"key":"k","percent":1,"quotas":[1],"until":60}"#,
            r#"{"key":"k","percent":-1,"until":60}"#,
            r#"{"key":"k","percent":200,"until":99999999}"#,
        ] {
            assert!(raise(content.as_bytes(), 50).is_err(), "{content}");
        }
    }
}
