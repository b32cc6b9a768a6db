//! `Cache-Control` as a shared cache reads it (RFC 9111 §5.2).

use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

use crate::headers::list;

/// The directives that this cache acts on; others are ignored (§5.2.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a directive of its own, by its name in the RFC")]
pub struct Control {
    /// Any directive at all was sent.
    pub present: bool,
    /// They are for caches of this kind, and replace `Expires` too (RFC 9213 §2.2).
    pub targeted: bool,
    /// `no-store`.
    pub no_store: bool,
    /// `no-cache`, with or without field names: those forbid reuse of the fields, so of the response as it is.
    pub no_cache: bool,
    /// `private`, likewise.
    pub private: bool,
    /// `public`.
    pub public: bool,
    /// `must-revalidate`.
    pub must_revalidate: bool,
    /// `proxy-revalidate`: the same for shared caches.
    pub proxy_revalidate: bool,
    /// `must-understand`.
    pub must_understand: bool,
    /// `only-if-cached`, of a request.
    pub only_if_cached: bool,
    /// `max-age` in seconds.
    pub max_age: Option<u64>,
    /// `s-maxage` in seconds.
    pub s_maxage: Option<u64>,
    /// `min-fresh` in seconds, of a request.
    pub min_fresh: Option<u64>,
    /// `max-stale` in seconds, of a request; without a value, any staleness.
    pub max_stale: Option<u64>,
    /// `stale-while-revalidate` in seconds (RFC 5861 §3).
    pub stale_while_revalidate: Option<u64>,
    /// `stale-if-error` in seconds (RFC 5861 §4).
    pub stale_if_error: Option<u64>,
}

impl Control {
    /// Reads a message's directives.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        for member in split(headers) {
            let (name, value) = member.split_once('=').unwrap_or((&member, ""));
            control.add(name.trim_end(), value);
        }
        // §5.4: a request's `Pragma: no-cache` counts where no Cache-Control was sent.
        let pragma = || list(headers, PRAGMA).any(|value| value.eq_ignore_ascii_case("no-cache"));
        control.no_cache |= !control.present && pragma();
        control
    }

    /// Adds a directive.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.present = true;
        match name.to_ascii_lowercase().as_str() {
            "no-store" => self.no_store = true,
            "no-cache" => self.no_cache = true,
            "private" => self.private = true,
            "public" => self.public = true,
            "must-revalidate" => self.must_revalidate = true,
            "proxy-revalidate" => self.proxy_revalidate = true,
            "must-understand" => self.must_understand = true,
            "only-if-cached" => self.only_if_cached = true,
            "max-age" => strictest(&mut self.max_age, value),
            "s-maxage" => strictest(&mut self.s_maxage, value),
            "min-fresh" => strictest(&mut self.min_fresh, value),
            "max-stale" if value.is_empty() => self.max_stale = Some(FOR_EVER),
            "max-stale" => strictest(&mut self.max_stale, value),
            "stale-while-revalidate" => strictest(&mut self.stale_while_revalidate, value),
            "stale-if-error" => strictest(&mut self.stale_if_error, value),
            _ => {}
        }
    }
}

/// §1.2.2: what a number too large to count with stands for, in seconds.
const FOR_EVER: u64 = 1 << 31;

/// §4.2.1: of several values the smallest counts, and one that is no number makes the response stale.
fn strictest(kept: &mut Option<u64>, value: &str) {
    let seconds = delta_seconds(value).unwrap_or(0);
    *kept = Some(kept.map_or(seconds, |kept| kept.min(seconds)));
}

/// §1.2.2: digits only, a large number is as good as for ever; quotes are forgiven (§5.2).
#[must_use]
pub fn delta_seconds(value: &str) -> Option<u64> {
    let value = value.trim();
    let digits = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value);
    let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    numeric.then(|| digits.parse().unwrap_or(FOR_EVER).min(FOR_EVER))
}

/// The members of all lines, at commas outside quotes.
fn split(headers: &HeaderMap) -> Vec<String> {
    let lines: Vec<_> = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok()).collect();
    let mut quoted = false;
    let mut members = vec![String::new()];
    for character in lines.join(",").chars() {
        quoted ^= character == '"';
        match (character, members.last_mut()) {
            (',', _) if !quoted => members.push(String::new()),
            (_, Some(member)) => member.push(character),
            _ => {}
        }
    }
    members.iter().map(|member| member.trim().to_owned()).filter(|member| !member.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(lines: &[&str]) -> Control {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_CONTROL, line.parse().unwrap());
        }
        Control::of(&headers)
    }

    #[test]
    fn rfc9111_5_2_directives_are_read_in_any_case_and_over_several_lines() {
        let read = control(&["Public, MAX-AGE=60", "s-maxage=\"30\", unknown=\"a, private\""]);
        assert_eq!((read.max_age, read.s_maxage), (Some(60), Some(30)));
        assert!(!read.private, "a comma in quotes does not separate");
    }

    #[test]
    fn rfc9111_4_2_1_the_strictest_of_several_counts_and_an_invalid_one_is_stale() {
        assert_eq!(control(&["max-age=100, max-age=5"]).max_age, Some(5));
        assert_eq!(control(&["max-age=abc"]).max_age, Some(0));
        assert_eq!(control(&["max-age=-1"]).max_age, Some(0));
        assert_eq!(control(&["max-age=99999999999999999999"]).max_age, Some(1 << 31));
    }
}
