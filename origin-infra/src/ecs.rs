//! The cluster, and the services that keep its tasks running.
//!
//! Decides where tasks run, how a deployment goes and when it has failed. Leaves out what is in a task
//! ([`crate::tasks`]) and how the number of tasks follows the load ([`crate::scaling`]).

use he2_config::{Config, Service};

use crate::rules::Rule;
use crate::secrets::REDIS_PASSWORD;
use crate::tf::{Block, Section, block, resource};
use crate::{alb, iam, security, tasks};

pub(crate) fn sections(config: &Config, rules: &[Rule]) -> Vec<Section> {
    let services = config.services().iter().map(|service| section(config, rules, service));
    std::iter::once(cluster()).chain(services).collect()
}

fn cluster() -> Section {
    let main = resource("aws_ecs_cluster", "main")
        .expr("name", "local.name")
        .note("Container Insights counts running tasks, which scaling and alarms need.")
        .nest(block("setting").text("name", "containerInsights").text("value", "enabled"));
    let providers = resource("aws_ecs_cluster_capacity_providers", "main")
        .expr("cluster_name", "aws_ecs_cluster.main.name")
        .texts("capacity_providers", ["FARGATE", "FARGATE_SPOT"])
        .nest(on("default_capacity_provider_strategy", "FARGATE", 1, Some(1)));
    Section::new("for all of he2.toml [service.*]: the cluster", vec![main, providers])
}

fn section(config: &Config, rules: &[Rule], service: &Service) -> Section {
    let running = running(service).exprs("depends_on", depends_on(config, rules, service));
    let blocks = vec![tasks::container(service), tasks::task_definition(config, service), running];
    Section::new(
        &format!("from he2.toml [service.{}]: its container, its task, its service", service.name),
        blocks,
    )
}

fn running(service: &Service) -> Block {
    let resource = deployed(identity(service)).nest(network(service));
    let resource = resource.nest_all(capacity(service)).nest_all(load_balancer(service));
    let resource =
        resource.nest(block("deployment_circuit_breaker").flag("enable", true).flag("rollback", true));
    let resource = if service.port.is_none() { resource.nest(patience()) } else { resource };
    resource.nest(lifecycle(service))
}

fn identity(service: &Service) -> Block {
    let name = service.name;
    let resource = resource("aws_ecs_service", name)
        .text("name", name)
        .expr("cluster", "aws_ecs_cluster.main.id")
        .expr("task_definition", &format!("aws_ecs_task_definition.{name}.arn"))
        .expr("desired_count", &format!("var.services[\"{name}\"].min"))
        .text("platform_version", "LATEST")
        .text("propagate_tags", "SERVICE")
        .flag("enable_ecs_managed_tags", true)
        .note("No shell into a container: it would run as root and write where nothing else can.")
        .flag("enable_execute_command", false)
        .note("Rebalancing stops tasks that are well, and runs and streams with them.")
        .text("availability_zone_rebalancing", "DISABLED");
    match service.port {
        Some(_) => resource
            .note("The load balancer's word on a task does not count while its server starts.")
            .number("health_check_grace_period_seconds", 90_u32),
        None => resource,
    }
}

fn deployed(service: Block) -> Block {
    service
        .note("New tasks are well before old ones stop; an apply that returns has deployed.")
        .number("deployment_minimum_healthy_percent", 100_u32)
        .number("deployment_maximum_percent", 200_u32)
        .flag("wait_for_steady_state", true)
        .note("Lets the capacity providers change without the service being made anew.")
        .flag("force_new_deployment", true)
}

fn network(service: &Service) -> Block {
    block("network_configuration")
        .expr("subnets", "module.vpc.private_subnets")
        .exprs("security_groups", [format!("aws_security_group.{}.id", service.name)])
        .flag("assign_public_ip", false)
}

/// The first task is always on demand: Spot never falls back to it by itself when it runs out. Where he2.toml says no
/// to Spot, no variable can say yes.
fn capacity(service: &Service) -> Vec<Block> {
    let mut strategy = vec![on("capacity_provider_strategy", "FARGATE", 1, Some(1))];
    if service.spot {
        let each = format!("var.services[\"{}\"].spot ? [\"FARGATE_SPOT\"] : []", service.name);
        let dynamic = block("dynamic \"capacity_provider_strategy\"").expr("for_each", &each);
        strategy.push(dynamic.nest(on("content", "FARGATE_SPOT", 3, None)));
    }
    strategy
}

fn on(head: &str, provider: &str, weight: u32, base: Option<u32>) -> Block {
    let block = block(head).text("capacity_provider", provider).number("weight", weight);
    base.map_or(block.clone(), |base| block.number("base", base))
}

/// A service that declares no port takes no traffic, and has none.
fn load_balancer(service: &Service) -> Option<Block> {
    let port = service.port?;
    let block = block("load_balancer")
        .expr("target_group_arn", &format!("aws_lb_target_group.{}.arn", service.name))
        .text("container_name", service.name)
        .number("container_port", port);
    Some(block)
}

/// Once tasks protect themselves, they hold a deployment up until their run is over.
fn patience() -> Block {
    block("timeouts").text("create", "60m").text("update", "60m")
}

fn lifecycle(service: &Service) -> Block {
    let name = service.name;
    block("lifecycle")
        .note("Scaling owns it after the first apply.")
        .exprs("ignore_changes", ["desired_count"])
        .nest(
            block("postcondition")
                .expr("condition", &format!("self.task_definition == aws_ecs_task_definition.{name}.arn"))
                .text("error_message", &format!("The deployment of {name} failed and was rolled back.")),
        )
}

/// What the service does not name but cannot start, work or be destroyed without, so that an apply of a part brings it
/// along. ECS refuses a target group that no load balancer forwards to.
fn depends_on(config: &Config, rules: &[Rule], service: &Service) -> Vec<String> {
    let mut needed = vec!["aws_ecs_cluster_capacity_providers.main".to_owned()];
    needed.extend(iam::policies_of(service));
    // A secret has no value before its version: the first task would not start.
    let redis = service.secrets.contains(&REDIS_PASSWORD);
    needed.extend(redis.then(|| "aws_secretsmanager_secret_version.redis_auth".to_owned()));
    needed.extend(alb::rules_to(config, rules, service.name));
    needed.extend(security::rules_of(config, service.name));
    needed
}
