//! Claims put together into rules, within what one rule may hold.

use std::collections::BTreeMap;

use edge_core::plan::Plan;
use he2_config::Fault;

use super::Rule;
use super::claim::{Claim, Grid};

/// Values that all conditions of one rule may have together; one condition may have 3, which the lock and a host leave
/// to none.
const VALUES: usize = 5;
/// Wildcards of one rule; AWS's pages say 5 and 6.
const WILDCARDS: usize = 5;
/// Characters of one path.
const LENGTH: usize = 128;
/// The origin lock's values: the present secret and the next one.
const LOCKS: usize = 2;

/// What the claims of one rule have in common: hosts, methods, service.
type Key = (Vec<&'static str>, Vec<&'static str>, &'static str);

/// Rules for hosts of which every path goes to `service`.
pub(super) fn host_rules(plan: &Plan, service: &'static str, hosts: &[&'static str]) -> Vec<Rule> {
    let rule = |hosts: &[&'static str]| Rule {
        hosts: hosts.to_vec(),
        methods: Vec::new(),
        paths: vec!["/*".to_owned()],
        service,
        routes: Vec::new(),
        guarded: Vec::new(),
        line: hosts
            .iter()
            .find_map(|host| plan.hosts.iter().find(|known| known.name == *host))
            .map_or(1, |host| host.line),
    };
    hosts.chunks(VALUES.saturating_sub(LOCKS).saturating_sub(1)).map(rule).collect()
}

/// The claims as rules that say the same, in an order that keeps conflicting claims as they stand.
pub(super) fn pack(claims: Vec<Claim>, grid: &Grid) -> Result<Vec<Rule>, Vec<Fault>> {
    let mut left = Vec::new();
    for claim in claims {
        let keys = keys(&claim, grid).ok_or_else(|| vec![unnameable(&claim)])?;
        if wildcards(&claim.glob) > WILDCARDS || claim.glob.len() > LENGTH {
            return Err(vec![too_long(&claim)]);
        }
        left.extend(keys.into_iter().map(|key| (key, claim.clone())));
    }
    let mut rules = Vec::new();
    while let Some(key) = largest_ready(&left) {
        let (now, later) = take(left, &key);
        rules.extend(filled(&key, now));
        left = later;
    }
    Ok(rules)
}

/// The conditions of a claim, split where one rule has no room for them.
fn keys(claim: &Claim, grid: &Grid) -> Option<Vec<Key>> {
    let methods = grid.condition(&claim.methods)?;
    // One value is the path's.
    let room = VALUES.saturating_sub(LOCKS).saturating_sub(1);
    let size = if methods.is_empty() { room } else { room / 2 };
    let key = |hosts: &Vec<_>, methods: &Vec<_>| (hosts.clone(), methods.clone(), claim.service);
    let (hosts, methods) = (chunks(&claim.hosts, size), chunks(&methods, size));
    Some(hosts.iter().flat_map(|hosts| methods.iter().map(move |methods| key(hosts, methods))).collect())
}

/// An empty list is one chunk: no condition.
fn chunks(values: &[&'static str], size: usize) -> Vec<Vec<&'static str>> {
    match values.is_empty() {
        true => vec![Vec::new()],
        false => values.chunks(size).map(<[_]>::to_vec).collect(),
    }
}

/// The key that most claims have of those that no earlier claim holds back; the first of equals.
fn largest_ready(left: &[(Key, Claim)]) -> Option<Key> {
    let mut counts: BTreeMap<&Key, usize> = BTreeMap::new();
    for (_, (key, _)) in left.iter().enumerate().filter(|(at, _)| is_ready(left, *at)) {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
    let most = counts.values().max().copied()?;
    left.iter().map(|(key, _)| key).find(|key| counts.get(key) == Some(&most)).cloned()
}

fn is_ready(left: &[(Key, Claim)], at: usize) -> bool {
    let (earlier, from) = left.split_at_checked(at).unwrap_or_default();
    from.first().is_some_and(|(_, claim)| !earlier.iter().any(|(_, other)| other.conflicts(claim)))
}

/// The claims that are ready and have the key, and the others.
fn take(left: Vec<(Key, Claim)>, key: &Key) -> (Vec<Claim>, Vec<(Key, Claim)>) {
    let ready: Vec<bool> = (0..left.len()).map(|at| is_ready(&left, at)).collect();
    let (mut now, mut later) = (Vec::new(), Vec::new());
    for ((own, claim), ready) in left.into_iter().zip(ready) {
        match ready && own == *key {
            true => now.push(claim),
            false => later.push((own, claim)),
        }
    }
    (now, later)
}

/// As many paths to a rule as it may hold.
fn filled(key: &Key, claims: Vec<Claim>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for claim in claims {
        match rules.last_mut().filter(|rule| has_room(rule, &claim.glob)) {
            Some(rule) => rule.add(&claim),
            None => rules.push(Rule::new(key, &claim)),
        }
    }
    rules
}

fn has_room(rule: &Rule, path: &str) -> bool {
    let paths = rule.paths.len().saturating_add(1);
    let values = [LOCKS, rule.hosts.len(), rule.methods.len(), paths].iter().sum::<usize>();
    let wildcards = rule.paths.iter().map(String::as_str).chain([path]).map(wildcards).sum::<usize>();
    values <= VALUES && wildcards <= WILDCARDS
}

fn wildcards(path: &str) -> usize {
    path.matches('*').count()
}

impl Rule {
    fn new((hosts, methods, service): &Key, first: &Claim) -> Self {
        let empty = Self {
            hosts: hosts.clone(),
            methods: methods.clone(),
            paths: Vec::new(),
            service,
            routes: Vec::new(),
            guarded: Vec::new(),
            line: first.line,
        };
        empty.with(first)
    }

    fn with(mut self, claim: &Claim) -> Self {
        self.add(claim);
        self
    }

    fn add(&mut self, claim: &Claim) {
        self.paths.push(claim.glob.clone());
        let names = if claim.guard { &mut self.guarded } else { &mut self.routes };
        if !names.contains(&claim.route) {
            names.push(claim.route);
        }
    }
}

fn unnameable(claim: &Claim) -> Fault {
    let text = format!(
        "route `{}`: which service has `{}` depends on the method, and the load balancer cannot name all methods \
         but some; name the methods of the routes that share it",
        claim.route, claim.glob
    );
    Fault { line: claim.line, text }
}

fn too_long(claim: &Claim) -> Fault {
    let text = format!(
        "route `{}`: the load balancer needs a rule for `{}`, and takes at most {WILDCARDS} `*` and {LENGTH} \
         characters; let one service answer all paths with this beginning",
        claim.route, claim.glob
    );
    Fault { line: claim.line, text }
}
