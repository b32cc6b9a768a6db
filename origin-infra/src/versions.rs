//! Which Terraform and which providers, where the state is, and what every resource is called.
//!
//! Bounds come from the modules: none sets an upper one, so it is set here. Leaves out the values of variables
//! ([`crate::environments`]).

use he2_config::Config;

use crate::tf::{Block, Section, block, locals, provider};

/// Providers with their bounds; those at the end are used by modules only.
const PROVIDERS: [(&str, &str, &str); 5] = [
    ("aws", "hashicorp/aws", ">= 6.8.0, < 7.0.0"),
    ("cloudflare", "cloudflare/cloudflare", ">= 5.14.0, < 6.0.0"),
    ("archive", "hashicorp/archive", ">= 2.7.0, < 3.0.0"),
    ("random", "hashicorp/random", ">= 3.7.0, < 4.0.0"),
    ("null", "hashicorp/null", ">= 3.2.0, < 4.0.0"),
];

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    vec![
        Section::new(
            "1.11 is the first with S3's own lock file and with write-only arguments, which keep secrets out of the\n\
             state. `null` is there for a module alone: no module bounds its providers from above.",
            vec![terraform(config)],
        ),
        Section::new(
            "from he2.toml [infra]: region, and what every resource is named and tagged",
            providers(config),
        ),
    ]
}

fn terraform(config: &Config) -> Block {
    let providers = PROVIDERS.iter().filter(|(name, ..)| is_used(config, name));
    let required = providers.fold(block("required_providers"), |block, (name, source, version)| {
        block.expr(name, &format!("{{ source = \"{source}\", version = \"{version}\" }}"))
    });
    block("terraform")
        .text("required_version", ">= 1.11.0, < 2.0.0")
        .nest(required)
        .nest(block("backend \"s3\"").flag("use_lockfile", true).flag("encrypt", true))
}

fn providers(config: &Config) -> Vec<Block> {
    let tags = block("default_tags")
        .expr("tags", "{ Project = var.name, Environment = var.environment, ManagedBy = \"terraform\" }");
    let aws = provider("aws").expr("region", "var.region").nest(tags);
    let cloudflare = provider("cloudflare").note("The token is in CLOUDFLARE_API_TOKEN.");
    let cloudflare = is_used(config, "cloudflare").then_some(cloudflare);
    let name = locals().expr("name", "\"${var.name}-${var.environment}\"");
    [aws].into_iter().chain(cloudflare).chain([name]).collect()
}

/// A zone that is managed by hand needs no token of it.
fn is_used(config: &Config, provider: &str) -> bool {
    provider != "cloudflare" || config.infra().cloudflare.is_some()
}
