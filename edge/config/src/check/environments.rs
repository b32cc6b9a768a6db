//! What differs between environments.

use super::text::{check_name, check_twice, is_host};
use crate::fault::Report;
use crate::infra::{Environment, Nat};
use crate::read::Lined;
use crate::written::infra as written;
use crate::{leak, suggest};

/// With the name of the product it must stay within the 32 characters of a load balancer's name.
const LONGEST_NAME: usize = 12;

pub(super) fn check(
    environments: &[written::Environment],
    domain: Option<&str>,
    report: &Report,
) -> Option<Vec<Environment>> {
    if environments.is_empty() {
        report.add(1, "no [environment.NAME]; add one, as [environment.production]");
    }
    one_owner(environments, report);
    check_apart(environments, report);
    environments.iter().map(|environment| checked(environment, domain, report)).collect()
}

fn checked(environment: &written::Environment, domain: Option<&str>, report: &Report) -> Option<Environment> {
    name(&environment.name, report);
    let nat = environment.nat.as_ref().and_then(|nat| self::nat(nat, report));
    Some(Environment {
        name: leak::text(&environment.name.value),
        state_bucket: state_bucket(environment.state_bucket.as_ref()?, report),
        origin: origin(environment.origin.as_ref()?, domain, report),
        public_url: public_url(environment.public_url.as_ref()?, report),
        nat: nat?,
        redis_node: redis_node(environment.redis_node.as_ref()?, report),
        max_tasks: environment.max_tasks.good().map(|most| most.value),
        deletion_protection: environment.deletion_protection.as_ref()?.value,
        zone_settings: environment.zone_settings.as_ref()?.value,
        budget_usd: environment.budget.as_ref()?.value,
        alarm_email: alarm_email(environment.alarm_email.as_ref()?, report),
    })
}

fn name(name: &Lined<String>, report: &Report) {
    check_name(name, report);
    if name.value.len() > LONGEST_NAME {
        let text =
            format!("name `{}` is too long for resources; use at most {LONGEST_NAME} letters", name.value);
        report.add(name.line, text);
    }
}

/// Two environments that each set the same zone would undo each other's settings.
fn one_owner(environments: &[written::Environment], report: &Report) {
    let owns = |environment: &&written::Environment| {
        environment.zone_settings.as_ref().is_some_and(|zone_settings| zone_settings.value)
    };
    let mut owners = environments.iter().filter(owns);
    let Some(first) = owners.next() else { return };
    for line in owners.filter_map(|other| other.zone_settings.as_ref()).map(|other| other.line) {
        let text =
            format!("zone_settings: the zone already has those of `{}`; say false here", first.name.value);
        report.add(line, text);
    }
}

/// Two environments with one state, or one address, would replace each other.
fn check_apart(environments: &[written::Environment], report: &Report) {
    let all = |value: fn(&written::Environment) -> &Option<Lined<String>>| -> Vec<Lined<String>> {
        environments.iter().filter_map(|environment| value(environment).clone()).collect()
    };
    check_twice("state_bucket", &all(|environment| &environment.state_bucket), report);
    check_twice("origin", &all(|environment| &environment.origin), report);
}

/// By the rules of S3, without dots: they break its certificates.
fn state_bucket(bucket: &Lined<String>, report: &Report) -> &'static str {
    if !is_host(&bucket.value) || bucket.value.contains('.') || bucket.value.len() < 3 {
        let text = format!("state_bucket `{}`: use 3 to 63 lower-case letters, digits and `-`", bucket.value);
        report.add(bucket.line, text);
    }
    leak::text(&bucket.value)
}

fn origin(origin: &Lined<String>, domain: Option<&str>, report: &Report) -> &'static str {
    let inside = domain.is_none_or(|domain| origin.value.ends_with(&format!(".{domain}")));
    if !is_host(&origin.value) || !inside {
        let text = format!(
            "origin `{}`: write a bare host name inside the domain, as `origin.he2.ai`",
            origin.value
        );
        report.add(origin.line, text);
    }
    leak::text(&origin.value)
}

fn public_url(url: &Lined<String>, report: &Report) -> &'static str {
    if !url.value.strip_prefix("https://").is_some_and(is_host) {
        report.add(url.line, format!("public_url `{}`: write it as `https://he2.ai`", url.value));
    }
    leak::text(&url.value)
}

fn nat(nat: &Lined<String>, report: &Report) -> Option<Nat> {
    match nat.value.as_str() {
        "single" => Some(Nat::Single),
        "per-zone" => Some(Nat::PerZone),
        other => {
            let hint = suggest::hint(other, ["single", "per-zone"]);
            report.add(nat.line, format!("unknown nat `{other}`; {hint}"));
            None
        }
    }
}

fn redis_node(node: &Lined<String>, report: &Report) -> &'static str {
    let mut parts = node.value.split('.');
    let good =
        parts.next() == Some("cache") && parts.clone().all(|part| !part.is_empty()) && parts.count() == 2;
    if !good {
        report
            .add(node.line, format!("redis_node `{}`: write a node type, as `cache.t4g.small`", node.value));
    }
    leak::text(&node.value)
}

fn alarm_email(email: &Lined<String>, report: &Report) -> &'static str {
    let good = email.value.split_once('@').is_some_and(|(user, host)| !user.is_empty() && is_host(host));
    if !good {
        report.add(email.line, format!("alarm_email `{}`: write an address, as `ops@he2.ai`", email.value));
    }
    leak::text(&email.value)
}
