//! The load balancer's listener rules, from the gateway's routes.
//!
//! Promises that every request which the gateway sends to a service is given to that service by these rules, in
//! their order. The gateway calls one address for all hosts and names the public host in `X-Forwarded-Host`: a rule
//! asks for that and for a path, and for the method only where host and path do not say.
//!
//! Two languages are compared here. A route's `{param}` is one segment, but the load balancer's `*` crosses
//! slashes: what it takes too much is given back by a rule before it ([`guard`]). Requests that the gateway answers
//! itself never arrive, so the rules say anything about them that makes them shorter ([`claim`]). What asks for the
//! same and may stand together is one rule ([`pack`]).
//!
//! Leaves out the origin lock: every rule has it, see [`crate::alb`]; its two values are counted here.

mod claim;
mod glob;
mod guard;
mod pack;

use std::collections::BTreeSet;

use edge_core::plan::{Plan, Route};
use he2_config::Fault;

use self::claim::Grid;

/// Rules of one load balancer, without the default rule; more only on request.
const QUOTA: usize = 100;

/// One listener rule. No methods: any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Values of `X-Forwarded-Host`.
    pub(crate) hosts: Vec<&'static str>,
    pub(crate) methods: Vec<&'static str>,
    pub(crate) paths: Vec<String>,
    /// Who answers.
    pub(crate) service: &'static str,
    /// Names of the routes whose paths it has.
    pub(crate) routes: Vec<&'static str>,
    /// Names of the routes whose `*` takes too much, which it gives back.
    pub(crate) guarded: Vec<&'static str>,
    /// Line of the first path's route.
    line: u32,
}

/// The rules, first to last; or what the load balancer cannot do, with the lines of he2.toml.
pub(crate) fn rules(plan: &Plan) -> Result<Vec<Rule>, Vec<Fault>> {
    let hosts: BTreeSet<&str> = served(plan).flat_map(|route| route.hosts.iter().copied()).collect();
    let (mixed, single): (Vec<&str>, Vec<&str>) =
        hosts.into_iter().partition(|host| services(plan, host).len() > 1);
    let grid = Grid::new(mixed, plan);
    let mut rules = whole_hosts(plan, &single);
    rules.extend(pack::pack(claim::claims(plan, &grid)?, &grid)?);
    match rules.get(QUOTA) {
        None => Ok(rules),
        Some(first) => Err(vec![Fault { line: first.line, text: over_quota(rules.len()) }]),
    }
}

fn over_quota(count: usize) -> String {
    format!(
        "the routes make {count} listener rules, and a load balancer takes {QUOTA}; let more paths of one service \
         share a beginning"
    )
}

/// Routes whose requests arrive.
fn served(plan: &Plan) -> impl Iterator<Item = &Route> {
    plan.routes.iter().filter(|route| is_served(route))
}

/// Neither blocked nor answered at the edge.
fn is_served(route: &Route) -> bool {
    !route.service.is_empty()
}

fn services(plan: &Plan, host: &str) -> BTreeSet<&'static str> {
    served(plan).filter(|route| route.hosts.contains(&host)).map(|route| route.service).collect()
}

/// A host whose routes all go to one service needs no paths told apart.
fn whole_hosts(plan: &Plan, hosts: &[&'static str]) -> Vec<Rule> {
    let targets: BTreeSet<&'static str> = hosts.iter().flat_map(|host| services(plan, host)).collect();
    let of = |service| {
        let own = hosts.iter().copied().filter(|host| services(plan, host).contains(service));
        pack::host_rules(plan, service, &own.collect::<Vec<_>>())
    };
    targets.into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests;
