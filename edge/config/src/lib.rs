//! he2.toml: read, checked, and turned into the plan that the gateway runs on.
//!
//! Decides what a valid he2.toml is, and reports everything that is wrong with one at once, each fault with
//! its line and the repair. Leaves out what a request meets (that is `edge-core`) and what the infrastructure
//! makes of the services. Runs on the host only: in the Worker's build and in the command-line tools.
//!
//! Two forms, one way between them: [`written`] holds what the file says, [`check`] turns it into [`Config`],
//! which cannot be wrong.

mod check;
mod emit;
mod fault;
mod infra;
mod leak;
mod lines;
mod order;
mod pattern;
mod reach;
mod read;
mod suggest;
mod written;

use edge_core::plan::Plan;

pub use emit::emit;
pub use fault::{Fault, Faults};
pub use infra::{
    Architecture, Cidr, Cloudflare, Environment, Infra, LoadBalancer, Nat, Network, Part, Party, Redis,
    Variable,
};
pub use lines::{Lines, RouteLines};

/// A checked he2.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    domain: String,
    services: Vec<Service>,
    plan: Plan,
    infra: Infra,
    lines: Lines,
}

/// One service of the app, with what its containers need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name in he2.toml.
    pub name: &'static str,
    /// Port of the container; none for a service that takes no traffic.
    pub port: Option<u16>,
    /// Path that the load balancer asks; there whenever `port` is.
    pub health: Option<&'static str>,
    /// CPU units of a task; 1024 are one virtual CPU.
    pub cpu: u32,
    /// Memory of a task in MiB.
    pub memory: u32,
    /// Tasks that are always there, at least 1.
    pub min_tasks: u32,
    /// The most that scaling may start, at least `min_tasks`.
    pub max_tasks: u32,
    /// Whether tasks beyond the first may run on Spot.
    pub spot: bool,
    /// How long its server keeps an idle connection; above the load balancer's time.
    pub keep_alive_seconds: Option<u32>,
    /// Plain variables, by name; those of the groups it is in among them.
    pub variables: Vec<Variable>,
    /// Names of its secret variables, in order; those of the groups it is in among them.
    pub secrets: Vec<&'static str>,
}

impl Config {
    /// The zone that all hosts are in.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The services in the order of the file.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// What the gateway runs on. Its routes are in order of precedence.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// What stands behind the edge.
    #[must_use]
    pub fn infra(&self) -> &Infra {
        &self.infra
    }

    /// Where the file says what the plan holds without its line.
    #[must_use]
    pub fn lines(&self) -> &Lines {
        &self.lines
    }
}

/// Reads and checks `text`; `file_name` is what faults call it.
pub fn parse(file_name: &str, text: &str) -> Result<Config, Faults> {
    let report = fault::Report::new(text);
    let config = written::read(text, &report).and_then(|written| check::check(&written, &report));
    report.finish(file_name, config)
}
