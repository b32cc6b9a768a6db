//! The limit and concurrency steps in words. Those of an explanation never refuse.

use edge_core::plan::{Concurrency, Limit, Part, Route, Tier, Window};

use super::Seen;

/// The limit, by what and for whom it counts, and what the request takes of it.
pub(super) fn counted(seen: &Seen) -> String {
    let (Some(route), Some(limit), Some(counter)) = (seen.record.matched, limit(seen), &seen.reached.counter)
    else {
        return "none".into();
    };
    let mode = if limit.strict { "strict" } else { "lease" };
    let shadow = shadow(limit.shadow);
    let (windows, by, cost) = (windows(&limit, seen.record.tier), by(limit.by), cost(route, &limit));
    format!("{mode}: {windows} by {by}{cost}, counted for {counter}; would be asked{shadow}")
}

/// How many may be under way, and whose places they are.
pub(super) fn held(seen: &Seen) -> String {
    let places = places(seen).iter().zip(&seen.reached.places);
    let places: Vec<String> = places.map(|(concurrency, key)| place(concurrency, key)).collect();
    match places.is_empty() {
        true => "none".into(),
        false => format!("{}; would be asked", places.join("; ")),
    }
}

pub(super) fn limit(seen: &Seen) -> Option<Limit> {
    seen.record.matched?.limit
}

pub(super) fn places(seen: &Seen) -> &'static [Concurrency] {
    seen.record.matched.map_or(&[], |route| route.concurrency)
}

fn place(concurrency: &Concurrency, key: &str) -> String {
    let Concurrency { most, lease_seconds, .. } = concurrency;
    let (by, shadow) = (by(concurrency.by), shadow(concurrency.shadow));
    format!("{most} at once by {by}, in {key} (lease {lease_seconds} s){shadow}")
}

/// Those of the caller's tier, if it is of one.
fn windows(limit: &Limit, tier: Option<&str>) -> String {
    let tier: Option<&Tier> = limit.tiers.iter().find(|known| Some(known.name) == tier);
    let windows = tier.map_or(limit.windows, |tier| tier.windows);
    let windows = windows.iter().map(window).collect::<Vec<_>>().join(" and ");
    tier.map_or_else(|| windows.clone(), |tier| format!("{windows} (tier {})", tier.name))
}

fn window(window: &Window) -> String {
    let burst = window.burst.map(|burst| format!(" (burst {burst})")).unwrap_or_default();
    format!("{} per {} s{burst}", window.quota, window.seconds)
}

fn by(parts: &[Part]) -> String {
    parts.iter().map(part).collect::<Vec<_>>().join(" and ")
}

fn part(part: &Part) -> String {
    match part {
        Part::Caller => "caller".into(),
        Part::Address => "address".into(),
        Part::Session => "session".into(),
        Part::Service => "service".into(),
        Part::Claim(path) => format!("claim {}", path.join(".")),
        Part::Param(name) => format!("param {name}"),
    }
}

/// Where a request takes more than one, or may.
fn cost(route: &Route, limit: &Limit) -> String {
    let cost = route.cost;
    match limit.cost_field {
        Some(field) => format!(", cost {cost} or what the origin says in {field}"),
        None if cost > 1 => format!(", cost {cost}"),
        None => String::new(),
    }
}

fn shadow(shadow: bool) -> &'static str {
    if shadow { ", and refuses nobody (shadow)" } else { "" }
}
