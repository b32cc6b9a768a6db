//! Each reason for which sign-in refuses a request, as an explanation says it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{COGNITO, ISSUER, NOW, Signer, base64url, explained, file, signed_in, step};

const CALL: [&str; 2] = ["GET", "https://he2.ai/api/agents"];

/// What the step says of a request with these further arguments.
fn said(request: [&str; 2], more: &[&str]) -> String {
    let issuer = ["--issuer", ISSUER];
    step(&explained(&[&request[..], &issuer, more].concat()), "auth").to_owned()
}

/// The same of a call with a token, without the words that all of them share.
fn of_token(token: &str, more: &[&str]) -> String {
    let header = format!("Authorization: Bearer {token}");
    let all = said(CALL, &[&["-H", &header], more].concat());
    all.strip_prefix("any_of: refused with ").unwrap_or(&all).to_owned()
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let signer = Signer::new();
    let jwks = signer.key_set("refusals");
    let jwks = ["--jwks", jwks.to_str().unwrap()];
    let es256 = |more: Value| {
        let mut header = json!({"alg": "ES256", "kid": "k1"});
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        signer.sign_as(&header, &json!({}))
    };
    let with = |changes: Value| signer.sign(&changes);
    for (token, expected) in [
        ("x".repeat(9_000), "401: token: the token is too long"),
        ("not.a.token".to_owned(), "401: token: the token is not a JWT"),
        ("sb_publishable_1".to_owned(), "401: token: an API key is not a bearer token"),
        (es256(json!({"crit": ["x"]})), "401: token: the token's header asks for what is not supported"),
        (es256(json!({"alg": "none"})), "401: token: the token's algorithm is not accepted"),
        (es256(json!({"kid": "k2"})), "401: token: the token is signed by an unknown key"),
        (Signer::new().sign(&json!({})), "401: token: the token's signature is not valid"),
        (with(json!({"exp": NOW - 30})), "401: token: the token has expired"),
        (
            with(json!({"exp": null})),
            "401: token: the token does not say when it was issued and when it expires",
        ),
        (with(json!({"exp": NOW + 90_000})), "401: token: the token is good for too long"),
        (with(json!({"nbf": NOW + 31})), "401: token: the token is not valid yet"),
        (
            with(json!({"iss": "https://evil.example"})),
            "401: token: the token's issuer is not accepted; --issuer URL names the one to accept",
        ),
        (with(json!({"aud": "other"})), "401: token: the token is for another audience"),
        (with(json!({"sub": "a b"})), "401: token: a claim of the token has not the form it must have"),
        (with(json!({"sub": null})), "401: token: the token names no user"),
        (with(json!({"role": "anon"})), "403: token: the token's role is not a signed-in user"),
    ] {
        assert_eq!(of_token(&token, &jwks), expected);
    }
}

#[test]
fn a_token_by_a_shared_secret_is_refused_after_the_end_of_its_time() {
    let header = json!({"alg": "HS256"});
    let later = 1_900_000_000_u64;
    let token = Signer::new().sign_as(&header, &json!({"iat": later, "exp": later + 60}));
    let expected = "401: token: tokens signed with the shared secret are no longer accepted";
    assert_eq!(of_token(&token, &["--now", &later.to_string()]), expected);
}

#[test]
fn a_token_of_another_kind_than_its_issuers_access_tokens_is_refused() {
    let claims = json!({"iss": COGNITO, "aud": null, "client_id": "web", "token_use": "id"});
    let token = Signer::new().sign_as(&json!({"alg": "RS256"}), &claims);
    assert_eq!(of_token(&token, &[]), "401: token: the token is not of the kind that is accepted");
}

#[test]
fn a_revoked_session_user_or_key_is_refused() {
    let (token, jwks) = signed_in("revoked");
    for revoked in [
        json!({"session_id": "session-7"}),
        json!({"sub": "user-7", "issued_before": NOW}),
        json!({"kid": "k1"}),
    ] {
        let mut entry = revoked.clone();
        entry["until"] = json!(NOW + 60);
        let list = file("revoked-list.json", &json!({"revocations": [entry]}).to_string());
        let more = ["--jwks", jwks.to_str().unwrap(), "--revocations", list.to_str().unwrap()];
        assert_eq!(of_token(&token, &more), "401: token: the token has been revoked", "{revoked}");
    }
}

#[test]
fn keys_that_are_older_than_they_should_be_are_said_to_serve_on_and_then_no_more() {
    let (token, jwks) = signed_in("old-keys");
    let aged = |age: &str| of_token(&token, &["--jwks", jwks.to_str().unwrap(), "--jwks-age", age]);
    let expected = "any_of: user user-7 (ES256 by supabase, key set of 3600 s ago); \
        keys of supabase, key set of 3600 s ago: the issuer is taken to be down";
    assert_eq!(aged("3600"), expected);
    let expected = "503: sign-in cannot be checked right now (the issuer is taken to be down)";
    assert_eq!(aged("90000"), expected);
}

/// he2.toml with another text in the place of one.
fn changed(text: &str, by: &str, test: &str) -> PathBuf {
    let original = include_str!("../../../../he2.toml");
    assert!(original.contains(text), "{text}");
    file(&format!("{test}.toml"), &original.replace(text, by))
}

