//! An issuer's keys: which to use, and when to ask for them again.
//!
//! A set is fetched when the first token needs it, in the background before it is too old, and again when it is too
//! old or lacks a `kid`: one fetch at a time, and for an unknown `kid` at most one in a cool-down. While the issuer is
//! down the old set serves on for a bounded time. A fetch that failed decides nothing: a key may be new, so its token
//! is not called bad. The store is plain data, so an isolate can keep it between requests (a platform promise may not
//! be kept: I/O belongs to one request); others wait by looking again. Left out: asking, which the gateway does, first
//! the data centre's isolates and then the issuer.

use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::{Algorithm, Issuer};

/// One verifying key.
#[derive(Debug)]
pub struct Key<K> {
    /// `kid` (RFC 7517 §4.5).
    pub kid: Option<String>,
    /// The one algorithm it verifies.
    pub algorithm: Algorithm,
    /// The key as the platform has it.
    pub material: K,
}

impl<K> Key<K> {
    /// A public key never serves HS256 (RFC 8725 §2.1), nor any algorithm but its own.
    fn serves(&self, kid: Option<&str>, algorithm: Algorithm) -> bool {
        self.algorithm == algorithm && kid.is_none_or(|kid| self.kid.as_deref() == Some(kid))
    }
}

/// A public key as a key set has it (RFC 7518 §6, RFC 8037 §2), its members in base64url; or a shared secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jwk {
    /// A point on P-256.
    Ec {
        /// Its x coordinate.
        x: String,
        /// Its y coordinate.
        y: String,
    },
    /// An RSA key of 2048 bits or more.
    Rsa {
        /// Modulus.
        n: String,
        /// Exponent.
        e: String,
    },
    /// An Ed25519 key.
    Okp {
        /// The public key.
        x: String,
    },
    /// The text of a shared secret.
    Secret(String),
}

/// A key of a set, not yet imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// `kid`.
    pub kid: Option<String>,
    /// The one algorithm it verifies.
    pub algorithm: Algorithm,
    /// The key.
    pub jwk: Jwk,
}

/// A key set as an issuer sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The JSON text (RFC 7517 §5).
    pub json: String,
    /// `max-age` of the answer, in seconds.
    pub max_age: Option<u32>,
    /// When the issuer sent it, in Unix milliseconds.
    pub fetched_ms: u64,
}

impl Fetched {
    /// How long it may be used without asking again, in milliseconds.
    fn lifetime_ms(&self, issuer: &Issuer) -> u64 {
        let most = issuer.jwks_max_age_seconds;
        milliseconds(self.max_age.unwrap_or(most).clamp(LEAST_LIFETIME_SECONDS.min(most), most))
    }

    /// Whether it need not be asked for again.
    #[must_use]
    pub fn is_fresh(&self, issuer: &Issuer, now: u64) -> bool {
        now < self.fetched_ms.saturating_add(self.lifetime_ms(issuer))
    }

    /// Whether it may still serve while the issuer is down.
    #[must_use]
    pub fn is_usable(&self, issuer: &Issuer, now: u64) -> bool {
        now <= self.fetched_ms.saturating_add(milliseconds(issuer.jwks_stale_seconds))
    }
}

/// What an isolate knows of an issuer's keys. Times are Unix milliseconds.
#[derive(Debug)]
pub struct Store<K> {
    keys: Vec<Rc<Key<K>>>,
    set: Option<Fetched>,
    /// Keys of the set that are not in use because there are too many.
    left_out: usize,
    /// Since when, and whether for a `kid` that is not in the set.
    fetching: Option<(u64, bool)>,
    /// When the last fetch for such a `kid` ended well.
    asked_for_kid_at: Option<u64>,
    /// The last fetch failed: when it ended, and why.
    failure: Option<(u64, String)>,
    /// The key of the shared secret, once it is imported.
    pub secret: Option<Rc<Key<K>>>,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            set: None,
            left_out: 0,
            fetching: None,
            asked_for_kid_at: None,
            failure: None,
            secret: None,
        }
    }
}

/// What to do for a token.
#[derive(Debug)]
pub enum Lookup<K> {
    /// Verify with one of these: one for a `kid`, else all of the algorithm.
    Keys {
        /// Never empty.
        keys: Vec<Rc<Key<K>>>,
        /// Ask for the set meanwhile, in the background.
        refresh: bool,
    },
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// There is none, or none that may still be used.
    First,
    /// It is as old as it may be, or soon will be.
    Expired,
    /// A token names this key, and it is not in it.
    UnknownKid(Option<String>),
}

