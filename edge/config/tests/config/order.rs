//! The plan depends on what the file says, not on its order.

use edge_core::plan::{Plan, Route};
use edge_core::route::{self, Find};
use proptest::prelude::*;

use crate::support::{VALID, with_route};

/// Patterns of every rank at every place, so that each pair is compared.
const PATTERNS: [&str; 12] = [
    "/",
    "/{*a}",
    "/{b}",
    "/c",
    "/c/{d}",
    "/c/{*e}",
    "/c/{f}/g",
    "/c/{d2}/x/{*h}",
    "/c/i/{*j}",
    "/{k}/i",
    "/{a0}/x/{*z}",
    "/c/i",
];

fn file(patterns: &[&str]) -> String {
    let route = |(index, pattern)| {
        format!(
            "[[route]]\nname = \"r{index}\"\nhosts = [\"he2.ai\"]\npaths = [\"{pattern}\"]\nservice = \"backend\"\n\
             auth = \"public\"\n"
        )
    };
    patterns.iter().enumerate().map(route).fold(VALID.to_owned(), |text, route| text + &route)
}

fn sorted(text: &str) -> Vec<&'static str> {
    let routes: &[Route] = he2_config::parse("he2.toml", text).unwrap().plan().routes;
    routes.iter().map(|route| route.pattern).collect()
}

#[test]
fn text_goes_before_a_capture_before_a_tail_whatever_their_names() {
    let expected = [
        "/",
        "/api/health",
        "/api/models",
        "/api/runs/{run_id}",
        "/c",
        "/c/i",
        "/c/i/{*j}",
        "/c/{d}",
        "/c/{f}/g",
        "/c/{d2}/x/{*h}",
        "/c/{*e}",
        "/{b}",
        "/{k}/i",
        "/{a0}/x/{*z}",
        "/{*a}",
    ];
    assert_eq!(sorted(&file(&PATTERNS)), expected);
}

/// What [`route::find`] says, by looking at every route.
fn found_by_looking(plan: &'static Plan, method: &str, path: &str) -> Find {
    let split = route::split(path);
    let on_path = |found: &&Route| found.hosts.contains(&"he2.ai") && route::matches(found.segments, &split);
    let on_path: Vec<&'static Route> = plan.routes.iter().filter(on_path).collect();
    match on_path.iter().find(|found| route::takes(found, method)) {
        Some(found) => Find::Route(found),
        None if on_path.is_empty() => Find::NotFound,
        None => {
            let takes = |method: &&str| on_path.iter().any(|found| route::takes(found, method));
            Find::MethodNotAllowed(
                ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
                    .into_iter()
                    .filter(takes)
                    .collect(),
            )
        }
    }
}

/// The patterns as routes that take this method, or all.
fn taking(routes: &[(&str, Option<&str>)]) -> String {
    let methods = |method: Option<&str>| method.map(|method| format!("methods = [\"{method}\"]\n"));
    let routes = routes.iter().map(|(pattern, method)| (*pattern, methods(*method).unwrap_or_default()));
    routes.fold(VALID.to_owned(), |text, (pattern, methods)| {
        let name = text.len();
        format!(
            "{text}[[route]]\nname = \"r{name}\"\nhosts = [\"he2.ai\"]\npaths = [\"{pattern}\"]\nservice = \"backend\"\n\
             auth = \"public\"\n{methods}"
        )
    })
}

proptest! {
    #[test]
    fn halving_finds_what_looking_at_each_route_finds(
        patterns in prop::sample::subsequence(PATTERNS.to_vec(), 0..=PATTERNS.len()),
        methods in prop::collection::vec(prop::option::of(prop::sample::select(vec!["GET", "POST"])), PATTERNS.len()),
        path in prop::collection::vec(prop::sample::select(vec!["c", "i", "x", "g", "other", "", "api"]), 0..5),
        method in prop::sample::select(vec!["GET", "POST", "HEAD", "TRACE"]),
    ) {
        let routes: Vec<_> = patterns.into_iter().zip(methods).collect();
        let plan = Box::leak(Box::new(he2_config::parse("he2.toml", &taking(&routes)).unwrap().plan()));
        let path = format!("/{}", path.join("/"));
        let found = route::find(plan, "he2.ai", method, &path);
        prop_assert_eq!(found, found_by_looking(plan, method, &path), "{}", path);
    }

    #[test]
    fn the_order_of_the_file_means_nothing(shuffled in Just(PATTERNS.to_vec()).prop_shuffle()) {
        prop_assert_eq!(sorted(&file(&shuffled)), sorted(&file(&PATTERNS)));
    }
}

#[test]
fn the_plan_as_source_holds_every_value_with_its_full_path() {
    let text = with_route(
        r#"name = "blocked"
hosts = ["he2.ai"]
paths = ["/docs/{*rest}"]
auth = "blocked"
[[route]]
name = "admin"
hosts = ["he2.ai"]
paths = ["/admin"]
service = "backend"
auth = { class = "admin", secret = "KEY", networks = ["::ffff/128"] }
[[route]]
name = "more"
hosts = ["he2.ai"]
paths = ["/more"]
service = "backend"
auth = { class = "user", claims = [{ claim = "level", equals = -7 }] }"#,
    )
    .replace(
        "windows = [{",
        "on_error = \"deny\"\nby = [\"session\", { claim = \"a.b\" }, { param = \"run_id\" }]\ncost_header = \"Cost\"\n\
         tiers = [{ name = \"free\", claim = \"plan\", equals = \"free\", windows = [{ quota = 5, seconds = 5 }] }]\n\
         windows = [{ quota = 9, seconds = 9, burst = 3 }, {",
    )
    .replace("[cache.minute]", "[concurrency.places]\nmost = 3\nby = [\"service\"]\n[cache.minute]")
    .replace("limit = \"runs\"", "limit = \"runs\"\ncost = 3\nconcurrency = [\"places\"]");
    let source = he2_config::emit(&he2_config::parse("he2.toml", &text).unwrap().plan());
    let dense = source.replace(' ', "");
    for part in [
        "edge_core::plan::Plan{",
        "edge_core::plan::Segment::Tail(\"rest\"",
        "edge_core::plan::Auth::Blocked",
        "edge_core::plan::Network{address:65535u128,prefix:128u8",
        "edge_core::plan::Value::Number(-7i64",
        "edge_core::plan::Window{quota:20u32,seconds:60u32,burst:None",
        "edge_core::plan::Window{quota:9u32,seconds:9u32,burst:Some(3u32",
        "edge_core::plan::OnError::Deny",
        "edge_core::plan::Part::Claim(&[\"a\",\"b\"",
        "edge_core::plan::Part::Param(\"run_id\"",
        "edge_core::plan::Tier{name:\"free\",of:edge_core::plan::TierOf::User(edge_core::plan::Condition{",
        "cost_field:Some(\"cost\"",
        "cost:3u32",
        "edge_core::plan::Concurrency{name:\"places\",by:&[edge_core::plan::Part::Service",
        "edge_core::plan::RateLimitFields::Draft11",
        "edge_core::plan::Cache{name:\"minute\",assign:Some(60u32",
        "lock_header:\"x-he2-origin-lock\"",
    ] {
        assert!(dense.contains(part), "{part} in {dense}");
    }
}
