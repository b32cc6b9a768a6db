//! What an isolate remembers between requests: plain data, bounded, and nothing that must survive it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::bounded::Bounded;
use super::keys::{Key, Store};
use super::revocation::Known;
use super::token::{Statement, TokenFault};
use crate::cache::local::Local;
use crate::limit::ledger;
use crate::limit::wallet::Wallet;
use crate::plan::{Plan, Window};
use crate::preview::known::Known as Previews;
use crate::ready::Parts;
use crate::telemetry::Untold;
use crate::upstream::breaker::{self, Breaker};
use crate::upstream::pool::Pool;

/// Tokens remembered at least. A statement is some 500 bytes, so about 4 MB at most.
const TOKENS: usize = 4_096;
/// Addresses remembered at least.
const ADDRESSES: usize = 4_096;
/// Keys of limits remembered at least.
const KEYS: usize = 4_096;
/// How long a refused token is remembered (ms): long enough for a client that asks again and again.
const REFUSED_MS: u64 = 60_000;

/// A service's name, and its upstreams.
type Service = (&'static str, Rc<RefCell<Pool>>);

/// The digest of a token: the token itself is not kept.
type Digest = [u8; 32];

/// What an isolate remembers.
#[derive(Debug)]
pub struct Isolate<K> {
    /// Keys, by the place of their issuer in the plan.
    pub keys: Vec<RefCell<Store<K>>>,
    /// Verdicts on tokens.
    pub tokens: RefCell<Tokens<K>>,
    /// Bad signatures, and API keys that the origin refused.
    pub forgeries: RefCell<Forgeries>,
    /// API keys that the origin has taken, by their digest.
    pub api_keys: RefCell<Bounded<String, ()>>,
    /// Revocations.
    pub revocations: RefCell<Known>,
    /// Permits of limits, and their refusals.
    pub wallet: RefCell<Wallet>,
    /// When leases were last returned unasked, in Unix milliseconds.
    pub parted_ms: Cell<u64>,
    /// Whether the limiter answers.
    pub limiter: RefCell<Breaker>,
    /// Whether the objects of places answer.
    pub places: RefCell<Breaker>,
    /// The upstreams of each service that was asked for.
    pub pools: RefCell<Vec<Service>>,
    /// Until when (Unix ms) all places of a key are taken for taken.
    pub full: RefCell<Bounded<String, u64>>,
    /// Counts of limits by this isolate alone, while nobody answers.
    pub local: RefCell<Bounded<String, ledger::State>>,
    /// What it knows of the cache by itself.
    pub cache: Local,
    /// What it knows of sandboxes.
    pub previews: RefCell<Previews>,
    /// What it has yet to tell whoever collects.
    pub untold: Untold,
    /// When the origin last answered as it should (Unix ms).
    pub answered_ms: Cell<u64>,
    /// What was last found of whether the gateway can do its work, and when (Unix ms).
    pub judged: RefCell<Option<(u64, Parts)>>,
}

impl<K> Isolate<K> {
    /// One that has seen no request.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            keys: plan.issuers.iter().map(|_| RefCell::default()).collect(),
            tokens: RefCell::new(Tokens(Bounded::new(TOKENS))),
            forgeries: RefCell::new(Forgeries(Bounded::new(ADDRESSES))),
            api_keys: RefCell::new(Bounded::new(TOKENS)),
            revocations: RefCell::default(),
            wallet: RefCell::new(Wallet::new(KEYS)),
            parted_ms: Cell::default(),
            limiter: RefCell::new(Breaker::new(breaker::OBJECT)),
            places: RefCell::new(Breaker::new(breaker::OBJECT)),
            pools: RefCell::default(),
            full: RefCell::new(Bounded::new(KEYS)),
            local: RefCell::new(Bounded::new(KEYS)),
            cache: Local::default(),
            previews: RefCell::default(),
            untold: Untold::default(),
            answered_ms: Cell::default(),
            judged: RefCell::default(),
        }
    }
}

/// Tokens whose signature was verified, so that it is verified once, and tokens whose was not good.
#[derive(Debug)]
pub struct Tokens<K>(Bounded<Digest, Verdict<K>>);

#[derive(Debug)]
enum Verdict<K> {
    Good(Rc<Statement>, Rc<Key<K>>),
    /// Until this time (Unix ms).
    Bad(TokenFault, u64),
}

/// What a good token says, and the key that it is good by: it is good no longer than the key.
pub type Verified<K> = (Rc<Statement>, Rc<Key<K>>);

impl<K> Tokens<K> {
    /// What was found of a token, if it is remembered. Whether its time, or its key's, is over is not judged here.
    #[must_use]
    pub fn get(&self, digest: &Digest, now_ms: u64) -> Option<Result<Verified<K>, TokenFault>> {
        match self.0.get(digest)? {
            Verdict::Good(statement, key) => Some(Ok((Rc::clone(statement), Rc::clone(key)))),
            Verdict::Bad(fault, until) => (now_ms < *until).then_some(Err(*fault)),
        }
    }

    /// The token's signature is good, by this key.
    pub fn verified(&mut self, digest: Digest, (statement, key): Verified<K>) {
        self.0.insert(digest, Verdict::Good(statement, key));
    }

    /// It is not.
    pub fn refused(&mut self, digest: Digest, fault: TokenFault, now_ms: u64) {
        self.0.insert(digest, Verdict::Bad(fault, now_ms.saturating_add(REFUSED_MS)));
    }
}

/// Bad signatures and refused API keys by address, in fixed windows: when the first came (Unix ms), and how many since.
#[derive(Debug)]
pub struct Forgeries(Bounded<String, (u64, u32)>);

impl Forgeries {
    /// Until when (Unix ms) no token of this address is verified, if it has sent too many bad ones.
    #[must_use]
    pub fn refused_until(&self, address: &str, window: Window, now_ms: u64) -> Option<u64> {
        let (opened, count) = self.current(address, window, now_ms)?;
        (count >= window.quota).then(|| opened.saturating_add(length_ms(window)))
    }

    /// One more.
    pub fn count(&mut self, address: String, window: Window, now_ms: u64) {
        let (opened, count) = self.current(&address, window, now_ms).unwrap_or((now_ms, 0));
        self.0.insert(address, (opened, count.saturating_add(1)));
    }

    fn current(&self, address: &str, window: Window, now_ms: u64) -> Option<(u64, u32)> {
        let open = |opened: u64| opened <= now_ms && now_ms < opened.saturating_add(length_ms(window));
        self.0.get(&address.to_owned()).copied().filter(|(opened, _)| open(*opened))
    }
}

fn length_ms(window: Window) -> u64 {
    u64::from(window.seconds).saturating_mul(1_000)
}
