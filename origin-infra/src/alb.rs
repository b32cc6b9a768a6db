//! The load balancer: one listener, one target group for each service with a port.
//!
//! Decides how requests arrive (TLS only, the origin lock on every rule, 403 for the rest) and how long they may
//! take. Which path goes to whom is decided in [`crate::rules`]; who may connect, in `security`; what is refused
//! on sight, in `waf`.

mod certificate;
mod logs;
mod rule;
mod trust;

use he2_config::{Config, LoadBalancer, Service};

use crate::rules::Rule;
use crate::security;
use crate::tf::{Block, Section, block, given, resource};

/// What ECS gives a task between the signal and the kill, at most; an event stream may end on its own in it.
const DRAIN_SECONDS: u64 = 120;

pub(crate) fn sections(config: &Config, rules: &[Rule]) -> Vec<Section> {
    let settings = config.infra().load_balancer;
    let mut sections = vec![
        Section::new(
            "from he2.toml [infra.load_balancer]: the load balancer that the edge forwards to",
            vec![load_balancer(settings), listener(config)],
        ),
        certificate::section(config),
        targets(config),
    ];
    sections.extend(rule::sections(config, rules));
    sections.push(logs::section(config));
    sections.extend(settings.mutual_tls.then(trust::section));
    sections
}

/// The addresses of all listener rules that lead to a service.
pub(crate) fn rules_to(config: &Config, rules: &[Rule], service: &str) -> Vec<String> {
    let target = format!("aws_lb_target_group.{service}.arn");
    given(&rule::sections(config, rules), "aws_lb_listener_rule.", &target)
}

/// The variables of this file that not every he2.toml needs.
pub(crate) fn variables(config: &Config) -> Vec<Block> {
    match config.infra().load_balancer.mutual_tls {
        true => trust::variables(config),
        false => Vec::new(),
    }
}

fn load_balancer(settings: LoadBalancer) -> Block {
    resource("aws_lb", "main")
        .skip("CKV2_AWS_76", "the rules against Log4j are there; the list it also wants would judge Cloudflare's address")
        .expr("name", "local.name")
        .text("load_balancer_type", "application")
        .expr("security_groups", "[aws_security_group.alb.id]")
        .expr("subnets", "module.vpc.public_subnets")
        .note("Above the longest wait of any route, below the keep-alive of every server: the edge gives up first,")
        .note("and no server closes a connection that the load balancer is about to use.")
        .number("idle_timeout", settings.idle_timeout_seconds)
        .number("client_keep_alive", 3600_u64)
        .note("Header names with other than letters, digits and `-` are read differently by different servers.")
        .flag("drop_invalid_header_fields", true)
        .text("desync_mitigation_mode", "defensive")
        .expr("enable_deletion_protection", "var.deletion_protection")
        .nest(log("access_logs", "access"))
        .nest_all(settings.mutual_tls.then(|| log("connection_logs", "connection")))
        .note("The load balancer tries to write when logs are switched on.")
        .exprs("depends_on", ["aws_s3_bucket_policy.lb_logs"])
}

fn log(kind: &str, prefix: &str) -> Block {
    block(kind).expr("bucket", "aws_s3_bucket.lb_logs.id").text("prefix", prefix).flag("enabled", true)
}

fn listener(config: &Config) -> Block {
    let settings = config.infra().load_balancer;
    let forbidden = block("fixed_response")
        .text("content_type", "text/plain")
        .text("message_body", "Forbidden")
        .text("status_code", "403");
    resource("aws_lb_listener", "https")
        .expr("load_balancer_arn", "aws_lb.main.arn")
        .number("port", 443_u64)
        .text("protocol", "HTTPS")
        .text("ssl_policy", "ELBSecurityPolicy-TLS13-1-2-2021-06")
        .expr("certificate_arn", "aws_acm_certificate_validation.main.certificate_arn")
        .flag("routing_http_response_server_enabled", false)
        .nest_all(settings.mutual_tls.then(trust::authentication))
        .note("What comes past the edge has no lock, so no rule takes it.")
        .nest(block("default_action").text("type", "fixed-response").nest(forbidden))
        .note("Without them it hears nobody and reaches no task.")
        .exprs("depends_on", security::rules_of(config, "alb"))
}

