//! How long callers may let the origin wait.

use edge_core::plan::Wait;

use crate::support::{edited, faults};

/// The valid file with this said of its limited route, in line 63.
fn with(said: &str) -> String {
    edited("limit = \"runs\"\n", &format!("limit = \"runs\"\n{said}\n"))
}

#[test]
fn a_wait_is_bounded_by_its_parameter() {
    let text = with("wait = { parameter = \"timeout\", most_seconds = 89, events = \"realtime\" }");
    let plan = he2_config::parse("he2.toml", &text).unwrap().plan();
    let waits: Vec<_> = plan.routes.iter().filter_map(|route| route.wait).collect();
    assert_eq!(waits, [Wait { parameter: "timeout", most_seconds: 89, events: Some("realtime") }]);
}

#[test]
fn a_route_that_waits_is_not_given_up_early_for_another_upstream() {
    let text = with("wait = { parameter = \"timeout\", most_seconds = 80 }")
        .replace("[origin]\n", "[origin]\ntry_seconds = 10\n");
    let plan = he2_config::parse("he2.toml", &text).unwrap().plan();
    for route in plan.routes {
        let takes_its_time = route.wait.is_some();
        assert_eq!(route.try_ms == route.first_byte_ms, takes_its_time, "{}", route.name);
    }
}

#[test]
fn a_wait_that_outlasts_the_gateways_patience_is_refused() {
    let expected = "he2.toml:63: most_seconds 90: the route's answer must begin within 90 s; give less, or a longer \
                    `first_byte_seconds`";
    let wait = "wait = { parameter = \"timeout\", most_seconds = 90 }";
    assert_eq!(faults(&with(wait)), [expected]);
    assert!(he2_config::parse("he2.toml", &with(&format!("{wait}\nfirst_byte_seconds = 91"))).is_ok());
}

#[test]
fn every_fault_of_a_wait_is_told() {
    assert_eq!(
        faults(&with("wait = { parameter = \"a&b\", events = \"\", longest = 1 }")),
        [
            "he2.toml:63: a wait needs `most_seconds`; give it a whole number from 1 to 4294967295",
            "he2.toml:63: parameter ``: use letters, digits, `-`, `_` and `.`",
            "he2.toml:63: parameter `a&b`: use letters, digits, `-`, `_` and `.`",
            "he2.toml:63: unknown key `longest` in a wait; known are `parameter`, `most_seconds`, `events`",
        ]
    );
    let at_the_edge = edited(
        "service = \"backend\"\nauth = \"user\"\nlimit = \"runs\"\n",
        "edge = \"my-limits\"\nauth = \"user\"\nlimit = \"runs\"\nwait = { parameter = \"t\", most_seconds = 1 }\n",
    );
    assert_eq!(faults(&at_the_edge), ["he2.toml:63: nobody waits for a service here; remove `wait`"]);
}