/// Why a key may be unknown that is good.
const TOO_NEW: &str = "the key may be newer than the key set, and the issuer was asked a moment ago";
/// A fetch that has not ended by now (ms) is given up: its request is gone.
const FETCH_GIVEN_UP_MS: u64 = 6_000;
/// After a failed fetch the issuer is left alone this long (ms).
const FAILURE_PAUSE_MS: u64 = 1_000;
/// A set is asked for again, in the background, when this share of its life has passed (percent).
const EARLY_PERCENT: u64 = 80;
/// A set serves the requests that wait for it, even if its issuer says that it is old at once.
const LEAST_LIFETIME_SECONDS: u32 = 1;
/// No issuer publishes more keys: importing costs.
const MOST_KEYS: usize = 32;
/// Length of an RSA modulus of 2048 bits (bytes): no less is taken (RFC 7518 §3.3).
const LEAST_MODULUS: usize = 256;

impl<K> Store<K> {
    /// The next step for a token with this `kid` and algorithm. Its key was published by `published_ms` (Unix ms), if
    /// it is a key at all: a set that is older says nothing about it.
    #[must_use]
    pub fn lookup(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        published_ms: u64,
        issuer: &Issuer,
        now: u64,
    ) -> Lookup<K> {
        let usable = self.set.as_ref().filter(|set| set.is_usable(issuer, now));
        let keys: Vec<_> = self.keys.iter().filter(|key| key.serves(kid, algorithm)).cloned().collect();
        let fetching = self.is_fetching(now);
        if let Some(set) = usable.filter(|_| !keys.is_empty()) {
            return self.known(keys, set, fetching, issuer, now);
        }
        // Where there are keys, an unknown one may be made up; where there are none, nobody can sign in.
        let pause = if usable.is_some() { cooldown(issuer) } else { FAILURE_PAUSE_MS };
        match &self.failure {
            _ if fetching => Lookup::Wait,
            Some((at, error)) if now < at.saturating_add(pause) => Lookup::Unavailable(error.clone()),
            None if usable.is_some() && !self.may_ask_for_kid(issuer, now) => match usable {
                Some(set) if set.fetched_ms < published_ms => Lookup::Unavailable(TOO_NEW.to_owned()),
                _ => Lookup::Unknown,
            },
            _ if usable.is_some() => Lookup::Fetch(Why::UnknownKid(kid.map(str::to_owned))),
            _ => Lookup::Fetch(Why::First),
        }
    }

    /// The step for keys that are there. Past the set's life the first to come waits for a new one, so that a revoked
    /// key is not used longer; if that fails, the old set serves on and is asked for in the background, as long as
    /// somebody keeps asking.
    fn known(
        &self,
        keys: Vec<Rc<Key<K>>>,
        set: &Fetched,
        fetching: bool,
        issuer: &Issuer,
        now: u64,
    ) -> Lookup<K> {
        let since = self.failure.as_ref().map(|(at, _)| now.saturating_sub(*at));
        let is_down = since.is_some_and(|since| since < cooldown(issuer).saturating_mul(2));
        if set.is_fresh(issuer, now) || is_down {
            let early = set.lifetime_ms(issuer).saturating_mul(EARLY_PERCENT) / 100;
            let due = now >= set.fetched_ms.saturating_add(early);
            let rested = since.is_none_or(|since| since >= cooldown(issuer));
            return Lookup::Keys { keys, refresh: due && rested && !fetching };
        }
        match fetching {
            true => Lookup::Wait,
            false => Lookup::Fetch(Why::Expired),
        }
    }

    /// Whether a fetch is under way.
    #[must_use]
    pub fn is_fetching(&self, now: u64) -> bool {
        self.fetching.is_some_and(|(since, _)| now < since.saturating_add(FETCH_GIVEN_UP_MS))
    }

    /// Whether the set may be asked for again because of a `kid`, or of a signature without one, that it does not
    /// explain.
    #[must_use]
    pub fn may_ask_for_kid(&self, issuer: &Issuer, now: u64) -> bool {
        let rested = |at: Option<u64>| at.is_none_or(|at| now >= at.saturating_add(cooldown(issuer)));
        rested(self.asked_for_kid_at) && rested(self.failure.as_ref().map(|(at, _)| *at))
    }

