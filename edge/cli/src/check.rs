//! `he2 check`: all faults of he2.toml, or a line that says what it holds.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{Said, file};

pub(crate) fn run(given: Option<&Path>) -> Said {
    let (name, config) = file::load(given)?;
    let plan = config.plan();
    let routes: BTreeSet<_> = plan.routes.iter().map(|route| route.name).collect();
    let limits: BTreeSet<_> =
        plan.routes.iter().filter_map(|route| route.limit).map(|limit| limit.name).collect();
    Ok(format!(
        "{name} is good: {} hosts, {} services, {} issuers, {} routes with {} paths, {} limits\n",
        plan.hosts.len(),
        plan.services.len(),
        plan.issuers.len(),
        routes.len(),
        plan.routes.len(),
        limits.len()
    ))
}
