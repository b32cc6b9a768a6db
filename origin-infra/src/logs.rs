//! `CloudWatch` log groups of the services.
//!
//! Decides their names, how long they keep and with which key. Leaves out the logs of the network, the load
//! balancer, the firewall and Redis: those stand beside what writes them.

use he2_config::{Config, Service};

use crate::tf::{Block, Section, resource};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    let days = config.infra().retention_days;
    let blocks = config.services().iter().map(|service| group(service, days)).collect();
    vec![Section::new(
        "from he2.toml [service.*] and [infra] retention_days: what the containers print",
        blocks,
    )]
}

fn group(service: &Service, days: u32) -> Block {
    let name = service.name;
    resource("aws_cloudwatch_log_group", name)
        .expr("name", &format!("\"/ecs/${{local.name}}/{name}\""))
        .number("retention_in_days", days)
        .expr("kms_key_id", "aws_kms_key.main.arn")
}
