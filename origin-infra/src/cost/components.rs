//! What each component costs in a month: low with the least tasks and a quiet month, high with the most and a busy
//! one.

use he2_config::{Architecture, Config, Environment, Infra, Nat, Service};

use super::prices::{Compute, Prices, Use};

/// Low and high, in USD.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    pub(super) fn new((low, high): Use) -> Self {
        Self { low, high }
    }

    fn same(value: f64) -> Self {
        Self { low: value, high: value }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self { low: self.low - other.low, high: self.high - other.high }
    }

    fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, high: self.high * factor }
    }
}

pub(super) fn ecs(
    services: &[Service],
    architecture: Architecture,
    at: &Environment,
    prices: &Prices,
) -> Range {
    let each = services.iter().map(|service| self::service(service, architecture, at, prices));
    each.fold(Range::default(), Range::plus)
}

/// vCPUs of the least and of the most tasks.
pub(super) fn vcpus(services: &[Service], at: &Environment) -> (f64, f64) {
    let all = |tasks: fn(&Service) -> u32| {
        let each = services.iter().map(|one| f64::from(one.cpu) / 1024.0 * f64::from(at.tasks(tasks(one))));
        each.sum()
    };
    (all(|service| service.min_tasks), all(|service| service.max_tasks))
}

/// The first task is never on Spot.
fn service(service: &Service, architecture: Architecture, at: &Environment, prices: &Prices) -> Range {
    let task = task(service, architecture, prices);
    let discount = if service.spot { prices.fargate.spot_discount } else { 0.0 };
    let cost = |tasks: u32| task * (1.0 + f64::from(tasks.saturating_sub(1)) * (1.0 - discount));
    Range { low: cost(at.tasks(service.min_tasks)), high: cost(at.tasks(service.max_tasks)) }
}

pub(super) fn task(service: &Service, architecture: Architecture, prices: &Prices) -> f64 {
    let rate = match architecture {
        Architecture::X86_64 => prices.fargate.x86_64,
        Architecture::Arm64 => prices.fargate.arm64,
    };
    let (vcpu, gb) = (f64::from(service.cpu) / 1024.0, f64::from(service.memory) / 1024.0);
    hourly(rate, vcpu, gb) * prices.hours_per_month
}

fn hourly(rate: Compute, vcpu: f64, gb: f64) -> f64 {
    vcpu * rate.vcpu_hour + gb * rate.gb_hour
}

/// `None` for a node type without a price.
pub(super) fn redis(infra: &Infra, node: &str, prices: &Prices) -> Option<Range> {
    let nodes = infra.redis.nodes.saturating_mul(infra.redis.shards.unwrap_or(1));
    let hour = prices.redis.node_hour.get(node)?;
    Some(Range::same(hour * f64::from(nodes) * prices.hours_per_month))
}

/// With its public addresses, one per zone.
pub(super) fn load_balancer(infra: &Infra, prices: &Prices) -> Range {
    let addresses = count(infra.zones.len()) * prices.network.address_hour;
    let fixed = prices.load_balancer.hour + addresses;
    let units = Range::new(prices.usage.capacity_units).times(prices.load_balancer.capacity_unit_hour);
    Range::same(fixed).plus(units).times(prices.hours_per_month)
}

pub(super) fn registry(prices: &Prices) -> Range {
    Range::new(prices.usage.image_gb).times(prices.registry.gb_month)
}

/// The Worker; for who sets the zone, high with the plan that has the managed rules.
pub(super) fn cloudflare(infra: &Infra, at: &Environment, prices: &Prices) -> Range {
    let cloudflare = &prices.cloudflare;
    let beyond = |millions: f64| (millions - cloudflare.workers_included_millions).max(0.0);
    let (quiet, busy) = prices.usage.million_requests;
    let requests =
        Range { low: beyond(quiet), high: beyond(busy) }.times(cloudflare.workers_million_requests);
    let sets_zone = infra.cloudflare.is_some() && at.zone_settings;
    let plan = if sets_zone { cloudflare.pro_month } else { 0.0 };
    Range::same(cloudflare.workers_month).plus(requests).plus(Range { low: 0.0, high: plan })
}

pub(super) fn daytona(prices: &Prices) -> Range {
    let usage = &prices.usage;
    let quiet = hourly(prices.daytona, usage.sandbox_vcpu.0, usage.sandbox_gb.0);
    let busy = hourly(prices.daytona, usage.sandbox_vcpu.1, usage.sandbox_gb.1);
    Range { low: quiet * usage.sandbox_hours.0, high: busy * usage.sandbox_hours.1 }
}

/// Gateways with an address each, and what goes through them.
pub(super) fn nat(infra: &Infra, nat: Nat, prices: &Prices) -> Range {
    let gateways = match nat {
        Nat::Single => 1.0,
        Nat::PerZone => count(infra.zones.len()),
    };
    let hour = (prices.network.nat_hour + prices.network.address_hour) * gateways;
    let traffic = Range::new(prices.usage.nat_gb).times(prices.network.nat_gb);
    Range::same(hour * prices.hours_per_month).plus(traffic)
}

pub(super) fn firewall(prices: &Prices) -> Range {
    let rules = Range::new(prices.usage.firewall_rules).times(prices.firewall.rule_month);
    let requests = Range::new(prices.usage.million_requests).times(prices.firewall.million_requests);
    Range::same(prices.firewall.list_month).plus(rules).plus(requests)
}

pub(super) fn watch(prices: &Prices) -> Range {
    let logs = Range::new(prices.usage.log_gb).times(prices.watch.log_gb);
    let metrics = Range::new(prices.usage.metrics).times(prices.watch.metric_month);
    let alarms = Range::new(prices.usage.alarms).times(prices.watch.alarm_month);
    logs.plus(metrics).plus(alarms)
}

/// Every name once, whichever services have it.
pub(super) fn secrets(config: &Config, prices: &Prices) -> Range {
    let mut names: Vec<&str> = config.services().iter().flat_map(|service| service.secrets.clone()).collect();
    names.sort_unstable();
    names.dedup();
    Range::same(count(names.len()) * prices.secrets.secret_month + prices.keys.key_month)
}

fn count(things: usize) -> f64 {
    u32::try_from(things).map_or(f64::MAX, f64::from)
}
