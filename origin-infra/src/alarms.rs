//! What people are told, and what they look at.
//!
//! Decides what is an alarm, whom it reaches, the dashboard and the budget. Each alarm says what it means, since
//! its mail is read by someone who was asleep. Leaves out the log groups, which stand beside what writes them.

mod balancer;
mod dashboard;
mod queue;
mod redis;
mod services;
mod stops;

use he2_config::Config;

use crate::tf::{Block, Section, block, data, resource};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![
        Section::new(
            "from he2.toml [environment.*] alarm_email: whom alarms reach, once the address has confirmed",
            vec![topic(), email(), publishers(), topic_policy()],
        ),
        balancer::section(),
        services::section(),
        stops::section(),
        redis::section(config.infra().redis),
        queue::section(config),
        dashboard::section(),
        Section::new("from he2.toml [environment.*] budget_usd: monthly costs", vec![budget()]),
    ]
}

fn topic() -> Block {
    resource("aws_sns_topic", "alarms")
        .expr("name", "\"${local.name}-alarms\"")
        .expr("kms_master_key_id", "aws_kms_key.main.arn")
}

fn email() -> Block {
    resource("aws_sns_topic_subscription", "email")
        .expr("topic_arn", "aws_sns_topic.alarms.arn")
        .text("protocol", "email")
        .expr("endpoint", "var.alarm_email")
}

fn publishers() -> Block {
    let services = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"];
    let account = "${data.aws_caller_identity.current.account_id}";
    let alarms = format!("\"arn:aws:cloudwatch:${{var.region}}:{account}:alarm:*\"");
    let ours = block("condition")
        .text("test", "ArnLike")
        .text("variable", "aws:SourceArn")
        .exprs("values", [alarms, format!("\"arn:aws:budgets::{account}:*\"")]);
    let statement = block("statement")
        .text("sid", "AlarmsOfThisAccount")
        .texts("actions", ["sns:Publish"])
        .exprs("resources", ["aws_sns_topic.alarms.arn"])
        .nest(block("principals").text("type", "Service").texts("identifiers", services))
        .nest(ours);
    data("aws_iam_policy_document", "alarms").nest(statement).nest(stops::publisher())
}

fn topic_policy() -> Block {
    resource("aws_sns_topic_policy", "alarms")
        .expr("arn", "aws_sns_topic.alarms.arn")
        .expr("policy", "data.aws_iam_policy_document.alarms.json")
}

fn budget() -> Block {
    resource("aws_budgets_budget", "monthly")
        .expr("name", "\"${local.name}-monthly\"")
        .text("budget_type", "COST")
        .note("Of the whole account: a filter by tag counts nothing until the tag is activated for billing.")
        .expr("limit_amount", "tostring(var.monthly_budget_usd)")
        .text("limit_unit", "USD")
        .text("time_unit", "MONTHLY")
        .nest(notification("ACTUAL", 80))
        .nest(notification("FORECASTED", 100))
}

fn notification(kind: &str, percent: u32) -> Block {
    block("notification")
        .text("notification_type", kind)
        .text("comparison_operator", "GREATER_THAN")
        .number("threshold", percent)
        .text("threshold_type", "PERCENTAGE")
        .exprs("subscriber_sns_topic_arns", ["aws_sns_topic.alarms.arn"])
}

/// When a value is an alarm: above `threshold` (HCL), in `of.0` of the last `of.1` periods of a minute.
struct Above<'a> {
    threshold: &'a str,
    of: (u32, u32),
    /// What a minute without a value counts as.
    missing: &'static str,
}

/// An alarm without its metric. `name` comes after the environment's; `meaning` is what the mail says.
fn alarm(resource: Block, name: &str, meaning: &str, when: &Above) -> Block {
    resource
        .expr("alarm_name", &format!("\"${{local.name}}-{name}\""))
        .text("alarm_description", meaning)
        .text("comparison_operator", "GreaterThanThreshold")
        .expr("threshold", when.threshold)
        .number("datapoints_to_alarm", when.of.0)
        .number("evaluation_periods", when.of.1)
        .text("treat_missing_data", when.missing)
        .exprs("alarm_actions", ["aws_sns_topic.alarms.arn"])
        .exprs("ok_actions", ["aws_sns_topic.alarms.arn"])
}

fn named(name: &str) -> Block {
    resource("aws_cloudwatch_metric_alarm", name)
}

/// One for each of a map or set.
fn each(name: &str, of: &str) -> Block {
    named(name).expr("for_each", of)
}

/// What is measured: dimensions and namespace are HCL.
#[derive(Clone, Copy)]
struct Metric<'a> {
    namespace: &'a str,
    dimensions: &'a str,
}

impl Metric<'_> {
    /// The one metric of an alarm.
    fn of(self, alarm: Block, name: &str, statistic: &str) -> Block {
        let key = if statistic.starts_with('p') { "extended_statistic" } else { "statistic" };
        alarm
            .text("namespace", self.namespace)
            .text("metric_name", name)
            .expr("dimensions", self.dimensions)
            .text(key, statistic)
            .number("period", 60_u32)
    }

    /// One of several, under a name that an expression uses.
    fn query(self, id: &str, name: &str, stat: &str) -> Block {
        let metric = block("metric")
            .text("namespace", self.namespace)
            .text("metric_name", name)
            .expr("dimensions", self.dimensions)
            .text("stat", stat)
            .number("period", 60_u32);
        block("metric_query").text("id", id).nest(metric)
    }
}

/// What an alarm of several metrics looks at.
fn result(expression: &str, label: &str) -> Block {
    block("metric_query")
        .text("id", "result")
        .text("label", label)
        .text("expression", expression)
        .flag("return_data", true)
}
