//! Which directives count for this cache: those for content delivery networks, where the origin sends such (RFC 9213).

use http::{HeaderMap, HeaderName};

use super::control::Control;
use super::dictionary::{self, Value};

/// Directives for caches like this one. It replaces `Cache-Control` and `Expires` (RFC 9213 §2.2).
const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

/// The response's directives.
pub(super) fn control(headers: &HeaderMap) -> Control {
    targeted(headers).unwrap_or_else(|| Control::of(headers))
}

/// None where the field is absent, empty or no dictionary (§2.1): then it is as if it had not been sent.
fn targeted(headers: &HeaderMap) -> Option<Control> {
    let lines = headers.get_all(CDN_CACHE_CONTROL).iter().map(|line| line.to_str().ok());
    let text = lines.collect::<Option<Vec<_>>>()?.join(",");
    let members = dictionary::parse(&text).filter(|members| !members.is_empty())?;
    let mut control = Control { targeted: true, ..Control::default() };
    for (name, value) in members {
        match value {
            Value::Integer(seconds) => control.add(&name, &seconds.to_string()),
            Value::Flag => control.add(&name, ""),
            // A directive whose value is of another type says nothing.
            Value::Other => {}
        }
    }
    Some(control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control_of(fields: &[(&'static str, &str)]) -> Control {
        let fields =
            fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        control(&fields.collect())
    }

    #[test]
    fn rfc9213_2_2_it_replaces_cache_control() {
        let both =
            control_of(&[("cache-control", "no-store, max-age=1"), ("cdn-cache-control", "max-age=60")]);
        assert_eq!((both.max_age, both.no_store, both.targeted), (Some(60), false, true));
        let strict =
            control_of(&[("cache-control", "max-age=60"), ("cdn-cache-control", "private, no-cache")]);
        assert_eq!((strict.max_age, strict.private, strict.no_cache), (None, true, true));
    }

    #[test]
    fn rfc9213_2_1_one_that_is_no_dictionary_is_ignored() {
        for invalid in ["max-age=10000, &&&&&", "max-age =60", "max-age= 60", "Max-Age=60", ""] {
            let control = control_of(&[("cache-control", "no-store"), ("cdn-cache-control", invalid)]);
            assert_eq!((control.max_age, control.no_store), (None, true), "{invalid}");
        }
        let wrong = control_of(&[("cache-control", "no-store"), ("cdn-cache-control", "max-age=\"10000\"")]);
        assert_eq!(wrong.max_age, None, "a string is no number");
    }
}
