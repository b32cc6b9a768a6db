//! What a token must be and who may issue it: nothing that would take a forged, foreign or endless one passes.

use edge_core::plan::{Algorithm, Audiences, ClaimNames, Condition, Hs256, Issuer, Subject, Test, Value};

use crate::support::{edited, fault, faults};

/// Lines before the last of the issuer, which is line 31.
const LAST: &str = "jwks_cooldown_seconds = 30";

/// The plan's issuers, with this among what the file says of its only one.
fn issuers(more: &str) -> &'static [Issuer] {
    let text = edited(LAST, &format!("{LAST}\n{more}"));
    he2_config::parse("he2.toml", &text).unwrap_or_else(|faults| panic!("{faults}")).plan().issuers
}

/// The one fault of the issuer with this on its line 32.
fn with(more: &str) -> String {
    fault(LAST, &format!("{LAST}\n{more}"))
}

#[test]
fn what_an_issuer_leaves_out_is_as_supabase_has_it() {
    let expected = Issuer {
        name: "supabase",
        line: 24,
        variable: "ISSUER",
        jwks: "/.well-known/jwks.json",
        audience_claim: "aud",
        audiences: Audiences::Listed(&["authenticated"]),
        algorithms: &[Algorithm::Es256],
        hs256: None,
        roles: &["authenticated"],
        claims: ClaimNames {
            user: "sub",
            role: "role",
            session: "session_id",
            aal: "aal",
            anonymous: "is_anonymous",
        },
        conditions: &[],
        cookie: false,
        jwks_max_age_seconds: 600,
        jwks_stale_seconds: 86400,
        jwks_cooldown_seconds: 30,
    };
    assert_eq!(issuers(""), [expected]);
}

#[test]
fn an_issuer_says_what_differs() {
    let found = issuers(
        r#"[issuer.cognito]
variable = "COGNITO_ISSUER"
jwks = "https://keys.example.com:8443/jwks"
audience_claim = "client_id"
audiences = { variable = "COGNITO_CLIENTS" }
algorithms = ["RS256", "EdDSA"]
claims = { session = "origin_jti", user = "username" }
require = [{ claim = "token_use", equals = "access" }]
cookie = true
jwks_max_age_seconds = 1
jwks_stale_seconds = 2
jwks_cooldown_seconds = 6"#,
    );
    let claims = ClaimNames { session: "origin_jti", user: "username", ..found[0].claims };
    let test = Test::OneOf(&[Value::Text("access")]);
    let conditions = vec![Condition { subject: Subject::Claim(&["token_use"]), test }].leak();
    let expected = Issuer {
        name: "cognito",
        line: 32,
        variable: "COGNITO_ISSUER",
        jwks: "https://keys.example.com:8443/jwks",
        audience_claim: "client_id",
        audiences: Audiences::Variable("COGNITO_CLIENTS"),
        algorithms: &[Algorithm::Rs256, Algorithm::EdDsa],
        hs256: None,
        roles: &[],
        claims,
        conditions,
        cookie: true,
        jwks_max_age_seconds: 1,
        jwks_stale_seconds: 2,
        jwks_cooldown_seconds: 6,
    };
    assert_eq!(found[1], expected);
}

#[test]
fn the_last_day_of_a_shared_secret_ends_at_midnight_utc() {
    // As `date --utc --date '2027-07-01' +%s` has it, and the day after a leap day.
    for (day, until) in [("2027-06-30", 1_814_400_000), ("2028-02-29", 1_835_481_600)] {
        let found = issuers(&format!("hs256 = {{ secret = \"JWT_SECRET\", until = {day} }}"));
        assert_eq!(found[0].hs256, Some(Hs256 { secret: "JWT_SECRET", until }), "{day}");
    }
}

#[test]
fn an_end_that_is_no_date_is_refused() {
    let wanted = "`until` must be a date without quotes, as 2027-06-30, not";
    for (until, kind) in [
        ("\"2027-06-30\"", "a string"),
        ("2027-06-30T10:00:00Z", "a time"),
        ("1814400000", "the number 1814400000"),
    ] {
        let found = with(&format!("hs256 = {{ secret = \"JWT_SECRET\", until = {until} }}"));
        assert_eq!(found, format!("he2.toml:32: {wanted} {kind}"));
    }
    let found = with("hs256 = { secret = \"JWT_SECRET\", until = 1960-01-01 }");
    assert_eq!(found, "he2.toml:32: until 1960-01-01: there is no such day after 1970");
    let found = with("hs256 = { secret = \"JWT_SECRET\", until = 2027-02-30 }");
    assert!(found.starts_with("he2.toml:32: "), "{found}");
}

#[test]
fn a_shared_secret_has_an_end() {
    let expected = "he2.toml:32: hs256 needs `until`; give it a date without quotes, as 2027-06-30";
    assert_eq!(with("hs256 = { secret = \"JWT_SECRET\" }"), expected);
}

