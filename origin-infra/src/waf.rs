//! The firewall in front of the load balancer (AWS WAF).
//!
//! Decides what is refused on sight: what comes past the edge, floods from one address, and known attacks. It is
//! the second line: the edge has its own limits, and this one holds when they fail. Its exceptions are what people
//! rightly send to an agent: files, programs and web pages in request bodies.

mod common;
mod lock;

use he2_config::Config;

use crate::tf::{Block, Section, block, resource};

/// The rules of AWS's reputation group, as their labels name them.
const REPUTATION: [&str; 3] =
    ["AWSManagedIPReputationList", "AWSManagedReconnaissanceList", "AWSManagedIPDDoSList"];
/// Seconds over which AWS WAF counts.
const WINDOW: u64 = 300;
/// Callers who may sit behind one address at their fastest, as in an office.
const CALLERS: u64 = 10;

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![
        Section::new(
            "from he2.toml [origin] lock_header: requests that know the lock, marked; all others blocked",
            vec![lock::group(config.plan().lock_header)],
        ),
        Section::new(
            "from he2.toml [limit.*]: what is refused before it reaches a task",
            vec![web_acl(config), association()],
        ),
        logs(config),
    ]
}

fn web_acl(config: &Config) -> Block {
    let rules = [
        lock::rule(),
        reputation(),
        rate(config),
        managed("known-bad-inputs", "AWSManagedRulesKnownBadInputsRuleSet", []),
        managed("common", "AWSManagedRulesCommonRuleSet", common::exceptions()),
    ];
    let numbered = rules.into_iter().zip(0_u64..).map(|((name, rule), priority)| {
        block("rule").text("name", name).number("priority", priority).nest_all(rule).nest(visibility(name))
    });
    resource("aws_wafv2_web_acl", "main")
        .expr("name", "local.name")
        .text("scope", "REGIONAL")
        .nest(block("default_action").nest(block("allow")))
        .nest_all(numbered)
        .nest(visibility("all"))
}

