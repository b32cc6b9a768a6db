//! What answers behind the load balancer.

use edge_core::plan::{self, Plan};

use super::text::check_name;
use super::variables;
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::Written;
use crate::{Service, leak, reach, written};

/// CPU units that Fargate offers, each with its least and greatest memory and the step between, in MiB.
const SIZES: [(u32, u32, u32, u32); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

pub(crate) fn check(written: &Written, report: &Report) -> Vec<Service> {
    let services = &written.services;
    if services.is_empty() {
        report.add(1, "no [service.NAME]; add one for what answers behind the gateway");
    }
    check_ports(services, report);
    services.iter().map(|service| checked(service, &written.settings, report)).collect()
}

/// As the gateway sees a service.
pub(crate) fn planned(service: &Service) -> plan::Service {
    plan::Service { name: service.name, port: service.port, health: service.health }
}

/// A health check that no route serves would keep every task out of service.
pub(crate) fn health(services: &[written::Service], plan: &Plan, report: &Report) {
    for service in services {
        let (Some(_), Some(health)) = (service.port.good(), service.health.good()) else { continue };
        let name = &service.name.value;
        if health.value.starts_with('/') && !reach::serves(plan, name, &health.value) {
            let text = format!(
                "no route sends GET `{}` to service `{name}`; name a path that it serves",
                health.value
            );
            report.add(health.line, text);
        }
    }
}

fn check_ports(services: &[written::Service], report: &Report) {
    let mut seen: Vec<(&Lined<u16>, &str)> = Vec::new();
    for service in services {
        let Some(port) = service.port.good() else { continue };
        if let Some((_, other)) = seen.iter().find(|(other, _)| other.value == port.value) {
            report.add(
                port.line,
                format!("port {} is already that of service `{other}`; choose another", port.value),
            );
        }
        seen.push((port, &service.name.value));
    }
}

fn checked(service: &written::Service, groups: &[written::infra::Settings], report: &Report) -> Service {
    check_name(&service.name, report);
    check_health(service, report);
    check_spot(service, report);
    check_keep_alive(service, report);
    let (min_tasks, max_tasks) = tasks(service, report);
    let settings = variables::settings(service, groups, report);
    if let (Some(cpu), Some(memory)) = (&service.cpu, &service.memory) {
        check_size(cpu, memory, report);
    }
    let number = |number: &Option<Lined<u32>>| number.as_ref().map_or(0, |number| number.value);
    Service {
        name: leak::text(&service.name.value),
        port: service.port.good().map(|port| port.value),
        health: service.health.good().map(|health| leak::text(&health.value)),
        cpu: number(&service.cpu),
        memory: number(&service.memory),
        min_tasks,
        max_tasks,
        spot: service.spot.good().is_some_and(|spot| spot.value),
        keep_alive_seconds: service.keep_alive.good().map(|keep_alive| keep_alive.value),
        variables: settings.variables,
        secrets: settings.secrets,
    }
}

/// Least and most tasks. One where nothing is said, and no more than the least.
fn tasks(service: &written::Service, report: &Report) -> (u32, u32) {
    let least = service.min_tasks.good().map_or(1, |tasks| tasks.value);
    let most = service.max_tasks.good().map_or(least, |tasks| tasks.value);
    if let Some(given) = service.max_tasks.good().filter(|given| given.value < least) {
        report.add(
            given.line,
            format!("max_tasks {most} is less than min_tasks {least}; give at least {least}"),
        );
    }
    (least, most)
}

/// Spot takes a task away at two minutes' notice. A request can go to another task, a running job cannot.
fn check_spot(service: &written::Service, report: &Report) {
    let Some(spot) = service.spot.good().filter(|spot| spot.value) else { return };
    if service.port.is_absent() {
        let name = &service.name.value;
        let text = format!(
            "service `{name}` takes jobs, not requests: Spot would end them in the middle, and they are not \
             started again; set spot = false"
        );
        report.add(spot.line, text);
    }
}

fn check_keep_alive(service: &written::Service, report: &Report) {
    let Some(keep_alive) = service.keep_alive.good() else { return };
    if service.port.is_absent() {
        let name = &service.name.value;
        report.add(keep_alive.line, format!("service `{name}` has no port to keep alive; remove it"));
    }
}

fn check_health(service: &written::Service, report: &Report) {
    let name = &service.name.value;
    match (&service.port, &service.health) {
        (Given::Good(port), Given::Absent) => {
            report
                .add(port.line, format!("service `{name}` has a port but no `health`; give the path to ask"));
        }
        (Given::Absent, Given::Good(health)) => {
            report.add(health.line, format!("service `{name}` has no port to ask `health` on; remove it"));
        }
        (Given::Good(_), Given::Good(health)) if !health.value.starts_with('/') => {
            report.add(health.line, format!("health `{}` must begin with `/`", health.value));
        }
        _ => {}
    }
}

fn check_size(cpu: &Lined<u32>, memory: &Lined<u32>, report: &Report) {
    let Some((_, least, most, step)) = SIZES.iter().find(|(units, ..)| *units == cpu.value) else {
        let units: Vec<String> = SIZES.iter().map(|(units, ..)| units.to_string()).collect();
        return report.add(cpu.line, format!("cpu {}: Fargate offers {}", cpu.value, units.join(", ")));
    };
    if !(*least..=*most).contains(&memory.value) || !memory.value.is_multiple_of(*step) {
        let text = format!(
            "memory {} does not go with cpu {}: Fargate offers {least} to {most} in steps of {step}",
            memory.value, cpu.value
        );
        report.add(memory.line, text);
    }
}
