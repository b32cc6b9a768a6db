//! Who may pass a route: what is written is what the plan holds, and nothing that would let too many pass is.

use edge_core::plan::{
    Admin, Auth, Condition, Network, Scheme, SignIn, Source, Subject, Test, Value, Webhook,
};

use crate::support::{faults, with_route};

/// The faults of a route with this `auth` on line 68, without their place.
fn auth_faults(auth: &str) -> Vec<String> {
    // A blocked route goes to no service.
    let text = with_route(&route(auth));
    let text =
        if auth.contains("blocked") { text.replace("/x\"]\nservice = \"backend\"", "/x\"]\n") } else { text };
    let found = faults(&text);
    found.iter().map(|fault| fault.strip_prefix("he2.toml:68: ").expect("of line 68").to_owned()).collect()
}

fn auth_fault(auth: &str) -> String {
    let all = auth_faults(auth);
    assert_eq!(all.len(), 1, "{auth}: {all:#?}");
    all.concat()
}

fn route(auth: &str) -> String {
    format!("name = \"more\"\nhosts = [\"he2.ai\"]\npaths = [\"/x\"]\nservice = \"backend\"\nauth = {auth}")
}

/// As the plan has it.
fn planned(auth: &str) -> Auth {
    let text = with_route(&route(auth)).replace("\"ES256\"]", "\"ES256\"]\ncookie = true");
    let plan =
        he2_config::parse("he2.toml", &text).unwrap_or_else(|faults| panic!("{auth}: {faults}")).plan();
    plan.routes.iter().find(|route| route.name == "more").unwrap().auth
}

const USER: SignIn =
    SignIn { required: true, user: true, api_key: false, sources: &[], grace_seconds: 0, conditions: &[] };

/// A user of whom this must hold.
fn user_with(subject: Subject, test: Test) -> Auth {
    Auth::SignIn(SignIn { conditions: vec![Condition { subject, test }].leak(), ..USER })
}

#[test]
fn a_class_says_which_credentials_are_taken() {
    for (class, expected) in [
        ("public", Auth::Public),
        ("optional", Auth::SignIn(SignIn { required: false, ..USER })),
        ("user", Auth::SignIn(USER)),
        ("api_key", Auth::SignIn(SignIn { user: false, api_key: true, ..USER })),
        ("any_of", Auth::SignIn(SignIn { api_key: true, ..USER })),
    ] {
        assert_eq!(planned(&format!("\"{class}\"")), expected);
        assert_eq!(planned(&format!("{{ class = \"{class}\" }}")), expected);
    }
}

