//! How long the load balancer waits: longer than the gateway, shorter than every server.

use edge_core::plan::Route;

use crate::fault::Report;
use crate::infra::LoadBalancer;
use crate::read::{Given, Lined};
use crate::written;

/// The longest that an agent's run sends nothing to its event stream while a tool works.
const LONGEST_SILENCE_SECONDS: u32 = 300;
/// How much later than the gateway the load balancer gives up.
const MARGIN_SECONDS: u32 = 30;
/// The longest idle timeout of an ALB.
const LONGEST_IDLE_SECONDS: u32 = 4000;

pub(super) fn check(
    written: &written::infra::LoadBalancer,
    routes: &[Route],
    report: &Report,
) -> Option<LoadBalancer> {
    let longest = routes.iter().max_by_key(|route| route.first_byte_ms)?;
    let waits = longest.first_byte_ms.div_ceil(1000);
    let idle_timeout_seconds = match &written.idle_timeout {
        Given::Faulty => return None,
        Given::Absent => waits.max(LONGEST_SILENCE_SECONDS).saturating_add(MARGIN_SECONDS),
        Given::Good(given) => {
            check_idle(given, waits, longest.name, report);
            given.value
        }
    };
    Some(LoadBalancer { idle_timeout_seconds, mutual_tls: written.mutual_tls.as_ref()?.value })
}

fn check_idle(given: &Lined<u32>, waits: u32, route: &str, report: &Report) {
    if given.value <= waits {
        let text = format!(
            "idle_timeout_seconds {} cuts route `{route}`, which waits {waits} s for its first byte; give more, or \
             leave it out",
            given.value
        );
        report.add(given.line, text);
    }
    if given.value > LONGEST_IDLE_SECONDS {
        report.add(
            given.line,
            format!("idle_timeout_seconds: a load balancer takes at most {LONGEST_IDLE_SECONDS}"),
        );
    }
}

/// A server that closes first would reset a connection on which the load balancer is just sending.
pub(super) fn keep_alives(services: &[written::Service], load_balancer: LoadBalancer, report: &Report) {
    let idle = load_balancer.idle_timeout_seconds;
    for service in services {
        let Some(keep_alive) = service.keep_alive.good().filter(|keep_alive| keep_alive.value <= idle) else {
            continue;
        };
        let text = format!(
            "keep_alive_seconds {} of service `{}` is not above the load balancer's idle timeout of {idle} s; give more",
            keep_alive.value, service.name.value
        );
        report.add(keep_alive.line, text);
    }
}
