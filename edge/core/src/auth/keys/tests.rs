use serde_json::{Value, json};

use super::*;
use crate::testing::{SUPABASE, Signer};

const ISSUER: &Issuer = &SUPABASE;

fn fetched(kid: &str, fetched_ms: u64) -> Fetched {
    Fetched { json: kid.to_owned(), max_age: Some(600), fetched_ms }
}

/// A set of one key, fetched at this second.
fn learn(store: &mut Store<()>, kid: &str, second: u64) {
    let key = Key { kid: Some(kid.to_owned()), algorithm: Algorithm::Es256, material: () };
    store.replace(fetched(kid, second * 1_000), vec![key], second * 1_000);
}

fn lookup(store: &Store<()>, kid: &str, second: u64) -> &'static str {
    match store.lookup(Some(kid), Algorithm::Es256, 0, ISSUER, second * 1_000) {
        Lookup::Keys { refresh: false, .. } => "key",
        Lookup::Keys { refresh: true, .. } => "key, refresh",
        Lookup::Fetch(Why::First) => "first fetch",
        Lookup::Fetch(Why::Expired) => "refresh",
        Lookup::Fetch(Why::UnknownKid(_)) => "fetch for kid",
        Lookup::Wait => "wait",
        Lookup::Unknown => "unknown",
        Lookup::Unavailable(_) => "unavailable",
    }
}

const UNKNOWN: Why = Why::UnknownKid(None);

#[test]
fn rfc8725_2_1_a_key_serves_its_own_algorithm_only() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256, Algorithm::EdDsa] {
        let found = store.lookup(Some("k1"), algorithm, 0, ISSUER, 0);
        assert!(!matches!(found, Lookup::Keys { .. }), "{algorithm:?}");
    }
}

#[test]
fn rfc7515_4_1_4_without_a_kid_every_key_of_the_algorithm_serves() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    let found = store.lookup(None, Algorithm::Es256, 0, ISSUER, 0);
    assert!(matches!(found, Lookup::Keys { keys, .. } if keys.len() == 1));
}

#[test]
fn keys_are_fetched_when_first_needed_and_others_wait() {
    let mut store = Store::default();
    assert_eq!(lookup(&store, "k1", 0), "first fetch");
    store.begin(&Why::First, 0);
    assert_eq!(lookup(&store, "k1", 1), "wait");
    assert_eq!(lookup(&store, "k1", 7), "first fetch", "whoever fetched has gone");
    learn(&mut store, "k1", 1);
    assert_eq!(lookup(&store, "k1", 1), "key");
}

#[test]
fn a_set_is_asked_for_before_it_is_too_old_and_nobody_waits() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    assert_eq!(lookup(&store, "k1", 479), "key");
    assert_eq!(lookup(&store, "k1", 480), "key, refresh");
    store.begin(&Why::Expired, 480_000);
    assert_eq!(lookup(&store, "k1", 481), "key", "one asks");
    store.renew(fetched("k1", 480_000), 480_000);
    assert_eq!(lookup(&store, "k1", 900), "key");
}

#[test]
fn a_set_that_is_old_at_once_serves_those_who_wait_for_it() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    store.renew(Fetched { max_age: Some(0), ..fetched("k1", 0) }, 0);
    assert_eq!(lookup(&store, "k1", 0), "key");
    assert_eq!(lookup(&store, "k1", 1), "refresh");
}

#[test]
fn a_revoked_key_is_not_used_beyond_its_sets_life() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    assert_eq!(lookup(&store, "k1", 600), "refresh");
    store.begin(&Why::Expired, 600_000);
    assert_eq!(lookup(&store, "k1", 601), "wait");
    learn(&mut store, "k2", 601);
    assert_eq!(lookup(&store, "k1", 601), "fetch for kid");
    store.begin(&UNKNOWN, 601_000);
    learn(&mut store, "k2", 601);
    assert_eq!(lookup(&store, "k1", 602), "unknown");
}

#[test]
fn an_unknown_kid_causes_one_fetch_in_the_cool_down() {
    let mut store = Store::default();
    store.begin(&Why::First, 0);
    learn(&mut store, "k1", 0);
    assert_eq!(lookup(&store, "k2", 1), "fetch for kid", "a rotation right after the first fetch");
    store.begin(&UNKNOWN, 1_000);
    learn(&mut store, "k2", 1);
    assert_eq!(lookup(&store, "k2", 1), "key");
    assert_eq!(lookup(&store, "k1", 30), "unknown", "a key that is gone from the set is gone");
    assert_eq!(lookup(&store, "k1", 31), "fetch for kid");
}

