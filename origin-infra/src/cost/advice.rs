//! Which setting of he2.toml brings a component down, and by how much in a busy month.

use he2_config::{Architecture, Config, Environment, Nat};

use super::components as cost;
use super::prices::Prices;

/// A change of he2.toml.
pub(super) struct Advice {
    /// USD a month.
    pub(super) saves: f64,
    /// What to write where, and what it costs otherwise.
    pub(super) change: String,
}

pub(super) fn ecs(config: &Config, at: &Environment, prices: &Prices) -> Vec<Advice> {
    let (services, architecture) = (config.services(), config.infra().architecture);
    let now = cost::ecs(services, architecture, at, prices);
    let arm = now.minus(cost::ecs(services, Architecture::Arm64, at, prices)).high;
    let graviton = "[infra] architecture = \"arm64\": images built for Graviton";
    let mut all = vec![Advice { saves: arm, change: graviton.into() }];
    for (index, service) in services.iter().enumerate() {
        let most = at.tasks(service.max_tasks);
        if service.port.is_some() && !service.spot && most > 1 {
            let mut changed = services.to_vec();
            changed.iter_mut().skip(index).take(1).for_each(|service| service.spot = true);
            let saves = now.minus(cost::ecs(&changed, architecture, at, prices)).high;
            let change = format!(
                "[service.{}] spot = true: only where a task may stop at two minutes' notice",
                service.name
            );
            all.push(Advice { saves, change });
        }
        if most > at.tasks(service.min_tasks) {
            let mut changed = services.to_vec();
            changed.iter_mut().skip(index).take(1).for_each(|service| service.max_tasks = service.min_tasks);
            let saves = now.minus(cost::ecs(&changed, architecture, at, prices)).high;
            let change = format!(
                "[service.{0}] max_tasks = {1}: no more than the least",
                service.name, service.min_tasks
            );
            all.push(Advice { saves, change });
        }
    }
    best_first(all)
}

pub(super) fn redis(config: &Config, at: &Environment, prices: &Prices) -> Vec<Advice> {
    let infra = config.infra();
    let Some(now) = cost::redis(infra, at.redis_node, prices) else { return Vec::new() };
    let smaller = prices.redis.node_hour.keys().filter_map(|node| {
        let saves = now.minus(cost::redis(infra, node, prices)?).high;
        let change = format!("[environment.{}] redis_node = \"{node}\": less memory", at.name);
        Some(Advice { saves, change })
    });
    best_first(smaller.collect())
}

pub(super) fn nat(config: &Config, at: &Environment, prices: &Prices) -> Vec<Advice> {
    let now = cost::nat(config.infra(), at.nat, prices);
    let saves = now.minus(cost::nat(config.infra(), Nat::Single, prices)).high;
    let change =
        format!("[environment.{}] nat = \"single\": no way out for tasks while its zone is down", at.name);
    best_first(vec![Advice { saves, change }])
}

pub(super) fn cloudflare(config: &Config, at: &Environment, prices: &Prices) -> Vec<Advice> {
    let sets_zone = config.infra().cloudflare.is_some() && at.zone_settings;
    let saves = if sets_zone { prices.cloudflare.pro_month } else { 0.0 };
    let change = "[cloudflare] manage = false, and a free zone: without the managed rules".into();
    best_first(vec![Advice { saves, change }])
}

/// What saves less than a dollar is no advice.
pub(super) fn best_first(mut all: Vec<Advice>) -> Vec<Advice> {
    all.retain(|advice| advice.saves >= 1.0);
    all.sort_by(|one, other| other.saves.total_cmp(&one.saves));
    all
}
