//! How the number of tasks follows the load.
//!
//! Services with a port follow requests and CPU; services without one work off the queue and follow its length
//! per task. Decides targets and patience; the bounds are the environments' (`var.services`). What measures the
//! queue is [`publisher`].

mod publisher;

use he2_config::{Config, Service};

use crate::tf::{Block, Section, block, locals, resource};

/// Dramatiq's queue, as the app names it.
pub(crate) const QUEUE: &str = "default";

/// Ten a second of a task's two processes; to be set anew once real traffic was measured.
const REQUESTS_PER_MINUTE: u32 = 600;

/// What one task works off at once: 4 processes of 4 threads.
pub(crate) const JOBS_AT_ONCE: u32 = 16;

/// A task with so many still has room while another one starts.
const JOBS_PER_TASK: u32 = 12;

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    let mut sections = vec![
        Section::new("from he2.toml [service.*]: how many tasks each service may have", vec![target(config)]),
        Section::new(
            "from he2.toml [service.*] with a port: tasks follow requests, and CPU where requests are heavy\n\
             Tasks go only when both agree that there are too many.",
            vec![serving(config), requests(), cpu()],
        ),
    ];
    sections.extend(config.services().iter().filter(|service| service.port.is_none()).map(working));
    sections.extend(publisher::sections(config));
    sections
}

fn target(config: &Config) -> Block {
    let services = config.services().iter().map(|service| format!("aws_ecs_service.{}", service.name));
    resource("aws_appautoscaling_target", "service")
        .expr("for_each", "var.services")
        .text("service_namespace", "ecs")
        .text("scalable_dimension", "ecs:service:DesiredCount")
        .expr("resource_id", "\"service/${aws_ecs_cluster.main.name}/${each.key}\"")
        .expr("min_capacity", "each.value.min")
        .expr("max_capacity", "each.value.max")
        .exprs("depends_on", services)
}

/// Also what the alarms and the dashboard go through.
fn serving(config: &Config) -> Block {
    let services = config.services().iter().filter(|service| service.port.is_some());
    let entries: Vec<String> = services.map(entry).collect();
    locals()
        .note("A service that may not run on Spot loses work with each task that stops: the backend ends")
        .note("all running agents then. So it gives tasks back at most twice an hour.")
        .expr("serving", &format!("{{ {} }}", entries.join(", ")))
}

fn entry(service: &Service) -> String {
    let name = service.name;
    let calm = if service.spot { 300 } else { 1800 };
    format!(
        "{name} = {{ target_group = aws_lb_target_group.{name}.arn_suffix, \
         requests_per_minute = {REQUESTS_PER_MINUTE}, scale_in_cooldown = {calm} }}"
    )
}

fn requests() -> Block {
    let metric = block("predefined_metric_specification")
        .text("predefined_metric_type", "ALBRequestCountPerTarget")
        .expr("resource_label", "\"${aws_lb.main.arn_suffix}/${each.value.target_group}\"");
    let tracking = tracking("each.value.requests_per_minute")
        .expr("scale_in_cooldown", "each.value.scale_in_cooldown")
        .nest(metric);
    let policy = resource("aws_appautoscaling_policy", "requests").expr("for_each", "local.serving");
    follows(policy, "${each.key}-requests", "each.key").nest(tracking)
}

fn cpu() -> Block {
    let metric = block("predefined_metric_specification")
        .text("predefined_metric_type", "ECSServiceAverageCPUUtilization");
    let tracking = tracking("60").expr("scale_in_cooldown", "each.value.scale_in_cooldown").nest(metric);
    let policy = resource("aws_appautoscaling_policy", "cpu").expr("for_each", "local.serving");
    follows(policy, "${each.key}-cpu", "each.key").nest(tracking)
}

const STAYS: &str = "\
A run that is ended is not started again, so no task is taken away; when the queue is empty,
`aws ecs update-service --desired-count` lowers their number. This can go once the app protects its tasks
($ECS_AGENT_URI/task-protection/v1/state).";

/// CPU says nothing about workers, which mostly wait for models to answer.
fn working(service: &Service) -> Section {
    let name = service.name;
    let metrics = block("customized_metric_specification").nest_all([
        measured(
            "backlog",
            "local.queue_namespace",
            "Backlog",
            "Maximum",
            &[("Queue", format!("\"{QUEUE}\""))],
        ),
        measured("tasks", "\"ECS/ContainerInsights\"", "RunningTaskCount", "Average", &running(name)),
        per_task(),
    ]);
    let tracking =
        tracking(&JOBS_PER_TASK.to_string()).note(STAYS).flag("disable_scale_in", true).nest(metrics);
    let policy = resource("aws_appautoscaling_policy", name);
    let policy = follows(policy, &format!("{name}-backlog"), &format!("\"{name}\""));
    Section::new(
        &format!(
            "from he2.toml [service.{name}]: tasks follow the queue, jobs waiting and running per task\n\
             A task runs {JOBS_AT_ONCE} jobs at once. Tasks are added, and not taken away."
        ),
        vec![policy.nest(tracking)],
    )
}

fn tracking(target: &str) -> Block {
    block("target_tracking_scaling_policy_configuration")
        .expr("target_value", target)
        .number("scale_out_cooldown", 60_u32)
}

/// `key` is the service, as HCL.
fn follows(policy: Block, name: &str, key: &str) -> Block {
    let target = format!("aws_appautoscaling_target.service[{key}]");
    policy
        .expr("name", &format!("\"${{local.name}}-{name}\""))
        .text("policy_type", "TargetTrackingScaling")
        .expr("service_namespace", &format!("{target}.service_namespace"))
        .expr("scalable_dimension", &format!("{target}.scalable_dimension"))
        .expr("resource_id", &format!("{target}.resource_id"))
}

/// Its name, and its value as HCL.
type Dimension = (&'static str, String);

fn running(service: &str) -> [Dimension; 2] {
    [("ClusterName", "aws_ecs_cluster.main.name".to_owned()), ("ServiceName", format!("\"{service}\""))]
}

fn measured(id: &str, namespace: &str, name: &str, stat: &str, dimensions: &[Dimension]) -> Block {
    let dimension = |(name, value): &Dimension| block("dimensions").text("name", name).expr("value", value);
    let metric = block("metric").expr("namespace", namespace).text("metric_name", name);
    let metric = metric.nest_all(dimensions.iter().map(dimension));
    block("metrics")
        .text("id", id)
        .flag("return_data", false)
        .nest(block("metric_stat").text("stat", stat).nest(metric))
}

/// While nothing runs, as one task would see it: never a division by zero, and always enough to start from.
fn per_task() -> Block {
    block("metrics")
        .text("id", "backlog_per_task")
        .text("label", "Jobs per task")
        .text("expression", "backlog / IF(tasks > 0, tasks, 1)")
        .flag("return_data", true)
}
