//! The issuer's keys: which to use, and when to ask for them again.
//!
//! A set is fetched when the first token needs it and again when it is too old or lacks a `kid`; one fetch at a
//! time, an unknown `kid` at most once in a cool-down, and while the issuer is down the old set serves on for a
//! bounded time. A fetch that failed decides nothing: a key may be new, so its token is not called bad. The store is plain data, so an isolate can keep it between requests (a platform promise may not
//! be kept: I/O belongs to one request); others wait by looking again. Left out: sharing between isolates.

use std::rc::Rc;

use jwt_simple::prelude::*;
use serde::de::DeserializeOwned;

use crate::plan::AuthPlan;

/// One verifying key.
#[derive(Debug)]
pub struct Key {
    /// `kid` (RFC 7517 §4.5).
    pub kid: Option<String>,
    /// The one JOSE algorithm it verifies.
    pub alg: &'static str,
    verifier: Verifier,
}

#[derive(Debug)]
enum Verifier {
    Es256(ES256PublicKey),
    Rs256(RS256PublicKey),
    EdDsa(Ed25519PublicKey),
    Hs256(HS256Key),
}

impl Key {
    /// The key of a shared secret. It has no `kid`: it serves every HS256 token.
    #[must_use]
    pub fn hs256(secret: &str) -> Self {
        Self { kid: None, alg: "HS256", verifier: Verifier::Hs256(HS256Key::from_bytes(secret.as_bytes())) }
    }

    /// Reads one member of a key set; `None` for kinds the gateway does not verify, and for private keys.
    fn from_jwk(jwk: &serde_json::Value) -> Option<Self> {
        let text = jwk.to_string();
        let member = |name| jwk.get(name).and_then(serde_json::Value::as_str);
        let (alg, verifier) = match (member("kty")?, member("crv")) {
            ("EC", Some("P-256")) => ("ES256", Verifier::Es256(ES256PublicKey::from_jwk(&text).ok()?)),
            ("RSA", None) => ("RS256", Verifier::Rs256(RS256PublicKey::from_jwk(&text).ok()?)),
            ("OKP", Some("Ed25519")) => ("EdDSA", Verifier::EdDsa(Ed25519PublicKey::from_jwk(&text).ok()?)),
            _ => return None,
        };
        Some(Self { kid: member("kid").map(str::to_owned), alg, verifier })
    }

    /// The claims of a token that this key signed.
    pub(super) fn verify<C: DeserializeOwned>(
        &self,
        token: &str,
        options: VerificationOptions,
    ) -> Result<JWTClaims<C>, jwt_simple::Error> {
        match &self.verifier {
            Verifier::Es256(key) => key.verify_token(token, Some(options)),
            Verifier::Rs256(key) => key.verify_token(token, Some(options)),
            Verifier::EdDsa(key) => key.verify_token(token, Some(options)),
            Verifier::Hs256(key) => key.verify_token(token, Some(options)),
        }
    }

    fn serves(&self, kid: Option<&str>, alg: &str) -> bool {
        self.alg == alg && kid.is_none_or(|kid| self.kid.as_deref() == Some(kid))
    }
}

/// A key set as the issuer sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The JSON text (RFC 7517 §5).
    pub json: String,
    /// `max-age` of the answer, in seconds.
    pub max_age: Option<u32>,
}

/// What an isolate knows of the issuer's keys. Times are Unix milliseconds.
#[derive(Debug, Default)]
pub struct Store {
    keys: Vec<Rc<Key>>,
    good_at: Option<u64>,
    expires: u64,
    fetching_since: Option<u64>,
    asked_at: Option<u64>,
    asked_for_kid_at: Option<u64>,
    /// The last fetch failed: when it ended, and why.
    failure: Option<(u64, String)>,
}

/// What to do for a token.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// Verify with one of these: one for a `kid`, else all of the algorithm.
    Keys(Vec<Rc<Key>>),
    /// Fetch the set, then look again.
    Fetch(Why),
    /// Another request is fetching it: look again shortly.
    Wait,
    /// The set is there and this key is not in it.
    Unknown,
    /// Whether there is such a key cannot be known now; this is the last error.
    Unavailable(String),
}

/// Why a key set is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is none, or none that may still be used.
    First,
    /// It is older than it should be.
    Expired,
    /// A token names a key that is not in it.
    UnknownKid,
}

/// A fetch that has not ended by now (ms) is given up: its request is gone.
const FETCH_GIVEN_UP_MS: u64 = 6_000;
/// After a failed fetch the issuer is left alone this long (ms).
const FAILURE_PAUSE_MS: u64 = 1_000;

impl Store {
    /// The next step for a token with this hint.
    #[must_use]
    pub fn lookup(&self, kid: Option<&str>, alg: &str, plan: &AuthPlan, now: u64) -> Lookup {
        let usable = self.good_at.is_some_and(|at| now <= after(at, plan.jwks_stale_seconds));
        let found: Vec<_> = self.keys.iter().filter(|key| usable && key.serves(kid, alg)).cloned().collect();
        let may_ask =
            |asked: Option<u64>| asked.is_none_or(|at| now >= after(at, plan.jwks_cooldown_seconds));
        let fetching = self.fetching_since.is_some_and(|since| now < since.saturating_add(FETCH_GIVEN_UP_MS));
        if !found.is_empty() {
            let refresh = now >= self.expires && may_ask(self.asked_at) && !fetching;
            return if refresh { Lookup::Fetch(Why::Expired) } else { Lookup::Keys(found) };
        }
        match &self.failure {
            _ if fetching => Lookup::Wait,
            Some((at, error)) if now < at.saturating_add(FAILURE_PAUSE_MS) => {
                Lookup::Unavailable(error.clone())
            }
            None if usable && !may_ask(self.asked_for_kid_at) => Lookup::Unknown,
            _ if usable => Lookup::Fetch(Why::UnknownKid),
            _ => Lookup::Fetch(Why::First),
        }
    }

    /// A fetch starts.
    pub fn begin(&mut self, why: Why, now: u64) {
        self.fetching_since = Some(now);
        self.asked_at = Some(now);
        if why == Why::UnknownKid {
            self.asked_for_kid_at = Some(now);
        }
    }

    /// A fetch ended. A set that cannot be read counts as a failure: the old one stays.
    pub fn end(&mut self, result: Result<Fetched, String>, plan: &AuthPlan, now: u64) {
        self.fetching_since = None;
        match result.and_then(|fetched| Ok((parse(&fetched.json)?, fetched.max_age))) {
            Ok((keys, max_age)) => {
                let lifetime = max_age.unwrap_or(plan.jwks_max_age_seconds).min(plan.jwks_max_age_seconds);
                self.keys = keys;
                self.good_at = Some(now);
                self.expires = after(now, lifetime);
                self.failure = None;
            }
            Err(error) => self.failure = Some((now, error)),
        }
    }

    /// The last fetch's error, if the keys in use are older than they should be.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.failure.as_ref().map(|(_, error)| error.as_str())
    }
}

fn after(at: u64, seconds: u32) -> u64 {
    at.saturating_add(u64::from(seconds).saturating_mul(1_000))
}

fn parse(json: &str) -> Result<Vec<Rc<Key>>, String> {
    let set: serde_json::Value = serde_json::from_str(json).map_err(|error| format!("key set: {error}"))?;
    let keys = set.get("keys").and_then(serde_json::Value::as_array).ok_or("key set: no member `keys`")?;
    Ok(keys.iter().filter_map(Key::from_jwk).map(Rc::new).collect())
}
