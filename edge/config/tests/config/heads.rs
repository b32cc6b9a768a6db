//! How large heads may be, who is kept out by where they come from, and what is added to answers.

use edge_core::forward::security::API;
use edge_core::plan::{Access, HeadLimits, Plan, Retirement, Route};

use crate::support::{VALID, edited, faults};

fn plan(text: &str) -> Plan {
    he2_config::parse("he2.toml", text).unwrap().plan()
}

/// The valid file with such a section; the line after its head is 16.
fn with(section: &str) -> String {
    edited("[origin]\n", &format!("{section}\n[origin]\n"))
}

fn route(text: &str) -> &'static Route {
    plan(text).routes.iter().find(|route| route.name == "runs").unwrap()
}

/// The valid file, whose route `runs` says so too.
fn saying(text: &str) -> String {
    edited("limit = \"runs\"\n", &format!("limit = \"runs\"\n{text}\n"))
}

#[test]
fn heads_are_bounded_where_nothing_is_said_and_as_it_is_said() {
    let default = HeadLimits { target_bytes: 12_288, query_bytes: 9_216, fields: 100, head_bytes: 15_360 };
    assert_eq!(plan(VALID).request, default);
    let said =
        plan(&with("[request]\ntarget_bytes = 14000\nquery_bytes = 12000\nfields = 200\nhead_bytes = 30000"));
    let expected = HeadLimits { target_bytes: 14_000, query_bytes: 12_000, fields: 200, head_bytes: 30_000 };
    assert_eq!(said.request, expected);
}

#[test]
fn bounds_that_the_load_balancer_or_a_token_does_not_fit_are_refused() {
    for (said, expected) in [
        ("head_bytes = 70000", "he2.toml:16: head_bytes 70000: give 8000 to 60000"),
        ("target_bytes = 20000", "he2.toml:16: target_bytes 20000: give 8000 to 16000"),
        ("fields = 10", "he2.toml:16: fields 10: give 50 to 1000"),
        (
            "query_bytes = 13000",
            "he2.toml:16: query_bytes 13000 is more than target_bytes 12288, which holds it",
        ),
        (
            "query_bytes = 8192",
            "he2.toml:22: max_token_bytes 8192: a query of query_bytes 8192 has no room for it; give less",
        ),
    ] {
        let found = faults(&with(&format!("[request]\n{said}")));
        assert!(found.contains(&expected.to_owned()), "{said}: {found:#?}");
    }
}

#[test]
fn a_rule_of_access_names_places_and_routes() {
    let rule = "[[access]]\ndeny = { countries = [\"KP\", \"T1\"], asns = [64500], networks = [\"203.0.113.0/24\"] }\nroutes = [\"runs\"]";
    let access = plan(&with(rule)).access.last().copied();
    let Access { allow, countries, asns, networks, routes, line } = access.unwrap();
    assert_eq!(
        (allow, countries, asns, routes, line),
        (false, &["KP", "T1"][..], &[64_500][..], &["runs"][..], 15)
    );
    assert!(
        networks[0].has("203.0.113.7".parse().unwrap()) && !networks[0].has("203.0.114.7".parse().unwrap())
    );
    assert!(
        plan(&with("[[access]]\nallow = { countries = [\"DE\"] }"))
            .access
            .last()
            .is_some_and(|rule| rule.allow)
    );
}

#[test]
fn a_rule_of_access_that_says_nothing_or_too_much_is_refused() {
    for (said, line, part) in [
        ("", 15, "either `deny` or `allow`"),
        ("deny = { asns = [1] }\nallow = { asns = [2] }", 15, "either `deny` or `allow`"),
        ("deny = {}", 16, "names nobody"),
        ("deny = { countries = [\"Korea\"] }", 16, "two letters"),
        ("deny = { networks = [\"203.0.113.0/33\"] }", 16, "203.0.113.0/33"),
        ("deny = { asns = [1] }\nroutes = [\"rums\"]", 17, "rums"),
    ] {
        let found = faults(&with(&format!("[[access]]\n{said}")));
        let expected = format!("he2.toml:{line}: ");
        assert!(
            found.iter().any(|one| one.starts_with(&expected) && one.contains(part)),
            "{said}: {found:#?}"
        );
    }
}

#[test]
fn a_route_answers_by_its_security_policy_else_as_data() {
    assert_eq!(route(VALID).security, Some(API));
    assert_eq!(route(&saying("security = \"none\"")).security, None);
    let policy = "[security.pages]\ncontent_security_policy = \"frame-ancestors 'self'\"\nhsts_seconds = 60";
    let text = saying("security = \"pages\"").replace("[origin]\n", &format!("{policy}\n[origin]\n"));
    let fields = route(&text).security.unwrap().fields;
    let value = |name| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    assert_eq!(value("strict-transport-security"), Some("max-age=60"));
    assert_eq!(value("content-security-policy"), Some("frame-ancestors 'self'"));
    assert_eq!(value("x-frame-options"), Some("SAMEORIGIN"));
    assert_eq!(value("x-content-type-options"), Some("nosniff"));
}

#[test]
fn a_policy_with_a_directive_that_there_is_not_is_refused() {
    let policy = "[security.pages]\ncontent_security_policy = \"frame-ancestor 'self'\"";
    let found =
        faults(&saying("security = \"pages\"").replace("[origin]\n", &format!("{policy}\n[origin]\n")));
    assert!(found.len() == 1 && found[0].contains("frame-ancestor"), "{found:#?}");
}

#[test]
fn a_route_that_goes_away_says_from_when() {
    let said =
        "retirement = { deprecated = 2026-12-01, sunset = 2027-06-30, link = \"https://he2.ai/changelog\" }";
    let expected = Retirement {
        deprecated: 1_796_083_200,
        sunset: Some(1_814_313_600),
        link: Some("https://he2.ai/changelog"),
    };
    assert_eq!(route(&saying(said)).retirement, Some(expected));
    let early = faults(&saying("retirement = { deprecated = 2026-12-01, sunset = 2026-11-01 }"));
    assert!(early.len() == 1 && early[0].contains("`sunset` is before `deprecated`"), "{early:#?}");
}
