//! Signing in, as a sequence of requests sees it.

use serde_json::{Value, json};

use super::fake::{Fake, done, published, signed_in, token};
use crate::plan::{Condition, SignIn, Subject, Test, Value as Wanted};
use crate::testing::{ANY_OF, NOW, Signer, claims, with};

/// A stronger sign-in, of a user with an identity, in a plan that is paid for.
pub(super) const STRONG: SignIn = SignIn {
    conditions: &[
        Condition { subject: Subject::Aal, test: Test::OneOf(&[Wanted::Text("aal2")]) },
        Condition { subject: Subject::Anonymous, test: Test::OneOf(&[Wanted::Bool(false)]) },
        Condition {
            subject: Subject::Claim(&["app_metadata", "plan"]),
            test: Test::OneOf(&[Wanted::Text("pro")]),
        },
    ],
    ..ANY_OF
};

#[test]
fn a_remembered_token_expires_all_the_same() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    let short = token(&signer, &json!({"exp": NOW + 60}));
    assert_eq!(fake.call("/optional", &short), 200);
    fake.wait(90);
    assert_eq!(fake.call("/optional", &short), 401);
}

#[test]
fn a_token_that_expired_opens_a_stream_for_the_grace_and_nothing_else() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    let expired = |ago: u64| token(&signer, &json!({"exp": NOW - ago, "iat": NOW - ago - 60}));
    let stream = |token: &str| fake.status("GET", &format!("https://he2.ai/stream?token={token}"), &[]);
    assert_eq!(stream(&expired(3_600)), 200);
    assert_eq!(stream(&expired(3_630)), 401);
    assert_eq!(fake.call("/optional", &expired(3_600)), 401, "remembered or not");
    let forged = Signer::new("k1").sign(&with(&json!({"exp": NOW - 60, "iat": NOW - 120})));
    assert_eq!(stream(&forged), 401);
}

#[test]
fn forgeries_from_one_address_are_refused_before_any_signature_work() {
    let mut fake = Fake::new();
    let good = signed_in(&mut fake);
    assert_eq!(fake.call("/optional", &good), 200);
    let forged = |user: &str| Signer::new("k1").sign(&with(&json!({"sub": user})));
    for user in ["a", "b", "c"] {
        assert_eq!(fake.call("/optional", &forged(user)), 401);
    }
    fake.take_effects();
    let bearer = format!("Bearer {}", forged("d"));
    let (answer, _) = fake.answer("GET", "https://he2.ai/optional", &[("authorization", &bearer)]);
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"60".parse().unwrap()));
    assert!(answer.body().contains("abnormal-usage-detected"));
    assert_eq!(done(&fake, "verify"), 0);
    assert_eq!(fake.call("/optional", &good), 200, "who was known stays known");
    fake.wait(60);
    assert_eq!(fake.call("/optional", &forged("e")), 401);
}

