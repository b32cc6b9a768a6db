//! Who may do what: two roles per service, and one for deployments.
//!
//! Decides the least that each needs. The execution role is ECS's, to start a task: it reaches the service's own
//! image, secrets and log. The task role is the app's own. Leaves out the roles of the network's flow logs and of
//! the queue's publisher, which stand beside them.

mod deploy;

use he2_config::{Config, Service};

use crate::tf::{Block, Section, block, data, given, resource};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    let services = config.services().iter().map(section);
    std::iter::once(shared()).chain(services).chain([deploy::section(config)]).collect()
}

/// The addresses of the policies of a service's roles.
pub(crate) fn policies_of(service: &Service) -> Vec<String> {
    let roles = ["execution", "task"].map(|role| format!("aws_iam_role.{}_{role}.id", service.name));
    let policies = |role: &String| given(&[section(service)], "aws_iam_role_policy.", role);
    roles.iter().flat_map(policies).collect()
}

fn shared() -> Section {
    Section::new(
        "for all of he2.toml [service.*]: the roles of tasks are for tasks of this account alone",
        vec![data("aws_caller_identity", "current"), tasks_assume()],
    )
}

/// The conditions keep another account from having ECS use these roles for it (the confused deputy).
fn tasks_assume() -> Block {
    let account = "data.aws_caller_identity.current.account_id";
    let source = format!("\"arn:aws:ecs:${{var.region}}:${{{account}}}:*\"");
    data("aws_iam_policy_document", "tasks_assume").nest(
        block("statement")
            .texts("actions", ["sts:AssumeRole"])
            .nest(
                block("principals").text("type", "Service").texts("identifiers", ["ecs-tasks.amazonaws.com"]),
            )
            .nest(condition("StringEquals", "aws:SourceAccount", &[account]))
            .nest(condition("ArnLike", "aws:SourceArn", &[&source])),
    )
}

fn section(service: &Service) -> Section {
    let name = service.name;
    let execution = format!("{name}_execution");
    let task = format!("{name}_task");
    let mut blocks = vec![role(&execution), execution_policy(service), attached(&execution), role(&task)];
    let app = match service.port.is_some() {
        true => "The app asks nothing of AWS in its own name: its role has no policy.",
        false => "The app is not known to ask anything of AWS; it may ask to be let finish its run.",
    };
    if service.port.is_none() {
        blocks.extend([protection(&task), attached(&task)]);
    }
    Section::new(
        &format!("from he2.toml [service.{name}]: what ECS, and the app itself, may do\n{app}"),
        blocks,
    )
}

fn role(name: &str) -> Block {
    resource("aws_iam_role", name)
        .expr("name", &format!("\"${{local.name}}-{}\"", name.replace('_', "-")))
        .expr("assume_role_policy", "data.aws_iam_policy_document.tasks_assume.json")
}

fn attached(name: &str) -> Block {
    resource("aws_iam_role_policy", name)
        .text("name", "main")
        .expr("role", &format!("aws_iam_role.{name}.id"))
        .expr("policy", &format!("data.aws_iam_policy_document.{name}.json"))
}

fn execution_policy(service: &Service) -> Block {
    let name = service.name;
    let log = format!("\"${{aws_cloudwatch_log_group.{name}.arn}}:*\"");
    let policy = data("aws_iam_policy_document", &format!("{name}_execution"))
        .nest(registry_login())
        .nest(statement("Image", &PULL, &[&format!("module.ecr[\"{name}\"].repository_arn")]))
        .nest(statement("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], &[&log]));
    if service.secrets.is_empty() { policy } else { policy.nest_all(read_secrets(name)) }
}

const PULL: [&str; 3] =
    ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

fn registry_login() -> Block {
    block("statement")
        .note("This action knows no resource; its token opens only the repositories that are allowed below.")
        .text("sid", "RegistryLogin")
        .texts("actions", ["ecr:GetAuthorizationToken"])
        .texts("resources", ["*"])
}

fn read_secrets(name: &str) -> [Block; 2] {
    let secrets = block("statement")
        .text("sid", "Secrets")
        .texts("actions", ["secretsmanager:GetSecretValue"])
        .expr("resources", &format!("values(local.{name}_secrets)"));
    let key = statement("SecretsKey", &["kms:Decrypt"], &["aws_kms_key.main.arn"]).nest(condition(
        "StringEquals",
        "kms:ViaService",
        &["\"secretsmanager.${var.region}.amazonaws.com\""],
    ));
    [secrets, key]
}

/// A run takes many minutes, and 120 s is the longest stop: a worker may say of itself that it must not be scaled in.
/// Nothing in the app is known to do so yet; until it does, scaling takes no worker away ([`crate::scaling`]).
fn protection(name: &str) -> Block {
    let tasks = "\"${replace(aws_ecs_cluster.main.arn, \":cluster/\", \":task/\")}/*\"";
    data("aws_iam_policy_document", name).nest(
        block("statement")
            .note("A worker with a run in hand may ask not to be scaled in. The names of tasks are not known before.")
            .text("sid", "ScaleInProtection")
            .texts("actions", ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"])
            .exprs("resources", [tasks]),
    )
}

fn statement(sid: &str, actions: &[&str], resources: &[&str]) -> Block {
    block("statement").text("sid", sid).texts("actions", actions).exprs("resources", resources)
}

fn condition(test: &str, variable: &str, values: &[&str]) -> Block {
    block("condition").text("test", test).text("variable", variable).exprs("values", values)
}
