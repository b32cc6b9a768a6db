//! The price file: list prices with date and source, and what a month's use is taken for.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Quiet and busy.
pub(super) type Use = (f64, f64);

const FILE: &str = include_str!("../../data/prices.json");

/// In USD.
#[derive(Debug, Deserialize)]
pub(super) struct Prices {
    pub(super) region: String,
    pub(super) hours_per_month: f64,
    pub(super) fargate: Fargate,
    pub(super) redis: Redis,
    pub(super) load_balancer: LoadBalancer,
    pub(super) network: Network,
    pub(super) registry: Registry,
    pub(super) secrets: Secrets,
    pub(super) keys: Keys,
    pub(super) watch: Watch,
    pub(super) firewall: Firewall,
    pub(super) cloudflare: Cloudflare,
    pub(super) daytona: Compute,
    pub(super) usage: Usage,
}

#[derive(Debug, Deserialize)]
pub(super) struct Fargate {
    pub(super) x86_64: Compute,
    pub(super) arm64: Compute,
    /// What Spot has taken off lately; its price moves.
    pub(super) spot_discount: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Compute {
    pub(super) vcpu_hour: f64,
    pub(super) gb_hour: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Redis {
    pub(super) node_hour: BTreeMap<String, f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoadBalancer {
    pub(super) hour: f64,
    pub(super) capacity_unit_hour: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Network {
    pub(super) address_hour: f64,
    pub(super) nat_hour: f64,
    pub(super) nat_gb: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Registry {
    pub(super) gb_month: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Secrets {
    pub(super) secret_month: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Keys {
    pub(super) key_month: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Watch {
    pub(super) log_gb: f64,
    pub(super) metric_month: f64,
    pub(super) alarm_month: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Firewall {
    pub(super) list_month: f64,
    pub(super) rule_month: f64,
    pub(super) million_requests: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cloudflare {
    pub(super) workers_month: f64,
    pub(super) workers_included_millions: f64,
    pub(super) workers_million_requests: f64,
    /// The plan that has the managed rules.
    pub(super) pro_month: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Usage {
    pub(super) capacity_units: Use,
    pub(super) million_requests: Use,
    pub(super) image_gb: Use,
    pub(super) nat_gb: Use,
    pub(super) log_gb: Use,
    pub(super) metrics: Use,
    pub(super) alarms: Use,
    pub(super) firewall_rules: Use,
    pub(super) sandbox_hours: Use,
    pub(super) sandbox_vcpu: Use,
    pub(super) sandbox_gb: Use,
}

pub(super) fn read() -> Result<Prices, String> {
    parse(FILE)
}

/// How old the prices are, for people: the oldest date, and what was never compared with its source.
pub(super) fn age() -> Result<String, String> {
    let groups: BTreeMap<String, serde_json::Value> = parse(FILE)?;
    let dates = groups.iter().filter_map(|(name, group)| Some((name, group.get("date")?.as_str())));
    let (dated, never): (Vec<_>, Vec<_>) = dates.partition(|(_, date)| date.is_some());
    let oldest = dated.iter().filter_map(|(_, date)| *date).min().unwrap_or("no date");
    let never: Vec<&str> = never.iter().map(|(name, _)| name.as_str()).collect();
    Ok(match never.is_empty() {
        true => format!("list prices of {oldest} or later"),
        false => format!("list prices of {oldest} or later (never compared: {})", never.join(", ")),
    })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("origin-infra/data/prices.json: {error}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_has_a_source_and_a_date_or_says_that_it_has_none() {
        let file: BTreeMap<String, serde_json::Value> = parse(FILE).unwrap();
        let groups: Vec<_> =
            file.iter().filter(|(name, group)| group.is_object() && *name != "usage").collect();
        assert!(groups.len() >= 10);
        for (name, group) in groups {
            assert!(group["source"].as_str().unwrap().starts_with("https://"), "{name}");
            let date = group.get("date").unwrap();
            assert!(date.is_null() || date.as_str().unwrap().len() == 10, "{name}");
        }
    }

    #[test]
    fn a_price_that_was_never_compared_is_named() {
        let age = age().unwrap();
        assert!(age.starts_with("list prices of 2026-03-10 or later"), "{age}");
        assert!(age.contains("redis") && !age.contains("fargate"), "{age}");
    }
}
