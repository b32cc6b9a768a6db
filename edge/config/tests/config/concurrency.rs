//! How many requests may be under way at once: what is left out is the default, and what makes no sense does not pass.

use edge_core::plan::{Concurrency, Part};

use crate::support::{WINDOWS, edited, faults, with_route};

/// The valid file with a concurrency on its limited route; what is said of it stands from line 41 on.
fn with(said: &str) -> String {
    named("streams", said, "[\"streams\"]")
}

/// The same under another name, and with another list of them on the route.
fn named(name: &str, said: &str, list: &str) -> String {
    edited(WINDOWS, &format!("{WINDOWS}\n[concurrency.{name}]\n{said}"))
        .replace("limit = \"runs\"", &format!("limit = \"runs\"\nconcurrency = {list}"))
}

fn concurrency(text: &str) -> &'static [Concurrency] {
    let plan = he2_config::parse("he2.toml", text).unwrap().plan();
    plan.routes.iter().find(|route| route.name == "runs").unwrap().concurrency
}

#[test]
fn a_concurrency_that_says_no_more_is_by_caller_leased_for_a_minute_and_open_on_errors() {
    let expected = Concurrency {
        name: "streams",
        by: &[Part::Caller],
        most: 2,
        lease_seconds: 60,
        closed_on_error: false,
        shadow: false,
        line: 40,
    };
    assert_eq!(concurrency(&with("most = 2")), [expected]);
}

#[test]
fn every_word_of_a_concurrency_has_its_meaning() {
    let one = |said: &str| concurrency(&with(&format!("most = 2\n{said}")))[0];
    assert!(one("on_error = \"deny\"").closed_on_error);
    assert!(!one("on_error = \"allow\"").closed_on_error);
    assert!(one("shadow = true").shadow && !one("shadow = false").shadow);
    assert_eq!([10, 600].map(|seconds| one(&format!("lease_seconds = {seconds}")).lease_seconds), [10, 600]);
}

#[test]
fn a_value_that_a_concurrency_does_not_know_is_refused() {
    let whole = "a whole number from 1 to 4294967295";
    for (said, expected) in [
        ("most = 0", format!("41: `most` must be {whole}, not the number 0")),
        ("most = 1001", "41: most 1001: give 1 to 1000".to_owned()),
        ("lease_seconds = 60", format!("40: [concurrency.streams] needs `most`; give it {whole}")),
        ("most = 2\nlease_seconds = 9", "42: lease_seconds 9: give 10 to 600".to_owned()),
        ("most = 2\nlease_seconds = 601", "42: lease_seconds 601: give 10 to 600".to_owned()),
        ("most = 2\non_error = \"denny\"", "42: unknown on_error `denny`; did you mean `deny`?".to_owned()),
        (
            "most = 2\non_error = \"local\"",
            "42: unknown on_error `local`; known are `allow`, `deny`".to_owned(),
        ),
        ("most = 2\nshadow = 1", "42: `shadow` must be true or false, not the number 1".to_owned()),
        (
            "mosst = 2\nmost = 2",
            "41: unknown key `mosst` in [concurrency.streams]; did you mean `most`?".to_owned(),
        ),
    ] {
        assert_eq!(faults(&with(said)), [format!("he2.toml:{expected}")]);
    }
    let expected = "he2.toml:40: name `Streams`: use lower-case letters, digits and `-`";
    assert_eq!(faults(&named("Streams", "most = 2", "[\"Streams\"]")), [expected]);
}

#[test]
fn a_limit_and_a_concurrency_of_one_name_are_refused() {
    let expected = "he2.toml:40: concurrency `runs` has the name of the limit on line 38; rename one";
    assert_eq!(faults(&named("runs", "most = 2", "[\"runs\"]")), [expected]);
}

#[test]
fn a_concurrency_that_no_route_names_is_refused() {
    let text = with("most = 2").replace("concurrency = [\"streams\"]\n", "");
    let expected = "he2.toml:40: concurrency `streams` is used by no route; name it in one, or remove it";
    assert_eq!(faults(&text), [expected]);
}

#[test]
fn a_route_names_each_concurrency_once_and_only_those_that_there_are() {
    for (list, expected) in [
        ("[]", "`concurrency` is empty; name at least one"),
        ("[\"streams\", \"streams\"]", "concurrency `streams` is already on line 65; remove one"),
        ("[\"streams\", \"stream\"]", "unknown concurrency `stream`; did you mean `streams`?"),
        ("\"streams\"", "`concurrency` must be an array of strings, not a string"),
    ] {
        let found = faults(&named("streams", "most = 2", list));
        assert_eq!(found[found.len() - 1], format!("he2.toml:65: {expected}"));
    }
    assert_eq!(
        faults(&named("streams", "most = 2", "[\"stream\"]")).len(),
        1,
        "which may be the one that is meant"
    );
}

#[test]
fn several_concurrencies_keep_the_routes_order() {
    let text = named("streams", "most = 2\n[concurrency.all]\nmost = 9", "[\"streams\", \"all\"]");
    assert_eq!(concurrency(&text).iter().map(|one| one.name).collect::<Vec<_>>(), ["streams", "all"]);
    let other_way = named("streams", "most = 2\n[concurrency.all]\nmost = 9", "[\"all\", \"streams\"]");
    assert_eq!(concurrency(&other_way).iter().map(|one| one.name).collect::<Vec<_>>(), ["all", "streams"]);
}

#[test]
fn a_concurrency_is_refused_where_it_would_break_the_caller_or_holds_nothing() {
    let route = |rest: &str| {
        let route = format!("name = \"more\"\nhosts = [\"he2.ai\"]\npaths = [\"/x\"]\n{rest}");
        let text = with_route(&format!("{route}\nconcurrency = [\"streams\"]"));
        faults(&text.replace(WINDOWS, &format!("{WINDOWS}\n[concurrency.streams]\nmost = 2")))
    };
    let webhook = "auth = { class = \"webhook\", scheme = \"stripe\", secret = \"STRIPE\", tolerance_seconds = 300, \
                   max_body_bytes = 9 }";
    let stream = "auth = { class = \"any_of\", sources = [\"query\"] }";
    for (rest, expected) in [
        (
            format!("service = \"backend\"\n{webhook}"),
            "he2.toml:71: no concurrency on a webhook: its sender gives up on one that is refused; remove `concurrency`",
        ),
        (
            format!("service = \"backend\"\n{stream}"),
            "he2.toml:71: no concurrency on a stream: browsers never reconnect after a refusal; say \
             `event_stream = true`, or remove `concurrency`",
        ),
        (
            "auth = \"blocked\"".to_owned(),
            "he2.toml:70: no concurrency on a blocked route; remove `concurrency`",
        ),
        (
            "edge = \"my-limits\"\nauth = \"any_of\"".to_owned(),
            "he2.toml:71: what the edge answers itself holds no place; remove `concurrency`",
        ),
    ] {
        assert_eq!(route(&rest), [expected]);
    }
}
