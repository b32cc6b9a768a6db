//! Any text as a token; or header, payload and signature on a line each, which are then encoded.

#![no_main]

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use edge_core::auth::token::{Parsed, parse};
use edge_core::plan::{AuthPlan, Window};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

const PLAN: AuthPlan = AuthPlan {
    leeway_seconds: 30,
    max_token_bytes: 1_024,
    max_lifetime_seconds: 86_400,
    forgeries: Window { quota: 30, seconds: 60, burst: None },
    revocations_seconds: 5,
};

fuzz_target!(|input: &[u8]| {
    let token = token(input);
    if let Ok(parsed) = parse(&token, &PLAN) {
        is_what_the_token_says(&token, &parsed);
        another_spelling_is_refused(&token);
        a_member_twice_is_refused(&token);
    }
});

fn token(input: &[u8]) -> String {
    match *input.splitn(3, |byte| *byte == b'\n').collect::<Vec<_>>() {
        [header, payload, signature] => [header, payload, signature].map(encode).join("."),
        _ => String::from_utf8_lossy(input).into_owned(),
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Each part decoded; encoding it again must give the part.
fn decoded(token: &str) -> [Vec<u8>; 3] {
    let parts: Vec<_> = token.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    assert_eq!(parts.iter().map(|part| encode(part)).collect::<Vec<_>>().join("."), token);
    parts.try_into().unwrap()
}

fn is_what_the_token_says(token: &str, parsed: &Parsed<'_>) {
    assert!(token.len() <= PLAN.max_token_bytes as usize);
    let [header, payload, signature] = decoded(token);
    assert_eq!(token.rsplit_once('.').unwrap().0, parsed.message);
    assert_eq!(signature, parsed.signature);
    let header: Map<String, Value> = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], parsed.algorithm.name());
    assert!(!header.contains_key("crit") && !header.contains_key("b64"));
    assert_eq!(header.get("kid").and_then(Value::as_str), parsed.kid.as_deref());
    assert_eq!(serde_json::from_slice::<Map<String, Value>>(&payload).unwrap(), parsed.claims);
}

/// RFC 7515 §2, RFC 4648 §3.5.
fn another_spelling_is_refused(token: &str) {
    for other in [format!("{token}="), format!("{token}."), format!(".{token}"), format!("{token}\n")] {
        assert!(parse(&other, &PLAN).is_err(), "{other}");
    }
}

/// RFC 8725 §2.4.
fn a_member_twice_is_refused(token: &str) {
    let [header, payload, signature] = decoded(token).map(|part| String::from_utf8_lossy(&part).into_owned());
    let twice = |object: &str| {
        let rest = object.trim_start().strip_prefix('{').unwrap();
        let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
        format!("{{\"zz\":1,\"zz\":1{comma}{rest}")
    };
    for parts in [[&twice(&header), &payload, &signature], [&header, &twice(&payload), &signature]] {
        let token = parts.map(|part| encode(part.as_bytes())).join(".");
        assert!(parse(&token, &PLAN).is_err(), "{token}");
    }
}
