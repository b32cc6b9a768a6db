//! Routes that the edge answers itself or passes on to a third party; and the log's sample.

use edge_core::plan::{Edge, Log, Proxy};

use crate::support::{VALID, faults, route_fault, with_route};

fn route(path: &str, rest: &str) -> String {
    format!("name = \"more\"\nhosts = [\"he2.ai\"]\npaths = [\"{path}\"]\n{rest}")
}

fn proxied(path: &str, proxy: &str) -> String {
    route(path, &format!("proxy = \"{proxy}\"\nauth = \"public\""))
}

#[test]
fn a_proxy_is_an_address_that_ends_with_what_the_path_captures() {
    for (path, proxy, base, tail) in [
        ("/x/{*rest}", "https://eu.i.posthog.com/{*rest}", "https://eu.i.posthog.com/", Some("rest")),
        ("/x/{*rest}", "https://a.example:8443/b/{*rest}", "https://a.example:8443/b/", Some("rest")),
        ("/x", "https://a.example/b", "https://a.example/b", None),
    ] {
        let plan = he2_config::parse("he2.toml", &with_route(&proxied(path, proxy))).unwrap().plan();
        let found = plan.routes.iter().find(|route| route.name == "more").unwrap();
        assert_eq!((found.edge, found.service), (Some(Edge::Proxy(Proxy { base, tail })), ""));
    }
}

#[test]
fn a_proxy_that_leads_elsewhere_than_it_says_is_refused() {
    for proxy in [
        "http://a.example/{*rest}",
        "https://a.example",
        "https://a.example{*rest}",
        "https://user@a.example/{*rest}",
        "https://a.example/?{*rest}",
        "https://a.example/{rest}",
        "https://a.example/{*rest}/more",
        "https:///{*rest}",
    ] {
        let expected = format!("he2.toml:67: proxy `{proxy}` must be as `https://example.com/{{*rest}}`");
        assert_eq!(route_fault(&proxied("/x/{*rest}", proxy)), expected);
    }
    let proxy = "https://a.example/{*other}";
    let expected = format!(
        "he2.toml:67: proxy `{proxy}` ends with what not every path captures; end the paths with the same `{{*…}}`"
    );
    assert_eq!(route_fault(&proxied("/x/{*rest}", proxy)), expected);
}

#[test]
fn what_everybody_may_ask_knows_no_callers() {
    for edge in ["health", "ready", "sentry-tunnel"] {
        let expected = format!(
            "he2.toml:67: edge `{edge}` is for everybody, and knows no callers; give the route auth `public`"
        );
        assert_eq!(route_fault(&route("/x", &format!("edge = \"{edge}\"\nauth = \"user\""))), expected);
    }
    let text = proxied("/x", "https://a.example/b").replace("public", "user");
    let expected =
        "he2.toml:67: proxy `https://a.example/b` is told nothing of who calls; give the route auth `public`";
    assert_eq!(route_fault(&text), expected);
}

#[test]
fn one_thing_answers() {
    let proxy = "proxy = \"https://a.example/b\"\nauth = \"public\"";
    let expected = "he2.toml:68: `proxy` answers in place of `edge`; remove one of the two";
    assert_eq!(route_fault(&route("/x", &format!("edge = \"health\"\n{proxy}"))), expected);
    let expected = "he2.toml:68: `edge` answers in place of a service; remove one of the two";
    assert_eq!(route_fault(&route("/x", &format!("service = \"backend\"\n{proxy}"))), expected);
    let expected = "he2.toml:69: cache `minute`: the edge's own answers are live; remove `cache`";
    assert_eq!(route_fault(&route("/x", &format!("{proxy}\ncache = \"minute\""))), expected);
}

/// The valid file with this section.
fn with_log(log: &str) -> String {
    format!("{VALID}[log]\n{log}\n")
}

#[test]
fn without_a_sample_every_request_leaves_a_line() {
    let log = |text: &str| he2_config::parse("he2.toml", text).unwrap().plan().log;
    assert_eq!(log(VALID), Log { ok: 100, cached: 100, preflight: 100 });
    assert_eq!(log(&with_log("sample = { cached = 1 }")), Log { ok: 100, cached: 1, preflight: 100 });
}

#[test]
fn a_sample_of_more_than_all_or_of_what_is_always_kept_is_refused() {
    let line = VALID.lines().count() + 2;
    let expected = format!("he2.toml:{line}: ok 101: give 1 to 100 percent");
    assert_eq!(faults(&with_log("sample = { ok = 101 }")), [expected]);
    let all = faults(&with_log("sample = { errors = 10 }"));
    assert!(all.concat().contains("unknown key `errors` in a sample"), "{all:?}");
    let all = faults(&with_log("sample = { ok = 0 }"));
    assert!(all.concat().contains("`ok` must be a whole number from 1"), "{all:?}");
}
