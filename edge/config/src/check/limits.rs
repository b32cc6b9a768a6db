//! Limits, to which routes refer by name: by what they count, in which windows and how, and what a refusal says.

use std::ops::RangeInclusive;

use edge_core::plan::{Limit, OnError, RateLimitFields, Window};

use super::text::{check_name, check_range, choice, is_token};
use super::{parts, tiers};
use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined};
use crate::written::limit as written;

/// Whether every request is asked about.
const MODES: [(&str, bool); 2] = [("lease", false), ("strict", true)];
const ON_ERROR: [(&str, OnError); 3] =
    [("allow", OnError::Allow), ("deny", OnError::Deny), ("local", OnError::Local)];
/// Lengths of a window: at most a month, for which all counting is in whole numbers that fit.
const SECONDS: RangeInclusive<u32> = 1..=2_678_400;
/// Whether a refusal tells of running agents.
const REFUSALS: [(&str, bool); 1] = [("runs", true)];
/// Whether answers from the cache are charged.
const CACHE_HITS: [(&str, bool); 2] = [("free", false), ("count", true)];
const FIELDS: [(&str, RateLimitFields); 3] = [
    ("draft-06", RateLimitFields::Draft06),
    ("draft-07", RateLimitFields::Draft07),
    ("draft-11", RateLimitFields::Draft11),
];

/// The limits that hold.
pub(crate) fn check(limits: &[written::Limit], report: &Report) -> Vec<Limit> {
    limits.iter().filter_map(|limit| limit_of(limit, report)).collect()
}

/// In which form callers are told how their limits stand.
pub(crate) fn fields(word: &Given<String>, report: &Report) -> Option<RateLimitFields> {
    choice("rate_limit_fields", word, RateLimitFields::Draft11, &FIELDS, report)
}

/// A window as the plan has it.
pub(crate) fn window(window: &written::Window) -> Option<Window> {
    let burst = match &window.burst {
        Given::Absent => None,
        burst => Some(burst.good()?.value),
    };
    Some(Window { quota: window.quota.as_ref()?.value, seconds: window.seconds.as_ref()?.value, burst })
}

fn limit_of(limit: &written::Limit, report: &Report) -> Option<Limit> {
    check_name(&limit.name, report);
    let by = parts::check(&limit.by, report);
    let tiers = tiers::check(&limit.tiers, by, report);
    let counts_hits = choice("cache_hits", &limit.cache_hits, false, &CACHE_HITS, report);
    let strict = choice("mode", &limit.mode, false, &MODES, report);
    let on_error = choice("on_error", &limit.on_error, OnError::Local, &ON_ERROR, report);
    let tells_runs = choice("refusal", &limit.refusal, false, &REFUSALS, report);
    let windows = windows("limit", &limit.name, &limit.windows, report);
    Some(Limit {
        name: leak::text(&limit.name.value),
        by: by?,
        windows: windows?,
        tiers: tiers?,
        cost_field: limit.cost_header.good().map(|field| cost_field(field, report)),
        counts_hits: counts_hits?,
        strict: strict?,
        on_error: on_error?,
        shadow: limit.shadow.good().is_some_and(|shadow| shadow.value),
        tells_runs: tells_runs?,
        line: limit.name.line,
    })
}

fn cost_field(field: &Lined<String>, report: &Report) -> &'static str {
    if !is_token(&field.value) {
        report.add(field.line, format!("cost_header `{}` is no header name (RFC 9110 §5.6.2)", field.value));
    }
    leak::text(&field.value.to_ascii_lowercase())
}

/// Those of a limit or a tier, which is `what`.
pub(super) fn windows(
    what: &str,
    name: &Lined<String>,
    windows: &written::Windows,
    report: &Report,
) -> Option<&'static [Window]> {
    let windows = windows.as_ref()?;
    if windows.value.is_empty() {
        let text = format!("{what} `{}` has no window; give one or remove the {what}", name.value);
        report.add(windows.line, text);
    }
    check_lengths(what, &windows.value, report);
    let checked: Option<Vec<Window>> = windows.value.iter().map(window).collect();
    checked.map(leak::list)
}

/// The limiter knows a counter by its window's length and kind.
fn check_lengths(what: &str, windows: &[written::Window], report: &Report) {
    let mut seen: Vec<(u32, bool)> = Vec::new();
    for window in windows {
        check_range("seconds", window.seconds.as_ref(), &SECONDS, report);
        let Some(seconds) = &window.seconds else { continue };
        let this = (seconds.value, window.burst.is_absent());
        if seen.contains(&this) {
            let kind = if window.burst.is_absent() { "without" } else { "with" };
            let text = format!("two windows of {} s {kind} `burst` in one {what}; remove one", seconds.value);
            report.add(seconds.line, text);
        }
        seen.push(this);
    }
}
