//! What a route's requests cost, and how event streams are refused.

use edge_core::plan::{RateLimitFields, Route};

use crate::support::{WINDOWS, edited, fault, faults, route_fault, with_route};

/// The valid file, with more said of its limited route; from line 63 on.
fn with(more: &str) -> String {
    edited("limit = \"runs\"\n", &format!("limit = \"runs\"\n{more}\n"))
}

fn named(text: &str, name: &str) -> Route {
    let plan = he2_config::parse("he2.toml", text).unwrap().plan();
    *plan.routes.iter().find(|route| route.name == name).unwrap()
}

#[test]
fn a_request_costs_one_unless_its_route_says_more() {
    for (said, cost) in [("", 1), ("cost = 1", 1), ("cost = 20", 20)] {
        assert_eq!(named(&with(said), "runs").cost, cost);
    }
}

#[test]
fn a_cost_without_a_limit_or_out_of_bounds_is_refused() {
    let none = "he2.toml:55: `cost` is what a request takes of its limit, and it has none; give it a `limit`, or remove \
                it";
    assert_eq!(fault("cache = \"minute\"\n", "cache = \"minute\"\ncost = 2\n"), none);
    let wide = with("cost = 1001").replace("quota = 20,", "quota = 2000,");
    assert_eq!(faults(&wide), ["he2.toml:63: cost 1001: give 1 to 1000"]);
    let zero = "he2.toml:63: `cost` must be a whole number from 1 to 4294967295, not the number 0";
    assert_eq!(faults(&with("cost = 0")), [zero]);
}

#[test]
fn a_cost_that_never_passes_is_refused() {
    let most = |cost, most| {
        format!("cost {cost}: limit `runs` never has room for more than {most} at once; give at most that")
    };
    assert_eq!(faults(&with("cost = 21")), [format!("he2.toml:63: {}", most(21, 20))]);
    // Of GCRA no more passes at once than its burst, which may be more than its quota.
    let burst =
        |cost: u32| with(&format!("cost = {cost}")).replace("seconds = 60 }]", "seconds = 60, burst = 30 }]");
    assert_eq!(named(&burst(30), "runs").cost, 30);
    assert_eq!(faults(&burst(31)), [format!("he2.toml:63: {}", most(31, 30))]);
    let second = with("cost = 10").replace("[{ quota = 20", "[{ quota = 9, seconds = 1 }, { quota = 20");
    assert_eq!(faults(&second), [format!("he2.toml:63: {}", most(10, 9))]);
    let tier = "tiers = [{ name = \"free\", claim = \"plan\", equals = \"free\", windows = [{ quota = 9, seconds = 1 }] }]";
    let of_tier = with("cost = 10").replace(WINDOWS, &format!("{WINDOWS}\n{tier}"));
    assert_eq!(faults(&of_tier), [format!("he2.toml:64: {}", most(10, 9))]);
}

const STREAM: &str =
    "service = \"backend\"\nauth = { class = \"any_of\", sources = [\"query\"] }\nevent_stream = true";

/// A route whose rest stands from line 68 on.
fn stream(rest: &str) -> String {
    format!("name = \"more\"\nhosts = [\"he2.ai\"]\nmethods = [\"GET\"]\npaths = [\"/x\"]\n{rest}")
}

#[test]
fn an_event_stream_may_be_limited_and_takes_no_cache() {
    let text = with_route(&stream(&format!("{STREAM}\nlimit = \"runs\"")));
    let route = named(&text, "more");
    assert!(route.event_stream && route.limit.is_some());
    assert!(!named(&text, "runs").event_stream);
    assert!(
        !named(&text.replace("event_stream = true\nlimit = \"runs\"", "event_stream = false"), "more")
            .event_stream
    );
    let open = "service = \"backend\"\nauth = \"public\"\nevent_stream = true\ncache = \"minute\"";
    let expected = "he2.toml:71: cache `minute`: a stream is one caller's; remove `cache`";
    assert_eq!(route_fault(&stream(open)), expected);
}

#[test]
fn an_event_stream_is_asked_for_by_a_browser_with_get() {
    let get =
        "an event stream is asked for with GET; give the route methods = [\"GET\"], or remove `event_stream`";
    for methods in ["methods = [\"POST\"]\n", "methods = [\"GET\", \"POST\"]\n"] {
        let text = stream(STREAM).replace("methods = [\"GET\"]\n", methods);
        assert_eq!(route_fault(&text), format!("he2.toml:70: {get}"));
    }
    let all = stream(STREAM).replace("methods = [\"GET\"]\n", "");
    assert_eq!(route_fault(&all), format!("he2.toml:69: {get}"));

    let nobody = "no browser reads an event stream here; remove `event_stream`";
    let admin = "{ class = \"admin\", secret = \"KEY\" }";
    let webhook = "{ class = \"webhook\", scheme = \"shared\", header = \"x-a\", secret = \"KEY\", max_body_bytes = 9 }";
    for (behind, auth) in [
        ("service = \"backend\"\n", admin),
        ("service = \"backend\"\n", webhook),
        ("edge = \"my-limits\"\n", "\"user\""),
    ] {
        let text = stream(&format!("{behind}auth = {auth}\nevent_stream = true"));
        assert_eq!(route_fault(&text), format!("he2.toml:70: {nobody}"), "{auth}");
    }
    let blocked = route_fault(&stream("auth = \"blocked\"\nevent_stream = true"));
    assert_eq!(blocked, format!("he2.toml:69: {nobody}"));
}

#[test]
fn the_generation_of_the_rate_limit_fields_is_the_newest_unless_said() {
    let with = |said: &str| edited("domain = \"he2.ai\"\n", &format!("domain = \"he2.ai\"\n{said}"));
    let generation =
        |said: &str| he2_config::parse("he2.toml", &with(said)).unwrap().plan().rate_limit_fields;
    assert_eq!(generation(""), RateLimitFields::Draft11);
    for (word, expected) in [
        ("draft-06", RateLimitFields::Draft06),
        ("draft-07", RateLimitFields::Draft07),
        ("draft-11", RateLimitFields::Draft11),
    ] {
        assert_eq!(generation(&format!("rate_limit_fields = \"{word}\"\n")), expected);
    }
    let found = faults(&with("rate_limit_fields = \"11\"\n"));
    let expected = "he2.toml:2: unknown rate_limit_fields `11`; known are `draft-06`, `draft-07`, `draft-11`";
    assert_eq!(found, [expected]);
}
