//! The key that data at rest is encrypted with, and the secrets of the app.
//!
//! Decides which secrets exist: the union of what the services name. Their values are put by hand and never pass
//! through Terraform, so no state file holds one. Leaves out the password of Redis, which stands beside Redis.

use std::collections::BTreeSet;

use he2_config::{Config, Service};

use crate::tf::{Block, Section, block, data, locals, resource};

/// Set from what Redis was made with, not by hand.
pub(crate) const REDIS_PASSWORD: &str = "REDIS_PASSWORD";

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![
        Section::new(
            "for all of he2.toml: one key for logs, secrets, images, Redis and alarms",
            vec![key_policy(), key(), alias()],
        ),
        Section::new(&guide(config), vec![names(config), app()]),
    ]
}

/// How values get in: read without echo, and never an argument that other processes could see.
fn guide(config: &Config) -> String {
    let name = config.infra().name;
    format!(
        "\
from he2.toml [service.*] and [settings.*], secrets: what the containers get as secret variables
A task starts only when each of its secrets has a value. To put one, the first or the next:
  read -rs value && printf %s \"$value\" | aws secretsmanager put-secret-value \\
    --secret-id {name}-ENVIRONMENT/VARIABLE --secret-string file:///dev/stdin
Running tasks keep what they started with; to give them the new one:
  aws ecs update-service --cluster {name}-ENVIRONMENT --service SERVICE --force-new-deployment"
    )
}

/// Where ECS finds the value of a service's secret variable.
pub(crate) fn arn(variable: &str) -> String {
    match variable {
        REDIS_PASSWORD => "aws_secretsmanager_secret.redis_auth.arn".to_owned(),
        other => format!("aws_secretsmanager_secret.app[\"{other}\"].arn"),
    }
}

fn names(config: &Config) -> Block {
    let all: BTreeSet<&str> = config.services().iter().flat_map(by_hand).collect();
    let quoted: Vec<String> = all.iter().map(|name| format!("\"{name}\"")).collect();
    locals().expr("secret_names", &format!("toset([{}])", quoted.join(", ")))
}

fn by_hand(service: &Service) -> impl Iterator<Item = &'static str> {
    service.secrets.iter().copied().filter(|name| *name != REDIS_PASSWORD)
}

fn app() -> Block {
    resource("aws_secretsmanager_secret", "app")
        .skip("CKV2_AWS_57", "third parties issue these values; AWS cannot make new ones")
        .expr("for_each", "local.secret_names")
        .expr("name", "\"${local.name}/${each.key}\"")
        .expr("kms_key_id", "aws_kms_key.main.arn")
        .note("A deleted secret keeps its name for this long: an environment that is made again needs 0.")
        .expr("recovery_window_in_days", "var.deletion_protection ? 30 : 0")
}

fn key() -> Block {
    resource("aws_kms_key", "main")
        .expr("description", "\"Data at rest of ${local.name}\"")
        .flag("enable_key_rotation", true)
        .expr("deletion_window_in_days", "var.deletion_protection ? 30 : 7")
        .expr("policy", "data.aws_iam_policy_document.key.json")
}

fn alias() -> Block {
    resource("aws_kms_alias", "main")
        .expr("name", "\"alias/${local.name}\"")
        .expr("target_key_id", "aws_kms_key.main.key_id")
}

/// Roles of the account get their use of the key from their own policies, which the first statement allows.
fn key_policy() -> Block {
    data("aws_iam_policy_document", "key")
        .skip("CKV_AWS_109", "in the policy of a key, `*` is that key")
        .skip("CKV_AWS_111", "in the policy of a key, `*` is that key")
        .skip("CKV_AWS_356", "in the policy of a key, `*` is that key")
        .nest(account())
        .nest(logs())
        .nest(publishers())
}

/// Without it, nobody could ever change the key again.
fn account() -> Block {
    block("statement").text("sid", "Account").texts("actions", ["kms:*"]).texts("resources", ["*"]).nest(
        block("principals")
            .text("type", "AWS")
            .expr("identifiers", "[\"arn:aws:iam::${data.aws_caller_identity.current.account_id}:root\"]"),
    )
}

fn logs() -> Block {
    let groups =
        "[\"arn:aws:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:*\"]";
    block("statement")
        .text("sid", "LogGroupsOfThisAccount")
        .texts(
            "actions",
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        )
        .texts("resources", ["*"])
        .nest(principals(&["logs.${var.region}.amazonaws.com"]))
        .nest(condition("ArnLike", "kms:EncryptionContext:aws:logs:arn", groups))
}

/// An alarm that cannot encrypt its message is lost without a word. So nothing is asked about who sends it, which each
/// service says in its own way, but for which topic: SNS itself puts that into the context. The topic's own policy says
/// whose messages it takes. (Written out: the topic's own ARN would go round in a circle.)
fn publishers() -> Block {
    let services = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"];
    let topic =
        "[\"arn:aws:sns:${var.region}:${data.aws_caller_identity.current.account_id}:${local.name}-alarms\"]";
    block("statement")
        .text("sid", "MessagesToTheAlarmTopic")
        .texts("actions", ["kms:Decrypt", "kms:GenerateDataKey*"])
        .texts("resources", ["*"])
        .nest(principals(&services))
        .nest(condition("StringEquals", "kms:EncryptionContext:aws:sns:topicArn", topic))
}

fn principals(services: &[&str]) -> Block {
    let quoted: Vec<String> = services.iter().map(|service| format!("\"{service}\"")).collect();
    block("principals").text("type", "Service").exprs("identifiers", quoted)
}

fn condition(test: &str, variable: &str, values: &str) -> Block {
    block("condition").text("test", test).text("variable", variable).expr("values", values)
}
