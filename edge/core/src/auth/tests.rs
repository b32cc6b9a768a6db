use super::keys::{Fetched, Key, Lookup, Store, Why};
use super::token::{TokenFault, hint, verify, verify_by_any};
use super::*;
use crate::plan::AuthPlan;
use jwt_simple::prelude::*;
use serde_json::{Value, json};

const PLAN: AuthPlan = AuthPlan {
    audiences: &["authenticated"],
    algorithms: &["ES256", "RS256", "EdDSA", "HS256"],
    roles: &["authenticated"],
    leeway_seconds: 30,
    max_token_bytes: 8_192,
    jwks_max_age_seconds: 600,
    jwks_stale_seconds: 86_400,
    jwks_cooldown_seconds: 30,
};
const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://ref.supabase.co/auth/v1";

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "authenticated", "exp": NOW + 3600, "iat": NOW, "sub": "u1", "role": "authenticated",
        "session_id": "s1", "aal": "aal1"
    })
}

fn b64(value: &Value) -> String {
    Base64UrlSafeNoPadding::encode_to_string(value.to_string()).unwrap()
}

/// A token by a shared secret, with any header and claims.
fn hs256(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", b64(header), b64(claims));
    let tag = hmac_sha256::HMAC::mac(signed.as_bytes(), SECRET.as_bytes());
    format!("{signed}.{}", Base64UrlSafeNoPadding::encode_to_string(tag).unwrap())
}

const SECRET: &str = "a secret made for this test, of 32 bytes or more";

fn verdict(header: &Value, claims: &Value) -> Result<token::Identity, TokenFault> {
    let token = hs256(header, claims);
    hint(&token, &PLAN)?;
    verify(&token, &Key::hs256(SECRET), ISSUER, &PLAN, NOW)
}

