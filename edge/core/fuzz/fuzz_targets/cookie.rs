//! `Cookie` fields, one on each line; the first line also as an access token and as an issuer's address.

#![no_main]

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use edge_core::auth::cookie::{CookieFault, LONGEST, access_token, name};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const NAME: &str = "sb-ref-auth-token";

fuzz_target!(|input: &[u8]| {
    let lines: Vec<_> = input.split(|byte| *byte == b'\n').collect();
    let found = read(&lines);
    if let Ok(Some(token)) = &found {
        assert!(!token.is_empty() && token.len() <= LONGEST);
        another_session_beside_it_is_refused(&lines);
    }
    fields_may_be_split_and_joined(&lines, &found);
    if let Some(Ok(text)) = lines.first().map(|line| str::from_utf8(line)) {
        a_session_in_pieces_is_found(text, lines.len());
        a_name_is_of_one_label(text);
    }
});

fn read(fields: &[&[u8]]) -> Result<Option<String>, CookieFault> {
    let mut headers = HeaderMap::new();
    for value in fields.iter().filter_map(|field| HeaderValue::from_bytes(field).ok()) {
        headers.append(COOKIE, value);
    }
    access_token(&headers, NAME)
}

fn another_session_beside_it_is_refused(lines: &[&[u8]]) {
    let another = format!("{NAME}=x");
    for fields in [[lines, &[another.as_bytes()]].concat(), [&[another.as_bytes()], lines].concat()] {
        assert_eq!(read(&fields), Err(CookieFault::Ambiguous));
    }
}

/// RFC 9113 §8.2.3.
fn fields_may_be_split_and_joined(lines: &[&[u8]], found: &Result<Option<String>, CookieFault>) {
    let valid: Vec<_> = lines.iter().copied().filter(|line| HeaderValue::from_bytes(line).is_ok()).collect();
    assert_eq!(read(&[&valid.join(&b"; "[..])]), *found);
    let split: Vec<_> = valid.iter().flat_map(|line| line.split(|byte| *byte == b';')).collect();
    assert_eq!(read(&split), *found);
}

fn a_session_in_pieces_is_found(token: &str, pieces: usize) {
    let json = serde_json::json!({ "refresh_token": "never kept", "access_token": token }).to_string();
    let value = format!("base64-{}", BASE64_URL_SAFE_NO_PAD.encode(json));
    if token.is_empty() || value.len() > LONGEST {
        return;
    }
    let chunks = value.as_bytes().chunks(value.len().div_ceil(pieces.clamp(1, 16))).enumerate();
    let cookies = chunks.map(|(at, chunk)| format!("{NAME}.{at}={}", str::from_utf8(chunk).unwrap()));
    let field = cookies.collect::<Vec<_>>().join("; ");
    assert_eq!(read(&[field.as_bytes()]), Ok(Some(token.to_owned())));
}

fn a_name_is_of_one_label(issuer: &str) {
    if let Some(name) = name(issuer) {
        let label = name.strip_prefix("sb-").and_then(|name| name.strip_suffix("-auth-token")).unwrap();
        assert!(!label.is_empty() && !label.contains(['.', '/', '=', ';', ' ']), "{name}");
        assert_eq!(name, name.to_ascii_lowercase());
    }
}