#[test]
fn sources_and_grace_are_as_written() {
    let stream = planned(r#"{ class = "any_of", sources = ["query", "cookie"], grace_seconds = 86400 }"#);
    let sources = &[Source::Query, Source::Cookie];
    assert_eq!(stream, Auth::SignIn(SignIn { api_key: true, sources, grace_seconds: 86400, ..USER }));
}

#[test]
fn short_conditions_are_tests_of_what_the_issuer_calls_so() {
    let text = |subject, values| user_with(subject, Test::OneOf(values));
    let aal2 = text(Subject::Aal, &[Value::Text("aal2")]);
    assert_eq!(planned(r#"{ class = "user", aal = "aal2" }"#), aal2);
    let either = text(Subject::Aal, &[Value::Text("aal2"), Value::Text("aal3")]);
    assert_eq!(planned(r#"{ class = "user", aal = ["aal2", "aal3"] }"#), either);
    let known = text(Subject::Anonymous, &[Value::Bool(false)]);
    assert_eq!(planned(r#"{ class = "user", anonymous = false }"#), known);
    let role = text(Subject::Role, &[Value::Text("editor")]);
    assert_eq!(planned(r#"{ class = "user", roles = ["editor"] }"#), role);
}

#[test]
fn a_claim_is_a_path_with_one_test() {
    let claim = |claim: &str| planned(&format!("{{ class = \"user\", claims = [{{ {claim} }}] }}"));
    let plan = Subject::Claim(&["app_metadata", "plan"]);
    let found = claim(r#"claim = "app_metadata.plan", one_of = ["pro", 7, -1, true]"#);
    let values = &[Value::Text("pro"), Value::Number(7), Value::Number(-1), Value::Bool(true)];
    assert_eq!(found, user_with(plan, Test::OneOf(values)));
    let found = claim(r#"claim = "app_metadata.plan", equals = 0x10"#);
    assert_eq!(found, user_with(plan, Test::OneOf(&[Value::Number(16)])));
    let scope = Subject::Claim(&["scope"]);
    let found = claim(r#"claim = "scope", contains = "runs:write""#);
    assert_eq!(found, user_with(scope, Test::Contains(&[Value::Text("runs:write")])));
    let found = claim(r#"claim = "scope", contains = ["a", "b"]"#);
    assert_eq!(found, user_with(scope, Test::Contains(&[Value::Text("a"), Value::Text("b")])));
}

#[test]
fn all_conditions_of_a_route_are_kept() {
    let claims = r#"claims = [{ claim = "a", equals = 1 }, { claim = "b", equals = 2 }]"#;
    let short = r#"aal = "aal2", anonymous = false, roles = ["authenticated"]"#;
    let found = planned(&format!("{{ class = \"any_of\", {short}, {claims} }}"));
    let Auth::SignIn(SignIn { conditions, .. }) = found else { panic!("{found:?}") };
    assert_eq!(conditions.len(), 5);
}

#[test]
fn an_unknown_class_is_refused_with_the_nearest() {
    assert_eq!(auth_fault("\"usr\""), "unknown auth `usr`; did you mean `user`?");
    assert_eq!(
        auth_fault("{ class = \"apikey\", networks = 1 }"),
        "unknown auth `apikey`; did you mean `api_key`?"
    );
    let all = "known are `public`, `blocked`, `optional`, `user`, `api_key`, `any_of`, `admin`, `webhook`";
    assert_eq!(auth_fault("\"oauth2-token\""), format!("unknown auth `oauth2-token`; {all}"));
    assert_eq!(auth_fault("{}"), "auth needs `class`; give it a string in quotes");
    assert_eq!(
        auth_fault("7"),
        "`auth` must be a class in quotes, or a table with a `class`, not the number 7"
    );
}

#[test]
fn what_is_asked_of_users_is_refused_where_none_is_taken() {
    for class in ["public", "blocked", "api_key"] {
        for (key, value) in [
            ("sources", "[\"query\"]"),
            ("grace_seconds", "60"),
            ("aal", "\"aal2\""),
            ("anonymous", "false"),
            ("roles", "[\"authenticated\"]"),
            ("claims", "[{ claim = \"a\", equals = 1 }]"),
        ] {
            let found = auth_fault(&format!("{{ class = \"{class}\", {key} = {value} }}"));
            let expected = format!("`{key}` is for users' tokens, and auth `{class}` takes none; remove it");
            assert_eq!(found, expected);
        }
    }
    for class in ["admin", "webhook"] {
        for key in ["sources", "grace_seconds", "aal", "anonymous", "roles", "claims"] {
            let found = auth_faults(&format!("{{ class = \"{class}\", {key} = 1 }}"));
            let expected = format!("unknown key `{key}` in auth `{class}`; ");
            assert!(found.iter().any(|fault| fault.starts_with(&expected)), "{found:#?}");
        }
    }
}

#[test]
fn grace_is_for_streams_and_for_a_day_at_most() {
    let expected = "`grace_seconds` is for streams, which reconnect with the token of their URL; add the source \
                    \"query\", or remove it";
    assert_eq!(auth_fault("{ class = \"user\", grace_seconds = 60 }"), expected);
    let found = auth_fault("{ class = \"user\", sources = [\"query\"], grace_seconds = 86401 }");
    assert_eq!(found, "grace_seconds 86401: give 1 to 86400");
}

#[test]
fn a_source_that_nothing_has_is_refused() {
    let with = |sources: &str| auth_fault(&format!("{{ class = \"user\", sources = [{sources}] }}"));
    assert_eq!(with("\"qery\""), "unknown source `qery`; did you mean `query`?");
    assert_eq!(with(""), "`sources` is empty; name at least one");
    assert_eq!(with("\"query\", \"query\""), "sources `query` is already on line 68; remove one");
    let expected = "no issuer keeps its session in a cookie; give one `cookie = true`, or remove it";
    assert_eq!(with("\"cookie\""), expected);
}

#[test]
fn a_condition_that_proves_nothing_or_never_holds_is_refused() {
    for (condition, expected) in [
        ("aal = \"\"", "`aal` holds an empty string; remove it"),
        ("aal = []", "`aal` is empty; name at least one"),
        ("anonymous = true", "`anonymous` can only be false; leave it out to take anonymous users too"),
        ("roles = []", "`roles` is empty; name at least one"),
        ("roles = [\"\"]", "`roles` holds an empty string; remove it"),
        ("roles = [\"anon\"]", "role `anon` is never a signed-in user; remove it"),
        ("roles = [\"service_role\"]", "role `service_role` is never a signed-in user; remove it"),
        ("claims = []", "`claims` is empty; give a test, or leave it out"),
    ] {
        assert_eq!(auth_fault(&format!("{{ class = \"user\", {condition} }}")), expected);
    }
}

#[test]
fn a_claim_that_its_user_writes_or_that_says_nothing_is_refused() {
    let written = "is written by its user and proves nothing; use `app_metadata`";
    let form = "has an empty name; write it as `app_metadata.plan`";
    let count =
        |count| format!("the test of a claim has {count} of `equals`, `one_of` and `contains`; give one");
    for (test, expected) in [
        ("claim = \"user_metadata.plan\", equals = 1", format!("claim `user_metadata.plan` {written}")),
        ("claim = \"user_metadata\", contains = 1", format!("claim `user_metadata` {written}")),
        ("claim = \"a..b\", equals = 1", format!("claim `a..b` {form}")),
        ("claim = \"\", equals = 1", format!("claim `` {form}")),
        ("claim = \"a\"", count(0)),
        ("claim = \"a\", equals = 1, one_of = [1]", count(2)),
        ("claim = \"a\", equals = 1, one_of = [1], contains = 1", count(3)),
        ("claim = \"a\", equals = \"\"", "`equals` holds an empty string; remove it".into()),
        ("claim = \"a\", one_of = [\"b\", \"\"]", "`one_of` holds an empty string; remove it".into()),
        ("claim = \"a\", one_of = []", "`one_of` is empty; name at least one".into()),
        ("claim = \"a\", contains = []", "`contains` is empty; name at least one".into()),
        (
            "claim = \"a\", equals = 1.5",
            "`equals` must be a string, a whole number, or true or false, not a number with a fraction"
                .into(),
        ),
        (
            "claim = \"a\", one_of = 1",
            "`one_of` must be an array of strings, whole numbers, true or false, not the number 1".into(),
        ),
        ("equals = 1", "the test of a claim needs `claim`; give it a string in quotes".into()),
        (
            "claim = \"a\", equals = 1, not = 2",
            "unknown key `not` in the test of a claim; known are `claim`, `equals`, `one_of`, `contains`"
                .into(),
        ),
    ] {
        assert_eq!(auth_fault(&format!("{{ class = \"user\", claims = [{{ {test} }}] }}")), expected);
    }
}

#[test]
fn networks_of_operators_are_blocks_of_ipv6() {
    let found = planned(
        r#"{ class = "admin", secret = "KEY", networks = ["203.0.113.0/24", "2001:db8::/32", "::1/128", "192.0.2.7/32"] }"#,
    );
    let network = |address: &str, prefix| Network {
        address: address.parse::<std::net::Ipv6Addr>().unwrap().into(),
        prefix,
    };
    let networks = vec![
        network("::ffff:203.0.113.0", 120),
        network("2001:db8::", 32),
        network("::1", 128),
        network("::ffff:192.0.2.7", 128),
    ];
    assert_eq!(found, Auth::Admin(Admin { secret: "KEY", networks: networks.leak() }));
    assert_eq!(
        planned(r#"{ class = "admin", secret = "KEY" }"#),
        Auth::Admin(Admin { secret: "KEY", networks: &[] })
    );
}

#[test]
fn a_network_that_is_none_or_everything_is_refused() {
    let form = "write it as `203.0.113.0/24` or `2001:db8::/32`";
    for (network, fault) in [
        ("203.0.113.7", form),
        ("203.0.113/24", form),
        ("203.0.113.0/", form),
        ("203.0.113.0/-1", form),
        ("example.com/24", form),
        ("", form),
        ("203.0.113.0/33", "its prefix is longer than an address"),
        ("203.0.113.0/200", "its prefix is longer than an address"),
        ("2001:db8::/129", "its prefix is longer than an address"),
        ("203.0.113.7/24", "it begins at 203.0.113.0; write `203.0.113.0/24`"),
        ("2001:db8::1/32", "it begins at 2001:db8::; write `2001:db8::/32`"),
        ("::ffff:203.0.113.7/120", "it begins at ::ffff:203.0.113.0; write `::ffff:203.0.113.0/120`"),
        ("0.0.0.0/0", "it holds every address; leave `networks` out for that"),
        ("::/0", "it holds every address; leave `networks` out for that"),
    ] {
        let found =
            auth_faults(&format!("{{ class = \"admin\", secret = \"KEY\", networks = [\"{network}\"] }}"));
        assert!(found.contains(&format!("network `{network}`: {fault}")), "{found:#?}");
    }
    let found = auth_fault("{ class = \"admin\", secret = \"KEY\", networks = [] }");
    assert_eq!(found, "`networks` is empty; name at least one");
}

#[test]
fn operators_and_webhooks_name_their_secret() {
    assert_eq!(auth_fault("\"admin\""), "auth `admin` needs `secret`; give it a string in quotes");
    let found = auth_faults("\"webhook\"");
    assert!(
        found.contains(&"auth `webhook` needs `secret`; give it a string in quotes".into()),
        "{found:#?}"
    );
}

fn webhook(scheme: &str, rest: &str) -> String {
    format!("{{ class = \"webhook\", scheme = \"{scheme}\", secret = \"KEY\", {rest} }}")
}

#[test]
fn a_webhook_is_checked_as_its_scheme_says() {
    let timed = "tolerance_seconds = 300, max_body_bytes = 10485760";
    let webhook_of = |scheme, tolerance_seconds| {
        Auth::Webhook(Webhook { scheme, secret: "KEY", tolerance_seconds, max_body_bytes: 10_485_760 })
    };
    assert_eq!(planned(&webhook("stripe", timed)), webhook_of(Scheme::Stripe, 300));
    assert_eq!(planned(&webhook("standard", timed)), webhook_of(Scheme::Standard, 300));
    let found = planned(&webhook("shared", "header = \"x-trigger-secret\", max_body_bytes = 10485760"));
    assert_eq!(found, webhook_of(Scheme::Shared("x-trigger-secret"), 0));
}

#[test]
fn a_webhook_that_could_not_be_checked_is_refused() {
    let timed = "tolerance_seconds = 300, max_body_bytes = 9";
    for (scheme, rest, expected) in [
        ("strip", timed, "unknown scheme `strip`; did you mean `stripe`?"),
        (
            "shared",
            "max_body_bytes = 9",
            "scheme `shared` needs `header`; name the field that carries the secret",
        ),
        ("shared", "header = \"X-Secret\", max_body_bytes = 9", "`X-Secret` is no header name in lower case"),
        ("shared", "header = \"\", max_body_bytes = 9", "`` is no header name in lower case"),
        (
            "shared",
            "header = \"x\", tolerance_seconds = 9, max_body_bytes = 9",
            "a shared secret has no time; remove `tolerance_seconds`",
        ),
        (
            "stripe",
            "header = \"x\", tolerance_seconds = 9, max_body_bytes = 9",
            "`header` goes with scheme `shared` only; remove it",
        ),
        (
            "standard",
            "header = \"x\", tolerance_seconds = 9, max_body_bytes = 9",
            "`header` goes with scheme `shared` only; remove it",
        ),
        ("stripe", "max_body_bytes = 9", "a signature has its time; give `tolerance_seconds`, as 300"),
        (
            "standard",
            "tolerance_seconds = 3601, max_body_bytes = 9",
            "tolerance_seconds 3601: give 1 to 3600",
        ),
        (
            "stripe",
            "tolerance_seconds = 9, max_body_bytes = 10485761",
            "max_body_bytes 10485761: give 1 to 10485760",
        ),
        (
            "stripe",
            "tolerance_seconds = 9",
            "auth `webhook` needs `max_body_bytes`; give it a whole number from 1 to 4294967295",
        ),
    ] {
        assert_eq!(auth_fault(&webhook(scheme, rest)), expected);
    }
}
