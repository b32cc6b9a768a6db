//! From what he2.toml says to what holds: every rule that needs more than one value's kind.

mod access;
mod admin;
mod auth;
mod bindings;
mod caches;
mod concurrency;
mod condition;
mod content;
mod cors;
mod dates;
mod edges;
mod environments;
mod hosts;
mod infra;
mod issuers;
mod limits;
mod load_balancer;
mod log;
mod network;
mod origin;
mod parts;
mod policies;
mod previews;
mod redis;
mod request;
mod retirement;
mod route_auth;
mod route_limits;
mod routes;
mod security;
mod services;
mod sign_in;
mod streams;
mod text;
mod tiers;
mod timeouts;
mod unused;
mod upstreams;
mod variables;
mod waits;
mod webhook;

use edge_core::plan::Plan;

use crate::fault::Report;
use crate::lines::Lines;
use crate::written::Written;
use crate::{Config, leak, order, reach};

/// The checked configuration. What is wrong is in `report`; the result is only good if nothing is.
pub(crate) fn check(written: &Written, report: &Report) -> Option<Config> {
    let domain = hosts::domain(written.domain.as_ref(), report);
    let hosts = hosts::check(written.hosts.as_deref(), domain.as_deref(), report);
    let services = services::check(written, report);
    let parties = variables::parties(written, report);
    let limits = limits::check(&written.limits, report);
    let concurrencies = concurrency::check(written, report);
    let caches = caches::check(&written.caches, report);
    let securities = security::check(&written.securities, report);
    let origin = written.origin.as_ref();
    streams::check(written.streams.as_ref(), report);
    let upstreams = upstreams::check(written, report);
    content::check(&written.request, report);
    let before = report.count();
    let names = routes::Names {
        written,
        hosts: &hosts,
        limits: &limits,
        concurrencies: &concurrencies,
        caches: &caches,
        securities: &securities,
    };
    let mut routes = routes::check(&names, report);
    let previews = previews::check(written, &limits, report);
    unused::check(written, report);
    order::sort(&mut routes);
    reach::check(&routes, report);
    let infra = infra::check(written, parties, domain.as_deref(), &routes, report);
    let auth = written.auth.as_ref().and_then(|auth| auth::check(auth, report));
    let issuers = issuers::check(&written.issuers, report);
    let cors = written.cors.as_ref().and_then(|cors| cors::check(cors, report));
    let rate_limit_fields = limits::fields(&written.rate_limit_fields, report);
    let log = log::check(written.log.as_ref(), report);
    let variables = bindings::check(written, report);
    let lock_header = origin.and_then(|origin| origin::lock_header(origin.lock_header.as_ref()?, report));
    let request = request::check(&written.request, written.auth.as_ref(), report);
    let access = access::check(written, report);
    let plan = Plan {
        hosts: leak::list(hosts),
        services: leak::list(services.iter().map(services::planned).collect()),
        upstreams: leak::list(upstreams),
        routes: leak::list(routes),
        auth: auth?,
        issuers: leak::list(issuers),
        previews,
        cors: cors?,
        rate_limit_fields: rate_limit_fields?,
        lock_header: lock_header?,
        request,
        access: leak::list(access),
        log: log?,
        variables,
    };
    if report.count() == before {
        services::health(&written.services, &plan, report);
    }
    Some(Config { domain: domain?, services, plan, infra: infra?, lines: Lines::of(written) })
}
