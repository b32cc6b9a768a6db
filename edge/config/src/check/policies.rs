//! Limits and cache policies, to which routes refer by name.

use edge_core::plan::{Cache, Limit, Window};

use super::text::check_name;
use crate::fault::Report;
use crate::read::Lined;
use crate::{leak, suggest, written};

const MODES: [&str; 3] = ["off", "obey", "assign"];

pub(crate) fn limits(limits: &[written::Limit], report: &Report) -> Vec<Limit> {
    limits.iter().filter_map(|limit| checked_limit(limit, report)).collect()
}

/// The policies that hold, by name.
pub(crate) fn caches(caches: &[written::Cache], report: &Report) -> Vec<(String, Cache)> {
    let checked = |cache| Some((written_name(cache), checked_cache(cache, report)?));
    caches.iter().filter_map(checked).collect()
}

fn written_name(cache: &written::Cache) -> String {
    cache.name.value.clone()
}

fn checked_limit(limit: &written::Limit, report: &Report) -> Option<Limit> {
    check_name(&limit.name, report);
    let windows = limit.windows.as_ref()?;
    if windows.value.is_empty() {
        report.add(
            windows.line,
            format!("limit `{}` has no window; give one or remove the limit", limit.name.value),
        );
    }
    let checked: Option<Vec<Window>> = windows.value.iter().map(window).collect();
    Some(Limit { name: leak::text(&limit.name.value), windows: leak::list(checked?), line: limit.name.line })
}

fn window(window: &written::Window) -> Option<Window> {
    Some(Window { quota: window.quota.as_ref()?.value, seconds: window.seconds.as_ref()?.value })
}

fn checked_cache(cache: &written::Cache, report: &Report) -> Option<Cache> {
    check_name(&cache.name, report);
    let mode = cache.mode.as_ref()?;
    match mode.value.as_str() {
        "assign" => assign(cache, mode, report),
        plain @ ("off" | "obey") => {
            only_assigned("seconds", cache.seconds.good().map(|seconds| seconds.line), report);
            only_assigned("shared", cache.shared.good().map(|shared| shared.line), report);
            Some(if plain == "off" { Cache::Off } else { Cache::Obey })
        }
        other => {
            report.add(mode.line, format!("unknown cache mode `{other}`; {}", suggest::hint(other, MODES)));
            None
        }
    }
}

fn assign(cache: &written::Cache, mode: &Lined<String>, report: &Report) -> Option<Cache> {
    if cache.seconds.is_absent() {
        report
            .add(mode.line, format!("cache `{}` assigns no `seconds`; give the lifetime", cache.name.value));
    }
    let shared = cache.shared.good().is_some_and(|shared| shared.value);
    Some(Cache::Assign { seconds: cache.seconds.good()?.value, shared })
}

fn only_assigned(key: &str, line: Option<u32>, report: &Report) {
    if let Some(line) = line {
        report.add(line, format!("`{key}` goes with mode \"assign\" only; remove it or change the mode"));
    }
}
