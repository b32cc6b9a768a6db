//! What measures the queue: a function that runs each minute.
//!
//! Decides when it runs, where, and what it may do. What it reads and publishes is `lambda/queue_depth.py`.

use he2_config::Config;

use super::QUEUE;
use crate::security;
use crate::tf::{Block, Section, block, data, locals, resource};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    let retention_days = config.infra().retention_days;
    vec![
        Section::new(
            "from origin-infra/lambda/queue_depth.py: publishes the queue's length each minute, zeros too",
            vec![namespace(), package(), function(config), log(retention_days), no_retries()],
        ),
        Section::new("for queue_depth: its clock", vec![schedule(), call(), permission()]),
        Section::new("for queue_depth: what it may do", vec![assume(), role(), policy(), attached()]),
    ]
}

fn namespace() -> Block {
    locals().expr("queue_namespace", "\"${local.name}/queue\"")
}

fn package() -> Block {
    data("archive_file", "queue_depth")
        .text("type", "zip")
        .expr("source_file", "\"${path.module}/../lambda/queue_depth.py\"")
        .expr("output_path", "\"${path.module}/.terraform/queue_depth.zip\"")
}

fn function(config: &Config) -> Block {
    let rules = security::rules_of(config, "publisher");
    resource("aws_lambda_function", "queue_depth")
        .skip("CKV_AWS_50", "one call a minute with one thing to do: its log and its errors say all")
        .skip("CKV_AWS_115", "a new account's whole quota is 10 at once, of which none can be reserved")
        .skip("CKV_AWS_116", "the next call comes within a minute and is as good: nothing is lost")
        .skip("CKV_AWS_173", "its variables are names; the password stays in Secrets Manager")
        .skip("CKV_AWS_272", "its code comes from this repository, with the same apply as everything else")
        .expr("function_name", "\"${local.name}-queue-depth\"")
        .text("description", "Publishes the length of the workers' queue")
        .expr("role", "aws_iam_role.queue_depth.arn")
        .text("runtime", "python3.13")
        .texts("architectures", ["arm64"])
        .text("handler", "queue_depth.handler")
        .expr("filename", "data.archive_file.queue_depth.output_path")
        .expr("source_code_hash", "data.archive_file.queue_depth.output_base64sha256")
        .number("memory_size", 256_u32)
        .note("All of its own time limits together.")
        .number("timeout", 45_u32)
        .nest(block("environment").expr("variables", &variables()))
        .nest(
            block("vpc_config")
                .expr("subnet_ids", "module.vpc.private_subnets")
                .exprs("security_group_ids", ["aws_security_group.publisher.id"]),
        )
        .nest(
            block("logging_config")
                .text("log_format", "JSON")
                .expr("log_group", "aws_cloudwatch_log_group.queue_depth.name"),
        )
        .note("Without its permissions it gets no network interface, and leaves one behind when it goes; without")
        .note("its group's rules it reaches nobody.")
        .exprs("depends_on", ["aws_iam_role_policy.queue_depth".to_owned()].into_iter().chain(rules))
}

fn variables() -> String {
    format!(
        "{{
  REDIS_HOST            = module.redis.endpoint
  REDIS_PORT            = module.redis.port
  REDIS_AUTH_SECRET_ARN = aws_secretsmanager_secret.redis_auth.arn
  QUEUES                = \"{QUEUE}\"
  NAMESPACE             = local.queue_namespace
}}"
    )
}

fn log(retention_days: u32) -> Block {
    resource("aws_cloudwatch_log_group", "queue_depth")
        .expr("name", "\"/lambda/${local.name}-queue-depth\"")
        .number("retention_in_days", retention_days)
        .expr("kms_key_id", "aws_kms_key.main.arn")
}

fn no_retries() -> Block {
    resource("aws_lambda_function_event_invoke_config", "queue_depth")
        .expr("function_name", "aws_lambda_function.queue_depth.function_name")
        .note("A call that failed is not tried again: the next one is due.")
        .number("maximum_retry_attempts", 0_u32)
        .number("maximum_event_age_in_seconds", 60_u32)
}