fn targets(config: &Config) -> Section {
    let groups =
        config.services().iter().filter_map(|service| Some(target(service, service.port?, service.health?)));
    Section::new("from he2.toml [service.*], port and health: where requests are sent", groups.collect())
}

fn target(service: &Service, port: u16, health: &str) -> Block {
    resource("aws_lb_target_group", service.name)
        .skip("CKV_AWS_378", "TLS ends at the load balancer; the containers speak HTTP, in private subnets")
        .note("A prefix: a group that must be replaced is made anew before the old one goes.")
        .text("name_prefix", &prefix(service.name))
        .expr("vpc_id", "module.vpc.vpc_id")
        .text("target_type", "ip")
        .text("protocol", "HTTP")
        .number("port", port)
        .note(
            "Requests last from milliseconds to minutes: the task with the fewest open ones is the free one.",
        )
        .text("load_balancing_algorithm_type", "least_outstanding_requests")
        .note("As long as a stopping task lives, so that open event streams may end on their own.")
        .number("deregistration_delay", DRAIN_SECONDS)
        .nest(health_check(health))
        .nest(block("lifecycle").flag("create_before_destroy", true))
}

fn health_check(path: &str) -> Block {
    block("health_check")
        .text("path", path)
        .text("matcher", "200")
        .number("interval", 15_u64)
        .number("timeout", 5_u64)
        .number("healthy_threshold", 2_u64)
        .number("unhealthy_threshold", 3_u64)
}

/// Six characters at most, of letters, digits and `-`.
fn prefix(service: &str) -> String {
    let plain = service.chars().filter(char::is_ascii_alphanumeric).take(5).collect::<String>();
    plain + "-"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dns, files};

    const HE2: &str = include_str!("../../he2.toml");

    fn config(mutual_tls: bool, managed: bool) -> Config {
        let text = HE2
            .replace("mutual_tls = false", &format!("mutual_tls = {mutual_tls}"))
            .replace("manage = true", &format!("manage = {managed}"));
        he2_config::parse("he2.toml", &text).unwrap()
    }

    fn file(config: &Config, name: &str) -> Option<String> {
        files(config).unwrap().into_iter().find(|file| file.name == name).map(|file| file.text)
    }

    #[test]
    fn with_mutual_tls_the_edge_shows_a_certificate_and_the_listener_verifies_it() {
        let config = config(true, true);
        let alb = file(&config, "alb.tf").unwrap();
        assert!(alb.contains("mutual_authentication {") && alb.contains("\"aws_lb_trust_store\" \"edge\""));
        assert!(alb.contains("connection_logs {"));
        let zone = file(&config, "cloudflare.tf").unwrap();
        assert!(zone.contains("\"cloudflare_authenticated_origin_pulls_certificate\" \"edge\""));
        assert_eq!(variables(&config).len(), 3);
    }

    #[test]
    fn without_mutual_tls_nothing_of_it_is_there() {
        let config = config(false, true);
        assert!(variables(&config).is_empty());
        let all: String = files(&config).unwrap().into_iter().map(|file| file.text).collect();
        assert!(!all.contains("trust_store") && !all.contains("origin_pulls") && !all.contains("edge_ca"));
    }

    #[test]
    fn a_zone_managed_by_hand_gets_nothing_and_no_file_refers_to_it() {
        let config = config(true, false);
        assert!(dns::sections(&config).is_empty());
        let all: String = files(&config).unwrap().into_iter().map(|file| file.text).collect();
        assert!(!all.contains("cloudflare_dns_record") && !all.contains("var.cloudflare_zone_id"));
    }

    #[test]
    fn a_target_groups_prefix_is_what_aws_takes() {
        for (service, expected) in [("frontend", "front-"), ("api", "api-"), ("a_b_c_d", "abcd-")] {
            assert_eq!(prefix(service), expected);
        }
    }
}
