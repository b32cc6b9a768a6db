//! The names of the Worker's variables and secrets: all in the plan, each for one thing.

use crate::support::{edited, fault, route_fault, with_route};

const HS256: &str = "hs256 = { secret = \"JWT_SECRET\", until = 2027-06-30 }";
const LAST: &str = "jwks_cooldown_seconds = 30";

fn route(auth: &str) -> String {
    format!("name = \"more\"\nhosts = [\"he2.ai\"]\npaths = [\"/x\"]\nservice = \"backend\"\nauth = {auth}")
}

fn webhook(scheme: &str, secret: &str) -> String {
    let rest = match scheme {
        "shared" => "header = \"x-secret\"",
        _ => "tolerance_seconds = 300",
    };
    format!(
        "{{ class = \"webhook\", scheme = \"{scheme}\", secret = \"{secret}\", {rest}, max_body_bytes = 9 }}"
    )
}

#[test]
fn the_plan_lists_every_name_once() {
    let cognito = r#"[issuer.cognito]
variable = "COGNITO_ISSUER"
audiences = { variable = "COGNITO_CLIENTS" }
algorithms = ["RS256"]
jwks_max_age_seconds = 600
jwks_stale_seconds = 86400
jwks_cooldown_seconds = 30"#;
    let text = edited(LAST, &format!("{LAST}\n{HS256}\n{cognito}"));
    let auths = [
        webhook("stripe", "STRIPE"),
        webhook("standard", "STRIPE"),
        webhook("shared", "TRIGGER"),
        "{ class = \"admin\", secret = \"KEY\" }".to_owned(),
    ];
    let routes = auths.iter().enumerate().fold(String::new(), |text, (at, auth)| {
        let route = route(auth).replace("more", &format!("more-{at}")).replace("/x", &format!("/x/{at}"));
        format!("{text}[[route]]\n{route}\n")
    });
    let plan = he2_config::parse("he2.toml", &format!("{text}\n{routes}")).unwrap().plan();
    let expected =
        ["COGNITO_CLIENTS", "COGNITO_ISSUER", "ISSUER", "JWT_SECRET", "KEY", "ORIGIN", "STRIPE", "TRIGGER"];
    assert_eq!(plan.variables, expected);
}

#[test]
fn a_name_that_no_variable_has_is_refused() {
    for name in ["issuer", "IS-SUER", "1ISSUER", "_ISSUER", ""] {
        let expected = format!("he2.toml:25: variable `{name}`: use capital letters, digits and `_`");
        assert_eq!(fault("\"ISSUER\"", &format!("\"{name}\"")), expected);
    }
}

#[test]
fn a_name_of_the_gateways_own_is_refused() {
    for name in [
        "ORIGIN",
        "MAINTENANCE",
        "DEFAULT_HOST",
        "ORIGIN_LOCK",
        "IDENTITY_SECRET",
        "LIMITER",
        "REVOCATIONS",
        "DELIVERIES",
        "PLACES",
        "DAYTONA_API",
        "DAYTONA_API_KEY",
        "METRICS",
        "ENVIRONMENT",
        "VERSION",
        "OTLP_ENDPOINT",
        "OTLP_HEADERS",
        "SENTRY_DSN",
        "MONITORED_DSN",
    ] {
        let expected = format!("he2.toml:68: `{name}` is the gateway's own; use another name");
        assert_eq!(route_fault(&route(&webhook("stripe", name))), expected);
    }
}

#[test]
fn one_name_is_not_for_two_things() {
    let admin = "{ class = \"admin\", secret = \"ISSUER\" }";
    let expected = "he2.toml:68: `ISSUER` is already an issuer's address on line 25; use another name";
    assert_eq!(route_fault(&route(admin)), expected);
    let expected = "he2.toml:32: `ISSUER` is already an issuer's address on line 25; use another name";
    assert_eq!(fault(LAST, &format!("{LAST}\n{}", HS256.replace("JWT_SECRET", "ISSUER"))), expected);
    // Who may send the one could sign the other.
    let second = route(&webhook("shared", "KEY")).replace("more", "second").replace("/x", "/y");
    let both = format!("{}\n[[route]]\n{second}", route(&webhook("stripe", "KEY")));
    let expected = "he2.toml:74: `KEY` is already a secret that signs webhooks on line 68; use another name";
    assert_eq!(route_fault(&both), expected);
}

#[test]
fn operators_and_webhooks_of_one_kind_may_share_a_secret() {
    for auth in [webhook("shared", "KEY"), "{ class = \"admin\", secret = \"KEY\" }".to_owned()] {
        let second = route(&auth).replace("more", "second").replace("/x", "/y");
        let text = with_route(&format!("{}\n[[route]]\n{second}", route(&auth)));
        assert!(he2_config::parse("he2.toml", &text).is_ok(), "{auth}");
    }
}

#[test]
fn two_issuers_have_two_variables_and_two_secrets() {
    let second = format!(
        "[issuer.other]\nvariable = \"ISSUER\"\naudiences = [\"a\"]\nalgorithms = [\"RS256\"]\n{HS256}\n\
         jwks_max_age_seconds = 600\njwks_stale_seconds = 600\njwks_cooldown_seconds = 30"
    );
    let expected = "he2.toml:33: `ISSUER` is already an issuer's address on line 25; use another name";
    assert_eq!(fault(LAST, &format!("{LAST}\n{second}")), expected);
    let second = second.replace("\"ISSUER\"", "\"OTHER\"");
    let expected = "he2.toml:37: `JWT_SECRET` is already a signing secret on line 32; use another name";
    assert_eq!(fault(LAST, &format!("{LAST}\n{HS256}\n{second}")), expected);
}
