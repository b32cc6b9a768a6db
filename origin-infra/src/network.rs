//! VPC, subnets, NAT, network ACLs, flow logs.
//!
//! An ACL has no memory: what is asked in one direction must be let through in the other as an answer, on ports that
//! the asker chose (1024 and above). Each tier is given just that; who may talk to whom is the security groups'
//! part ([`crate::security`]). Amazon's resolver and clock answer past all ACLs, so nothing is open for UDP.

use he2_config::{Cidr, Config, Infra};

use crate::redis_users::REDIS_PORT;
use crate::tf::{Block, Section, module, resource};

const ANYWHERE: &str = "0.0.0.0/0";
/// Where answers arrive.
const ANSWERS: (u16, u16) = (1024, 65535);

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![
        Section::new(
            "from he2.toml [infra.network]: one VPC, three tiers of subnets over all zones, NAT as the environment says",
            vec![vpc(config)],
        ),
        Section::new(
            "from he2.toml [infra.network]: layers of images come from S3, past the NAT and its price\n\
             Open to all buckets: agents also fetch files of others from S3, and all of S3 in the region goes this way.",
            vec![s3_endpoint()],
        ),
    ]
}

fn vpc(config: &Config) -> Block {
    let infra = config.infra();
    let network = &infra.network;
    let block = module("vpc")
        .text("source", "terraform-aws-modules/vpc/aws")
        .text("version", "6.0.1")
        .expr("name", "local.name")
        .text("cidr", &network.cidr.to_string())
        .texts("azs", &infra.zones)
        .texts("public_subnets", texts(&network.public))
        .texts("private_subnets", texts(&network.private))
        .texts("elasticache_subnets", texts(&network.redis))
        .flag("enable_nat_gateway", true)
        .expr("single_nat_gateway", "var.single_nat")
        .expr("one_nat_gateway_per_az", "!var.single_nat");
    flow_logs(acls(block, config), infra.retention_days)
}

fn acls(block: Block, config: &Config) -> Block {
    let infra = config.infra();
    block
        .note("What is in no tier gets nothing: the default ACL and the default group let nobody through.")
        .exprs("default_network_acl_ingress", NONE)
        .exprs("default_network_acl_egress", NONE)
        .note("Clients to the load balancer, whose group narrows them to Cloudflare; tasks to NAT; answers to NAT, which may\n         arrive on any port that it asked from.")
        .flag("public_dedicated_network_acl", true)
        .expr("public_inbound_acl_rules", &rules(&public_in(infra)))
        .expr("public_outbound_acl_rules", &rules(&public_out(infra)))
        .note("The load balancer to the services, and answers to tasks, which keep the address of whoever answers: one rule is\n         both. The tasks' groups tell them apart.")
        .flag("private_dedicated_network_acl", true)
        .expr("private_inbound_acl_rules", &rules(&private_in(config)))
        .expr("private_outbound_acl_rules", &rules(&private_out(infra)))
        .note("Tasks to Redis, and its nodes to one another.")
        .flag("elasticache_dedicated_network_acl", true)
        .expr("elasticache_inbound_acl_rules", &rules(&redis_in(infra)))
        .expr("elasticache_outbound_acl_rules", &rules(&redis_out(infra)))
}

const NONE: [&str; 0] = [];

fn flow_logs(block: Block, retention_days: u32) -> Block {
    block
        .note("Who talked to whom, for as long as all logs are kept.")
        .flag("enable_flow_log", true)
        .flag("create_flow_log_cloudwatch_log_group", true)
        .flag("create_flow_log_cloudwatch_iam_role", true)
        .number("flow_log_cloudwatch_log_group_retention_in_days", retention_days)
        .expr("flow_log_cloudwatch_log_group_kms_key_id", "aws_kms_key.main.arn")
}

fn s3_endpoint() -> Block {
    resource("aws_vpc_endpoint", "s3")
        .expr("vpc_id", "module.vpc.vpc_id")
        .expr("service_name", "\"com.amazonaws.${var.region}.s3\"")
        .text("vpc_endpoint_type", "Gateway")
        .expr("route_table_ids", "module.vpc.private_route_table_ids")
        .expr("tags", "{ Name = \"${local.name}-s3\" }")
}

/// Ports and the network at the other end.
type Rule = ((u16, u16), String);

fn public_in(infra: &Infra) -> Vec<Rule> {
    let tasks = to_ports(&infra.network.egress_ports, &infra.network.private);
    [vec![(one(443), ANYWHERE.to_owned()), (ANSWERS, ANYWHERE.to_owned())], tasks].concat()
}

/// To the internet for tasks and in answers; to the services' ports too, which are above 1023 as a rule.
fn public_out(infra: &Infra) -> Vec<Rule> {
    let ports = infra.network.egress_ports.iter().map(|port| (one(*port), ANYWHERE.to_owned()));
    ports.chain([(ANSWERS, ANYWHERE.to_owned())]).collect()
}

fn private_in(config: &Config) -> Vec<Rule> {
    let ports: Vec<u16> = config.services().iter().filter_map(|service| service.port).collect();
    let balancer = to_ports(&ports, &config.infra().network.public);
    [balancer, vec![(ANSWERS, ANYWHERE.to_owned())]].concat()
}

fn private_out(infra: &Infra) -> Vec<Rule> {
    let internet = infra.network.egress_ports.iter().map(|port| (one(*port), ANYWHERE.to_owned()));
    let redis = to_ports(&[REDIS_PORT], &infra.network.redis);
    let balancer = infra.network.public.iter().map(|cidr| (ANSWERS, cidr.to_string()));
    internet.chain(redis).chain(balancer).collect()
}

fn redis_in(infra: &Infra) -> Vec<Rule> {
    let tasks = to_ports(&[REDIS_PORT], &infra.network.private);
    [tasks, all_of(&infra.network.redis)].concat()
}

fn redis_out(infra: &Infra) -> Vec<Rule> {
    [all_of(&infra.network.private), all_of(&infra.network.redis)].concat()
}

fn all_of(networks: &[Cidr]) -> Vec<Rule> {
    networks.iter().map(|cidr| (ANSWERS, cidr.to_string())).collect()
}

fn to_ports(ports: &[u16], networks: &[Cidr]) -> Vec<Rule> {
    ports.iter().flat_map(|port| networks.iter().map(|cidr| (one(*port), cidr.to_string()))).collect()
}

fn one(port: u16) -> (u16, u16) {
    (port, port)
}

/// As the module takes them: a list of maps. What a wider rule lets through anyway is left out.
fn rules(rules: &[Rule]) -> String {
    let needed =
        rules.iter().filter(|rule| !rules.iter().any(|other| other != *rule && is_wider(other, rule)));
    let each: Vec<String> = (1..).zip(needed).map(|(index, rule)| acl_rule(index, rule)).collect();
    format!("[{}]", each.join(", "))
}

fn is_wider(rule: &Rule, other: &Rule) -> bool {
    let ((from, to), cidr) = rule;
    let networks = cidr == ANYWHERE || *cidr == other.1;
    networks && *from <= other.0.0 && other.0.1 <= *to
}

fn acl_rule(index: u32, ((from, to), cidr): &Rule) -> String {
    let number = index.saturating_mul(10).saturating_add(90);
    format!(
        "{{ rule_number = {number}, rule_action = \"allow\", protocol = \"tcp\", from_port = {from}, to_port = {to}, \
         cidr_block = \"{cidr}\" }}"
    )
}

fn texts(networks: &[Cidr]) -> Vec<String> {
    networks.iter().map(Cidr::to_string).collect()
}
