//! Routes: one entry of the plan for each path.

use edge_core::plan::{Auth, Cache, Concurrency, Host, Limit, Route, Security, Segment};

use super::origin::Times;
use super::route_limits::{Limited, is_event_stream};
use super::text::{check_known, check_list, check_name, check_reference, check_twice, leaked};
use super::{
    content, edges, origin, policies, retirement, route_auth, security, streams, timeouts, upstreams, waits,
};
use crate::fault::Report;
use crate::read::Lined;
use crate::written::{self, Written};
use crate::{leak, pattern, reach};

/// What routes refer to: all names that are written, and the values of those without a fault.
pub(crate) struct Names<'a> {
    pub(crate) written: &'a Written,
    pub(crate) hosts: &'a [Host],
    pub(crate) limits: &'a [Limit],
    pub(crate) concurrencies: &'a [Concurrency],
    pub(crate) caches: &'a [Cache],
    pub(crate) securities: &'a [(String, Security)],
}

/// The plan's routes, in the order of the file; without those whose faults leave nothing to compare.
pub(crate) fn check(names: &Names<'_>, report: &Report) -> Vec<Route> {
    let Some(routes) = &names.written.routes else { return Vec::new() };
    let route_names: Vec<Lined<String>> = routes.iter().filter_map(|route| route.name.clone()).collect();
    check_twice("route", &route_names, report);
    for name in &route_names {
        check_name(name, report);
    }
    let times = origin::times(names.written.origin.as_ref(), report);
    routes.iter().flat_map(|route| checked(route, names, times, report)).collect()
}

/// One route for each of its paths.
fn checked(route: &written::Route, names: &Names<'_>, times: Times, report: &Report) -> Vec<Route> {
    let auth = route.auth.as_ref().and_then(|auth| route_auth::check(&auth.value, names.written, report));
    check_behind(route, auth, report);
    let service = service(route, names, report);
    let cache = cache(route, auth, names, report);
    let hosts = hosts(route, names, report);
    let methods = methods(route, report);
    let patterns = patterns(route, report);
    let edge = edges::check(route, auth, &patterns, report);
    let limited = Limited { route, auth, patterns: &patterns, names, report };
    let limit = limited.limit();
    let cost = limited.cost(limit.as_ref());
    let concurrency = limited.concurrency();
    let event_stream = limited.event_stream(methods);
    let max_body_bytes = content::max_body_bytes(route, &names.written.request, report);
    let heartbeat_ms = streams::heartbeat_ms(route, names.written.streams.as_ref());
    let security = security::of(route, &names.written.securities, names.securities, report);
    let retirement = retirement::check(&route.retirement, report);
    let Some(methods) = methods else { return Vec::new() };
    let times = upstreams::times(route, methods, names.written, times, report);
    let wait = waits::check(route, times.first_byte_ms / 1_000, report);
    let priority = upstreams::priority(route, report);
    let timeouts = timeouts::check(route, times.first_byte_ms / 1_000, report);
    let entry = |&(line, pattern, segments): &Pattern| Route {
        name: route.name.as_ref().map_or("", |name| leak::text(&name.value)),
        line,
        hosts,
        methods,
        pattern,
        segments,
        service,
        edge,
        auth: auth.unwrap_or(Auth::Blocked),
        limit,
        cost,
        concurrency,
        event_stream,
        cache,
        raw_path: route.raw_path.good().is_some_and(|raw| raw.value),
        cors: route.cors.good().is_none_or(|cors| cors.value),
        first_byte_ms: times.first_byte_ms,
        try_ms: times.try_ms,
        tries: upstreams::tries(route, report),
        hedge_ms: times.hedge_ms,
        timeouts,
        priority,
        heartbeat_ms,
        max_body_bytes,
        wait,
        security,
        retirement,
    };
    patterns.iter().map(entry).collect()
}

/// Its line, as written, and split.
pub(super) type Pattern = (u32, &'static str, &'static [Segment]);

fn patterns(route: &written::Route, report: &Report) -> Vec<Pattern> {
    check_list("paths", &route.paths, report);
    let Some(paths) = &route.paths else { return Vec::new() };
    let mut patterns = Vec::new();
    for path in &paths.value {
        match pattern::parse(&path.value) {
            Ok(segments) => patterns.push((path.line, leak::text(&path.value), leak::list(segments))),
            Err(faults) => faults.into_iter().for_each(|fault| report.add(path.line, fault)),
        }
    }
    patterns
}

