//! Signing in, as a sequence of requests sees it.

use serde_json::{Value, json};

use super::fake::{Fake, NOW_MS, published, ready, signed_in, token};
use crate::auth::revocation::{Ask, Entry, Revocation};
use crate::host::Host;
use crate::plan::{Condition, SignIn, Subject, Test, Value as Wanted};
use crate::testing::{ANY_OF, NOW, SECRET, Signer, b64, claims, hs256, key_set, with};

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

fn done(fake: &Fake, effect: &str) -> usize {
    fake.take_effects().iter().filter(|done| *done == effect).count()
}

#[test]
fn a_signature_is_verified_once_and_a_bad_one_too() {
    let mut fake = Fake::new();
    let good = signed_in(&mut fake);
    let forged = Signer::new("k1").sign(&claims());
    for (token, status) in [(&good, 200), (&good, 200), (&forged, 401), (&forged, 401)] {
        assert_eq!(fake.call("/optional", token), status);
    }
    assert_eq!(done(&fake, "verify"), 2);
    fake.wait(61);
    assert_eq!(fake.call("/optional", &forged), 401);
    assert_eq!(done(&fake, "verify"), 1, "a refusal is remembered only briefly");
}

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
fn keys_come_from_other_isolates_first_and_are_shared_with_them() {
    let mut fake = Fake::new();
    let good = signed_in(&mut fake);
    assert_eq!(fake.call("/optional", &good), 200);
    let shared = fake.shared.take();
    let mut other = Fake::new();
    other.shared.replace(shared);
    other.jwks = Err("down".into());
    assert_eq!(other.call("/optional", &good), 200);
    assert_eq!(done(&other, "fetch keys"), 0);
}

#[test]
fn a_cold_isolate_signs_in_by_a_shared_set_that_is_too_old_while_the_issuer_is_down() {
    let mut fake = Fake::new();
    let good = signed_in(&mut fake);
    assert_eq!(fake.call("/optional", &good), 200);
    let shared = fake.shared.take();
    let other = Fake::new();
    other.shared.replace(shared);
    other.wait(700);
    let bearer = format!("Bearer {good}");
    let (answer, record) = other.answer("GET", "https://he2.ai/optional", &[("authorization", &bearer)]);
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(record.degraded, ["keys of supabase, key set of 700 s ago: issuer down"]);
}

#[test]
fn keys_are_refreshed_in_the_background_before_their_time_is_over() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    let long = token(&signer, &json!({}));
    assert_eq!(fake.call("/optional", &long), 200);
    fake.wait(478);
    assert_eq!(fake.call("/optional", &long), 200);
    assert_eq!(done(&fake, "fetch keys"), 1);
    fake.wait(3);
    assert_eq!(fake.call("/optional", &long), 200);
    let effects = fake.take_effects();
    let at = |effect: &str| effects.iter().position(|done| done == effect).unwrap();
    assert!(at("origin") < at("fetch keys"), "{effects:?}");
    fake.wait(300);
    assert_eq!(fake.call("/optional", &long), 200);
    assert_eq!(done(&fake, "fetch keys"), 0, "it is good for another life");
}

#[test]
fn a_rotation_refuses_no_one_and_a_key_that_is_gone_opens_nothing() {
    let mut fake = Fake::new();
    let (old, new) = (published(&mut fake, "k1"), Signer::new("k2"));
    let before = token(&old, &json!({}));
    assert_eq!(fake.call("/optional", &before), 200);
    fake.jwks = Ok(key_set(&[&old, &new]));
    assert_eq!(fake.call("/optional", &token(&new, &json!({}))), 200);
    assert_eq!(fake.call("/optional", &before), 200);
    fake.jwks = Ok(key_set(&[&new]));
    fake.shared.take();
    fake.wait(601);
    assert_eq!(fake.call("/optional", &before), 401, "though it was remembered as good");
}

#[test]
fn a_shared_secret_can_be_revoked_by_the_id_that_tokens_give_it() {
    let fake = Fake::new();
    let header = r#"{"alg":"HS256","kid":"legacy"}"#;
    let message = format!("{}.{}", b64(header.as_bytes()), b64(claims().to_string().as_bytes()));
    let named = format!("{message}.{}", b64(&hmac_sha256::HMAC::mac(&message, SECRET)));
    assert_eq!(fake.call("/optional", &named), 200);
    revoke(&fake, Revocation::Key("legacy".into()));
    fake.wait(10);
    assert_eq!(fake.call("/optional", &named), 401);
}

#[test]
fn a_shared_secret_serves_until_its_end() {
    let fake = Fake::new();
    assert_eq!(fake.call("/optional", &hs256(&claims())), 200);
    assert_eq!(done(&fake, "fetch keys"), 0);
    fake.wait(1_000);
    let bearer = format!("Bearer {}", hs256(&claims()));
    let (answer, _) = fake.answer("GET", "https://he2.ai/optional", &[("authorization", &bearer)]);
    assert!(answer.status() == 401 && answer.body().contains("no longer accepted"), "{}", answer.body());
    let mut without = Fake::new();
    without.settings.variables.remove("JWT_HS256_SECRET");
    assert_eq!(without.call("/optional", &hs256(&claims())), 401);
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

fn revoke(fake: &Fake, revocation: Revocation) {
    let ask = Ask::Add(Entry { revocation, until: NOW + 90_000 });
    ready(fake.revocations(&ask)).unwrap();
    fake.take_effects();
}

#[test]
fn a_revocation_is_learnt_within_seconds_and_nobody_waits_for_it() {
    let mut fake = Fake::new();
    let good = signed_in(&mut fake);
    assert_eq!(fake.call("/optional", &good), 200);
    revoke(&fake, Revocation::Session("s1".into()));
    fake.wait(4);
    assert_eq!(fake.call("/optional", &good), 200);
    assert_eq!(done(&fake, "revocations"), 0, "what is known is young enough");
    fake.wait(1);
    assert_eq!(fake.call("/optional", &good), 200);
    assert_eq!(fake.take_effects().last().map(String::as_str), Some("revocations"), "after the answer");
    assert_eq!(fake.call("/optional", &good), 401);
}

#[test]
fn an_isolate_that_has_heard_nothing_for_long_asks_first() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    revoke(&fake, Revocation::Subject { sub: "u1".into(), issued_before: NOW });
    assert_eq!(fake.call("/optional", &token(&signer, &json!({"iat": NOW - 1}))), 401);
    assert_eq!(fake.call("/optional", &token(&signer, &json!({"iat": NOW}))), 200);
    revoke(&fake, Revocation::Key("k1".into()));
    fake.wait(30);
    assert_eq!(fake.call("/optional", &token(&signer, &json!({"iat": NOW}))), 401);
}

