//! The role that GitHub Actions takes to release: no key of AWS is stored at GitHub.
//!
//! Decides what a release may do: push images, register the services' tasks with them, and start those. Leaves out
//! everything else: whoever applies this Terraform has rights of their own.

use he2_config::Config;

use super::{attached, condition, registry_login, statement};
use crate::tf::{Block, Section, block, data, resource};

pub(super) fn section(config: &Config) -> Section {
    Section::new(
        "from he2.toml [service.*]: what a release from GitHub Actions may do\n\
         `image_tags` must name what was released, or the next apply takes it back.",
        vec![provider(), assume(), role(), policy(config), attached("deploy")],
    )
}

fn provider() -> Block {
    resource("aws_iam_openid_connect_provider", "github")
        .note("An account can have only one for this address; a second environment in it is told of the first's.")
        .expr("count", "var.github_oidc_provider_arn == null ? 1 : 0")
        .text("url", "https://token.actions.githubusercontent.com")
        .texts("client_id_list", ["sts.amazonaws.com"])
}

/// The subject names repository and environment: a branch or a fork gets nothing.
fn assume() -> Block {
    let provider =
        "coalesce(var.github_oidc_provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))";
    let subject = "\"repo:${var.github_repository}:environment:${var.environment}\"";
    data("aws_iam_policy_document", "deploy_assume").nest(
        block("statement")
            .texts("actions", ["sts:AssumeRoleWithWebIdentity"])
            .nest(block("principals").text("type", "Federated").exprs("identifiers", [provider]))
            .nest(condition(
                "StringEquals",
                "token.actions.githubusercontent.com:aud",
                &["\"sts.amazonaws.com\""],
            ))
            .note("Jobs of this environment only, which GitHub guards by its rules: no branch, no fork.")
            .nest(condition("StringEquals", "token.actions.githubusercontent.com:sub", &[subject])),
    )
}

fn role() -> Block {
    resource("aws_iam_role", "deploy")
        .expr("name", "\"${local.name}-deploy\"")
        .expr("assume_role_policy", "data.aws_iam_policy_document.deploy_assume.json")
}

fn policy(config: &Config) -> Block {
    let each = |expression: &dyn Fn(&str) -> String| -> Vec<String> {
        config.services().iter().map(|service| expression(service.name)).collect()
    };
    let families = each(&|name| format!("\"${{aws_ecs_task_definition.{name}.arn_without_revision}}:*\""));
    let services = each(&|name| format!("aws_ecs_service.{name}.id"));
    data("aws_iam_policy_document", "deploy")
        .nest(registry_login())
        .nest(push())
        .nest(read_tasks())
        .nest(on("Tasks", &["ecs:RegisterTaskDefinition", "ecs:TagResource"], &families))
        .nest(on("Services", &["ecs:DescribeServices", "ecs:UpdateService"], &services))
        .nest(pass_roles(&each(&|name| {
            format!("aws_iam_role.{name}_execution.arn, aws_iam_role.{name}_task.arn")
        })))
}

fn push() -> Block {
    let actions = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:DescribeImages",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    ];
    block("statement")
        .text("sid", "Images")
        .texts("actions", actions)
        .expr("resources", "[for repository in module.ecr : repository.repository_arn]")
}

fn read_tasks() -> Block {
    block("statement")
        .note(
            "This action knows no resource. It shows the names of variables and secrets, no secret's value.",
        )
        .text("sid", "ReadTasks")
        .texts("actions", ["ecs:DescribeTaskDefinition"])
        .texts("resources", ["*"])
}

/// Passed to tasks only: else whoever releases could start any service of AWS with them.
fn pass_roles(roles: &[String]) -> Block {
    on("RolesOfTasks", &["iam:PassRole"], roles).nest(condition(
        "StringEquals",
        "iam:PassedToService",
        &["\"ecs-tasks.amazonaws.com\""],
    ))
}

fn on(sid: &str, actions: &[&str], resources: &[String]) -> Block {
    let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
    statement(sid, actions, &resources)
}
