//! Which paths go to which service, in order, for each host and method: the rules before they are packed.
//!
//! The list begins with one claim per route, so that the first claim that takes a request names the gateway's
//! service. Every step after that keeps this true and makes the list shorter.

use std::collections::BTreeSet;

use edge_core::plan::{Plan, Route};
use he2_config::Fault;

use super::glob::{self, Paths};
use super::{guard, is_served};

/// Stands for all methods that no route names.
const OTHER: &str = "*";

/// The hosts and methods that are told apart.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) hosts: Vec<&'static str>,
    pub(super) methods: Vec<&'static str>,
}

/// These requests go to this service, unless an earlier claim has taken them.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) hosts: Vec<&'static str>,
    pub(super) methods: Vec<&'static str>,
    pub(super) glob: String,
    pub(super) service: &'static str,
    /// The route that it is there for, and its line.
    pub(super) route: &'static str,
    pub(super) line: u32,
    /// Whether it gives back what the route's own claim takes too much.
    pub(super) guard: bool,
}

/// One host and one method.
pub(super) type Cell = (&'static str, &'static str);

impl Grid {
    pub(super) fn new(hosts: Vec<&'static str>, plan: &Plan) -> Self {
        let named: BTreeSet<&str> =
            plan.routes.iter().flat_map(|route| route.methods.iter().copied()).collect();
        Self { hosts, methods: named.into_iter().chain([OTHER]).collect() }
    }

    pub(super) fn hosts_of(&self, route: &Route) -> Vec<&'static str> {
        self.hosts.iter().copied().filter(|host| route.hosts.contains(host)).collect()
    }

    pub(super) fn methods_of(&self, route: &Route) -> Vec<&'static str> {
        let takes = |method: &&str| route.methods.is_empty() || route.methods.contains(method);
        self.methods.iter().copied().filter(takes).collect()
    }

    /// The methods of a condition: none when all are meant. `None` when no condition says it: it would have to
    /// name every method there is but some.
    pub(super) fn condition(&self, methods: &[&'static str]) -> Option<Vec<&'static str>> {
        if methods == self.methods {
            return Some(Vec::new());
        }
        // HEAD is wherever GET is (RFC 9110 §9.3.2).
        let with_head = |method: &&'static str| match *method {
            "GET" => vec!["GET", "HEAD"],
            method => vec![method],
        };
        (!methods.contains(&OTHER)).then(|| methods.iter().flat_map(with_head).collect())
    }
}

impl Claim {
    fn of(route: &Route, grid: &Grid) -> Self {
        Self {
            hosts: grid.hosts_of(route),
            methods: grid.methods_of(route),
            glob: glob::glob(route.segments),
            service: route.service,
            route: route.name,
            line: route.line,
            guard: false,
        }
    }

    pub(super) fn paths(&self) -> Paths {
        Paths::of_glob(&self.glob)
    }

    pub(super) fn has(&self, (host, method): Cell) -> bool {
        self.hosts.contains(&host) && self.methods.contains(&method)
    }

    /// Whether it matters which of the two comes first.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        self.service != other.service
            && self.cells().iter().any(|cell| other.has(*cell))
            && self.paths().meets(&other.paths())
    }

    fn cells(&self) -> Vec<Cell> {
        cells(&self.hosts, &self.methods)
    }
}

/// Every pair of the two.
pub(super) fn cells(hosts: &[&'static str], methods: &[&'static str]) -> Vec<Cell> {
    hosts.iter().flat_map(|host| methods.iter().map(|method| (*host, *method))).collect()
}

/// The claims of the plan's routes, as few as are needed.
pub(super) fn claims(plan: &Plan, grid: &Grid) -> Result<Vec<Claim>, Vec<Fault>> {
    let (mut claims, mut faults) = (Vec::new(), Vec::new());
    let mut routes = plan.routes;
    while let Some((route, later)) = routes.split_first() {
        routes = later;
        if !is_served(route) || grid.hosts_of(route).is_empty() {
            continue;
        }
        match guard::guards(route, later, grid) {
            Ok(guards) => claims.extend(guards),
            Err(fault) => faults.push(fault),
        }
        claims.push(Claim::of(route, grid));
    }
    match faults.is_empty() {
        true => Ok(needed(&widened(claims, grid))),
        false => Err(faults),
    }
}

/// Conditions that change nothing taken away: last claim first, since each looks at those behind it.
fn widened(claims: Vec<Claim>, grid: &Grid) -> Vec<Claim> {
    let mut later: Vec<Claim> = Vec::new();
    for claim in claims.into_iter().rev() {
        let all =
            [(&grid.hosts, &grid.methods), (&claim.hosts, &grid.methods), (&grid.hosts, &claim.methods)];
        let free = |(hosts, methods): &(&Vec<&'static str>, &Vec<&'static str>)| {
            cells(hosts, methods)
                .into_iter()
                .all(|cell| claim.has(cell) || agrees(&later, cell, &claim).is_some())
        };
        let wider = all.into_iter().find(free).unwrap_or((&claim.hosts, &claim.methods));
        let wider = Claim { hosts: wider.0.clone(), methods: wider.1.clone(), ..claim.clone() };
        later.insert(0, wider);
    }
    later
}

/// Without the claims whose requests would go to the same service anyway.
fn needed(claims: &[Claim]) -> Vec<Claim> {
    let mut kept: Vec<Claim> = Vec::new();
    for claim in claims.iter().rev() {
        let idle = claim.cells().into_iter().all(|cell| agrees(&kept, cell, claim) == Some(true));
        if !idle {
            kept.insert(0, claim.clone());
        }
    }
    kept
}

/// What the later claims say of the claim's paths in a cell: nothing but the claim's own service (`Some`), and
/// something of every path (`Some(true)`).
fn agrees(later: &[Claim], cell: Cell, claim: &Claim) -> Option<bool> {
    let paths = claim.paths();
    for other in later.iter().filter(|other| other.has(cell)) {
        let theirs = other.paths();
        if !theirs.meets(&paths) {
            continue;
        }
        if other.service != claim.service {
            return None;
        }
        if theirs.holds(&paths) {
            return Some(true);
        }
    }
    Some(false)
}
