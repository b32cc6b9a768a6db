//! Several origins, and how routes make use of them.

use edge_core::plan::{Priority, Upstream};

use super::support::{edited, fault};

const FIRST_BYTE: &str = "first_byte_seconds = 90";
const TWO: &str = "first_byte_seconds = 90\n[[origin.upstream]]\nname = \"blue\"\nvariable = \"ORIGIN\"\nweight = 95\n\
                   [[origin.upstream]]\nname = \"canary\"\nvariable = \"ORIGIN_CANARY\"\nservices = [\"backend\"]";
const HEALTH: &str = "cache = \"minute\"\n[[route]]\nname = \"runs\"";

fn faults(text: &str) -> String {
    super::support::faults(text).join("\n")
}

fn plan(text: &str) -> edge_core::plan::Plan {
    he2_config::parse("he2.toml", text).unwrap().plan()
}

/// The valid file with more keys on its route of health.
fn health(more: &str) -> String {
    edited(HEALTH, &format!("{more}\n{HEALTH}"))
}

#[test]
fn a_route_may_say_how_often_it_is_tried() {
    let with = |said: &str| edited("limit = \"runs\"\n", &format!("limit = \"runs\"\n{said}\n"));
    let plan = he2_config::parse("he2.toml", &with("tries = 1")).unwrap().plan();
    for route in plan.routes {
        assert_eq!(route.tries, if route.name == "runs" { 1 } else { 3 }, "{}", route.name);
    }
    assert_eq!(faults(&with("tries = 6")), "he2.toml:63: tries 6: give 1 to 5");
}

#[test]
fn where_nothing_is_said_there_is_one_upstream_for_all() {
    let expected = Upstream { name: "origin", variable: "ORIGIN", weight: 1, services: &[] };
    assert_eq!(plan(super::support::VALID).upstreams, [expected]);
}

#[test]
fn upstreams_have_weights_and_may_be_of_some_services() {
    let plan = plan(&edited(FIRST_BYTE, TWO));
    let blue = Upstream { name: "blue", variable: "ORIGIN", weight: 95, services: &[] };
    let canary = Upstream { name: "canary", variable: "ORIGIN_CANARY", weight: 1, services: &["backend"] };
    assert_eq!(plan.upstreams, [blue, canary]);
    assert!(plan.variables.contains(&"ORIGIN") && plan.variables.contains(&"ORIGIN_CANARY"));
}

#[test]
fn what_is_wrong_with_an_upstream_is_said() {
    let said = |from: &str, to: &str| faults(&edited(FIRST_BYTE, &TWO.replace(from, to)));
    for (from, to, expected) in [
        ("canary\"", "blue\"", "he2.toml:23: upstream `blue` is already on line 19; remove one"),
        ("weight = 95", "weight = 1001", "he2.toml:21: weight 1001: give 1 to 1000"),
        ("[\"backend\"]", "[\"backed\"]", "he2.toml:25: unknown service `backed`; did you mean `backend`?"),
        ("[\"backend\"]", "[]", "he2.toml:25: `services` is empty; name at least one"),
        (
            "ORIGIN_CANARY",
            "ORIGIN",
            "he2.toml:24: `ORIGIN` is already an upstream's address on line 20; use another name",
        ),
        ("ORIGIN_CANARY", "MAINTENANCE", "he2.toml:24: `MAINTENANCE` is the gateway's own; use another name"),
    ] {
        let said = said(from, to);
        assert!(said.contains(expected), "{from} {to}: {said}");
    }
    let nobodys =
        TWO.replace("weight = 95", "services = [\"workers\"]").replace("[\"backend\"]", "[\"workers\"]");
    let expected = "he2.toml:7: service `backend` stands behind no [[origin.upstream]]; add it to one";
    assert_eq!(faults(&edited(FIRST_BYTE, &nobodys)), expected);
}

#[test]
fn a_route_with_a_time_of_its_own_is_not_given_up_early_unless_it_says_so() {
    let default = format!("{FIRST_BYTE}\ntry_seconds = 10");
    let ms = |more: &str| {
        let text = health(more).replace(FIRST_BYTE, &default);
        let route = plan(&text).routes.iter().find(|route| route.name == "health").copied().unwrap();
        (route.first_byte_ms, route.try_ms)
    };
    assert_eq!(ms(""), (90_000, 10_000));
    assert_eq!(ms("first_byte_seconds = 300"), (300_000, 300_000));
    assert_eq!(ms("first_byte_seconds = 300\ntry_seconds = 20"), (300_000, 20_000));
}

#[test]
fn a_try_has_no_more_time_than_all_of_them() {
    let expected = "he2.toml:18: try_seconds 91 is more than first_byte_seconds; give less";
    assert_eq!(fault(FIRST_BYTE, &format!("{FIRST_BYTE}\ntry_seconds = 91")), expected);
}

#[test]
fn only_cheap_gets_with_a_second_upstream_are_asked_twice() {
    let two = |text: String| text.replace(FIRST_BYTE, TWO);
    let route = |text: &str| plan(text).routes.iter().find(|route| route.name == "health").copied().unwrap();
    assert_eq!(route(&two(health("hedge_ms = 300"))).hedge_ms, Some(300));
    let expected = "hedge_ms needs a second [[origin.upstream]]; add one, or remove it";
    assert!(faults(&health("hedge_ms = 300")).ends_with(expected));
    let late = faults(&two(health("hedge_ms = 90000")));
    assert!(late.ends_with("hedge_ms is not before the first byte's time is over; give less"), "{late}");
    let post = faults(&two(edited("limit = \"runs\"", "limit = \"runs\"\nhedge_ms = 300")));
    assert!(post.contains("hedge_ms asks twice, which is for cheap GETs"), "{post}");
}

#[test]
fn a_route_may_say_how_much_it_matters() {
    let plan = plan(&health("priority = \"vital\""));
    let priority = |name: &str| plan.routes.iter().find(|route| route.name == name).unwrap().priority;
    assert_eq!((priority("health"), priority("runs")), (Some(Priority::Vital), None));
    let said = faults(&health("priority = \"vitale\""));
    assert!(said.contains("unknown priority `vitale`; did you mean `vital`?"), "{said}");
}
