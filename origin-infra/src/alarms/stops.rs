//! Mail for each task that ends by itself.
//!
//! No metric counts these: a task that dies every few minutes and is replaced at once is missing too briefly for an
//! alarm on the number of tasks. Tasks that ECS stops (a release, scaling, a failed health check, Spot) are left out.

use crate::tf::{Block, Section, block, locals, resource};

const RULE: &str = "aws_cloudwatch_event_rule.stopped";

pub(super) fn section() -> Section {
    Section::new(
        "from he2.toml [service.*]: tasks whose container exits or does not start, each as it happens",
        vec![locals().expr("stopped", PATTERN), rule(), mail()],
    )
}

/// `EventBridge` among the topic's publishers, for this rule alone.
pub(super) fn publisher() -> Block {
    let ours = block("condition")
        .text("test", "ArnEquals")
        .text("variable", "aws:SourceArn")
        .exprs("values", [format!("{RULE}.arn")]);
    block("statement")
        .text("sid", "TasksThatStopped")
        .texts("actions", ["sns:Publish"])
        .exprs("resources", ["aws_sns_topic.alarms.arn"])
        .nest(block("principals").text("type", "Service").texts("identifiers", ["events.amazonaws.com"]))
        .nest(ours)
}

const PATTERN: &str = r#"{
  source      = ["aws.ecs"]
  detail-type = ["ECS Task State Change"]
  detail = {
    clusterArn = [aws_ecs_cluster.main.arn]
    lastStatus = ["STOPPED"]
    stopCode   = ["EssentialContainerExited", "TaskFailedToStart"]
  }
}"#;

fn rule() -> Block {
    resource("aws_cloudwatch_event_rule", "stopped")
        .expr("name", "\"${local.name}-stopped\"")
        .text("description", "A task's container exited, or the task did not start")
        .expr("event_pattern", "jsonencode(local.stopped)")
}

/// Without the reason that ECS gives: it may hold quotes, and an input with a stray one is not delivered.
fn mail() -> Block {
    let text = "\"<code> at <time> in <group>: see the service's log, and for the reason \
                `aws ecs describe-tasks --cluster <cluster> --tasks <task>`.\"";
    let words = "{
      cluster = \"$.detail.clusterArn\"
      code    = \"$.detail.stopCode\"
      group   = \"$.detail.group\"
      task    = \"$.detail.taskArn\"
      time    = \"$.time\"
    }";
    resource("aws_cloudwatch_event_target", "stopped")
        .expr("rule", &format!("{RULE}.name"))
        .expr("arn", "aws_sns_topic.alarms.arn")
        .nest(block("input_transformer").expr("input_paths", words).text("input_template", text))
        .note("Who may publish is said first: a mail that is refused is lost.")
        .exprs("depends_on", ["aws_sns_topic_policy.alarms"])
}
