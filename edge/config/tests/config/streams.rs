//! How event streams are kept alive.

use edge_core::plan::Route;

use crate::support::{VALID, edited, faults};

fn routes(text: &str) -> &'static [Route] {
    he2_config::parse("he2.toml", text).unwrap().plan().routes
}

/// The valid file with such a section; what it says is in line 16.
fn with(said: &str) -> String {
    edited("[origin]\n", &format!("[streams]\n{said}\n[origin]\n"))
}

#[test]
fn event_streams_get_heartbeats_unless_their_route_says_otherwise() {
    assert!(routes(VALID).iter().all(|route| route.heartbeat_ms == Some(15_000)));
    assert!(routes(&with("heartbeat_seconds = 20")).iter().all(|route| route.heartbeat_ms == Some(20_000)));
    let off = edited("limit = \"runs\"\n", "limit = \"runs\"\nheartbeat = false\n");
    for route in routes(&off) {
        assert_eq!(route.heartbeat_ms.is_none(), route.name == "runs", "{}", route.name);
    }
}

#[test]
fn a_heartbeat_that_comes_too_late_for_proxies_is_refused() {
    assert_eq!(faults(&with("heartbeat_seconds = 56")), ["he2.toml:16: heartbeat_seconds 56: give 1 to 55"]);
    assert_eq!(
        faults(&with("heartbeat = 15")),
        ["he2.toml:16: unknown key `heartbeat` in [streams]; known are `heartbeat_seconds`"]
    );
}