fn hosts(route: &written::Route, names: &Names<'_>, report: &Report) -> &'static [&'static str] {
    check_list("hosts", &route.hosts, report);
    let Some(hosts) = &route.hosts else { return &[] };
    let known: Vec<&str> = names.hosts.iter().map(|host| host.name).collect();
    if !known.is_empty() {
        check_known("host", &hosts.value, &known, report);
    }
    for host in &hosts.value {
        let target =
            names.hosts.iter().find(|known| known.name == host.value).and_then(|known| known.redirect);
        if let Some(target) = target {
            let text = format!("host `{}` only redirects; put the route on `{target}`", host.value);
            report.add(host.line, text);
        }
    }
    leaked(&hosts.value)
}

/// `None` when they have a fault: nothing can be said of what the route takes.
fn methods(route: &written::Route, report: &Report) -> Option<&'static [&'static str]> {
    let Some(methods) = route.methods.good() else { return route.methods.is_absent().then_some(&[]) };
    let before = report.count();
    if methods.value.is_empty() {
        report.add(methods.line, "`methods` is empty; name at least one, or leave it out to take all");
    }
    check_twice("methods", &methods.value, report);
    let (heads, others): (Vec<_>, Vec<_>) =
        methods.value.iter().cloned().partition(|method| method.value == "HEAD");
    for head in heads {
        report.add(head.line, "HEAD is wherever GET is; name GET instead");
    }
    check_known("method", &others, &reach::METHODS, report);
    (report.count() == before).then(|| leaked(&methods.value))
}

/// What is behind the route: a service, the edge itself, a third party, or nothing where it is blocked.
fn check_behind(route: &written::Route, auth: Option<Auth>, report: &Report) {
    let (service, edge) = (route.service.good(), route.edge.good().or(route.proxy.good()));
    let missing = route.service.is_absent() && !is_of_edge(route);
    if let (Some(_), Some(proxy)) = (route.edge.good(), route.proxy.good()) {
        report.add(proxy.line, "`proxy` answers in place of `edge`; remove one of the two");
    }
    let fault = match (auth, service, edge) {
        (Some(Auth::Blocked), Some(service), _) => {
            (service.line, "a blocked route goes to no service; remove `service`")
        }
        (Some(Auth::Blocked), _, Some(edge)) => (edge.line, "a blocked route has no answer; remove `edge`"),
        (Some(Auth::Blocked) | None, ..) => return,
        (_, Some(_), Some(edge)) => {
            (edge.line, "`edge` answers in place of a service; remove one of the two")
        }
        _ if missing => (route.line, "[[route]] needs `service`; name what answers it"),
        _ => return,
    };
    report.add(fault.0, fault.1);
}

fn service(route: &written::Route, names: &Names<'_>, report: &Report) -> &'static str {
    let Some(service) = route.service.good() else { return "" };
    let known = names.written.services.iter().map(|service| service.name.value.as_str());
    check_reference("service", service, known.collect(), report);
    let found = names.written.services.iter().find(|known| known.name.value == service.value);
    if found.is_some_and(|found| found.port.is_absent()) {
        let name = &service.value;
        let text =
            format!("service `{name}` has no port and takes no traffic; name another or give it a port");
        report.add(service.line, text);
    }
    leak::text(&service.value)
}

fn cache(route: &written::Route, auth: Option<Auth>, names: &Names<'_>, report: &Report) -> Option<Cache> {
    let cache = route.cache.good()?;
    let known = names.written.caches.iter().map(|cache| cache.name.value.as_str());
    check_reference("cache", cache, known.collect(), report);
    let found = names.caches.iter().find(|known| known.name == cache.value).copied();
    if let Some(fault) = found.and_then(|found| misfit(route, auth, found)) {
        report.add(cache.line, format!("cache `{}`: {fault}", cache.value));
    }
    found
}

fn misfit(route: &written::Route, auth: Option<Auth>, cache: Cache) -> Option<&'static str> {
    match is_of_edge(route) {
        false => policies::misfit(auth?, is_event_stream(route), cache),
        true => Some("the edge's own answers are live; remove `cache`"),
    }
}

/// Whether no service answers.
fn is_of_edge(route: &written::Route) -> bool {
    !route.edge.is_absent() || !route.proxy.is_absent()
}