#[test]
fn without_the_revocations_sign_in_goes_on_and_says_so() {
    let mut fake = Fake::new();
    let bearer = format!("Bearer {}", signed_in(&mut fake));
    *fake.revocations.borrow_mut() = Err("overloaded".into());
    let (answer, record) = fake.answer("GET", "https://he2.ai/optional", &[("authorization", &bearer)]);
    assert_eq!(answer.status(), 200);
    assert_eq!(record.degraded, ["revocations: overloaded"]);
}

#[test]
fn an_open_stream_is_over_when_its_session_is_revoked() {
    let mut fake = Fake::new();
    fake.origin = || {
        let kind = "Text/Event-Stream; charset=utf-8";
        Ok(http::Response::builder().header("content-type", kind).body(String::new()).unwrap())
    };
    let good = signed_in(&mut fake);
    assert_eq!(fake.call("/stream", &good), 200);
    revoke(&fake, Revocation::Session("s1".into()));
    let over = fake.over.take().unwrap();
    ready(over);
    assert!((5_000..5_100).contains(&(fake.now.get() - NOW_MS)), "one look later");
}

#[test]
fn operators_write_revocations_and_others_are_refused() {
    let fake = Fake::new();
    let url = "https://he2.ai/revocations";
    let key = [("x-admin-api-key", "the operators' key")];
    assert_eq!(fake.answer_content("POST", url, &[], "{\"kid\":\"k1\"}").0.status(), 401);
    assert_eq!(fake.answer_content("POST", url, &[("x-admin-api-key", "x")], "{}").0.status(), 403);
    assert_eq!(fake.take_effects(), [""; 0]);
    for bad in ["", "{}", "[]", "{\"kid\":\"\"}", "{\"kid\":\"k\",\"sub\":\"u\"}"] {
        assert_eq!(fake.answer_content("POST", url, &key, bad).0.status(), 400, "{bad}");
    }
    assert_eq!(fake.answer_content("POST", url, &key, &" ".repeat(5_000)).0.status(), 413);
    let (added, _) = fake.answer_content("POST", url, &key, "{\"session_id\":\"s1\"}");
    let entry = json!({"session_id": "s1", "until": NOW + 86_400 + 30 + 3_600});
    assert_eq!((added.status().as_u16(), read(added.body())), (201, entry.clone()));
    let (listed, _) = fake.answer("GET", url, &key);
    assert_eq!(read(listed.body()), json!({"revocations": [entry]}));
    assert_eq!(listed.headers()["cache-control"], "no-store");
    assert_eq!(fake.answer_content("DELETE", url, &key, "{\"session_id\":\"s1\"}").0.status(), 200);
    assert_eq!(fake.answer_content("DELETE", url, &key, "{\"session_id\":\"s1\"}").0.status(), 404);
    *fake.revocations.borrow_mut() = Err("overloaded".into());
    assert_eq!(fake.answer("GET", url, &key).0.status(), 503);
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
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
fn after_a_failure_nobody_asks_for_revocations_for_a_moment() {
    let mut fake = Fake::new();
    let good = signed_in(&mut fake);
    *fake.revocations.borrow_mut() = Err("overloaded".into());
    for _ in 0..3 {
        assert_eq!(fake.call("/optional", &good), 200);
    }
    assert_eq!(done(&fake, "revocations"), 1);
    fake.wait(1);
    assert_eq!(fake.call("/optional", &good), 200);
    assert_eq!(done(&fake, "revocations"), 1);
}

#[test]
fn a_revoked_key_opens_nothing_even_where_the_token_does_not_name_it() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    let nameless = signer.sign_text(r#"{"alg":"ES256"}"#, &claims().to_string());
    assert_eq!(fake.call("/optional", &nameless), 200);
    revoke(&fake, Revocation::Key("k1".into()));
    fake.wait(10);
    assert_eq!(fake.call("/optional", &nameless), 401);
}

#[test]
fn a_token_that_names_no_key_may_be_signed_by_a_new_one() {
    let mut fake = Fake::new();
    let old = published(&mut fake, "k1");
    assert_eq!(fake.call("/optional", &token(&old, &json!({}))), 200);
    let new = published(&mut fake, "k2");
    let nameless = |signer: &Signer, user: &str| {
        signer.sign_text(r#"{"alg":"ES256"}"#, &with(&json!({"sub": user})).to_string())
    };
    assert_eq!(fake.call("/optional", &nameless(&new, "u1")), 200);
    assert_eq!(fake.call("/optional", &nameless(&old, "u2")), 401);
    assert_eq!(done(&fake, "fetch keys"), 2, "asked for once in the cool-down");
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