/// A rule's name, and what stands in its block between priority and visibility.
type Rule = (&'static str, Vec<Block>);

/// A rule group of AWS, whose own actions hold.
fn managed(name: &'static str, group: &str, overrides: impl IntoIterator<Item = Block>) -> Rule {
    (name, vec![block("override_action").nest(block("none")), group_of_aws(group, overrides)])
}

fn group_of_aws(group: &str, overrides: impl IntoIterator<Item = Block>) -> Block {
    let statement = block("managed_rule_group_statement")
        .text("vendor_name", "AWS")
        .text("name", group)
        .nest_all(overrides);
    block("statement").nest(statement)
}

fn reputation() -> Rule {
    let action = block("override_action")
        .note("The group sees the connection's address, which is Cloudflare's: to block it would shut out everyone")
        .note("who comes that way. Its count still tells when somebody does.")
        .nest(block("count"));
    ("ip-reputation", vec![action, group_of_aws("AWSManagedRulesAmazonIpReputationList", [])])
}

/// By the address that the edge names first. Only what knows the lock counts: anyone else could write any address
/// there, and have its owner refused.
fn rate(config: &Config) -> Rule {
    let refuse = block("block").nest(block("custom_response").number("response_code", 429_u64));
    let by_address = block("forwarded_ip_config")
        .text("header_name", "X-Forwarded-For")
        .text("fallback_behavior", "NO_MATCH");
    let statement = block("rate_based_statement")
        .number("limit", limit(config))
        .number("evaluation_window_sec", WINDOW)
        .text("aggregate_key_type", "FORWARDED_IP")
        .nest(by_address)
        .nest(block("scope_down_statement").nest(lock::marked_here()));
    ("rate", vec![block("action").nest(refuse), block("statement").nest(statement)])
}

/// What the callers behind one address may send in a window, each at the pace of the widest limit.
fn limit(config: &Config) -> u64 {
    let limits = || config.plan().routes.iter().filter_map(|route| route.limit);
    let of_tiers = limits().flat_map(|limit| limit.tiers).flat_map(|tier| tier.windows);
    let in_window = limits().flat_map(|limit| limit.windows).chain(of_tiers).map(|window| {
        let quota = u64::from(window.quota).saturating_mul(WINDOW);
        quota.div_ceil(u64::from(window.seconds).max(1))
    });
    // AWS WAF takes limits from 10.
    in_window.max().unwrap_or_default().saturating_mul(CALLERS).max(10)
}

fn visibility(metric: &str) -> Block {
    block("visibility_config")
        .text("metric_name", metric)
        .flag("cloudwatch_metrics_enabled", true)
        .flag("sampled_requests_enabled", false)
}

fn association() -> Block {
    resource("aws_wafv2_web_acl_association", "main")
        .expr("resource_arn", "aws_lb.main.arn")
        .expr("web_acl_arn", "aws_wafv2_web_acl.main.arn")
}

fn logs(config: &Config) -> Section {
    let group = resource("aws_cloudwatch_log_group", "waf")
        .note("AWS WAF writes only to groups with this prefix.")
        .expr("name", "\"aws-waf-logs-${local.name}\"")
        .number("retention_in_days", config.infra().retention_days)
        .expr("kms_key_id", "aws_kms_key.main.arn");
    Section::new(
        "from he2.toml [infra] retention_days: what the firewall has refused or counted",
        vec![group, logging(config.plan().lock_header)],
    )
}

/// Credentials stay out of the log: secrets in headers, one-time codes in the query.
fn logging(lock: &str) -> Block {
    let headers = ["authorization", "cookie", "x-api-key", "x-admin-api-key", lock];
    let header = |name: &str| block("redacted_fields").nest(block("single_header").text("name", name));
    resource("aws_wafv2_web_acl_logging_configuration", "main")
        .expr("resource_arn", "aws_wafv2_web_acl.main.arn")
        .expr("log_destination_configs", "[aws_cloudwatch_log_group.waf.arn]")
        .nest_all(headers.map(header))
        .nest(block("redacted_fields").nest(block("query_string")))
        .nest(filter())
}

/// What was blocked, and what a rule of AWS would have blocked, by the label that it leaves: one rule of a group that
/// is overridden, or a whole group. To keep what counts by its action would keep every request, since the lock's own
/// rule counts each that knows it.
fn filter() -> Block {
    let blocked = block("condition").nest(block("action_condition").text("action", "BLOCK"));
    let counted =
        common::labels().chain(REPUTATION.map(|list| format!("awswaf:managed:aws:amazon-ip-list:{list}")));
    let labelled = counted
        .map(|label| block("condition").nest(block("label_name_condition").text("label_name", &label)));
    let keep = block("filter")
        .text("behavior", "KEEP")
        .text("requirement", "MEETS_ANY")
        .nest(blocked)
        .note("Counted only: whoever wants to enforce one of these sees here what it would have refused.")
        .nest_all(labelled);
    block("logging_filter").text("default_behavior", "DROP").nest(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        he2_config::parse("he2.toml", include_str!("../../he2.toml")).unwrap()
    }

    #[test]
    fn an_address_has_room_for_ten_callers_at_the_widest_limit() {
        // 100,000 in an hour are 8,334 in a window.
        assert_eq!(limit(&config()), 83_340);
    }

    #[test]
    fn the_log_keeps_what_a_rule_of_aws_would_have_blocked_and_not_all_that_counts() {
        let source = crate::tf::Source { name: "waf.tf", sections: vec![logs(&config())] };
        let text = crate::render::file(&source).unwrap();
        assert_eq!(text.matches("label_name = ").count(), common::exceptions().count() + REPUTATION.len());
        assert_eq!(text.matches("action = ").count(), 1);
        assert!(text.contains("action = \"BLOCK\""));
    }

    #[test]
    fn what_does_not_know_the_lock_is_blocked_before_any_other_rule_looks_at_it() {
        let sources = sections(&config());
        let source = crate::tf::Source { name: "waf.tf", sections: sources };
        let text = crate::render::file(&source).unwrap();
        let acl = text.split("\"aws_wafv2_web_acl\"").nth(1).unwrap();
        let first = acl.split("priority = 1\n").next().unwrap();
        assert!(first.contains("aws_wafv2_rule_group.origin_lock.arn"), "{first}");
        assert!(!first.contains("rate_based_statement"));
    }
}