#[test]
fn what_a_route_asks_of_a_user_beyond_a_good_token_is_said() {
    let (token, jwks) = signed_in("conditions");
    let auth = "auth = \"any_of\"\nlimit = \"api\"";
    for (asked, expected) in [
        ("aal = \"aal2\"", "401: a stronger sign-in is needed (aal must be aal2)"),
        (
            "claims = [{ claim = \"app_metadata.plan\", one_of = [\"pro\", 2] }]",
            "403: this sign-in may not do that (app_metadata.plan must be pro or 2)",
        ),
    ] {
        let auth_asked = format!("auth = {{ class = \"any_of\", {asked} }}\nlimit = \"api\"");
        let config = changed(auth, &auth_asked, "conditions");
        let more = ["--jwks", jwks.to_str().unwrap(), "--config", config.to_str().unwrap()];
        assert_eq!(of_token(&token, &more), expected);
    }
}

#[test]
fn what_is_wrong_with_the_way_a_credential_is_sent_is_said() {
    let stream = ["GET", "https://he2.ai/api/agent-run/7/stream?token=a"];
    let page = ["POST", "https://he2.ai/api/generate-prompts"];
    let session = format!("base64-{}", base64url(b"{\"access_token\":\"a.b.c\"}"));
    for (request, headers, expected) in [
        (CALL, vec![], "any_of: refused with 401: No valid authentication credentials found"),
        (CALL, vec!["X-API-Key: pk_1".to_owned()], "any_of: refused with 401: the API key is not valid"),
        (
            stream,
            vec!["Authorization: Bearer b".to_owned()],
            "any_of: refused with 400: more than one credential was sent; send one",
        ),
        (
            page,
            vec![
                format!("Cookie: sb-project-auth-token={session}"),
                "Origin: https://evil.example".to_owned(),
            ],
            "optional: refused with 403: a page of another site may not do this",
        ),
        (
            page,
            vec!["Cookie: sb-project-auth-token=base64-x".to_owned()],
            "optional: refused with 401: the session cookie does not hold a session",
        ),
        (
            page,
            vec!["Cookie: sb-project-auth-token=1; sb-project-auth-token=2".to_owned()],
            "optional: refused with 401: the session cookie was sent more than once",
        ),
    ] {
        let options: Vec<&str> = headers.iter().flat_map(|header| ["-H", header.as_str()]).collect();
        assert_eq!(said(request, &options), expected);
    }
}

#[test]
fn what_operators_lack_is_said() {
    let welcome = ["POST", "https://api.he2.ai/api/send-welcome-email"];
    let missing = "admin: refused with 401: No valid authentication credentials found";
    assert_eq!(said(welcome, &[]), missing);
    let networks = "{ class = \"admin\", secret = \"ADMIN_API_KEY\", networks = [\"203.0.113.0/24\"] }";
    let config = changed("{ class = \"admin\", secret = \"ADMIN_API_KEY\" }", networks, "networks");
    let more = ["-H", "X-Admin-Api-Key: k", "--config", config.to_str().unwrap()];
    let away = "admin: refused with 403: the admin key may not be used from this address";
    assert_eq!(said(welcome, &more), away);
    let another = "{ class = \"admin\", secret = \"OPERATORS_KEY\" }";
    let config = changed("{ class = \"admin\", secret = \"ADMIN_API_KEY\" }", another, "admin");
    let more = ["-H", "X-Admin-Api-Key: k", "--config", config.to_str().unwrap()];
    assert_eq!(said(welcome, &more), "admin: refused with 403: the admin key is not valid");
}

#[test]
fn what_a_webhook_lacks_is_said() {
    let stripe = ["POST", "https://api.he2.ai/api/billing/webhook"];
    let composio = ["POST", "https://api.he2.ai/api/composio/webhook"];
    let triggers = ["POST", "https://api.he2.ai/api/triggers/7/webhook"];
    let at = |time: u64| format!("Stripe-Signature: t={time},v1={}", "0".repeat(64));
    for (request, header, expected) in [
        (stripe, "A: b".to_owned(), "400: the webhook has no field stripe-signature"),
        (
            stripe,
            "Stripe-Signature: x".to_owned(),
            "400: the webhook's field stripe-signature cannot be read",
        ),
        (stripe, at(NOW - 301), "400: the webhook was signed too long ago"),
        (stripe, at(NOW + 301), "400: the webhook was signed in the future"),
        (stripe, at(NOW), "400: the webhook is not signed with the right secret"),
        (triggers, "X-Trigger-Secret: x".to_owned(), "400: the webhook is not signed with the right secret"),
        (
            composio,
            "A: b".to_owned(),
            "503: sign-in cannot be checked right now (the secret COMPOSIO_WEBHOOK_SECRET is not set)",
        ),
    ] {
        assert_eq!(said(request, &["-H", &header]), format!("webhook: refused with {expected}"));
    }
}

#[test]
fn a_projects_secret_key_is_refused_before_all_else_and_not_shown() {
    let key = format!("sb_secret_{}", "x".repeat(20));
    let expected = "refused with 401: a secret key was sent, and must be replaced";
    for (url, header) in [
        ("https://he2.ai/api/agents".to_owned(), format!("apikey: {key}")),
        ("https://he2.ai/api/agents".to_owned(), format!("X-Other: {key}")),
        (format!("https://he2.ai/api/agents?x={key}"), "A: b".to_owned()),
        (format!("https://he2.ai/api/{key}"), "A: b".to_owned()),
    ] {
        let found = explained(&["GET", &url, "-H", &header]);
        assert_eq!(step(&found, "host"), expected);
        assert!(!found.to_string().contains(&key), "{found:#}");
    }
}
