//! Cache policies, to which routes refer by name: what they assign, what they allow, and what tells answers apart.

use std::ops::RangeInclusive;

use edge_core::plan::{Cache, Query};

use super::text::{check_name, check_range, check_texts, choice, leaked};
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::{leak, written};

/// Whether a policy assigns a life.
const MODES: [(&str, bool); 2] = [("obey", false), ("assign", true)];
const SET_COOKIE: [(&str, bool); 2] = [("never", false), ("store", true)];
/// Who waits for one answer: the requests of an isolate, or those of a data centre.
const COLLAPSE: [(&str, bool); 2] = [("isolate", false), ("data-centre", true)];
const AUTHORIZATION: [(&str, bool); 2] = [("drop", false), ("origin", true)];
/// At most a year, which is as long as the platform keeps anything.
const SECONDS: RangeInclusive<u32> = 1..=31_536_000;

/// The policies that hold.
pub(crate) fn check(caches: &[written::Cache], report: &Report) -> Vec<Cache> {
    caches.iter().filter_map(|cache| checked(cache, report)).collect()
}

fn checked(cache: &written::Cache, report: &Report) -> Option<Cache> {
    check_name(&cache.name, report);
    let times = [
        ("seconds", &cache.seconds),
        ("stale_while_revalidate_seconds", &cache.stale_while_revalidate),
        ("stale_if_error_seconds", &cache.stale_if_error),
        ("errors_seconds", &cache.errors),
    ];
    for (key, given) in times {
        check_range(key, given.good(), &SECONDS, report);
    }
    let assigns = choice("cache mode", &Given::Good(cache.mode.clone()?), false, &MODES, report);
    let set_cookie = choice("set_cookie", &cache.set_cookie, false, &SET_COOKIE, report);
    let authorization = choice("authorization", &cache.authorization, false, &AUTHORIZATION, report);
    let collapse = choice("collapse", &cache.collapse, false, &COLLAPSE, report);
    let query = query(cache, report);
    match assigns? {
        true => check_assigns(cache, report),
        false => check_obeys(cache, report),
    }
    let seconds = |given: &Given<u32>| given.good().map_or(0, |seconds| seconds.value);
    let flag = |given: &Given<bool>| match given {
        Given::Absent => Some(false),
        given => given.good().map(|given| given.value),
    };
    Some(Cache {
        name: leak::text(&cache.name.value),
        assign: cache.seconds.good().map(|seconds| seconds.value),
        stale_while_revalidate: seconds(&cache.stale_while_revalidate),
        stale_if_error: seconds(&cache.stale_if_error),
        shared: flag(&cache.shared)?,
        heuristic: flag(&cache.heuristic)?,
        stores_cookies: set_cookie?,
        passes_authorization: authorization?,
        query: query?,
        most_error_seconds: cache.errors.good().map(|seconds| seconds.value),
        collapses_data_centre: collapse?,
    })
}

fn check_assigns(cache: &written::Cache, report: &Report) {
    if let (Given::Absent, Some(mode)) = (&cache.seconds, &cache.mode) {
        let text = format!("cache `{}` assigns no `seconds`; give the lifetime", cache.name.value);
        report.add(mode.line, text);
    }
}

/// Nothing is assigned, so what goes with an assigned life is not given.
fn check_obeys(cache: &written::Cache, report: &Report) {
    only_assigned("seconds", cache.seconds.good().map(|seconds| seconds.line), report);
    only_assigned("shared", cache.shared.good().map(|shared| shared.line), report);
}

fn only_assigned(key: &str, line: Option<u32>, report: &Report) {
    if let Some(line) = line {
        report.add(line, format!("`{key}` goes with mode \"assign\" only; remove it or change the mode"));
    }
}

/// `only` or `except`, one of them.
fn query(cache: &written::Cache, report: &Report) -> Option<Query> {
    let given = match &cache.query {
        Given::Absent => return Some(Query::All),
        given => given.good()?,
    };
    let written::Query { only, except } = &given.value;
    for (key, names) in [("only", only), ("except", except)] {
        // No parameters at all is something to say; all but none is not.
        let says = |names: &&Lined<Vec<Lined<String>>>| key == "except" || !names.value.is_empty();
        if let Some(names) = names.good().filter(says) {
            check_texts(key, names.line, &names.value, report);
        }
    }
    match (only, except) {
        (Given::Good(names), Given::Absent) => Some(Query::Only(leaked(&names.value))),
        (Given::Absent, Given::Good(names)) => Some(Query::Except(leaked(&names.value))),
        (Given::Faulty, _) | (_, Given::Faulty) => None,
        _ => {
            report.add(given.line, "query: give either `only` or `except`");
            None
        }
    }
}
