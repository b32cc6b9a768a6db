//! Long polls: no longer than the way to the origin lasts.
//!
//! Whoever asks for more than proxies on the way wait gets an error of theirs in place of an answer. What is asked for is
//! therefore bounded in the query, before that is signed; the client asks again, as it would after any wait that was not
//! long enough. What is no number stays as it is: the origin says what is wrong with it.

use crate::path::decode_all;
use crate::plan::Wait;

/// What the app's framework reads as true in a query
/// (<https://docs.pydantic.dev/latest/api/standard_library_types/#booleans>).
const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];

/// The query with its wait bounded.
#[must_use]
pub fn bounded(query: Option<&str>, wait: &Wait) -> Option<String> {
    let pairs: Vec<_> = query.into_iter().flat_map(|query| query.split('&')).collect();
    if pairs.iter().any(|pair| asks_for_events(pair, wait)) {
        return query.map(str::to_owned);
    }
    let (name, most) = (wait.parameter, wait.most_seconds);
    let most = format!("{name}={most}");
    let is_said = pairs.iter().any(|pair| is(pair, name));
    let kept = pairs.iter().map(|pair| if is_longer(pair, wait) { most.as_str() } else { pair });
    let added = Some(most.as_str()).filter(|_| !is_said);
    Some(kept.filter(|pair| !pair.is_empty()).chain(added).collect::<Vec<_>>().join("&"))
}

fn asks_for_events(pair: &str, wait: &Wait) -> bool {
    let is_true = |value: &str| TRUE.contains(&value.to_ascii_lowercase().as_str());
    wait.events.is_some_and(|name| is(pair, name)) && is_true(&value(pair))
}

fn is_longer(pair: &str, wait: &Wait) -> bool {
    is(pair, wait.parameter) && seconds(&value(pair)).is_some_and(|seconds| seconds > wait.most_seconds)
}

/// The whole seconds of what stands there, as many as a number holds; none where it does not begin with any.
fn seconds(value: &str) -> Option<u32> {
    let digits = value.strip_prefix('+').unwrap_or(value).chars().filter(|sign| *sign != '_');
    let digits = digits.map_while(|sign| sign.to_digit(10));
    digits.fold(None, |sum: Option<u32>, digit| {
        Some(sum.unwrap_or_default().saturating_mul(10).saturating_add(digit))
    })
}

/// Whether the origin, which decodes names, reads this one so.
fn is(pair: &str, name: &str) -> bool {
    decode_all(pair.split('=').next().unwrap_or_default()) == name.as_bytes()
}

/// The value as the origin reads it.
fn value(pair: &str) -> String {
    let (_, value) = pair.split_once('=').unwrap_or_default();
    let decoded = String::from_utf8_lossy(&decode_all(&value.replace('+', " "))).into_owned();
    decoded.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Wait = Wait { parameter: "timeout", most_seconds: 80, events: Some("realtime") };

    fn asked(query: &str) -> String {
        bounded(Some(query), &WAIT).unwrap()
    }

    #[test]
    fn who_asks_for_longer_gets_the_longest() {
        assert_eq!(asked("project_id=p&timeout=600"), "project_id=p&timeout=80");
        assert_eq!(asked("timeout=600&project_id=p&timeout=81"), "timeout=80&project_id=p&timeout=80");
        assert_eq!(asked("timeout=99999999999999999999"), "timeout=80");
        for same in ["t%69meout=600", "timeout=%36%30%30", "timeout=+300", "timeout=300.0", "timeout=3_00"] {
            assert_eq!(asked(same), "timeout=80", "{same}");
        }
    }

    #[test]
    fn who_says_nothing_gets_no_more() {
        assert_eq!(bounded(None, &WAIT).unwrap(), "timeout=80");
        assert_eq!(asked(""), "timeout=80");
        assert_eq!(asked("a=1&b"), "a=1&b&timeout=80");
    }

    #[test]
    fn shorter_waits_and_what_is_no_number_stay_byte_for_byte() {
        for query in ["timeout=0", "timeout=80", "a=%20&timeout=1&b", "timeout=soon", "timeout=", "timeout"] {
            assert_eq!(asked(query), query);
        }
    }

    #[test]
    fn events_may_last() {
        for query in ["realtime=true&timeout=600", "realtime=True", "timeout=300&realtime=1"] {
            assert_eq!(asked(query), query);
        }
        assert_eq!(asked("realtime=false&timeout=600"), "realtime=false&timeout=80");
        let none = Wait { events: None, ..WAIT };
        assert_eq!(bounded(Some("realtime=true"), &none).unwrap(), "realtime=true&timeout=80");
    }
}
