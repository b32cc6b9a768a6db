//! What is written and serves nothing: hosts without a route, limits, concurrencies and cache policies that nothing names.

use super::security;
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::{Host, Route, Written};

pub(crate) fn check(written: &Written, report: &Report) {
    let Some(routes) = &written.routes else { return };
    let hosts = written.hosts.iter().flatten().filter(|host| host.redirect.is_absent());
    let hosts: Vec<_> = hosts.filter_map(named).collect();
    note("host", "is served by no route; add it to one, or remove it", &hosts, served(routes), report);
    let unnamed = "is used by no route; name it in one, or remove it";
    let limits: Vec<_> = written.limits.iter().map(|limit| &limit.name).collect();
    note("limit", unnamed, &limits, limits_used(written, routes), report);
    let concurrencies: Vec<_> = written.concurrencies.iter().map(|places| &places.name).collect();
    note("concurrency", unnamed, &concurrencies, all_used(routes), report);
    let caches: Vec<_> = written.caches.iter().map(|cache| &cache.name).collect();
    note("cache", unnamed, &caches, used(routes, |route| &route.cache), report);
    let securities: Vec<_> = written.securities.iter().map(|policy| &policy.name).collect();
    let named = used(routes, |route| &route.security);
    let named = named.map(|named| named.into_iter().filter(|name| security::is_name(name)).collect());
    note("security", unnamed, &securities, named, report);
}

fn named(host: &Host) -> Option<&Lined<String>> {
    host.name.as_ref()
}

/// The hosts of all routes; `None` where one cannot be read.
fn served(routes: &[Route]) -> Option<Vec<&str>> {
    let lists: Option<Vec<_>> = routes.iter().map(|route| route.hosts.as_ref()).collect();
    Some(lists?.into_iter().flat_map(|list| &list.value).map(|host| host.value.as_str()).collect())
}

/// The limits that routes and previews name; `None` where one cannot be read.
fn limits_used<'w>(written: &'w Written, routes: &'w [Route]) -> Option<Vec<&'w str>> {
    let mut limits = used(routes, |route| &route.limit)?;
    match written.previews.as_ref().map(|previews| &previews.limit) {
        Some(Given::Good(name)) => limits.push(&name.value),
        Some(Given::Faulty) => return None,
        Some(Given::Absent) | None => {}
    }
    Some(limits)
}

/// The policies that routes name; `None` where one cannot be read.
fn used(routes: &[Route], policy: fn(&Route) -> &Given<String>) -> Option<Vec<&str>> {
    let policies = routes.iter().map(policy).filter(|given| !given.is_absent());
    policies.map(|given| given.good().map(|name| name.value.as_str())).collect()
}

/// The concurrencies that routes name; `None` where a list cannot be read.
fn all_used(routes: &[Route]) -> Option<Vec<&str>> {
    let lists = routes.iter().map(|route| &route.concurrency).filter(|given| !given.is_absent());
    let lists: Option<Vec<_>> = lists.map(Given::good).collect();
    Some(lists?.into_iter().flat_map(|list| &list.value).map(|name| name.value.as_str()).collect())
}

/// A reference that is misspelt may mean any of the `known`, so nothing is said until it is right.
fn note(what: &str, fault: &str, known: &[&Lined<String>], used: Option<Vec<&str>>, report: &Report) {
    let Some(used) = used else { return };
    if used.iter().any(|name| known.iter().all(|known| known.value != *name)) {
        return;
    }
    for idle in known.iter().filter(|known| !used.contains(&known.value.as_str())) {
        report.add(idle.line, format!("{what} `{}` {fault}", idle.value));
    }
}
