//! Running the command, and signing in: keys are made anew for each test.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://project.supabase.co/auth/v1";
/// The time of all tests, in seconds since 1970.
pub(crate) const NOW: u64 = 1_780_000_000;

/// `he2` with these arguments, in the repository.
pub(crate) fn he2(arguments: &[&str]) -> Output {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_he2"));
    command.args(arguments).current_dir(repository).envs(SETTINGS).output().unwrap()
}

/// What the Worker has under these names.
const SETTINGS: [(&str, &str); 5] = [
    ("COGNITO_ISSUER", COGNITO),
    ("COGNITO_CLIENTS", "web"),
    ("OPERATORS_KEY", "made-for-these-tests"),
    ("STRIPE_WEBHOOK_SECRET", "made-for-these-tests"),
    ("TRIGGER_WEBHOOK_SECRET", "hush"),
];
pub(crate) const COGNITO: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool";

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
    let signer = Signer::new();
    let jwks = signer.key_set(test);
    (signer.sign(&json!({})), jwks)
}

/// Signs with ES256, by a key made for it.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap())
    }

    /// The file of a key set with its key in it.
    pub(crate) fn key_set(&self, test: &str) -> PathBuf {
        let point = self.0.public_key().as_ref();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": "k1", "x": x, "y": y});
        file(&format!("{test}.json"), &json!({ "keys": [jwk] }).to_string())
    }

    /// The token of a user, some of whose claims are changed; null takes one away.
    pub(crate) fn sign(&self, changes: &Value) -> String {
        self.sign_as(&json!({"alg": "ES256", "kid": "k1"}), changes)
    }

    /// The same under another header; it is signed with ES256, whatever that says.
    pub(crate) fn sign_as(&self, header: &Value, changes: &Value) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": "authenticated", "iat": NOW - 10, "exp": NOW + 3600, "sub": "user-7",
            "role": "authenticated", "session_id": "session-7",
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(&claims));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature.as_ref()))
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
