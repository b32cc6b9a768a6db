//! One page of graphs, from the users' side to the workers'.

use crate::scaling::QUEUE;
use crate::tf::{Block, Section, locals, resource};

pub(super) fn section() -> Section {
    Section::new(
        "for all of he2.toml: one dashboard, two graphs a row, from requests to jobs",
        vec![lines(), graphs(), dashboard()],
    )
}

fn dashboard() -> Block {
    resource("aws_cloudwatch_dashboard", "main")
        .expr("dashboard_name", "local.name")
        .expr("dashboard_body", "jsonencode(local.dashboard)")
}

/// What a graph can have a line for: its label, and its dimensions as `CloudWatch` wants them, names and values
/// in turn.
fn lines() -> Block {
    locals()
        .expr("line_per_target", PER_TARGET)
        .expr("line_per_service", PER_SERVICE)
        .expr("line_per_node", PER_NODE)
        .expr("line_of_queue", &format!("[{{ label = \"{QUEUE}\", dimensions = [\"Queue\", \"{QUEUE}\"] }}]"))
}

const PER_TARGET: &str = r#"[for name, service in local.serving : {
  label      = name
  dimensions = ["LoadBalancer", aws_lb.main.arn_suffix, "TargetGroup", service.target_group]
}]"#;

const PER_SERVICE: &str = r#"[for name in keys(var.services) : {
  label      = name
  dimensions = ["ClusterName", aws_ecs_cluster.main.name, "ServiceName", name]
}]"#;

const PER_NODE: &str = r#"[for number in local.redis_nodes : {
  label      = number
  dimensions = ["CacheClusterId", "${module.redis.id}-${number}"]
}]"#;

fn graphs() -> Block {
    let graphs: Vec<String> = GRAPHS.iter().map(Graph::hcl).collect();
    locals().expr("graphs", &format!("[{}]", graphs.join(", "))).expr("dashboard", DASHBOARD)
}

const DASHBOARD: &str = r#"{
  widgets = [for place, graph in local.graphs : {
    type   = "metric"
    x      = place % 2 * 12
    y      = floor(place / 2) * 6
    width  = 12
    height = 6
    properties = {
      title   = graph.title
      region  = var.region
      view    = "timeSeries"
      period  = 60
      stat    = graph.stat
      metrics = [for line in setproduct(graph.metrics, graph.lines) : flatten(
        [graph.namespace, line[0], line[1].dimensions, { label = "${line[1].label} ${line[0]}" }]
      )]
    }
  }]
}"#;

/// A graph: for each of its metrics and each of its lines, one line.
struct Graph {
    title: &'static str,
    stat: &'static str,
    /// HCL.
    namespace: &'static str,
    metrics: &'static [&'static str],
    lines: &'static str,
}

impl Graph {
    fn hcl(&self) -> String {
        let Self { title, stat, namespace, lines, .. } = self;
        let metrics: Vec<String> = self.metrics.iter().map(|name| format!("\"{name}\"")).collect();
        let metrics = metrics.join(", ");
        format!(
            "{{ title = \"{title}\", stat = \"{stat}\", namespace = {namespace}, metrics = [{metrics}], \
             lines = local.{lines} }}"
        )
    }
}

const BALANCER: &str = "\"AWS/ApplicationELB\"";
const SERVICE: &str = "\"AWS/ECS\"";
const INSIGHTS: &str = "\"ECS/ContainerInsights\"";
const REDIS: &str = "\"AWS/ElastiCache\"";
const QUEUES: &str = "local.queue_namespace";

const GRAPHS: [Graph; 10] = [
    graph("Requests per minute", "Sum", BALANCER, &["RequestCount"], "line_per_target"),
    graph("Answers 5xx", "Sum", BALANCER, &["HTTPCode_Target_5XX_Count"], "line_per_target"),
    graph("Seconds to the first byte", "p90", BALANCER, &["TargetResponseTime"], "line_per_target"),
    graph("Tasks", "Average", INSIGHTS, &["DesiredTaskCount", "RunningTaskCount"], "line_per_service"),
    graph("CPU in %", "Average", SERVICE, &["CPUUtilization"], "line_per_service"),
    graph("Memory in %", "Maximum", SERVICE, &["MemoryUtilization"], "line_per_service"),
    graph("Jobs", "Maximum", QUEUES, &["Waiting", "InFlight", "Delayed", "Dead"], "line_of_queue"),
    graph("Seconds that the next job waits", "Maximum", QUEUES, &["OldestAge"], "line_of_queue"),
    graph("Memory of Redis in %", "Maximum", REDIS, &["DatabaseMemoryUsagePercentage"], "line_per_node"),
    graph("Seconds that replicas are behind", "Maximum", REDIS, &["ReplicationLag"], "line_per_node"),
];

const fn graph(
    title: &'static str,
    stat: &'static str,
    namespace: &'static str,
    metrics: &'static [&'static str],
    lines: &'static str,
) -> Graph {
    Graph { title, stat, namespace, metrics, lines }
}
