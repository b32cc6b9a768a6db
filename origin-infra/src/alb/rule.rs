//! Listener rules as Terraform, each with the origin lock.

use std::collections::BTreeMap;

use he2_config::Config;

use crate::rules::Rule;
use crate::tf::{Block, Section, block, resource};

/// Room for a rule by hand between two, in an emergency.
const STEP: u64 = 10;

/// One section for each rule; rules are numbered per service.
pub(super) fn sections(config: &Config, rules: &[Rule]) -> Vec<Section> {
    let lock = config.plan().lock_header;
    let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
    let section = |(rule, priority): (&Rule, u64)| {
        let number = numbers.entry(rule.service).or_default();
        *number = number.saturating_add(1);
        Section::new(&origin(rule), vec![resource_of(rule, *number, priority, lock)])
    };
    rules.iter().zip((1..).map(|place: u64| place.saturating_mul(STEP))).map(section).collect()
}

fn resource_of(rule: &Rule, number: u64, priority: u64, lock: &str) -> Block {
    let service = rule.service;
    resource("aws_lb_listener_rule", &format!("{service}_{number}"))
        .expr("listener_arn", "aws_lb_listener.https.arn")
        .number("priority", priority)
        .nest(locked(lock))
        .nest_all(conditions(rule))
        .nest(
            block("action")
                .text("type", "forward")
                .expr("target_group_arn", &format!("aws_lb_target_group.{service}.arn")),
        )
}

/// Two secrets are good at once, so that the edge can change to the next one while both are accepted.
fn locked(lock: &str) -> Block {
    let header =
        block("http_header").text("http_header_name", lock).expr("values", "var.origin_lock_secrets");
    block("condition").nest(header)
}

fn conditions(rule: &Rule) -> impl Iterator<Item = Block> {
    let host =
        || block("http_header").text("http_header_name", "x-forwarded-host").texts("values", &rule.hosts);
    let method = || block("http_request_method").texts("values", &rule.methods);
    let path = || block("path_pattern").texts("values", &rule.paths);
    let all = [Some(host()), (!rule.methods.is_empty()).then(method), Some(path())];
    all.into_iter().flatten().map(|condition| block("condition").nest(condition))
}

/// The part of he2.toml that the rule comes from.
fn origin(rule: &Rule) -> String {
    let service = rule.service;
    let routes = rule.routes.join(", ");
    let guarded = rule.guarded.join(", ");
    let given_back = format!("what their `*` takes beyond one segment belongs to {service}");
    match (routes.as_str(), guarded.as_str(), rule.hosts.join(", ")) {
        ("", "", hosts) => format!("from he2.toml [[route]] with hosts {hosts}: all of them go to {service}"),
        ("", guarded, _) => format!("from he2.toml [[route]] {guarded}: {given_back}"),
        (routes, "", _) => format!("from he2.toml [[route]] {routes}: to {service}"),
        (routes, guarded, _) => {
            format!("from he2.toml [[route]] {routes}: to {service}; and {guarded}: {given_back}")
        }
    }
}
