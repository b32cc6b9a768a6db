//! The Cloudflare zone: records, TLS, firewall.
//!
//! Decides what the zone does before the Worker runs, and how the Worker finds the load balancer. The Worker itself
//! is deployed by wrangler. What is the whole zone's belongs to one environment (`var.zone_settings`); a zone that
//! is managed by hand gets nothing from here, and [`crate::alb`] says then what to put in it.

mod firewall;
mod zone;

use he2_config::Config;

use crate::tf::{Block, Section, resource};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    let Some(settings) = &config.infra().cloudflare else { return Vec::new() };
    let mut sections = vec![
        Section::new(
            "from he2.toml [[host]]: the public names, all answered by the Worker",
            vec![hosts(config)],
        ),
        Section::new(
            "from he2.toml [environment.*] origin: where the Worker finds the load balancer",
            vec![origin()],
        ),
        Section::new(
            "from he2.toml [environment.*] origin: proof to AWS that the name is ours",
            vec![certificate()],
        ),
        zone::section(),
    ];
    sections.extend(firewall::sections(config, settings));
    sections.extend(config.infra().load_balancer.mutual_tls.then(zone::origin_pulls));
    sections
}

/// The settings of the whole zone are one environment's.
fn once(block: Block) -> Block {
    block.expr("count", "var.zone_settings ? 1 : 0")
}

fn record(name: &str) -> Block {
    resource("cloudflare_dns_record", name)
}

fn hosts(config: &Config) -> Block {
    let names: Vec<String> = config.plan().hosts.iter().map(|host| format!("\"{}\"", host.name)).collect();
    record("host")
        .expr("for_each", &format!("var.zone_settings ? toset([{}]) : toset([])", names.join(", ")))
        .expr("zone_id", "var.cloudflare_zone_id")
        .expr("name", "each.key")
        .note("The Worker answers; this address leads nowhere, so nothing gets past it.")
        .text("type", "AAAA")
        .text("content", "100::")
        .flag("proxied", true)
        .note("1: automatic, as proxied records must have it.")
        .number("ttl", 1_u64)
}

fn origin() -> Block {
    record("origin")
        .expr("zone_id", "var.cloudflare_zone_id")
        .expr("name", "var.origin")
        .text("type", "CNAME")
        .expr("content", "aws_lb.main.dns_name")
        .note("The load balancer lets in Cloudflare's addresses only.")
        .flag("proxied", true)
        .number("ttl", 1_u64)
}

fn certificate() -> Block {
    record("certificate")
        .expr(
            "for_each",
            "{ for option in aws_acm_certificate.main.domain_validation_options : option.domain_name => option }",
        )
        .expr("zone_id", "var.cloudflare_zone_id")
        .note("AWS writes a dot at the end, Cloudflare none.")
        .expr("name", "trimsuffix(each.value.resource_record_name, \".\")")
        .expr("type", "each.value.resource_record_type")
        .expr("content", "trimsuffix(each.value.resource_record_value, \".\")")
        .flag("proxied", false)
        .number("ttl", 60_u64)
}
