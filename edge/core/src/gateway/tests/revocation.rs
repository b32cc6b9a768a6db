//! Revocations, as a sequence of requests sees them.

use serde_json::{Value, json};

use super::fake::{Fake, NOW_MS, done, published, ready, signed_in, token};
use crate::auth::revocation::{Ask, Entry, Revocation};
use crate::host::Host;
use crate::testing::{NOW, SECRET, b64, claims};

fn revoke(fake: &Fake, revocation: Revocation) {
    let ask = Ask::Add(Entry { revocation, until: NOW + 90_000 });
    ready(fake.revocations(&ask)).unwrap();
    fake.take_effects();
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
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
