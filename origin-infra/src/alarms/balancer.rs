//! Alarms about requests: answers, latency, health of targets.

use super::{Above, Metric, alarm, each, named, result};
use crate::tf::{Block, Section};

const TARGET: Metric = Metric {
    namespace: "AWS/ApplicationELB",
    dimensions: "{ LoadBalancer = aws_lb.main.arn_suffix, TargetGroup = each.value.target_group }",
};
const BALANCER: Metric =
    Metric { namespace: "AWS/ApplicationELB", dimensions: "{ LoadBalancer = aws_lb.main.arn_suffix }" };

pub(super) fn section() -> Section {
    Section::new(
        "from he2.toml [service.*] with a port: requests, one alarm of each kind per target group",
        vec![errors(), latency(), unhealthy(), unanswered()],
    )
}

/// As a share, but of more than a handful: at night one error would be a third of all requests.
fn errors() -> Block {
    let when = Above { threshold: "5", of: (3, 5), missing: "notBreaching" };
    let meaning = "More than 5 % of the service's own answers are 5xx: see its log.";
    alarm(each("errors", "local.serving"), "${each.key}-5xx", meaning, &when)
        .nest(TARGET.query("errors", "HTTPCode_Target_5XX_Count", "Sum"))
        .nest(TARGET.query("requests", "RequestCount", "Sum"))
        .nest(result("IF(errors > 5, 100 * errors / requests, 0)", "5xx in %"))
}

/// Until the first byte of the head, so an event stream counts as fast as it starts.
fn latency() -> Block {
    let when = Above { threshold: "5", of: (10, 15), missing: "notBreaching" };
    let meaning = "One request in ten waits longer than 5 s for the service to begin its answer.";
    let alarm = alarm(each("latency", "local.serving"), "${each.key}-latency", meaning, &when);
    TARGET.of(alarm, "TargetResponseTime", "p90").text("evaluate_low_sample_count_percentiles", "ignore")
}

fn unhealthy() -> Block {
    let when = Above { threshold: "0", of: (5, 5), missing: "notBreaching" };
    let meaning = "A task fails the load balancer's health check for 5 minutes, and ECS has not replaced it.";
    let alarm = alarm(each("unhealthy", "local.serving"), "${each.key}-unhealthy", meaning, &when);
    TARGET.of(alarm, "UnHealthyHostCount", "Maximum")
}

fn unanswered() -> Block {
    let when = Above { threshold: "10", of: (3, 5), missing: "notBreaching" };
    let meaning = "The load balancer itself answers 5xx: no healthy task, or tasks that close connections.";
    let alarm = alarm(named("unanswered"), "unanswered", meaning, &when);
    BALANCER.of(alarm, "HTTPCode_ELB_5XX_Count", "Sum")
}