#[test]
fn rfc9470_a_sign_in_that_is_too_weak_is_told_what_to_step_up_to() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    let answer = |changes: &Value| {
        let bearer = format!("Bearer {}", token(&signer, changes));
        fake.answer("GET", "https://he2.ai/strong", &[("authorization", &bearer)])
    };
    let pro = json!({"plan": "pro"});
    assert_eq!(answer(&json!({"aal": "aal2", "app_metadata": pro})).0.status(), 200);
    let (weak, _) = answer(&json!({"app_metadata": pro}));
    assert_eq!(weak.status(), 401);
    let challenge = weak.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.ends_with("acr_values=\"aal2\""), "{challenge}");
    let anonymous = answer(&json!({"aal": "aal2", "is_anonymous": true, "app_metadata": pro}));
    let (free, record) = answer(&json!({"aal": "aal2", "user_metadata": pro}));
    for refused in [&anonymous.0, &free] {
        assert_eq!(refused.status(), 403);
        assert!(refused.headers()["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
    }
    assert_eq!(record.internal.as_deref(), Some("app_metadata.plan must be pro"));
}

#[test]
fn a_bad_cookie_never_locks_its_user_out_of_a_page() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    let cookie = |token: &str| format!("sb-ref-auth-token={{\"access_token\":\"{token}\"}}");
    let page = |cookie: &str, more: &[(&'static str, &str)]| {
        let (answer, record) =
            fake.answer("GET", "https://he2.ai/page", &[&[("cookie", cookie)], more].concat());
        (answer.status().as_u16(), record.caller)
    };
    let (good, expired) =
        (token(&signer, &json!({})), token(&signer, &json!({"exp": NOW - 60, "iat": NOW - 120})));
    let forged = Signer::new("k1").sign(&claims());
    let (going, known, unknown) = ([("sec-fetch-mode", "navigate")], Some("user"), Some("anonymous"));
    assert_eq!(page(&cookie(&good), &[]), (200, known));
    assert_eq!(page(&cookie(&expired), &[]), (200, unknown));
    assert_eq!(page(&cookie(&expired), &going), (200, unknown));
    for bad in [cookie(&forged), "sb-ref-auth-token=base64-%".to_owned()] {
        assert_eq!(page(&bad, &[]).0, 401, "a bad credential is refused where nothing else is at stake");
        assert_eq!(page(&bad, &going), (200, unknown));
    }
}

#[test]
fn a_cookie_does_not_speak_for_its_user_on_another_sites_behalf() {
    let mut fake = Fake::new();
    let cookie = format!("sb-ref-auth-token={{\"access_token\":\"{}\"}}", signed_in(&mut fake));
    let post =
        |origin: &str| fake.status("POST", "https://he2.ai/page", &[("cookie", &cookie), ("origin", origin)]);
    assert_eq!(post("https://he2.ai"), 200);
    assert_eq!(post("https://8080-x.sandbox.he2.ai"), 403);
    let own = [("cookie", &*cookie), ("origin", "http://127.0.0.1:8787"), ("sec-fetch-site", "same-origin")];
    assert_eq!(fake.status("POST", "https://he2.ai/page", &own), 200, "wherever the gateway runs");
    let socket = [("cookie", &*cookie), ("origin", "https://evil.example"), ("connection", "upgrade")];
    let socket = [&socket[..], &[("upgrade", "websocket")]].concat();
    assert_eq!(fake.status("GET", "https://he2.ai/page", &socket), 403, "nor for a socket");
}

#[test]
fn a_projects_secret_key_is_refused_and_logged_as_a_leak_without_its_value() {
    let fake = Fake::new();
    let key = format!("sb_secret_{}", "a".repeat(31));
    let (answer, record) = fake.answer("GET", "https://he2.ai/get", &[("apikey", &key)]);
    assert_eq!((answer.status().as_u16(), record.leak.as_deref()), (401, Some("apikey")));
    let log = serde_json::to_string(&record).unwrap();
    assert!(!log.contains(&key) && !answer.body().contains(&key));
    assert_eq!(fake.take_effects(), [""; 0]);
}

#[test]
fn the_identity_is_signed_for_this_request() {
    let mut fake = Fake::new();
    let bearer = format!("Bearer {}", signed_in(&mut fake));
    let spoofed = ("x-he2-identity", "t=1,v1=00");
    let signed = |method: &str, path: &str, fields: &[(&'static str, &str)]| {
        fake.answer(method, &format!("https://he2.ai{path}"), &[fields, &[spoofed]].concat());
        fake.sent.take().unwrap().headers["x-he2-identity"].to_str().unwrap().to_owned()
    };
    let expected = |lines: &str| {
        let mac = hmac_sha256::HMAC::mac(format!("{NOW}\n{lines}"), "identity");
        format!("t={NOW},v1={}", crate::trace::hex(&mac))
    };
    let user = [("authorization", bearer.as_str())];
    assert_eq!(
        signed("GET", "/optional?a=1", &user),
        expected("GET\n/optional?a=1\nu1\nauthenticated\ns1\naal1")
    );
    assert_eq!(signed("POST", "/optional", &[]), expected("POST\n/optional\n\n\n\n"));
}

#[test]
fn a_page_of_another_site_cannot_use_up_what_an_address_may_get_wrong() {
    let mut fake = Fake::new();
    let forged = |user: &str| Signer::new("k1").sign(&with(&json!({"sub": user})));
    let good = signed_in(&mut fake);
    for user in ["a", "b", "c", "d"] {
        let url = format!("https://he2.ai/stream?token={}", forged(user));
        assert_eq!(fake.status("GET", &url, &[("sec-fetch-site", "cross-site")]), 403);
    }
    assert_eq!(fake.call("/optional", &good), 200);
    let url = format!("https://he2.ai/stream?token={good}");
    let listed = [("sec-fetch-site", "cross-site"), ("origin", "https://he2.ai")];
    assert_eq!(fake.status("GET", &url, &listed), 200);
    assert_eq!(fake.status("GET", &url, &[("sec-fetch-site", "same-origin")]), 200);
    assert_eq!(fake.status("GET", &url, &[("sec-fetch-site", "same-site")]), 403, "anybody's sandbox");
}

#[test]
fn rfc6750_2_3_what_came_by_a_token_in_the_query_is_private() {
    let mut fake = Fake::new();
    let good = signed_in(&mut fake);
    let (answer, _) = fake.answer("GET", &format!("https://he2.ai/stream?token={good}"), &[]);
    assert_eq!(answer.headers()["cache-control"], "private");
}

#[test]
fn whoever_makes_api_keys_up_is_heard_no_more_and_a_known_key_is() {
    let mut fake = Fake::new();
    let call = |fake: &Fake, key: char| {
        let key = format!("he-{}", key.to_string().repeat(36));
        fake.status("POST", "https://he2.ai/user", &[("x-api-key", &key)])
    };
    assert_eq!(call(&fake, 'g'), 200);
    fake.origin = || Ok(http::Response::builder().status(401).body(String::new()).unwrap());
    assert_eq!(['a', 'b', 'c', 'd'].map(|key| call(&fake, key)), [401, 401, 401, 429]);
    fake.wait(60);
    fake.origin = || Ok(http::Response::new(String::new()));
    assert_eq!(call(&fake, 'g'), 200);
}