fn with(name: &str, value: Value) -> Value {
    let mut changed = claims();
    match value {
        Value::Null => drop(changed.as_object_mut().unwrap().remove(name)),
        value => changed[name] = value,
    }
    changed
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

#[test]
fn a_good_token_makes_the_user_known() {
    let identity = verdict(&header(), &claims()).unwrap();
    assert_eq!((identity.user.as_str(), identity.role.as_str()), ("u1", "authenticated"));
    assert_eq!((identity.session.as_deref(), identity.aal.as_deref()), (Some("s1"), Some("aal1")));
    assert!(verdict(&header(), &with("aud", json!(["x", "authenticated"]))).is_ok());
}

#[test]
fn rfc7519_4_1_claims_that_are_missing_or_wrong_are_refused() {
    for (name, value, fault) in [
        ("exp", json!(NOW - 31), TokenFault::Expired),
        ("exp", Value::Null, TokenFault::NoExpiry),
        ("nbf", json!(NOW + 31), TokenFault::NotYetValid),
        ("iat", json!(NOW + 31), TokenFault::NotYetValid),
        ("iss", json!("https://evil.example"), TokenFault::Issuer),
        ("iss", json!("supabase"), TokenFault::Issuer),
        ("iss", Value::Null, TokenFault::Issuer),
        ("aud", json!("other"), TokenFault::Audience),
        ("aud", json!([]), TokenFault::Audience),
        ("aud", Value::Null, TokenFault::Audience),
        ("sub", Value::Null, TokenFault::NoSubject),
        ("sub", json!(""), TokenFault::NoSubject),
        ("sub", json!("a\r\nx-he2-role: admin"), TokenFault::NoSubject),
        ("role", json!("anon"), TokenFault::NotAUser),
        ("role", json!("service_role"), TokenFault::NotAUser),
        ("role", Value::Null, TokenFault::NotAUser),
    ] {
        assert_eq!(verdict(&header(), &with(name, value.clone())), Err(fault), "{name} = {value}");
    }
}

#[test]
fn clock_differences_are_forgiven_up_to_the_leeway() {
    assert!(verdict(&header(), &with("exp", json!(NOW - 30))).is_ok());
    assert!(verdict(&header(), &with("nbf", json!(NOW + 30))).is_ok());
}

#[test]
fn rfc8725_what_no_key_could_make_good_is_refused_before_any_key_is_asked() {
    let fault = |token: &str| hint(token, &PLAN).unwrap_err();
    assert_eq!(fault(&hs256(&json!({"alg": "none"}), &claims())), TokenFault::Algorithm);
    assert_eq!(fault(&hs256(&json!({"alg": "hs256"}), &claims())), TokenFault::Algorithm);
    assert_eq!(fault(&hs256(&json!({"alg": "HS512"}), &claims())), TokenFault::Algorithm);
    assert_eq!(fault("sb_secret_abc"), TokenFault::ApiKeyAsToken);
    assert_eq!(fault("a.b.c"), TokenFault::Malformed);
    assert_eq!(fault(""), TokenFault::Malformed);
    assert_eq!(fault(&"a".repeat(8_193)), TokenFault::TooLong);
    assert_eq!(
        fault(&hs256(&json!({"alg": "HS256", "kid": "k".repeat(257)}), &claims())),
        TokenFault::UnknownKey
    );
}

#[test]
fn rfc7515_4_1_11_an_unknown_critical_extension_is_refused() {
    assert_eq!(verdict(&json!({"alg": "HS256", "crit": ["exp"]}), &claims()), Err(TokenFault::Malformed));
}

#[test]
fn a_changed_token_and_another_key_fail_the_signature() {
    let token = hs256(&header(), &claims());
    let forged = token.replacen(&b64(&claims()), &b64(&with("sub", json!("u2"))), 1);
    assert_eq!(verify(&forged, &Key::hs256(SECRET), ISSUER, &PLAN, NOW), Err(TokenFault::Signature));
    assert_eq!(
        verify(&token, &Key::hs256("another secret, just as long as it is"), ISSUER, &PLAN, NOW),
        Err(TokenFault::Signature)
    );
}

/// A key set of one ES256 key, and the pair.
fn key_set(kid: &str) -> (ES256KeyPair, Fetched) {
    let pair = ES256KeyPair::generate().with_key_id(kid);
    let mut jwk: Value = serde_json::from_str(&pair.public_key().to_jwk()).unwrap();
    jwk["kid"] = json!(kid);
    (pair, Fetched { json: json!({ "keys": [jwk] }).to_string(), max_age: Some(600) })
}

fn lookup(store: &Store, kid: &str, now_s: u64) -> &'static str {
    match store.lookup(Some(kid), "ES256", &PLAN, now_s * 1_000) {
        Lookup::Keys(_) => "key",
        Lookup::Fetch(Why::First) => "first fetch",
        Lookup::Fetch(Why::Expired) => "refresh",
        Lookup::Fetch(Why::UnknownKid) => "fetch for kid",
        Lookup::Wait => "wait",
        Lookup::Unknown => "unknown",
        Lookup::Unavailable(_) => "unavailable",
    }
}

#[test]
fn a_key_verifies_its_own_algorithm_only() {
    let (_, fetched) = key_set("k1");
    let mut store = Store::default();
    store.end(Ok(fetched), &PLAN, 0);
    assert!(matches!(store.lookup(Some("k1"), "ES256", &PLAN, 0), Lookup::Keys(_)));
    // RFC 8725 §2.1: a public key must never become an HMAC secret.
    assert!(!matches!(store.lookup(Some("k1"), "HS256", &PLAN, 0), Lookup::Keys(_)));
    assert!(!matches!(store.lookup(Some("k1"), "RS256", &PLAN, 0), Lookup::Keys(_)));
}

#[test]
fn keys_are_fetched_when_first_needed_and_others_wait() {
    let mut store = Store::default();
    assert_eq!(lookup(&store, "k1", 0), "first fetch");
    store.begin(Why::First, 0);
    assert_eq!(lookup(&store, "k1", 1), "wait");
    assert_eq!(lookup(&store, "k1", 7), "first fetch", "whoever fetched has gone");
    store.end(Ok(key_set("k1").1), &PLAN, 1_000);
    assert_eq!(lookup(&store, "k1", 1), "key");
    assert_eq!(lookup(&store, "k1", 601), "refresh", "max-age has passed");
}

