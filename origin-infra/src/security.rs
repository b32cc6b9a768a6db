//! Who may talk to whom: one security group per part, one rule per sentence.
//!
//! The load balancer hears Cloudflare only, tasks hear the load balancer only, Redis hears those that are told where
//! it is. A group proves "some Cloudflare zone", not ours: the origin lock does that, in every listener rule.

use he2_config::{Config, Service};

use crate::redis_users::{self, REDIS_PORT};
use crate::tf::{Block, Section, block, given, locals, resource};

/// Cloudflare's ranges with source and date. JSON objects are HCL.
const CLOUDFLARE: &str = include_str!("../data/cloudflare-ips.json");

/// Every entry that a list may have counts against the 60 rules of a group, used or not.
const LISTS: [(&str, &str, u32); 2] = [("ipv4", "IPv4", 20), ("ipv6", "IPv6", 10)];

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![
        Section::new(
            "from origin-infra/data/cloudflare-ips.json: where requests of the edge come from",
            cloudflare(),
        ),
        Section::new(
            "from he2.toml [service.*] with a port: the edge to the load balancer, and on to tasks",
            balancer(config),
        ),
        Section::new(
            "from he2.toml [service.*]: tasks ask Redis and the internet; nobody but the load balancer asks them",
            tasks(config),
        ),
        Section::new(
            "from he2.toml {redis_host}: who is told where Redis is may ask it, and who measures its queue",
            redis(config),
        ),
    ]
}

/// The addresses of all rules that name a group, on either side. Rules depend on groups and never the reverse: who
/// is in a group and does not depend on its rules may start before anyone hears it.
pub(crate) fn rules_of(config: &Config, group: &str) -> Vec<String> {
    given(&sections(config), "aws_vpc_security_group_", &format!("aws_security_group.{group}.id"))
}

fn cloudflare() -> Vec<Block> {
    let ranges = locals().expr("cloudflare_ips", CLOUDFLARE.trim());
    [ranges].into_iter().chain(LISTS.map(list)).collect()
}

fn list((key, family, max_entries): (&str, &str, u32)) -> Block {
    let entry = block("dynamic \"entry\"")
        .expr("for_each", &format!("local.cloudflare_ips.{key}"))
        .nest(block("content").expr("cidr", "entry.value"));
    resource("aws_ec2_managed_prefix_list", &format!("cloudflare_{key}"))
        .expr("name", &format!("\"${{local.name}}-cloudflare-{key}\""))
        .text("address_family", family)
        .number("max_entries", max_entries)
        .nest(entry)
}

fn balancer(config: &Config) -> Vec<Block> {
    let mut blocks = vec![group("alb", "Load balancer: hears Cloudflare, asks tasks")];
    blocks.extend(LISTS.map(|(key, ..)| {
        rule("ingress", &format!("alb_cloudflare_{key}"), "alb", 443, "Cloudflare")
            .expr("prefix_list_id", &format!("aws_ec2_managed_prefix_list.cloudflare_{key}.id"))
    }));
    for (service, port) in serving(config) {
        let name = service.name;
        blocks.push(to_group("alb", name, port, &format!("Requests and health checks to {name}")));
    }
    blocks
}

fn tasks(config: &Config) -> Vec<Block> {
    let mut blocks = Vec::new();
    for service in config.services() {
        blocks.push(group(service.name, &format!("Tasks of {}", service.name)));
        blocks.extend(service.port.map(|port| from_group(service.name, "alb", port)));
        blocks.extend(internet(service.name, &config.infra().network.egress_ports));
    }
    blocks
}

fn redis(config: &Config) -> Vec<Block> {
    let mut blocks = vec![
        group("redis", "Redis: hears those that are told where it is")
            .skip("CKV2_AWS_5", "module.redis attaches it, where a scan of this file cannot see it"),
        group("publisher", "What measures the queue: asks Redis and CloudWatch"),
    ];
    blocks.extend(internet("publisher", &[443]));
    for user in redis_users::services(config).map(|service| service.name).chain(["publisher"]) {
        blocks.push(from_group("redis", user, REDIS_PORT));
        blocks.push(to_group(user, "redis", REDIS_PORT, "Redis"));
    }
    blocks
}

