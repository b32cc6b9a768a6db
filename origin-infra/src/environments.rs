//! Per environment: the values of the variables, and where the state is.
//!
//! `NAME.tfvars` goes to `plan` and `apply`, `NAME.s3.tfbackend` to `init`. Leaves out secrets and releases, which no
//! file holds. There are no blocks in these files, only arguments.

use hcl::format::{Format, Formatter};
use hcl::{Body, Expression, Object};
use he2_config::{Config, Environment, Nat, Service};

use crate::File;
use crate::align::align;
use crate::render::Error;

pub(crate) fn files(config: &Config) -> Result<Vec<File>, Error> {
    let environments = &config.infra().environments;
    let values = environments.iter().map(|environment| values(config, environment));
    values.chain(environments.iter().map(|environment| state(config, environment))).collect()
}

fn values(config: &Config, environment: &Environment) -> Result<File, Error> {
    let infra = config.infra();
    let services: Object<_, _> =
        config.services().iter().map(|service| (service.name.into(), size(service, environment))).collect();
    let body = Body::builder()
        .add_attribute(("name", infra.name))
        .add_attribute(("environment", environment.name))
        .add_attribute(("region", infra.region))
        .add_attribute(("origin", environment.origin))
        .add_attribute(("public_url", environment.public_url))
        .add_attribute(("alarm_email", environment.alarm_email))
        .add_attribute(("single_nat", environment.nat == Nat::Single))
        .add_attribute(("redis_node_type", environment.redis_node))
        .add_attribute(("deletion_protection", environment.deletion_protection))
        .add_attribute(("zone_settings", environment.zone_settings))
        .add_attribute(("monthly_budget_usd", environment.budget_usd))
        .add_attribute(("github_repository", infra.github_repository))
        .add_attributes(infra.cloudflare.as_ref().map(|zone| ("cloudflare_zone_id", zone.zone_id)))
        .add_attribute(("services", Expression::Object(services)))
        .build();
    let name = environment.name;
    file(
        &format!("{name}.tfvars"),
        &format!("from he2.toml [infra], [service.*] and [environment.{name}]"),
        &body,
    )
}

fn size(service: &Service, environment: &Environment) -> Expression {
    let numbers = [
        ("cpu", service.cpu),
        ("memory", service.memory),
        ("min", environment.tasks(service.min_tasks)),
        ("max", environment.tasks(service.max_tasks)),
    ];
    let numbers = numbers.map(|(name, number)| (name.into(), Expression::from(number)));
    Expression::Object(numbers.into_iter().chain([("spot".into(), service.spot.into())]).collect())
}

fn state(config: &Config, environment: &Environment) -> Result<File, Error> {
    let body = Body::builder()
        .add_attribute(("bucket", environment.state_bucket))
        .add_attribute(("key", "terraform.tfstate"))
        .add_attribute(("region", config.infra().region))
        .build();
    let name = environment.name;
    file(
        &format!("{name}.s3.tfbackend"),
        &format!("from he2.toml [environment.{name}]: where the state is"),
        &body,
    )
}

fn file(name: &str, comment: &str, body: &Body) -> Result<File, Error> {
    let mut formatter = Formatter::builder().prefer_ident_keys(true).build_vec();
    let failed = |reason: String| Error { place: name.to_owned(), reason };
    body.format(&mut formatter).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(formatter.into_inner()).map_err(|error| failed(error.to_string()))?;
    Ok(File { name: name.to_owned(), text: align(&format!("{BANNER}\n# {comment}\n{text}")) })
}

const BANNER: &str = "# Written by `cargo infra write` from he2.toml: change that, then write again.\n";