fn schedule() -> Block {
    resource("aws_cloudwatch_event_rule", "queue_depth")
        .expr("name", "\"${local.name}-queue-depth\"")
        .text("description", "The queue is measured each minute")
        .text("schedule_expression", "rate(1 minute)")
}

fn call() -> Block {
    resource("aws_cloudwatch_event_target", "queue_depth")
        .expr("rule", "aws_cloudwatch_event_rule.queue_depth.name")
        .expr("arn", "aws_lambda_function.queue_depth.arn")
}

fn permission() -> Block {
    resource("aws_lambda_permission", "queue_depth")
        .text("action", "lambda:InvokeFunction")
        .expr("function_name", "aws_lambda_function.queue_depth.function_name")
        .text("principal", "events.amazonaws.com")
        .expr("source_arn", "aws_cloudwatch_event_rule.queue_depth.arn")
}

fn assume() -> Block {
    data("aws_iam_policy_document", "queue_depth_assume").nest(
        block("statement")
            .texts("actions", ["sts:AssumeRole"])
            .nest(block("principals").text("type", "Service").texts("identifiers", ["lambda.amazonaws.com"])),
    )
}

fn role() -> Block {
    resource("aws_iam_role", "queue_depth")
        .expr("name", "\"${local.name}-queue-depth\"")
        .expr("assume_role_policy", "data.aws_iam_policy_document.queue_depth_assume.json")
}

fn attached() -> Block {
    resource("aws_iam_role_policy", "queue_depth")
        .text("name", "main")
        .expr("role", "aws_iam_role.queue_depth.id")
        .expr("policy", "data.aws_iam_policy_document.queue_depth.json")
}

fn policy() -> Block {
    let log = "\"${aws_cloudwatch_log_group.queue_depth.arn}:*\"";
    let secret = "aws_secretsmanager_secret.redis_auth.arn";
    let via = "\"secretsmanager.${var.region}.amazonaws.com\"";
    data("aws_iam_policy_document", "queue_depth")
        .nest(statement("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], log))
        .nest(statement("Password", &["secretsmanager:GetSecretValue"], secret))
        .nest(only("kms:ViaService", via, statement("PasswordKey", &["kms:Decrypt"], "aws_kms_key.main.arn")))
        .nest(metrics())
        .nest_all(interfaces())
}

fn metrics() -> Block {
    let noted = block("statement").note("Metrics are no resources; the namespace is what narrows it.");
    let statement = allows(noted, "Metrics", &["cloudwatch:PutMetricData"], "\"*\"");
    only("cloudwatch:namespace", "local.queue_namespace", statement)
}

/// In the words of Lambda's manual: reading knows no narrower resource, and deleting needs all ids or one.
fn interfaces() -> [Block; 2] {
    let all = "\"arn:aws:ec2:${var.region}:${data.aws_caller_identity.current.account_id}:*/*\"";
    let write = [
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ];
    let read = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"];
    let unnamed =
        block("statement").note("Lambda makes and removes the interface: nobody knows its id before.");
    let wide = block("statement").note("AWS has nothing narrower for reading.");
    [allows(unnamed, "NetworkInterfaces", &write, all), allows(wide, "NetworkInterfacesRead", &read, "\"*\"")]
}

fn statement(sid: &str, actions: &[&str], resource: &str) -> Block {
    allows(block("statement"), sid, actions, resource)
}

fn allows(statement: Block, sid: &str, actions: &[&str], resource: &str) -> Block {
    statement.text("sid", sid).texts("actions", actions).exprs("resources", [resource])
}

fn only(variable: &str, value: &str, statement: Block) -> Block {
    let condition =
        block("condition").text("test", "StringEquals").text("variable", variable).exprs("values", [value]);
    statement.nest(condition)
}
