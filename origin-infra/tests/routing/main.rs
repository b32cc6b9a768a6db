//! What the gateway matches and what the load balancer matches is the same.
//!
//! The listener rules are read out of the emitted file, and a small load balancer by AWS's words answers each request
//! as the gateway would send it. Paths compare by case, header values do not; `*` is any text, slashes too, `?` one
//! character; the first rule by priority of which every condition holds takes the request.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "only tests here"
)]

/// A load balancer by AWS's words.
mod balancer;
/// Paths that users and attackers send.
mod corpus;

use std::collections::BTreeSet;

use edge_core::auth::Caller;
use edge_core::forward::{self, Context};
use edge_core::path::{self, Normal};
use edge_core::plan::Plan;
use edge_core::route::{Find, find};
use edge_core::trace::Trace;
use he2_config::Config;
use http::{HeaderMap, HeaderValue, Method};

use crate::balancer::{Answer, Balancer, Condition, Request};

const PRESENT: &str = "PresentSecret1";
const NEXT: &str = "NextSecret2";

fn config() -> Config {
    let text = include_str!("../../../he2.toml");
    he2_config::parse("he2.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn plan(config: &Config) -> &'static Plan {
    Box::leak(Box::new(config.plan()))
}

fn balancer(config: &Config) -> Balancer {
    let files = origin_infra::files(config).unwrap_or_else(|error| panic!("{error}"));
    let alb = files.iter().find(|file| file.name == "alb.tf").expect("alb.tf");
    Balancer::read(&alb.text, &[PRESENT, NEXT])
}

/// One request as it leaves the gateway, and the service it is for.
struct Sent {
    request: Request,
    service: &'static str,
}

/// What the gateway sends for a request; nothing where it answers itself.
fn sent(plan: &'static Plan, host: &str, method: &str, path: &Normal, lock: Option<&str>) -> Option<Sent> {
    let Find::Route(route) = find(plan, host, method, &path.text) else { return None };
    if route.service.is_empty() || (path.suspect.is_some() && !route.raw_path) {
        return None;
    }
    // A caller who tries to choose for the load balancer.
    let mut arrived = HeaderMap::new();
    for (name, value) in [("x-forwarded-host", "api.he2.ai"), (plan.lock_header, "guess")] {
        arrived.append(name, HeaderValue::from_static(value));
    }
    let trace = Trace::new(&arrived, [7; 24]);
    let method = method.parse::<Method>().expect("a method");
    let context = Context {
        method: &method,
        ip: None,
        scheme: "https",
        protocol: None,
        host,
        request_id: "1",
        trace: &trace,
        lock: (plan.lock_header, lock),
    };
    let headers = forward::request(&arrived, route.auth, &Caller::Anonymous, None, &context);
    let request = Request { method, path: path.text.clone(), headers };
    Some(Sent { request, service: route.service })
}

/// Every request of the corpus, by one of `methods`, that the gateway sends on.
fn all_sent(plan: &'static Plan, methods: &[&str], lock: Option<&str>) -> Vec<Sent> {
    let hosts = || plan.hosts.iter().filter(|host| host.redirect.is_none());
    let cells = || hosts().flat_map(|host| methods.iter().map(|method| (host.name, *method)));
    let paths = corpus::paths(plan);
    let normal = paths.iter().filter_map(|path| path::normalise(path).ok());
    let requests = normal.flat_map(|path| {
        cells().filter_map(|(host, method)| sent(plan, host, method, &path, lock)).collect::<Vec<_>>()
    });
    requests.collect()
}

/// A request for which the load balancer picks another service than the gateway.
fn mistake<'a>(balancer: &Balancer, sent: &'a [Sent]) -> Option<&'a Sent> {
    sent.iter().find(|sent| balancer.answer(&sent.request) != Answer::Service(sent.service.to_owned()))
}

#[test]
fn the_load_balancer_picks_the_service_that_the_gateway_picks() {
    let config = config();
    let (plan, balancer) = (plan(&config), balancer(&config));
    for (secret, methods) in [(PRESENT, &corpus::METHODS[..]), (NEXT, &["GET", "POST"])] {
        let sent = all_sent(plan, methods, Some(secret));
        if let Some(Sent { request, service }) = mistake(&balancer, &sent) {
            panic!("{request:?} is for {service}, goes to {:?}", balancer.answer(request));
        }
    }
}

#[test]
fn the_corpus_is_wide_enough_to_mean_something() {
    let config = config();
    let plan = plan(&config);
    let sent = all_sent(plan, &corpus::METHODS, Some(PRESENT));
    let paths: BTreeSet<_> = sent.iter().map(|sent| &sent.request.path).collect();
    assert!(paths.len() >= 2000, "{} paths that the gateway sends on", paths.len());
    for service in plan.services.iter().filter(|service| service.port.is_some()) {
        let own = sent.iter().filter(|sent| sent.service == service.name).count();
        assert!(own >= 1000, "{own} requests for {}", service.name);
    }
}

#[test]
fn without_each_rule_some_request_would_go_astray() {
    let config = config();
    let (plan, balancer) = (plan(&config), balancer(&config));
    let sent = all_sent(plan, &corpus::METHODS, Some(PRESENT));
    for rule in &balancer.rules {
        let poorer = balancer.without(rule.priority);
        assert!(mistake(&poorer, &sent).is_some(), "rule {} changes nothing", rule.priority);
    }
}

#[test]
fn nothing_passes_without_the_lock_or_with_a_wrong_one() {
    let config = config();
    let (plan, balancer) = (plan(&config), balancer(&config));
    for lock in [None, Some(""), Some("guess"), Some("PresentSecret"), Some("PresentSecret11"), Some("*")] {
        for sent in all_sent(plan, &["GET"], lock) {
            assert_eq!(balancer.answer(&sent.request), Answer::Fixed(403), "{lock:?} {:?}", sent.request);
        }
    }
}

#[test]
fn every_rule_asks_for_lock_host_and_path_and_holds_no_more_than_a_rule_may() {
    let config = config();
    let balancer = balancer(&config);
    let lock = config.plan().lock_header;
    assert!(!balancer.rules.is_empty() && balancer.rules.len() <= 100);
    let priorities: BTreeSet<_> = balancer.rules.iter().map(|rule| rule.priority).collect();
    assert_eq!(priorities.len(), balancer.rules.len(), "one rule for one priority");
    for rule in &balancer.rules {
        let counts: Vec<usize> = rule.conditions.iter().map(|condition| condition.values().len()).collect();
        for header in [lock, "x-forwarded-host"] {
            assert!(rule.conditions.iter().any(|condition| condition.is_of_header(header)), "{rule:?}");
        }
        assert!(rule.conditions.iter().any(|condition| matches!(condition, Condition::Path(_))), "{rule:?}");
        assert!(
            counts.iter().sum::<usize>() <= 5 && counts.iter().all(|count| (1..=3).contains(count)),
            "{rule:?}"
        );
        let wildcards = rule.conditions.iter().flat_map(Condition::values).map(|value| wildcards(value));
        assert!(wildcards.sum::<usize>() <= 5, "{rule:?}");
    }
}

fn wildcards(value: &str) -> usize {
    value.matches(['*', '?']).count()
}
