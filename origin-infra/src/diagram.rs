//! `cargo infra diagram`: the architecture as a Mermaid chart, for README.
//!
//! Drawn from he2.toml: its hosts, services, who has a port, who is told where Redis is, who uses which party.

use std::fmt::Write as _;

use he2_config::{Config, Service};

use crate::redis_users;

/// The chart.
#[must_use]
pub fn mermaid(config: &Config) -> String {
    let mut chart = String::from("flowchart TB\n");
    edge(config, &mut chart);
    aws(config, &mut chart);
    outside(config, &mut chart);
    chart
}

fn edge(config: &Config, chart: &mut String) {
    let hosts: Vec<&str> = config.plan().hosts.iter().map(|host| host.name).collect();
    line(chart, 1, "users((users))");
    line(chart, 1, &format!("edge[\"Cloudflare Worker<br/>{}\"]", hosts.join("<br/>")));
    line(chart, 1, "users --> edge");
    line(chart, 1, "edge -- \"origin lock\" --> alb");
}

fn aws(config: &Config, chart: &mut String) {
    let infra = config.infra();
    line(chart, 1, &format!("subgraph aws [\"AWS {}\"]", infra.region));
    line(chart, 2, &format!("subgraph vpc [\"VPC {}, {}\"]", infra.network.cidr, infra.zones.join(", ")));
    line(chart, 3, "alb[\"ALB, WAF\"]");
    for service in config.services() {
        line(chart, 3, &format!("{}[\"{}\"]", service.name, described(service)));
    }
    line(
        chart,
        3,
        &format!("redis[(\"Redis<br/>1 primary, {} replicas\")]", infra.redis.nodes.saturating_sub(1)),
    );
    line(chart, 3, "publisher[\"queue depth<br/>Lambda\"]");
    line(chart, 3, "nat[NAT]");
    line(chart, 2, "end");
    line(chart, 2, "ecr[ECR]");
    line(chart, 2, "secrets[Secrets Manager]");
    line(chart, 2, "watch[CloudWatch]");
    line(chart, 1, "end");
    links(config, chart);
}

fn described(service: &Service) -> String {
    let cpu = f64::from(service.cpu) / 1024.0;
    let memory = f64::from(service.memory) / 1024.0;
    let port = service.port.map_or_else(String::new, |port| format!(" :{port}"));
    let (least, most) = (service.min_tasks, service.max_tasks);
    format!("{}{port}<br/>{cpu} vCPU, {memory} GB<br/>{least} to {most} tasks", service.name)
}

fn links(config: &Config, chart: &mut String) {
    for service in config.services().iter().filter(|service| service.port.is_some()) {
        line(chart, 1, &format!("alb --> {}", service.name));
    }
    for service in redis_users::services(config) {
        line(chart, 1, &format!("{} --> redis", service.name));
    }
    line(chart, 1, "publisher --> redis");
    line(chart, 1, "publisher --> watch");
    for service in config.services().iter().filter(|service| service.port.is_none()) {
        line(chart, 1, &format!("watch -. scales .-> {}", service.name));
    }
    let names: Vec<&str> = config.services().iter().map(|service| service.name).collect();
    line(chart, 1, &format!("ecr & secrets -.-> {}", names.join(" & ")));
    line(chart, 1, &format!("{} --> nat", names.join(" & ")));
}

/// One box for all: a line to each from each would hide the rest.
fn outside(config: &Config, chart: &mut String) {
    let parties: Vec<&str> = config.infra().parties.iter().map(|party| party.name).collect();
    if parties.is_empty() {
        return;
    }
    line(chart, 1, &format!("parties[\"{}\"]", parties.join("<br/>")));
    line(chart, 1, "nat --> parties");
}

fn line(chart: &mut String, depth: usize, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(chart, "{}{text}", "    ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(from: &str, to: &str) -> String {
        let text = include_str!("../../he2.toml");
        assert!(text.contains(from), "{from}");
        mermaid(&he2_config::parse("he2.toml", &text.replace(from, to)).unwrap())
    }

    #[test]
    fn the_load_balancer_asks_who_has_a_port_and_nobody_else() {
        let chart = chart("", "");
        assert!(chart.contains("    alb --> frontend\n    alb --> backend\n"));
        assert!(!chart.contains("alb --> workers"));
    }

    #[test]
    fn only_who_is_told_where_redis_is_asks_it() {
        let chart = chart("", "");
        assert!(chart.contains("    backend --> redis\n    workers --> redis\n    publisher --> redis\n"));
        assert!(!chart.contains("frontend --> redis"));
    }

    #[test]
    fn what_the_file_says_is_what_is_drawn() {
        assert!(chart("party = \"Daytona\"", "party = \"Sandboxes\"").contains("<br/>Sandboxes<br/>"));
        assert!(chart("nodes = 3", "nodes = 5").contains("1 primary, 4 replicas"));
        assert!(chart("max_tasks = 6", "max_tasks = 9").contains("1 vCPU, 2 GB<br/>2 to 9 tasks"));
    }

    #[test]
    fn every_block_that_is_opened_is_closed() {
        let chart = chart("", "");
        let count = |text: &str| chart.lines().filter(|line| line.trim_start().starts_with(text)).count();
        assert_eq!(count("subgraph"), count("end"));
    }
}
