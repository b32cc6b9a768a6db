//! How long the content of answers may take.

use edge_core::plan::Timeouts;

use crate::support::{edited, faults};

/// The valid file with this said of its route `runs`.
fn with(said: &str) -> String {
    edited("limit = \"runs\"\n", &format!("limit = \"runs\"\n{said}\n"))
}

fn timeouts(said: &str) -> Option<Timeouts> {
    let routes = he2_config::parse("he2.toml", &with(said)).unwrap().plan().routes;
    routes.iter().find(|route| route.name == "runs").unwrap().timeouts
}

#[test]
fn content_may_take_as_long_as_its_route_says() {
    assert_eq!(timeouts(""), None);
    let idle = Timeouts { idle_ms: Some(60_000), total_ms: None };
    assert_eq!(timeouts("idle_seconds = 60"), Some(idle));
    let both = Timeouts { total_ms: Some(600_000), ..idle };
    assert_eq!(timeouts("idle_seconds = 60\ntotal_seconds = 600"), Some(both));
}

#[test]
fn what_lasts_or_is_stored_or_is_not_begun_yet_is_not_hurried() {
    for (said, fault) in [
        ("idle_seconds = 301", "idle_seconds 301: give 1 to 300"),
        ("total_seconds = 86401", "total_seconds 86401: give 1 to 86400"),
        ("event_stream = true\nidle_seconds = 60", "event streams are silent and last"),
        ("cache = \"assets\"\nidle_seconds = 60", "what is stored is read to its end"),
        ("total_seconds = 1", "an answer may take"),
    ] {
        let found = faults(&with(said));
        assert!(found.iter().any(|one| one.contains(fault)), "{said}: {found:?}");
    }
}