#[test]
fn an_unknown_kid_causes_one_fetch_in_the_cool_down() {
    let mut store = Store::default();
    store.begin(Why::First, 0);
    store.end(Ok(key_set("k1").1), &PLAN, 0);
    assert_eq!(lookup(&store, "k2", 1), "fetch for kid", "a rotation right after the first fetch");
    store.begin(Why::UnknownKid, 1_000);
    store.end(Ok(key_set("k2").1), &PLAN, 1_000);
    assert_eq!(lookup(&store, "k2", 1), "key");
    assert_eq!(lookup(&store, "k1", 30), "unknown", "a key that is gone from the set is gone");
    assert_eq!(lookup(&store, "k1", 31), "fetch for kid");
}

#[test]
fn old_keys_serve_on_for_a_bounded_time_while_the_issuer_is_down() {
    let mut store = Store::default();
    store.end(Ok(key_set("k1").1), &PLAN, 0);
    for down in [Err("down".to_owned()), Ok(Fetched { json: "<html>".to_owned(), max_age: None })] {
        store.begin(Why::Expired, 700_000);
        store.end(down, &PLAN, 701_000);
        assert_eq!(lookup(&store, "k1", 702), "key");
        assert!(store.error().is_some());
    }
    assert_eq!(lookup(&store, "k1", 86_400), "refresh");
    assert_eq!(lookup(&store, "k1", 86_401), "first fetch");
    store.begin(Why::First, 86_401_000);
    store.end(Err("down".to_owned()), &PLAN, 86_401_000);
    assert_eq!(lookup(&store, "k1", 86_401), "unavailable");
}

#[test]
fn a_key_set_signs_in_and_its_private_and_foreign_members_are_left_out() {
    let (pair, fetched) = key_set("k1");
    let mut set: Value = serde_json::from_str(&fetched.json).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    keys.push(json!({"kty": "oct", "kid": "k2", "k": "c2VjcmV0", "alg": "HS256"}));
    keys.push(json!({"kty": "EC", "crv": "P-521", "kid": "k3"}));
    let mut store = Store::default();
    store.end(Ok(Fetched { json: set.to_string(), max_age: None }), &PLAN, NOW * 1_000);
    let custom = json!({"role": "authenticated"});
    let mut claims = Claims::with_custom_claims(custom, Duration::from_hours(1))
        .with_issuer(ISSUER)
        .with_audience("authenticated")
        .with_subject("u1");
    (claims.issued_at, claims.expires_at, claims.invalid_before) =
        (None, Some(UnixTimeStamp::from_secs(NOW + 60)), None);
    let token = pair.sign(claims).unwrap();
    let Lookup::Keys(keys) = store.lookup(Some("k1"), "ES256", &PLAN, NOW * 1_000) else { panic!("no key") };
    assert_eq!(verify_by_any(&token, &keys, ISSUER, &PLAN, NOW).unwrap().user, "u1");
    for kid in ["k2", "k3"] {
        assert!(matches!(store.lookup(Some(kid), "HS256", &PLAN, NOW * 1_000), Lookup::Fetch(_)));
    }
}

#[test]
fn a_fetch_that_failed_decides_nothing_about_a_key() {
    let mut store = Store::default();
    store.end(Ok(key_set("k1").1), &PLAN, 0);
    assert_eq!(lookup(&store, "k2", 1), "fetch for kid");
    store.begin(Why::UnknownKid, 1_000);
    store.end(Err("status 503".to_owned()), &PLAN, 3_000);
    assert_eq!(
        lookup(&store, "k2", 3),
        "unavailable",
        "the pause counts from the failure's end, however slow it was"
    );
    assert_eq!(lookup(&store, "k2", 4), "fetch for kid", "well before the cool-down is over");
    assert_eq!(lookup(&store, "k1", 3), "key");
}

#[test]
fn rfc7515_4_1_4_without_a_kid_every_key_of_the_algorithm_is_tried() {
    let keys =
        [SECRET, "another secret, just as long as it is"].map(|secret| std::rc::Rc::new(Key::hs256(secret)));
    let token = hs256(&header(), &claims());
    let [right, wrong] = keys;
    assert!(verify_by_any(&token, &[wrong.clone(), right], ISSUER, &PLAN, NOW).is_ok());
    assert_eq!(verify_by_any(&token, &[wrong], ISSUER, &PLAN, NOW), Err(TokenFault::Signature));
}

