//! What differs between deployments, each variable with its type, its rule and what it is for.
//!
//! Their values are in the files of [`crate::environments`], but for secrets and what each release changes: those
//! are given when Terraform is run.

use he2_config::Config;

use crate::alb;
use crate::tf::{Block, Section, block, variable};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![
        Section::new(
            "from he2.toml [infra] and [environment.*]: NAME.tfvars has the values",
            environment(config),
        ),
        Section::new(
            "from he2.toml [service.*]: sizes and scaling, within each environment's bounds",
            vec![services()],
        ),
        Section::new(
            "per deployment: given when Terraform is run, as TF_VAR_name or in a file that is not committed",
            deployment(config),
        ),
    ]
}

fn environment(config: &Config) -> Vec<Block> {
    let names: Vec<String> =
        config.infra().environments.iter().map(|environment| format!("\"{}\"", environment.name)).collect();
    let known = format!("contains([{}], var.environment)", names.join(", "));
    let plain = [
        ("name", "string", "First part of every resource's name"),
        ("region", "string", "AWS region"),
        ("origin", "string", "Host name of the load balancer, which the gateway forwards to"),
        ("public_url", "string", "Where users find the gateway"),
        ("alarm_email", "string", "Where alarms go; the address has to confirm"),
        ("single_nat", "bool", "One NAT gateway for all zones instead of one in each"),
        ("redis_node_type", "string", "Node type of Redis"),
        (
            "deletion_protection",
            "bool",
            "Whether what holds data, and the load balancer, refuse to be destroyed",
        ),
        ("zone_settings", "bool", "Whether this environment sets what holds for the whole Cloudflare zone"),
        ("monthly_budget_usd", "number", "Monthly costs above which an alarm is sent"),
        ("github_repository", "string", "OWNER/NAME, whose workflows may release"),
    ];
    let zone = typed("cloudflare_zone_id", "string", "The zone");
    let zone = config.infra().cloudflare.is_some().then_some(zone);
    let environment = typed("environment", "string", "Which environment this is")
        .nest(rule(&known, "The environment must be one of he2.toml."));
    [environment]
        .into_iter()
        .chain(plain.map(|(name, kind, text)| typed(name, kind, text)))
        .chain(zone)
        .collect()
}

fn services() -> Block {
    let kind = "map(object({ cpu = number, memory = number, min = number, max = number, spot = bool }))";
    typed("services", kind, "CPU units, MiB and tasks of each service")
}

fn deployment(config: &Config) -> Vec<Block> {
    let oidc = typed(
        "github_oidc_provider_arn",
        "string",
        "GitHub's OIDC provider, where the account has one already",
    )
    .expr("default", "null");
    [image_tags(config), lock(), oidc].into_iter().chain(alb::variables(config)).collect()
}

fn image_tags(config: &Config) -> Block {
    let names: Vec<String> =
        config.services().iter().map(|service| format!("\"{}\"", service.name)).collect();
    let all = format!("length(setsubtract([{}], keys(var.image_tags))) == 0", names.join(", "));
    typed("image_tags", "map(string)", "Tag of each service's image")
        .nest(rule(&all, "Every service needs the tag of its image."))
}

/// Two at once while one replaces the other. An ALB takes `*` and `?` in a header's value for wildcards.
fn lock() -> Block {
    let count = "length(var.origin_lock_secrets) >= 1 && length(var.origin_lock_secrets) <= 2";
    let form =
        "alltrue([for secret in var.origin_lock_secrets : can(regex(\"^[0-9A-Za-z]{32,128}$\", secret))])";
    typed(
        "origin_lock_secrets",
        "list(string)",
        "What the origin-lock header may hold: one value, or two while it is rotated",
    )
    .flag("sensitive", true)
    .nest(rule(count, "Give one value, or two while it is rotated."))
    .nest(rule(form, "Use 32 to 128 letters and digits: the load balancer reads * and ? as wildcards."))
}

fn typed(name: &str, kind: &str, description: &str) -> Block {
    variable(name).expr("type", kind).text("description", description)
}

fn rule(condition: &str, error: &str) -> Block {
    block("validation").expr("condition", condition).text("error_message", error)
}
