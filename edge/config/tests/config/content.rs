//! How long the content of requests may be.

use crate::support::{VALID, edited, faults};

/// The longest content of the route `runs`, and of all others.
fn most(text: &str) -> (u32, u32) {
    let plan = he2_config::parse("he2.toml", text).unwrap().plan();
    let of =
        |is_runs| plan.routes.iter().find(|route| (route.name == "runs") == is_runs).unwrap().max_body_bytes;
    (of(true), of(false))
}

fn with(section: &str, route: &str) -> String {
    edited("[origin]\n", &format!("[request]\n{section}\n[origin]\n"))
        .replace("limit = \"runs\"\n", &format!("limit = \"runs\"\n{route}\n"))
}

#[test]
fn a_route_takes_what_the_platform_takes_unless_something_else_is_said() {
    assert_eq!(most(VALID), (100_000_000, 100_000_000));
    assert_eq!(most(&with("max_body_bytes = 200000000", "")), (200_000_000, 200_000_000));
    assert_eq!(most(&with("", "max_body_bytes = 26214400")), (26_214_400, 100_000_000));
    assert_eq!(most(&with("max_body_bytes = 1000", "max_body_bytes = 2000")), (2_000, 1_000));
}

#[test]
fn more_than_the_platform_takes_is_refused() {
    let more = "max_body_bytes = 500000001";
    assert_eq!(
        faults(&with(more, more)),
        [
            "he2.toml:16: max_body_bytes 500000001: give 1 to 500000000",
            "he2.toml:65: max_body_bytes 500000001: give 1 to 500000000",
        ]
    );
}
