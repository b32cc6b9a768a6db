//! Limits, to which routes refer by name: their windows, how they are counted, and what a refusal says.

use std::ops::RangeInclusive;

use edge_core::plan::{Limit, OnError, Window};

use super::text::{check_name, check_range};
use crate::fault::Report;
use crate::read::Given;
use crate::{leak, suggest, written};

/// Whether every request is asked about.
const MODES: [(&str, bool); 2] = [("lease", false), ("strict", true)];
const ON_ERROR: [(&str, OnError); 3] =
    [("allow", OnError::Allow), ("deny", OnError::Deny), ("local", OnError::Local)];
/// Lengths of a window: at most a month, for which all counting is in whole numbers that fit.
const SECONDS: RangeInclusive<u32> = 1..=2_678_400;
/// Whether a refusal tells of running agents.
const REFUSALS: [(&str, bool); 1] = [("runs", true)];

/// The limits that hold.
pub(crate) fn check(limits: &[written::Limit], report: &Report) -> Vec<Limit> {
    limits.iter().filter_map(|limit| limit_of(limit, report)).collect()
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
    let strict = choice("mode", &limit.mode, false, &MODES, report);
    let on_error = choice("on_error", &limit.on_error, OnError::Local, &ON_ERROR, report);
    let tells_runs = choice("refusal", &limit.refusal, false, &REFUSALS, report);
    let windows = windows(limit, report);
    Some(Limit {
        name: leak::text(&limit.name.value),
        windows: windows?,
        strict: strict?,
        on_error: on_error?,
        shadow: limit.shadow.good().is_some_and(|shadow| shadow.value),
        tells_runs: tells_runs?,
        line: limit.name.line,
    })
}

fn windows(limit: &written::Limit, report: &Report) -> Option<&'static [Window]> {
    let windows = limit.windows.as_ref()?;
    if windows.value.is_empty() {
        let text = format!("limit `{}` has no window; give one or remove the limit", limit.name.value);
        report.add(windows.line, text);
    }
    check_lengths(&windows.value, report);
    let checked: Option<Vec<Window>> = windows.value.iter().map(window).collect();
    checked.map(leak::list)
}

/// The limiter knows a counter by its window's length and kind.
fn check_lengths(windows: &[written::Window], report: &Report) {
    let mut seen: Vec<(u32, bool)> = Vec::new();
    for window in windows {
        check_range("seconds", window.seconds.as_ref(), &SECONDS, report);
        let Some(seconds) = &window.seconds else { continue };
        let this = (seconds.value, window.burst.is_absent());
        if seen.contains(&this) {
            let kind = if window.burst.is_absent() { "without" } else { "with" };
            let text = format!("two windows of {} s {kind} `burst` in one limit; remove one", seconds.value);
            report.add(seconds.line, text);
        }
        seen.push(this);
    }
}

/// What the word under `key` stands for; `left_out` where there is none.
pub(super) fn choice<T: Copy>(
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
