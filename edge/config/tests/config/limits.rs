//! Limits: what is left out is the default, and what makes no sense does not pass.

use edge_core::plan::{Limit, OnError, Part, Window};

use crate::support::{WINDOWS, edited, fault, faults};

/// The valid file, with more said of its limit.
fn with(more: &str) -> String {
    edited(WINDOWS, &format!("{WINDOWS}\n{more}"))
}

fn limit(text: &str) -> Limit {
    let plan = he2_config::parse("he2.toml", text).unwrap().plan();
    plan.routes.iter().find_map(|route| route.limit).unwrap()
}

#[test]
fn a_limit_that_says_no_more_is_by_caller_lends_counts_locally_on_errors_and_refuses_as_any() {
    let found = limit(&with(""));
    let expected = Limit {
        name: "runs",
        by: &[Part::Caller],
        windows: &[Window { quota: 20, seconds: 60, burst: None }],
        tiers: &[],
        cost_field: None,
        counts_hits: false,
        strict: false,
        on_error: OnError::Local,
        shadow: false,
        tells_runs: false,
        line: 38,
    };
    assert_eq!(found, expected);
}

#[test]
fn every_word_of_a_limit_has_its_meaning() {
    assert!(limit(&with("mode = \"strict\"")).strict);
    assert!(!limit(&with("mode = \"lease\"")).strict);
    for (word, expected) in [("allow", OnError::Allow), ("deny", OnError::Deny), ("local", OnError::Local)] {
        assert_eq!(limit(&with(&format!("on_error = \"{word}\""))).on_error, expected);
    }
    let shadow = limit(&with("shadow = true\nrefusal = \"runs\""));
    assert!(shadow.shadow && shadow.tells_runs);
    assert!(!limit(&with("shadow = false")).shadow);
    assert!(limit(&with("cache_hits = \"count\"")).counts_hits);
    assert!(!limit(&with("cache_hits = \"free\"")).counts_hits);
    assert_eq!(limit(&with("cost_header = \"X-Request-Cost\"")).cost_field, Some("x-request-cost"));
}

#[test]
fn a_word_that_a_limit_does_not_know_is_refused() {
    for (written, expected) in [
        ("mode = \"strikt\"", "unknown mode `strikt`; did you mean `strict`?"),
        ("mode = \"exact\"", "unknown mode `exact`; known are `lease`, `strict`"),
        ("on_error = \"lokal\"", "unknown on_error `lokal`; did you mean `local`?"),
        ("on_error = \"pass\"", "unknown on_error `pass`; known are `allow`, `deny`, `local`"),
        ("cache_hits = \"counted\"", "unknown cache_hits `counted`; did you mean `count`?"),
        ("cache_hits = \"no\"", "unknown cache_hits `no`; known are `free`, `count`"),
        ("cost_header = \"X Cost\"", "cost_header `X Cost` is no header name (RFC 9110 §5.6.2)"),
        ("cost_header = \"\"", "cost_header `` is no header name (RFC 9110 §5.6.2)"),
        ("refusal = \"run\"", "unknown refusal `run`; did you mean `runs`?"),
        ("refusal = \"problem\"", "unknown refusal `problem`; known are `runs`"),
    ] {
        let found = faults(&with(written));
        assert_eq!(found, [format!("he2.toml:40: {expected}")]);
    }
}

#[test]
fn every_unknown_word_of_a_limit_is_reported_at_once() {
    let found = faults(&with("mode = \"a\"\non_error = \"b\"\nrefusal = \"c\""));
    assert_eq!(found.len(), 3, "{found:#?}");
}

#[test]
fn a_burst_may_be_smaller_or_greater_than_the_quota() {
    for burst in [1, 20, 500] {
        let text = edited("seconds = 60 }]", &format!("seconds = 60, burst = {burst} }}]"));
        assert_eq!(limit(&text).windows, [Window { quota: 20, seconds: 60, burst: Some(burst) }]);
    }
}

#[test]
fn forgeries_take_no_burst() {
    let expected = "he2.toml:22: forgeries: `burst` goes with limits only; remove it";
    assert_eq!(fault("seconds = 10 }", "seconds = 10, burst = 5 }"), expected);
}

#[test]
fn two_windows_of_one_length_and_kind_are_refused() {
    let twice = |burst: &str| {
        let windows =
            format!("[{{ quota = 20, seconds = 60{burst} }},\n{{ quota = 9, seconds = 60{burst} }}]");
        fault("[{ quota = 20, seconds = 60 }]", &windows)
    };
    let expected = "he2.toml:40: two windows of 60 s without `burst` in one limit; remove one";
    assert_eq!(twice(""), expected);
    let expected = "he2.toml:40: two windows of 60 s with `burst` in one limit; remove one";
    assert_eq!(twice(", burst = 5"), expected);
}

#[test]
fn two_windows_of_one_length_and_different_kinds_pass() {
    let windows = "[{ quota = 20, seconds = 60 }, { quota = 20, seconds = 60, burst = 5 }]";
    let bursts = limit(&edited("[{ quota = 20, seconds = 60 }]", windows)).windows;
    assert_eq!(bursts.iter().map(|window| window.burst).collect::<Vec<_>>(), [None, Some(5)]);
}

#[test]
fn a_window_is_no_longer_than_a_month() {
    let expected = "he2.toml:39: seconds 2678401: give 1 to 2678400";
    assert_eq!(fault("seconds = 60 }]", "seconds = 2678401 }]"), expected);
}

#[test]
fn a_limit_without_a_window_is_refused() {
    let expected = "he2.toml:39: limit `runs` has no window; give one or remove the limit";
    assert_eq!(fault("[{ quota = 20, seconds = 60 }]", "[]"), expected);
}
