//! he2.toml -> the Terraform of everything behind the edge.
//!
//! One module per concern, each the sections of one file; [`files`] is all of them. Reads nothing but the checked
//! configuration, so the same he2.toml gives the same bytes. Left out: what differs per deployment (variables) and
//! the values of secrets.

mod alarms;
mod alb;
mod align;
mod command;
mod cost;
mod diagram;
mod dns;
mod ecr;
mod ecs;
mod environments;
mod iam;
mod logs;
mod network;
mod outputs;
mod redis;
mod redis_users;
mod render;
mod rules;
mod scaling;
mod secrets;
mod security;
mod tasks;
mod tf;
mod variables;
mod versions;
mod waf;

use std::fmt;

use he2_config::{Config, Fault};

pub use command::run;
pub use diagram::mermaid;
use rules::Rule;
use tf::Source;

/// One file of `origin-infra/terraform/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, `alb.tf`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Why there is no Terraform for this he2.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// What the load balancer cannot do of what the routes ask.
    Rules(Vec<Fault>),
    /// A mistake in an emitter.
    Value(render::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(faults) => {
                faults.iter().try_for_each(|fault| writeln!(f, "he2.toml:{}: {}", fault.line, fault.text))
            }
            Self::Value(error) => writeln!(f, "{error}"),
        }
    }
}

impl From<render::Error> for Error {
    fn from(error: render::Error) -> Self {
        Self::Value(error)
    }
}

/// All files, by name.
pub fn files(config: &Config) -> Result<Vec<File>, Error> {
    let rules = rules::rules(&config.plan()).map_err(Error::Rules)?;
    let mut files = environments::files(config)?;
    for source in sources(config, &rules) {
        files.push(File { name: source.name.to_owned(), text: render::file(&source)? });
    }
    Ok(files)
}

fn sources(config: &Config, rules: &[Rule]) -> Vec<Source> {
    let named = [
        ("alarms.tf", alarms::sections(config)),
        ("alb.tf", alb::sections(config, rules)),
        ("cloudflare.tf", dns::sections(config)),
        ("ecr.tf", ecr::sections(config)),
        ("ecs.tf", ecs::sections(config, rules)),
        ("iam.tf", iam::sections(config)),
        ("logs.tf", logs::sections(config)),
        ("network.tf", network::sections(config)),
        ("outputs.tf", outputs::sections(config)),
        ("redis.tf", redis::sections(config)),
        ("scaling.tf", scaling::sections(config)),
        ("secrets.tf", secrets::sections(config)),
        ("security.tf", security::sections(config)),
        ("variables.tf", variables::sections(config)),
        ("versions.tf", versions::sections(config)),
        ("waf.tf", waf::sections(config)),
    ];
    let sources = named.into_iter().map(|(name, sections)| Source { name, sections });
    sources.filter(|source| !source.sections.is_empty()).collect()
}