fn serving(config: &Config) -> impl Iterator<Item = (&Service, u16)> {
    config.services().iter().filter_map(|service| Some((service, service.port?)))
}

/// Replaced before it is destroyed: what is in use cannot be destroyed.
fn group(name: &str, description: &str) -> Block {
    resource("aws_security_group", name)
        .expr("name_prefix", &format!("\"${{local.name}}-{name}-\""))
        .text("description", description)
        .expr("vpc_id", "module.vpc.vpc_id")
        .expr("tags", &format!("{{ Name = \"${{local.name}}-{name}\" }}"))
        .nest(block("lifecycle").flag("create_before_destroy", true))
}

fn internet(name: &str, ports: &[u16]) -> Vec<Block> {
    let each = |port: &u16| {
        rule("egress", &format!("{name}_internet_{port}"), name, *port, "Parties outside")
            .text("cidr_ipv4", "0.0.0.0/0")
    };
    ports.iter().map(each).collect()
}

fn from_group(name: &str, from: &str, port: u16) -> Block {
    rule("ingress", &format!("{name}_from_{from}"), name, port, &format!("From {from}"))
        .expr("referenced_security_group_id", &format!("aws_security_group.{from}.id"))
}

fn to_group(name: &str, to: &str, port: u16, description: &str) -> Block {
    rule("egress", &format!("{name}_to_{to}"), name, port, description)
        .expr("referenced_security_group_id", &format!("aws_security_group.{to}.id"))
}

fn rule(direction: &str, name: &str, group: &str, port: u16, description: &str) -> Block {
    resource(&format!("aws_vpc_security_group_{direction}_rule"), name)
        .expr("security_group_id", &format!("aws_security_group.{group}.id"))
        .text("description", description)
        .text("ip_protocol", "tcp")
        .number("from_port", port)
        .number("to_port", port)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn the_rules_of_a_group_are_those_of_both_directions_and_both_sides() {
        let config = he2_config::parse("he2.toml", include_str!("../../he2.toml")).unwrap();
        let egress = |name: &str| format!("aws_vpc_security_group_egress_rule.{name}");
        let ingress = |name: &str| format!("aws_vpc_security_group_ingress_rule.{name}");
        let expected =
            [egress("publisher_internet_443"), ingress("redis_from_publisher"), egress("publisher_to_redis")];
        assert_eq!(rules_of(&config, "publisher"), expected);
        let alb = rules_of(&config, "alb");
        let expected =
            [ingress("alb_cloudflare_ipv4"), egress("alb_to_backend"), ingress("backend_from_alb")];
        assert!(expected.iter().all(|rule| alb.contains(rule)), "{alb:?}");
    }

    fn ranges(key: &str) -> Vec<(String, u8)> {
        let data: serde_json::Value = serde_json::from_str(CLOUDFLARE).unwrap();
        let list = data[key].as_array().unwrap();
        let split =
            |text: &str| text.split_once('/').map(|(ip, prefix)| (ip.to_owned(), prefix.parse().unwrap()));
        list.iter().map(|range| split(range.as_str().unwrap()).unwrap()).collect()
    }

    #[test]
    fn the_lists_have_room_for_cloudflares_ranges_and_stay_within_a_groups_rules() {
        for (key, _, max_entries) in LISTS {
            let count = ranges(key).len();
            assert!((1..=usize::try_from(max_entries).unwrap()).contains(&count), "{key} has {count}");
        }
        assert!(LISTS.iter().map(|(.., max_entries)| max_entries).sum::<u32>() <= 60);
    }

    #[test]
    fn no_range_of_the_list_opens_the_load_balancer_to_everyone() {
        assert!(ranges("ipv4").iter().all(|(ip, prefix)| ip.parse::<Ipv4Addr>().is_ok() && *prefix >= 12));
        assert!(ranges("ipv6").iter().all(|(ip, prefix)| ip.parse::<Ipv6Addr>().is_ok() && *prefix >= 29));
    }
}