#[test]
fn a_key_that_may_be_newer_than_the_set_is_not_called_unknown() {
    let mut store = Store::default();
    learn(&mut store, "k1", 1);
    store.begin(&UNKNOWN, 1_000);
    learn(&mut store, "k1", 1);
    let found = |published_ms| store.lookup(Some("k2"), Algorithm::Es256, published_ms, ISSUER, 2_000);
    assert!(matches!(found(1_001), Lookup::Unavailable(_)), "a rotation right after the fetch");
    assert!(matches!(found(1_000), Lookup::Unknown));
}

#[test]
fn old_keys_serve_on_for_a_bounded_time_while_the_issuer_is_down() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    store.begin(&Why::Expired, 600_000);
    store.fail("down".to_owned(), 605_000);
    assert_eq!(lookup(&store, "k1", 605), "key", "nobody waits for it a second time");
    assert_eq!(store.error(), Some("down"));
    assert_eq!(lookup(&store, "k1", 635), "key, refresh");
    store.begin(&Why::Expired, 86_390_000);
    store.fail("down".to_owned(), 86_395_000);
    assert_eq!(lookup(&store, "k1", 86_400), "key");
    assert_eq!(lookup(&store, "k1", 86_401), "first fetch");
    store.begin(&Why::First, 86_401_000);
    store.fail("down".to_owned(), 86_401_000);
    assert_eq!(lookup(&store, "k1", 86_401), "unavailable");
    assert_eq!(lookup(&store, "k1", 86_402), "first fetch", "nobody can sign in, so soon again");
}

#[test]
fn a_failure_long_ago_does_not_let_an_old_set_serve() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    store.begin(&UNKNOWN, 10_000);
    store.fail("a hiccup".to_owned(), 11_000);
    assert_eq!(lookup(&store, "k1", 36_000), "refresh", "the key may be revoked by now");
}

#[test]
fn a_fetch_that_failed_decides_nothing_about_a_key_and_is_not_repeated_in_the_cool_down() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    store.begin(&UNKNOWN, 1_000);
    store.fail("status 503".to_owned(), 3_000);
    assert_eq!(lookup(&store, "k2", 32), "unavailable");
    assert_eq!(lookup(&store, "k2", 33), "fetch for kid");
    assert_eq!(lookup(&store, "k1", 3), "key");
}

#[test]
fn a_fetch_whose_request_has_gone_decides_nothing_either() {
    let mut store = Store::default();
    learn(&mut store, "k1", 0);
    store.begin(&UNKNOWN, 1_000);
    assert_eq!(lookup(&store, "k2", 6), "wait");
    assert_eq!(lookup(&store, "k2", 7), "fetch for kid");
}

#[test]
fn rfc7517_4_keys_of_another_kind_or_use_are_left_out() {
    let good = Signer::new("k1").jwk();
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    let set = |keys: &[Value]| parse(&json!({ "keys": keys }).to_string()).unwrap();
    let found = set(std::slice::from_ref(&good));
    assert_eq!((found[0].kid.as_deref(), found[0].algorithm), (Some("k1"), Algorithm::Es256));
    for bad in [
        with("alg", json!("RS256")),
        with("use", json!("enc")),
        with("key_ops", json!(["sign"])),
        with("d", json!("AAAA")),
        with("crv", json!("P-521")),
        with("x", json!("AAAA")),
        json!({"kty": "oct", "kid": "k2", "k": "c2VjcmV0", "alg": "HS256"}),
        json!({"kty": "RSA", "kid": "k2", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "OKP", "crv": "X25519", "x": good["x"]}),
        json!("k1"),
    ] {
        assert_eq!(set(std::slice::from_ref(&bad)), [], "{bad}");
    }
    let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": good["x"]});
    assert_eq!(set(&[okp])[0].algorithm, Algorithm::EdDsa);
    assert_eq!(set(&vec![good.clone(); 100]).len(), MOST_KEYS);
    assert_eq!(left_out(&json!({ "keys": vec![good; 100] }).to_string()), 100 - MOST_KEYS);
    for text in ["", "<html>", "[]", "{\"keys\":{}}"] {
        assert!(parse(text).is_err(), "{text}");
    }
}