fn fields(list: &[(&'static str, &str)]) -> HeaderMap {
    list.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
}

#[test]
fn a_credential_is_looked_for_where_its_class_allows_it() {
    let bearer = fields(&[("authorization", "bearer t")]);
    let none = fields(&[]);
    let token = |token: &str| Ok(Credential::Bearer(token.to_owned()));
    assert_eq!(credential(Auth::User, &bearer, None, None), token("t"));
    assert_eq!(credential(Auth::Optional, &bearer, None, None), token("t"));
    assert_eq!(credential(Auth::Optional, &none, None, None), Ok(Credential::None));
    assert_eq!(credential(Auth::Public, &bearer, None, None), Ok(Credential::None));
    assert_eq!(credential(Auth::Stream, &none, Some("a=1&token=t"), None), token("t"));
    assert_eq!(credential(Auth::User, &none, Some("token=t"), None), Err(Refusal::Missing));
    assert_eq!(credential(Auth::Blocked, &bearer, None, None), Err(Refusal::Blocked));
}

#[test]
fn rfc6750_2_two_credentials_at_once_are_refused() {
    let bearer = fields(&[("authorization", "Bearer t")]);
    let refused = |result| matches!(result, Err(Refusal::Request(_)));
    assert!(refused(credential(Auth::Stream, &bearer, Some("token=t"), None)));
    assert!(refused(credential(Auth::Stream, &fields(&[]), Some("token=t&token=u"), None)));
    assert!(refused(credential(Auth::User, &fields(&[("authorization", "Basic dTpw")]), None, None)));
}

#[test]
fn api_keys_are_checked_by_shape() {
    let given = |key: &str| credential(Auth::User, &fields(&[("x-api-key", key)]), None, None);
    let pair = format!("pk_{}:sk_{}", "a".repeat(32), "B".repeat(32));
    assert_eq!(given(&pair), Ok(Credential::ApiKey(pair.clone())));
    assert!(given(&format!("he-{}", "a".repeat(36))).is_ok());
    for bad in ["", "pk_a:sk_b", &format!("{pair}x"), &format!("he-{}", "a".repeat(35)), "sb_secret_x"] {
        assert_eq!(given(bad), Err(Refusal::ApiKey), "{bad}");
    }
}

#[test]
fn an_admin_route_is_closed_without_a_configured_key() {
    let given = |expected| credential(Auth::Admin, &fields(&[("x-admin-api-key", "k")]), None, expected);
    assert_eq!(given(Some("k")), Ok(Credential::Admin));
    assert_eq!(given(Some("other")), Err(Refusal::AdminKey));
    assert_eq!(given(Some("")), Err(Refusal::AdminKey));
    assert_eq!(given(None), Err(Refusal::AdminKey));
}

#[test]
fn a_webhook_without_its_signature_field_is_refused() {
    const ROUTE: Auth = Auth::Webhook(&["stripe-signature"]);
    assert_eq!(
        credential(ROUTE, &fields(&[("stripe-signature", "t=1")]), None, None),
        Ok(Credential::Webhook)
    );
    assert_eq!(credential(ROUTE, &fields(&[]), None, None), Err(Refusal::Unsigned(&["stripe-signature"])));
}

#[test]
fn the_token_leaves_the_query_and_the_rest_stays_byte_for_byte() {
    assert_eq!(without_token(Some("a=%20&token=t&b")).as_deref(), Some("a=%20&b"));
    assert_eq!(without_token(Some("token=t")), None);
    assert_eq!(without_token(Some("%74oken=t&a")).as_deref(), Some("a"), "the origin decodes names");
    assert!(credential(Auth::Stream, &fields(&[]), Some("%74oken=t"), None).is_ok());
    assert_eq!(without_token(Some("tokens=1")).as_deref(), Some("tokens=1"));
    assert_eq!(without_token(None), None);
}