    /// Whether there are keys that may be used.
    #[must_use]
    pub fn is_usable(&self, issuer: &Issuer, now: u64) -> bool {
        !self.keys.is_empty() && self.set.as_ref().is_some_and(|set| set.is_usable(issuer, now))
    }

    /// When the set in use was fetched.
    #[must_use]
    pub fn fetched_ms(&self) -> Option<u64> {
        self.set.as_ref().map(|set| set.fetched_ms)
    }

    /// A fetch starts.
    pub fn begin(&mut self, why: &Why, now: u64) {
        self.fetching = Some((now, matches!(why, Why::UnknownKid(_))));
    }

    /// Whether this is the set in use, so that its keys need not be imported again.
    #[must_use]
    pub fn holds(&self, json: &str) -> bool {
        self.set.as_ref().is_some_and(|set| set.json == json)
    }

    /// A fetch ended with the set in use: it is good for another life.
    pub fn renew(&mut self, fetched: Fetched, now: u64) {
        if let Some((_, true)) = self.fetching.take() {
            self.asked_for_kid_at = Some(now);
        }
        self.failure = None;
        self.set = Some(fetched);
    }

    /// A fetch ended with a new set.
    pub fn replace(&mut self, fetched: Fetched, keys: Vec<Key<K>>, now: u64) {
        self.keys = keys.into_iter().map(Rc::new).collect();
        self.left_out = left_out(&fetched.json);
        self.renew(fetched, now);
    }

    /// A fetch failed: the old set stays.
    pub fn fail(&mut self, error: String, now: u64) {
        self.fetching = None;
        self.failure = Some((now, error));
    }

    /// How many keys of the set are not in use because there are too many: their tokens are refused.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The last fetch's error: the keys in use are older than they should be.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.failure.as_ref().map(|(_, error)| error.as_str())
    }
}

fn cooldown(issuer: &Issuer) -> u64 {
    milliseconds(issuer.jwks_cooldown_seconds)
}

fn milliseconds(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1_000)
}

/// The keys of a set that the gateway can verify with; the others are left out, as RFC 7517 §5 asks.
pub fn parse(json: &str) -> Result<Vec<Described>, String> {
    let mut keys = described(json)?;
    keys.truncate(MOST_KEYS);
    Ok(keys)
}

/// How many of a set's keys [`parse`] leaves out because there are too many.
#[must_use]
pub fn left_out(json: &str) -> usize {
    described(json).map_or(0, |keys| keys.len().saturating_sub(MOST_KEYS))
}

fn described(json: &str) -> Result<Vec<Described>, String> {
    let set: Value = serde_json::from_str(json).map_err(|error| format!("key set: {error}"))?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or("key set: no member `keys`")?;
    Ok(keys.iter().filter_map(describe).collect())
}

/// `None` for kinds that the gateway does not verify, and for keys that say they are for something else (RFC 7517 §4).
fn describe(jwk: &Value) -> Option<Described> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let (algorithm, public) = public_key(jwk)?;
    let verifies = |operations: &Vec<Value>| operations.iter().any(|operation| operation == "verify");
    let meant = text("alg").is_none_or(|alg| alg == algorithm.name())
        && text("use").is_none_or(|usage| usage == "sig")
        && jwk.get("key_ops").and_then(Value::as_array).is_none_or(verifies)
        && jwk.get("d").is_none();
    meant.then(|| Described { kid: text("kid").map(str::to_owned), algorithm, jwk: public })
}

/// The key and the algorithm that goes with its kind. A symmetric one is nobody's to publish.
fn public_key(jwk: &Value) -> Option<(Algorithm, Jwk)> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let bytes = |name| {
        let text = text(name)?;
        Some((text.to_owned(), BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.len()))
    };
    match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) => match (bytes("x")?, bytes("y")?) {
            ((x, 32), (y, 32)) => Some((Algorithm::Es256, Jwk::Ec { x, y })),
            _ => None,
        },
        ("RSA", None) => match (bytes("n")?, bytes("e")?) {
            ((n, LEAST_MODULUS..), (e, _)) => Some((Algorithm::Rs256, Jwk::Rsa { n, e })),
            _ => None,
        },
        ("OKP", Some("Ed25519")) => match bytes("x")? {
            (x, 32) => Some((Algorithm::EdDsa, Jwk::Okp { x })),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
