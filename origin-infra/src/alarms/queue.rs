//! Alarms about the workers' queue, and about what measures it.

use he2_config::Config;

use super::{Above, alarm, named, result};
use crate::scaling::{JOBS_AT_ONCE, QUEUE};
use crate::tf::{Block, Section, block};

pub(super) fn section(config: &Config) -> Section {
    let workers = config.services().iter().filter(|service| service.port.is_none());
    let jobs = workers.map(|service| format!("var.services[\"{}\"].max * {JOBS_AT_ONCE}", service.name));
    let jobs = jobs.collect::<Vec<_>>().join(" + ");
    Section::new(
        "from he2.toml [service.*] without a port: the queue that they work off",
        vec![depth(&jobs), age(), dead_letters(), publisher()],
    )
}

/// `jobs` run at once when there are as many workers as may be. Without a value nobody sees the queue, and
/// scaling stands still: that is an alarm too.
fn depth(jobs: &str) -> Block {
    let when = Above { threshold: jobs, of: (10, 10), missing: "breaching" };
    let meaning =
        "More jobs wait than all workers could take at once, or the queue is not measured any more.";
    queue(alarm(named("queue_depth"), "queue-depth", meaning, &when), "Waiting")
}

fn age() -> Block {
    let when = Above { threshold: "300", of: (5, 5), missing: "notBreaching" };
    let meaning = "The next job waits for more than 5 minutes: workers are too few, or they hang.";
    queue(alarm(named("queue_age"), "queue-age", meaning, &when), "OldestAge")
}

/// Each new one: they stay for a week, and an alarm that stays on is silent about the next.
fn dead_letters() -> Block {
    let when = Above { threshold: "0", of: (1, 1), missing: "notBreaching" };
    let meaning = "Workers gave up on a job: it is a dead letter in Redis, kept for 7 days.";
    let metric = metric(block("metric"), "Dead").text("stat", "Maximum").number("period", 60_u32);
    alarm(named("dead_letters"), "dead-letters", meaning, &when)
        .nest(block("metric_query").text("id", "dead").nest(metric))
        .nest(result("DIFF(dead)", "New dead letters"))
}

/// Three of five: one failure belongs to every failover of Redis. No call at all counts as a failure.
fn publisher() -> Block {
    let when = Above { threshold: "0", of: (3, 5), missing: "breaching" };
    let meaning = "The queue cannot be measured, so workers are not scaled: see the log of queue-depth.";
    alarm(named("publisher_errors"), "queue-depth-errors", meaning, &when)
        .text("namespace", "AWS/Lambda")
        .text("metric_name", "Errors")
        .expr("dimensions", "{ FunctionName = aws_lambda_function.queue_depth.function_name }")
        .text("statistic", "Sum")
        .number("period", 60_u32)
}

fn queue(alarm: Block, name: &str) -> Block {
    metric(alarm, name).text("statistic", "Maximum").number("period", 60_u32)
}

fn metric(block: Block, name: &str) -> Block {
    block
        .expr("namespace", "local.queue_namespace")
        .text("metric_name", name)
        .expr("dimensions", &format!("{{ Queue = \"{QUEUE}\" }}"))
}
