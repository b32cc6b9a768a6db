//! Alarms about tasks: CPU, memory, and whether they stay up.

use super::{Above, Metric, alarm, each, result};
use crate::tf::{Block, Section};

const DIMENSIONS: &str = "{ ClusterName = aws_ecs_cluster.main.name, ServiceName = each.key }";
const SERVICE: Metric = Metric { namespace: "AWS/ECS", dimensions: DIMENSIONS };
const INSIGHTS: Metric = Metric { namespace: "ECS/ContainerInsights", dimensions: DIMENSIONS };

pub(super) fn section() -> Section {
    Section::new(
        "from he2.toml [service.*]: tasks, one alarm of each kind per service",
        vec![cpu(), memory(), missing()],
    )
}

fn cpu() -> Block {
    let when = Above { threshold: "85", of: (15, 15), missing: "notBreaching" };
    let meaning = "CPU above 85 % for 15 minutes: scaling is at its bound, or does not help.";
    let alarm = alarm(each("cpu", "var.services"), "${each.key}-cpu", meaning, &when);
    SERVICE.of(alarm, "CPUUtilization", "Average")
}

/// The fullest task counts: it is the one that is killed.
fn memory() -> Block {
    let when = Above { threshold: "85", of: (5, 5), missing: "notBreaching" };
    let meaning = "A task uses more than 85 % of its memory; at 100 % it is killed with all it does.";
    let alarm = alarm(each("memory", "var.services"), "${each.key}-memory", meaning, &when);
    SERVICE.of(alarm, "MemoryUtilization", "Maximum")
}

/// A third of the time, so that a task on its way after scaling out is no alarm. One that dies and is soon replaced is
/// none either: [`super::stops`] tells of it.
fn missing() -> Block {
    let when = Above { threshold: "0", of: (5, 15), missing: "missing" };
    let meaning = "Fewer tasks run than should: they stop, or do not start. See the service's events in ECS.";
    alarm(each("missing", "var.services"), "${each.key}-missing", meaning, &when)
        .nest(INSIGHTS.query("desired", "DesiredTaskCount", "Maximum"))
        .nest(INSIGHTS.query("running", "RunningTaskCount", "Minimum"))
        .nest(result("desired - running", "Tasks missing"))
}
