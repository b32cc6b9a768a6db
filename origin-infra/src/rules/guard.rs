//! What `*` takes too much, given back.
//!
//! `/triggers/{id}/webhook` becomes `/triggers/*/webhook`, which also takes `/triggers/a/b/webhook`. Where the
//! gateway sends that elsewhere, a claim on `/triggers/*/*/webhook` stands before it.

use std::collections::{BTreeMap, BTreeSet};

use edge_core::plan::{Route, Segment};
use he2_config::Fault;

use super::claim::{Cell, Claim, Grid, cells};
use super::glob::{Paths, glob};
use super::is_served;

/// The claims that must stand before the route's own; `later` are the routes after it.
pub(super) fn guards(route: &Route, later: &[Route], grid: &Grid) -> Result<Vec<Claim>, Fault> {
    let mut guards = Vec::new();
    for surplus in surplus(route) {
        guards.extend(given_back(route, later, grid, &surplus)?);
    }
    Ok(guards)
}

/// What the route's glob takes and the route does not: two segments or none where a `{param}` is.
fn surplus(route: &Route) -> Vec<String> {
    let captures =
        route.segments.iter().enumerate().filter(|(_, segment)| matches!(segment, Segment::Param(_)));
    let places: Vec<usize> = captures.map(|(place, _)| place).collect();
    places.iter().flat_map(|place| ["*/*", ""].map(|text| with(route, *place, text))).collect()
}

fn with(route: &Route, place: usize, text: &'static str) -> String {
    let replaced = |(at, segment): (usize, &Segment)| match at == place {
        true => Segment::Literal(text),
        false => *segment,
    };
    glob(&route.segments.iter().enumerate().map(replaced).collect::<Vec<_>>())
}

fn given_back(route: &Route, later: &[Route], grid: &Grid, surplus: &str) -> Result<Vec<Claim>, Fault> {
    let mut owners: BTreeMap<(&'static str, &'static str), Vec<&'static str>> = BTreeMap::new();
    for cell in cells(&grid.hosts_of(route), &grid.methods_of(route)) {
        let services = owners_in(cell, later, surplus);
        if services.iter().all(|service| *service == route.service) {
            continue;
        }
        let owner = services.first().filter(|_| services.len() == 1 && is_apart(route, surplus));
        let owner = owner.ok_or_else(|| inseparable(route, surplus))?;
        owners.entry((cell.0, owner)).or_default().push(cell.1);
    }
    let claim = |((host, service), methods)| Claim {
        hosts: vec![host],
        methods,
        glob: surplus.to_owned(),
        service,
        route: route.name,
        line: route.line,
        guard: true,
    };
    Ok(owners.into_iter().map(claim).collect())
}

/// The services that the gateway gives the surplus to, which no earlier route takes.
fn owners_in(cell: Cell, later: &[Route], surplus: &str) -> BTreeSet<&'static str> {
    let paths = Paths::of_glob(surplus);
    let mut services = BTreeSet::new();
    for other in later.iter().filter(|other| takes(other, cell)) {
        let theirs = Paths::of_route(other);
        if theirs.meets(&paths) && arrives(other, surplus) {
            services.insert(other.service);
        }
        if theirs.holds(&paths) {
            break;
        }
    }
    services
}

fn takes(route: &Route, (host, method): Cell) -> bool {
    route.hosts.contains(&host) && (route.methods.is_empty() || route.methods.contains(&method))
}

/// The gateway refuses blocked routes, answers some itself, and refuses empty segments except on raw ones.
fn arrives(route: &Route, surplus: &str) -> bool {
    is_served(route) && (route.raw_path || !surplus.contains("//"))
}

/// Whether a rule on the surplus takes nothing from the route itself.
fn is_apart(route: &Route, surplus: &str) -> bool {
    !Paths::of_route(route).meets(&Paths::of_glob(surplus))
}

fn inseparable(route: &Route, surplus: &str) -> Fault {
    let text = format!(
        "path `{}` of route `{}`: the load balancer's `*` takes slashes too, and requests for `{surplus}` go to \
         several services; let them go to one, or put `{}` under a beginning of its own",
        route.pattern, route.name, route.pattern
    );
    Fault { line: route.line, text }
}
