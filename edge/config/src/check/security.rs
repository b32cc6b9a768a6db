//! What answers tell browsers to refuse: policies, to which routes refer by name.

use std::ops::RangeInclusive;

use edge_core::forward::security::API;
use edge_core::plan::Security;

use super::text::{check_known, check_name, check_range, check_reference, check_twice, choice};
use crate::fault::Report;
use crate::leak;
use crate::read::Lined;
use crate::written::{self, heads};

/// What a route says that wants none.
const NONE: &str = "none";
/// What a policy has where it says nothing else is what [`API`] has.
const HSTS: &str = "strict-transport-security";
const CONTENT: &str = "content-security-policy";
const FRAMES: &str = "x-frame-options";
const REFERRER: &str = "referrer-policy";
/// At most two years, which is what lists of HTTPS-only hosts ask for.
const HSTS_SECONDS: RangeInclusive<u32> = 1..=63_072_000;

/// <https://www.w3.org/TR/referrer-policy/>.
const REFERRERS: [(&str, &str); 8] = [
    ("no-referrer", "no-referrer"),
    ("no-referrer-when-downgrade", "no-referrer-when-downgrade"),
    ("origin", "origin"),
    ("origin-when-cross-origin", "origin-when-cross-origin"),
    ("same-origin", "same-origin"),
    ("strict-origin", "strict-origin"),
    ("strict-origin-when-cross-origin", "strict-origin-when-cross-origin"),
    ("unsafe-url", "unsafe-url"),
];

/// <https://www.w3.org/TR/CSP3/> and what extends it.
const DIRECTIVES: [&str; 24] = [
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "upgrade-insecure-requests",
    "worker-src",
];

/// The policies that hold, by name.
pub(crate) fn check(policies: &[heads::Security], report: &Report) -> Vec<(String, Security)> {
    policies.iter().filter_map(|policy| Some((policy.name.value.clone(), checked(policy, report)?))).collect()
}

/// A route's policy.
pub(super) fn of(
    route: &written::Route,
    written: &[heads::Security],
    policies: &[(String, Security)],
    report: &Report,
) -> Option<Security> {
    let Some(name) = route.security.good() else { return Some(API) };
    let known = written.iter().map(|policy| policy.name.value.as_str()).chain([NONE]);
    check_reference("security", name, known.collect(), report);
    policies.iter().find(|(known, _)| *known == name.value).map(|(_, policy)| *policy)
}

/// Whether a route's word is the name of a policy.
pub(super) fn is_name(word: &str) -> bool {
    word != NONE
}

fn checked(policy: &heads::Security, report: &Report) -> Option<Security> {
    check_name(&policy.name, report);
    if policy.name.value == NONE {
        report.add(policy.name.line, "`none` is what a route says that wants no policy; choose another name");
    }
    check_range("hsts_seconds", policy.hsts.good(), &HSTS_SECONDS, report);
    for (key, given) in
        [("content_security_policy", &policy.content), ("permissions_policy", &policy.permissions)]
    {
        given.good().into_iter().for_each(|text| check_visible(key, text, report));
    }
    let directives = policy.content.good().map(directives);
    if let Some(directives) = &directives {
        check_directives(directives, report);
    }
    let referrer = choice("referrer_policy", &policy.referrer, default(REFERRER), &REFERRERS, report)?;
    let hsts =
        policy.hsts.good().map_or(default(HSTS), |seconds| leak::text(&format!("max-age={}", seconds.value)));
    let content = policy.content.good().map_or(default(CONTENT), |text| leak::text(&text.value));
    let frames = directives.map_or(Some(default(FRAMES)), |directives| frames(&directives));
    let permissions = policy.permissions.good().map(|text| leak::text(&text.value));
    let fields = [
        Some((HSTS, hsts)),
        Some(("x-content-type-options", "nosniff")),
        Some((CONTENT, content)),
        frames.map(|frames| (FRAMES, frames)),
        Some((REFERRER, referrer)),
        permissions.map(|permissions| ("permissions-policy", permissions)),
    ];
    let replaces = policy.replace.good().is_some_and(|replace| replace.value);
    Some(Security { fields: leak::list(fields.into_iter().flatten().collect()), replaces })
}

/// What a policy has that says nothing.
fn default(name: &str) -> &'static str {
    API.fields.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value)
}

fn check_visible(key: &str, text: &Lined<String>, report: &Report) {
    if text.value.is_empty() || !text.value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        report.add(
            text.line,
            format!("`{key}` is no text that a header can hold; write it in ASCII, on one line"),
        );
    }
}

/// Names, in lower case, and values.
fn directives(policy: &Lined<String>) -> Vec<(Lined<String>, String)> {
    let parts = policy.value.split(';').map(str::trim).filter(|part| !part.is_empty());
    let split = |part: &str| {
        let (name, value) = part.split_once(' ').unwrap_or((part, ""));
        (Lined { line: policy.line, value: name.to_ascii_lowercase() }, value.trim().to_owned())
    };
    parts.map(split).collect()
}

/// A browser skips what it does not know, and of two the second.
fn check_directives(directives: &[(Lined<String>, String)], report: &Report) {
    let names: Vec<Lined<String>> = directives.iter().map(|(name, _)| name.clone()).collect();
    check_known("directive", &names, &DIRECTIVES, report);
    check_twice("directive", &names, report);
}

/// The same for browsers that do not know `frame-ancestors`, as far as that goes (RFC 7034 §2.1).
fn frames(directives: &[(Lined<String>, String)]) -> Option<&'static str> {
    let (_, value) = directives.iter().find(|(name, _)| name.value == "frame-ancestors")?;
    match value.as_str() {
        "'none'" => Some("DENY"),
        "'self'" => Some("SAMEORIGIN"),
        _ => None,
    }
}
