//! Which stored response a request selects (RFC 9111 §4.1).

use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};

use crate::headers::{list, single};
use crate::trace::hex;

/// A field that selects: its name in lower case, and its value in normal form, none where it is absent.
pub(super) type Selecting = Vec<(String, Option<String>)>;

/// The request's values of the fields named by `Vary`; none if the response cannot be selected again.
///
/// `Origin` is the gateway's own affair: it writes the answer's CORS fields anew each time. What varies by a credential
/// is somebody's, and the credential would be stored with it.
pub(super) fn selecting(headers: &HeaderMap, asked: &HeaderMap) -> Option<Selecting> {
    let mut names: Vec<_> =
        list(headers, VARY).map(str::to_ascii_lowercase).filter(|name| name != "origin").collect();
    names.sort();
    names.dedup();
    let unstorable =
        |name: &String| matches!(name.as_str(), "*" | "authorization" | "cookie" | "x-he2-identity");
    let with_value = |name: String| {
        let value = normal(asked, &name);
        (name, value)
    };
    (!names.iter().any(unstorable)).then(|| names.into_iter().map(with_value).collect())
}

/// Whether a request selects what was stored with these values.
pub(super) fn matches(selecting: &Selecting, asked: &HeaderMap) -> bool {
    selecting.iter().all(|(name, value)| normal(asked, name) == *value)
}

/// Whether a response in one language is the one that a request likes best (RFC 9110 §12.5.4): it is selected by what
/// was negotiated then, and would be again.
pub(super) fn speaks(headers: &HeaderMap, selecting: &Selecting, asked: &HeaderMap) -> bool {
    let others = selecting.iter().filter(|(name, _)| name != "accept-language");
    let by_language = others.clone().count() < selecting.len();
    let liked: Vec<_> = list(asked, ACCEPT_LANGUAGE).map(weighed).collect();
    let most = liked.iter().map(|(_, weight)| *weight).max().filter(|most| *most > 0);
    let mut best = liked.iter().filter(|(_, weight)| Some(*weight) == most);
    let best = match (best.next(), best.next()) {
        (Some((language, _)), None) => Some(language),
        _ => None,
    };
    let language = single(headers, CONTENT_LANGUAGE).map(str::to_ascii_lowercase);
    by_language
        && language.is_some_and(|language| best == Some(&language))
        && others.clone().all(|(name, value)| normal(asked, name) == *value)
}

/// A member of a negotiation, in small letters, and its weight in thousandths (RFC 9110 §12.4.2).
fn weighed(member: &str) -> (String, u32) {
    let plain = preference(member);
    let (value, weight) = plain.split_once(";q=").unwrap_or((&plain, "1"));
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    (value.to_owned(), format!("{whole}{fraction:0<3}").parse().unwrap_or(0))
}

/// A field's value in normal form: members of all lines in one, without the whitespace around them; and those of a
/// negotiation in small letters and by preference, where their order says nothing (RFC 9110 §12.5.3, §12.5.4).
pub(super) fn normal(request: &HeaderMap, name: &str) -> Option<String> {
    if request.get_all(name).iter().any(|line| line.to_str().is_err()) {
        return Some(raw(request, name));
    }
    let negotiates = matches!(name, "accept-encoding" | "accept-language" | "accept-charset");
    request.contains_key(name).then(|| {
        let mut members: Vec<_> = list(request, name).map(str::to_owned).collect();
        if negotiates {
            members = members.iter().map(|member| preference(member)).collect();
            members.sort();
        }
        members.join(", ")
    })
}

/// The very bytes of a field that is no text.
fn raw(request: &HeaderMap, name: &str) -> String {
    let lines: Vec<_> = request.get_all(name).iter().map(|line| hex(line.as_bytes())).collect();
    format!("\u{0}{}", lines.join(","))
}

/// A member without whitespace, in small letters, and without the weight that it has anyway.
fn preference(member: &str) -> String {
    let dense: String = member.chars().filter(|character| !character.is_whitespace()).collect();
    let small = dense.to_ascii_lowercase();
    let (value, weight) = small.split_once(";q=").unwrap_or((&small, "1"));
    match weight.trim_end_matches('0').trim_end_matches('.') {
        "1" => value.to_owned(),
        weight => format!("{value};q={weight}"),
    }
}
