//! Running the command, and signing in: keys are made anew for each test.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use jwt_simple::prelude::*;
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://project.supabase.co/auth/v1";
/// The time of all tests, in seconds since 1970.
pub(crate) const NOW: u64 = 1_780_000_000;

/// `he2` with these arguments, in the repository.
pub(crate) fn he2(arguments: &[&str]) -> Output {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    Command::new(env!("CARGO_BIN_EXE_he2")).args(arguments).current_dir(repository).output().unwrap()
}

/// What it said, and its exit code.
pub(crate) fn said(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8(output.stdout.clone()).unwrap())
}

pub(crate) fn complained(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// The explanation of a request at [`NOW`], for programs.
pub(crate) fn explained(arguments: &[&str]) -> Value {
    let (code, text) = said(&he2(&[&["explain", "--json", "--now", &NOW.to_string()], arguments].concat()));
    assert_eq!(code, 0);
    serde_json::from_str(&text).unwrap()
}

/// What a step said.
pub(crate) fn step<'a>(explained: &'a Value, name: &str) -> &'a str {
    let steps = explained["steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["step"] == name);
    found.and_then(|step| step["says"].as_str()).unwrap_or_else(|| panic!("no step {name} in {explained:#}"))
}

/// A file of this test, in cargo's directory for such.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    fs::write(&path, text).unwrap();
    path
}

/// A user's token, and the file of the key set that it is signed by.
pub(crate) fn signed_in(test: &str) -> (String, PathBuf) {
    let pair = ES256KeyPair::generate().with_key_id("k1");
    let mut claims = Claims::with_custom_claims(json!({ "role": "authenticated" }), Duration::from_hours(1))
        .with_issuer(ISSUER)
        .with_audience("authenticated")
        .with_subject("user-7");
    claims.issued_at = Some(UnixTimeStamp::from_secs(NOW - 10));
    claims.invalid_before = None;
    claims.expires_at = Some(UnixTimeStamp::from_secs(NOW + 3600));
    let token = pair.sign(claims).unwrap();
    let mut jwk: Value = serde_json::from_str(&pair.public_key().to_jwk()).unwrap();
    jwk["kid"] = json!("k1");
    (token, file(&format!("{test}.json"), &json!({ "keys": [jwk] }).to_string()))
}
