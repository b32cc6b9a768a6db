//! Networks: each in its form, inside the VPC, and apart from all others.

use std::net::Ipv4Addr;

use crate::fault::Report;
use crate::infra::{Cidr, Network};
use crate::read::Lined;
use crate::written::{self, Texts};

/// What AWS takes for a VPC and for a subnet.
const PREFIXES: std::ops::RangeInclusive<u8> = 16..=28;

/// `zones` is how many subnets each tier needs; none when that has a fault of its own.
pub(super) fn check(
    network: &written::infra::Network,
    zones: Option<usize>,
    report: &Report,
) -> Option<Network> {
    let cidr = parsed(network.cidr.as_ref()?, report);
    let tier = |key, list| tier(key, list, zones, report);
    let tiers =
        [tier("public", &network.public), tier("private", &network.private), tier("redis", &network.redis)];
    let subnets: Vec<Lined<Cidr>> = tiers.iter().flatten().flatten().cloned().collect();
    if let Some(cidr) = cidr {
        check_inside(cidr, &subnets, report);
    }
    check_apart(&subnets, report);
    let [public, private, redis] = tiers.map(|tier| tier.map(values));
    let egress_ports = network.egress_ports.as_ref()?.value.clone();
    Some(Network { cidr: cidr?, public: public?, private: private?, redis: redis?, egress_ports })
}

fn values(tier: Vec<Lined<Cidr>>) -> Vec<Cidr> {
    tier.into_iter().map(|cidr| cidr.value).collect()
}

fn tier(key: &str, list: &Texts, zones: Option<usize>, report: &Report) -> Option<Vec<Lined<Cidr>>> {
    let list = list.as_ref()?;
    if zones.is_some_and(|zones| zones != list.value.len()) {
        let (have, zones) = (list.value.len(), zones.unwrap_or_default());
        report.add(list.line, format!("`{key}` has {have} networks for {zones} zones; give one per zone"));
    }
    let parsed = |text| parsed(text, report).map(|value| Lined { line: text.line, value });
    Some(list.value.iter().filter_map(parsed).collect())
}

fn parsed(text: &Lined<String>, report: &Report) -> Option<Cidr> {
    let parts = text.value.split_once('/');
    let read = |(address, prefix): (&str, &str)| Some((address.parse().ok()?, prefix.parse().ok()?));
    let Some((address, prefix)) = parts.and_then(read) else {
        report.add(text.line, format!("network `{}`: write it as `10.0.0.0/16`", text.value));
        return None;
    };
    let cidr = Cidr { address, prefix };
    let fault = form_fault(cidr);
    if let Some(fault) = &fault {
        report.add(text.line, format!("network `{}`: {fault}", text.value));
    }
    fault.is_none().then_some(cidr)
}

fn form_fault(cidr: Cidr) -> Option<String> {
    let Cidr { address, prefix } = cidr;
    let start: Ipv4Addr = cidr.network(address);
    if !PREFIXES.contains(&prefix) {
        Some(format!("AWS takes /{} to /{}", PREFIXES.start(), PREFIXES.end()))
    } else if start != address {
        Some(format!("it begins at {start}; write `{start}/{prefix}`"))
    } else if !address.is_private() {
        Some("these are public addresses; use some of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16".into())
    } else {
        None
    }
}

fn check_inside(vpc: Cidr, subnets: &[Lined<Cidr>], report: &Report) {
    for subnet in subnets.iter().filter(|subnet| !vpc.contains(subnet.value)) {
        let text = format!("network {} is outside the VPC's {vpc}; choose one inside", subnet.value);
        report.add(subnet.line, text);
    }
}

fn check_apart(subnets: &[Lined<Cidr>], report: &Report) {
    for (index, subnet) in subnets.iter().enumerate() {
        let before = subnets.iter().take(index).find(|other| other.value.overlaps(subnet.value));
        if let Some(before) = before {
            let text = format!(
                "network {} overlaps {} on line {}; choose another",
                subnet.value, before.value, before.line
            );
            report.add(subnet.line, text);
        }
    }
}
