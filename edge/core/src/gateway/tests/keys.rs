//! Issuers' keys, as a sequence of requests sees them.

use serde_json::json;

use super::fake::{Fake, done, published, signed_in, token};
use crate::testing::{Signer, claims, hs256, key_set, with};

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
fn keys_that_are_left_out_because_there_are_too_many_show_in_the_log() {
    let mut fake = Fake::new();
    let signer = published(&mut fake, "k1");
    fake.jwks = Ok(key_set(&[&signer; 34]));
    let bearer = format!("Bearer {}", token(&signer, &json!({})));
    let (_, record) = fake.answer("GET", "https://he2.ai/optional", &[("authorization", &bearer)]);
    assert_eq!(record.degraded, ["keys of supabase: 2 too many"]);
}
