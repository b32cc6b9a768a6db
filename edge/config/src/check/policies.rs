//! Cache policies, to which routes refer by name, and which routes take one.

use edge_core::plan::{Auth, Cache, SignIn, Source};

use super::text::check_name;
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::{suggest, written};

const MODES: [&str; 2] = ["obey", "assign"];

/// Why a policy does not go with a route: one caller's answer would reach another, or nothing would be stored.
pub(crate) fn misfit(auth: Auth, event_stream: bool, cache: Cache) -> Option<&'static str> {
    match (auth, cache) {
        (_, Cache::Off) => None,
        (auth, _) if event_stream || takes_query(auth) => Some("a stream is one caller's; remove `cache`"),
        (Auth::Webhook(_), _) => Some("a webhook's answer is its sender's; remove `cache`"),
        (Auth::Admin(_), _) => Some("operators see live answers only; remove `cache`"),
        (Auth::Blocked, _) => Some("a blocked route has no answer to store; remove `cache`"),
        (Auth::Public, Cache::Assign { shared: true, .. }) => {
            Some("`shared` is for routes that check the caller; use a policy without it")
        }
        (Auth::SignIn(SignIn { required: true, .. }), Cache::Obey | Cache::Assign { shared: false, .. }) => {
            Some(
                "every caller here is known, so it stores nothing; use one with `shared = true`, or remove `cache`",
            )
        }
        _ => None,
    }
}

/// Whether browsers come with an `EventSource`: nothing else needs its token in the query.
pub(super) fn takes_query(auth: Auth) -> bool {
    matches!(auth, Auth::SignIn(SignIn { sources, .. }) if sources.contains(&Source::Query))
}

/// The policies that hold, by name.
pub(crate) fn caches(caches: &[written::Cache], report: &Report) -> Vec<(String, Cache)> {
    let checked = |cache| Some((written_name(cache), checked_cache(cache, report)?));
    caches.iter().filter_map(checked).collect()
}

fn written_name(cache: &written::Cache) -> String {
    cache.name.value.clone()
}

fn checked_cache(cache: &written::Cache, report: &Report) -> Option<Cache> {
    check_name(&cache.name, report);
    let mode = cache.mode.as_ref()?;
    match mode.value.as_str() {
        "assign" => assign(cache, mode, report),
        "obey" => obey(cache, report),
        other => {
            report.add(mode.line, format!("unknown cache mode `{other}`; {}", suggest::hint(other, MODES)));
            None
        }
    }
}

fn obey(cache: &written::Cache, report: &Report) -> Option<Cache> {
    only_assigned("seconds", cache.seconds.good().map(|seconds| seconds.line), report);
    only_assigned("shared", cache.shared.good().map(|shared| shared.line), report);
    (cache.seconds.is_absent() && cache.shared.is_absent()).then_some(Cache::Obey)
}

fn assign(cache: &written::Cache, mode: &Lined<String>, report: &Report) -> Option<Cache> {
    if cache.seconds.is_absent() {
        report
            .add(mode.line, format!("cache `{}` assigns no `seconds`; give the lifetime", cache.name.value));
    }
    let shared = match &cache.shared {
        Given::Good(shared) => shared.value,
        Given::Absent => false,
        Given::Faulty => return None,
    };
    Some(Cache::Assign { seconds: cache.seconds.good()?.value, shared })
}

fn only_assigned(key: &str, line: Option<u32>, report: &Report) {
    if let Some(line) = line {
        report.add(line, format!("`{key}` goes with mode \"assign\" only; remove it or change the mode"));
    }
}
