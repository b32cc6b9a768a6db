//! Forms of text: names, host names, header names, paths.

use std::ops::RangeInclusive;

use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::Texts;
use crate::{leak, suggest};

/// Names of routes, services and policies: short, and fit for a header (RFC 9651 §3.3.3) and a resource's
/// name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

pub(crate) fn check_name(name: &Lined<String>, report: &Report) {
    if !is_name(&name.value) {
        report.add(name.line, format!("name `{}`: use lower-case letters, digits and `-`", name.value));
    }
}

/// A host name in the form in which it is compared: lower case, no port, no final dot.
pub(crate) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// A host, with a port unless it is the scheme's own.
pub(crate) fn is_authority(text: &str, default_port: &str) -> bool {
    match text.split_once(':') {
        Some((host, port)) => is_host(host) && port != default_port && port.parse::<u16>().is_ok(),
        None => is_host(text),
    }
}

/// The name of a header (RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let special = b"!#$%&'*+-.^_`|~";
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || special.contains(&byte))
}

/// Notes every item that is there twice.
pub(crate) fn check_twice(what: &str, items: &[Lined<String>], report: &Report) {
    for (index, item) in items.iter().enumerate() {
        let before = items.iter().take(index).find(|other| other.value == item.value);
        if let Some(before) = before {
            let text = format!("{what} `{}` is already on line {}; remove one", item.value, before.line);
            report.add(item.line, text);
        }
    }
}

/// Notes every item that is not one of `known`.
pub(crate) fn check_known(what: &str, items: &[Lined<String>], known: &[&str], report: &Report) {
    for item in items.iter().filter(|item| !known.contains(&item.value.as_str())) {
        let hint = suggest::hint(&item.value, known.iter().copied());
        report.add(item.line, format!("unknown {what} `{}`; {hint}", item.value));
    }
}

/// Notes an empty list, and every item that is there twice.
pub(crate) fn check_list(key: &str, list: &Texts, report: &Report) {
    let Some(list) = list else { return };
    check_items(key, list.line, &list.value, report);
}

/// As [`check_list`], and notes every empty string: a token could say nothing, and would be taken for good.
pub(crate) fn check_texts(key: &str, line: u32, items: &[Lined<String>], report: &Report) {
    check_items(key, line, items, report);
    for item in items.iter().filter(|item| item.value.is_empty()) {
        report.add(item.line, format!("`{key}` holds an empty string; remove it"));
    }
}

/// As [`check_list`], of a list that is there.
pub(crate) fn check_items(key: &str, line: u32, items: &[Lined<String>], report: &Report) {
    if items.is_empty() {
        report.add(line, format!("`{key}` is empty; name at least one"));
    }
    check_twice(key, items, report);
}

/// Notes a number out of bounds.
pub(crate) fn check_range(
    key: &str,
    number: Option<&Lined<u32>>,
    range: &RangeInclusive<u32>,
    report: &Report,
) {
    let (least, most) = (range.start(), range.end());
    if let Some(number) = number.filter(|number| !range.contains(&number.value)) {
        report.add(number.line, format!("{key} {}: give {least} to {most}", number.value));
    }
}

/// The items, as the plan has them.
pub(crate) fn leaked(items: &[Lined<String>]) -> &'static [&'static str] {
    leak::list(items.iter().map(|item| leak::text(&item.value)).collect())
}

/// What the word under `key` stands for; `left_out` where there is none.
pub(crate) fn choice<T: Copy>(
    key: &str,
    word: &Given<String>,
    left_out: T,
    known: &[(&str, T)],
    report: &Report,
) -> Option<T> {
    if word.is_absent() {
        return Some(left_out);
    }
    let word = word.good()?;
    let found = known.iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        let hint = suggest::hint(&word.value, known.iter().map(|(name, _)| *name));
        report.add(word.line, format!("unknown {key} `{}`; {hint}", word.value));
    }
    found.map(|(_, meaning)| *meaning)
}

/// Notes a name that is written nowhere.
pub(crate) fn check_reference(what: &str, name: &Lined<String>, known: Vec<&str>, report: &Report) {
    if !known.contains(&name.value.as_str()) {
        let hint = suggest::hint(&name.value, known);
        report.add(name.line, format!("unknown {what} `{}`; {hint}", name.value));
    }
}