#[test]
fn rfc8725_3_1_an_algorithm_that_no_key_set_may_have_is_refused() {
    let unknown = "he2.toml:27: unknown algorithm";
    for (name, repair) in [
        ("none", "known are `ES256`, `RS256`, `EdDSA`"),
        ("ES265", "did you mean `ES256`?"),
        ("HS256", "it is signed with a shared secret; remove it and give `hs256 = { secret, until }`"),
    ] {
        let found = fault("[\"ES256\"]", &format!("[\"ES256\", \"{name}\"]"));
        assert_eq!(found, format!("{unknown} `{name}` of a key set; {repair}"));
    }
    assert_eq!(fault("[\"ES256\"]", "[]"), "he2.toml:27: `algorithms` is empty; name at least one");
}

#[test]
fn an_audience_or_role_that_a_token_could_leave_empty_is_refused() {
    let audiences = "audiences = [\"authenticated\"]";
    let expected = "he2.toml:26: `audiences` is empty; name at least one";
    assert_eq!(fault(audiences, "audiences = []"), expected);
    let expected = "he2.toml:26: `audiences` holds an empty string; remove it";
    assert_eq!(fault(audiences, "audiences = [\"authenticated\", \"\"]"), expected);
    let expected = "he2.toml:26: audiences needs `variable`; give it a string in quotes";
    assert_eq!(fault(audiences, "audiences = {}"), expected);
    let expected = "he2.toml:28: `roles` holds an empty string; remove it";
    assert_eq!(fault("roles = [\"authenticated\"]", "roles = [\"\"]"), expected);
    let expected = "he2.toml:28: `roles` is empty; name at least one";
    assert_eq!(fault("roles = [\"authenticated\"]", "roles = []"), expected);
    let expected = "he2.toml:32: `audience_claim` is empty; name the claim, or leave it out for `aud`";
    assert_eq!(with("audience_claim = \"\""), expected);
    let expected = "he2.toml:32: `user` is empty; name the claim, or leave it out for `sub`";
    assert_eq!(with("claims = { user = \"\" }"), expected);
}

#[test]
fn a_role_that_is_no_user_is_refused() {
    for role in ["anon", "service_role"] {
        let expected = format!("he2.toml:28: role `{role}` is never a signed-in user; remove it");
        assert_eq!(fault("roles = [\"authenticated\"]", &format!("roles = [\"{role}\"]")), expected);
    }
}

#[test]
fn a_key_set_is_below_the_issuer_or_at_an_encrypted_address() {
    let form =
        "write a path below the issuer's address, as `/.well-known/jwks.json`, or an address with https";
    for jwks in [
        "jwks.json",
        "http://keys.example.com/jwks",
        "//keys.example.com/jwks",
        "https://keys.example.com",
        "https:///jwks",
        "https://user@keys.example.com/jwks",
        "/jwks#keys",
        "/jw ks",
        "",
    ] {
        assert_eq!(with(&format!("jwks = \"{jwks}\"")), format!("he2.toml:32: jwks `{jwks}`: {form}"));
    }
}

#[test]
fn keys_that_are_dropped_before_they_are_old_are_refused() {
    let expected =
        "he2.toml:30: jwks_stale_seconds 599 is less than jwks_max_age_seconds 600; give at least 600";
    assert_eq!(fault("jwks_stale_seconds = 86400", "jwks_stale_seconds = 599"), expected);
}

#[test]
fn a_cooldown_shorter_than_one_fetch_is_refused() {
    let expected =
        "he2.toml:31: jwks_cooldown_seconds 5: one fetch of the keys may take 5 s; give at least 6";
    assert_eq!(fault(LAST, "jwks_cooldown_seconds = 5"), expected);
}

#[test]
fn bounds_of_all_tokens_hold_at_both_ends() {
    for (key, line, value, least, most) in [
        ("max_token_bytes = ", 20, 8192, 512, 9215),
        ("max_lifetime_seconds = ", 21, 86400, 3600, 604_800),
        ("forgeries = { quota = ", 22, 30, 1, 1000),
        ("seconds = ", 22, 10, 1, 3600),
        ("revocations_seconds = ", 23, 5, 1, 60),
    ] {
        let with = |number: u32| edited(&format!("{key}{value}"), &format!("{key}{number}"));
        for number in [least, most] {
            assert!(he2_config::parse("he2.toml", &with(number)).is_ok(), "{key}{number}");
        }
        for number in [least - 1, most + 1] {
            let found = faults(&with(number));
            assert_eq!(found.len(), 1, "{found:#?}");
            assert!(found[0].starts_with(&format!("he2.toml:{line}: ")), "{}", found[0]);
            assert!(found[0].contains(&number.to_string()), "{}", found[0]);
        }
    }
}

#[test]
fn what_an_issuer_requires_is_a_test_that_can_pass() {
    let found = with("require = []");
    assert_eq!(found, "he2.toml:32: `require` is empty; give a test, or leave it out");
    let found = with("require = [{ claim = \"token_use\" }]");
    let expected = "he2.toml:32: the test of a claim has 0 of `equals`, `one_of` and `contains`; give one";
    assert_eq!(found, expected);
}
