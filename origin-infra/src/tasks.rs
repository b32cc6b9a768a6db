//! What runs in a task: its one container, and what the container may do.
//!
//! Decides image, user, file system, variables, secrets, health check and stop of each service's container. Leaves
//! out how many tasks there are and where they run ([`crate::ecs`]), and what they may ask of AWS
//! ([`crate::iam`]).

use he2_config::{Architecture, Config, Part, Service, Variable};

use crate::secrets;
use crate::tf::{Block, block, locals, resource};

/// What a container is made of, in words before code: an object is easier to read, and to change, than JSON.
pub(crate) fn container(service: &Service) -> Block {
    let name = service.name;
    let locals = locals().expr(&format!("{name}_environment"), &object(&environment(service)));
    let locals = match service.secrets.is_empty() {
        true => locals,
        false => locals.expr(&format!("{name}_secrets"), &object(&secret_arns(service))),
    };
    locals
        .note(HARDENING)
        .note(if service.port.is_some() { LIVENESS } else { NO_LIVENESS })
        .expr(&format!("{name}_container"), &object(&definition(service)))
}

pub(crate) fn task_definition(config: &Config, service: &Service) -> Block {
    let name = service.name;
    resource("aws_ecs_task_definition", name)
        .expr("family", &format!("\"${{local.name}}-{name}\""))
        .texts("requires_compatibilities", ["FARGATE"])
        .text("network_mode", "awsvpc")
        .expr("cpu", &format!("var.services[\"{name}\"].cpu"))
        .expr("memory", &format!("var.services[\"{name}\"].memory"))
        .expr("execution_role_arn", &format!("aws_iam_role.{name}_execution.arn"))
        .expr("task_role_arn", &format!("aws_iam_role.{name}_task.arn"))
        .expr("container_definitions", &format!("jsonencode([local.{name}_container])"))
        .note("A deployment that fails rolls back to the revision before, which must still be there.")
        .flag("skip_destroy", true)
        .nest(
            block("runtime_platform")
                .text("operating_system_family", "LINUX")
                .text("cpu_architecture", architecture(config)),
        )
        .nest(block("volume").text("name", "tmp"))
}

const HARDENING: &str = "\
The container runs as a plain user and writes only to /tmp. Its image must declare VOLUME /tmp, which hands the
directory's permissions on: else the volume is root's alone (https://github.com/aws/containers-roadmap/issues/938).
On Fargate 120 s is the longest time to stop in.";

/// The app's own compose file asks the backend with curl; the image of Next.js has none, but has node.
const LIVENESS: &str = "\
The health check is slow to judge: who is stopped cuts streams, and the backend ends all running agents with it.
It asks with curl or with node, whichever the image has.";

const NO_LIVENESS: &str = "\
No health check: the app's own for workers puts a job into the queue and waits 20 s for it. With all threads busy
it fails, and ECS would stop tasks in the middle of their work. A worker that dies ends its task, which is enough.";

type Field = (String, String);

fn definition(service: &Service) -> Vec<Field> {
    let name = service.name;
    let mut fields = vec![
        field("name", &format!("\"{name}\"")),
        field("image", &image(name)),
        field("essential", "true"),
        field("user", "\"1000:1000\""),
        field("readonlyRootFilesystem", "true"),
        field("linuxParameters", "{ initProcessEnabled = true, capabilities = { drop = [\"ALL\"] } }"),
        field("mountPoints", "[{ sourceVolume = \"tmp\", containerPath = \"/tmp\", readOnly = false }]"),
        field("stopTimeout", "120"),
        field("logConfiguration", &log(name)),
        field("environment", &pairs(&format!("{name}_environment"), "value")),
    ];
    if !service.secrets.is_empty() {
        fields.push(field("secrets", &pairs(&format!("{name}_secrets"), "valueFrom")));
    }
    if let (Some(port), Some(health)) = (service.port, service.health) {
        fields.push(field("portMappings", &format!("[{{ containerPort = {port}, protocol = \"tcp\" }}]")));
        fields.push(field("healthCheck", &health_check(port, health)));
    }
    fields
}

fn image(name: &str) -> String {
    format!("\"${{module.ecr[\"{name}\"].repository_url}}:${{var.image_tags[\"{name}\"]}}\"")
}

/// ECS wants a list of objects where a map says the same.
fn pairs(map: &str, key: &str) -> String {
    format!("[for name, value in local.{map} : {{ name = name, {key} = value }}]")
}

/// A log that does not keep up drops lines; blocking would stop the app instead.
fn log(name: &str) -> String {
    let options = object(&[
        field("awslogs-group", &format!("aws_cloudwatch_log_group.{name}.name")),
        field("awslogs-region", "var.region"),
        field("awslogs-stream-prefix", &format!("\"{name}\"")),
        field("mode", "\"non-blocking\""),
        field("max-buffer-size", "\"25m\""),
    ]);
    format!("{{ logDriver = \"awslogs\", options = {options} }}")
}

fn health_check(port: u16, path: &str) -> String {
    let url = format!("http://127.0.0.1:{port}{path}");
    let curl = format!("curl -fsS -o /dev/null {url}");
    let node =
        format!("node -e 'fetch(`{url}`).then(a => process.exit(a.ok ? 0 : 1), () => process.exit(1))'");
    object(&[
        field("command", &format!("[\"CMD-SHELL\", \"{curl} || {node}\"]")),
        field("interval", "30"),
        field("timeout", "10"),
        field("retries", "3"),
        field("startPeriod", "40"),
    ])
}

fn environment(service: &Service) -> Vec<Field> {
    service.variables.iter().map(|variable| field(variable.name, &template(variable))).collect()
}

fn template(variable: &Variable) -> String {
    match variable.value.as_slice() {
        [Part::Text(text)] => format!("\"{}\"", quoted(text)),
        [single] => reference(single).to_owned(),
        parts => format!("\"{}\"", parts.iter().map(piece).collect::<String>()),
    }
}

fn piece(part: &Part) -> String {
    match part {
        Part::Text(text) => quoted(text),
        other => format!("${{{}}}", reference(other)),
    }
}

fn reference(part: &Part) -> &'static str {
    match part {
        Part::Text(_) => "\"\"",
        Part::Environment => "var.environment",
        Part::Region => "var.region",
        Part::RedisHost => "module.redis.endpoint",
        Part::PublicUrl => "var.public_url",
    }
}

/// As it stands in an HCL string: nothing in it interpolates or ends the string.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    text.replace("${", "$${").replace("%{", "%%{")
}

fn secret_arns(service: &Service) -> Vec<Field> {
    service.secrets.iter().map(|name| field(name, &secrets::arn(name))).collect()
}

fn architecture(config: &Config) -> &'static str {
    match config.infra().architecture {
        Architecture::X86_64 => "X86_64",
        Architecture::Arm64 => "ARM64",
    }
}

fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), value.to_owned())
}

fn object(fields: &[Field]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\" = {value}")).collect();
    format!("{{ {} }}", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_he2_toml_interpolates_only_what_he2_toml_can_name() {
        let value = vec![Part::Text("${a} \"%{b}\\ "), Part::RedisHost];
        let variable = Variable { name: "X", value };
        assert_eq!(template(&variable), r#""$${a} \"%%{b}\\ ${module.redis.endpoint}""#);
    }
}
