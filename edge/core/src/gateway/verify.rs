//! From a token to what it says: remembered, or verified with the issuer's keys, which are fetched if need be.

use std::net::IpAddr;
use std::rc::Rc;

use super::Pass;
use super::issuers;
use crate::auth::Refusal;
use crate::auth::isolate::Verified;
use crate::auth::keys::{Jwk, Key, Lookup, Why};
use crate::auth::token::{self, Parsed, Statement, TokenFault};
use crate::host::Host;
use crate::limit::network;
use crate::plan::{Algorithm, Issuer};
use crate::record::Record;

/// How long to wait before looking again for keys that are being fetched (ms).
const WAIT_FOR_KEYS_MS: u32 = 10;

type KeyOf<H> = Rc<Key<<H as Host>::Key>>;

impl<H: Host> Pass<'_, H> {
    /// What a good token says. One that was verified before is not verified again, as long as its key stays.
    pub(super) async fn verify(
        &self,
        token: &str,
        grace: u32,
        ip: Option<IpAddr>,
        record: &mut Record,
    ) -> Result<Rc<Statement>, Refusal> {
        let digest = hmac_sha256::Hash::hash(token.as_bytes());
        if let Some((statement, key)) = self.remembered(&digest)? {
            self.judge_times(&statement, grace)?;
            let keys = self.keys(&statement, record).await?;
            if keys.iter().any(|other| Rc::ptr_eq(other, &key)) {
                return Ok(statement);
            }
        }
        let (parsed, statement) = self.read(token)?;
        self.judge_times(&statement, grace)?;
        self.spare(ip)?;
        let Some(key) = self.signer(&parsed, &statement, record).await? else {
            self.note_forgery(digest, ip);
            return Err(Refusal::Token(TokenFault::Signature));
        };
        // Its key's own id: a header without one must not hide whose key it is. A shared secret has none of its own.
        let kid = key.kid.clone().or_else(|| statement.kid.clone());
        let statement = Rc::new(Statement { kid, ..statement });
        let verified = (Rc::clone(&statement), key);
        self.host.isolate().tokens.borrow_mut().verified(digest, verified);
        Ok(statement)
    }

    fn remembered(&self, digest: &[u8; 32]) -> Result<Option<Verified<H::Key>>, Refusal> {
        let tokens = self.host.isolate().tokens.borrow();
        tokens.get(digest, self.host.now_ms()).transpose().map_err(Refusal::Token)
    }

    /// The key that signed a token. One that names no key may be signed by one that is new, so the issuer is asked
    /// once more before it is called a forgery.
    async fn signer(
        &self,
        parsed: &Parsed<'_>,
        statement: &Statement,
        record: &mut Record,
    ) -> Result<Option<KeyOf<H>>, Refusal> {
        let keys = self.keys(statement, record).await?;
        let found = self.first_to_verify(parsed, keys).await;
        if found.is_some() || parsed.kid.is_some() || !self.asks_again(statement).await {
            return Ok(found);
        }
        let keys = self.keys(statement, record).await?;
        Ok(self.first_to_verify(parsed, keys).await)
    }

    /// Asks for the issuer's keys once more, if it may be asked, and waits for them.
    async fn asks_again(&self, statement: &Statement) -> bool {
        let (Some(issuer), Some(store)) =
            (self.issuer(statement), self.host.isolate().keys.get(statement.issuer))
        else {
            return false;
        };
        let is_secret = statement.algorithm == Algorithm::Hs256;
        if is_secret || !store.borrow().may_ask_for_kid(issuer, self.host.now_ms()) {
            return false;
        }
        issuers::fetch(self.host, self.plan, statement.issuer, Why::UnknownKid(None));
        while store.borrow().is_fetching(self.host.now_ms()) {
            self.host.pause(WAIT_FOR_KEYS_MS).await;
        }
        true
    }

    async fn first_to_verify(&self, parsed: &Parsed<'_>, keys: Vec<KeyOf<H>>) -> Option<KeyOf<H>> {
        for key in keys {
            if self.host.verify(&key.material, parsed.message.as_bytes(), &parsed.signature).await {
                return Some(key);
            }
        }
        None
    }

    fn read<'t>(&self, token: &'t str) -> Result<(Parsed<'t>, Statement), Refusal> {
        let settings = self.host.settings();
        let read = || {
            let parsed = token::parse(token, &self.plan.auth)?;
            let issuer = token::issuer(&parsed, self.plan, settings)?;
            let statement = token::statement(&parsed, issuer, settings, &self.plan.auth)?;
            Ok((parsed, statement))
        };
        read().map_err(Refusal::Token)
    }

    fn judge_times(&self, statement: &Statement, grace: u32) -> Result<(), Refusal> {
        let now = self.host.now_ms() / 1_000;
        let ended = |issuer: &Issuer| issuer.hs256.is_none_or(|hs256| now >= hs256.until);
        if statement.algorithm == Algorithm::Hs256 && self.issuer(statement).is_none_or(ended) {
            return Err(Refusal::Token(TokenFault::AlgorithmEnded));
        }
        statement.is_current(&self.plan.auth, grace, now).map_err(Refusal::Token)
    }

    /// Verifying costs, so an address that keeps sending forgeries is not served before its time is over.
    pub(super) fn spare(&self, ip: Option<IpAddr>) -> Result<(), Refusal> {
        let now = self.host.now_ms();
        let forgeries = self.host.isolate().forgeries.borrow();
        match forgeries.refused_until(&address(ip), self.plan.auth.forgeries, now) {
            Some(until) => Err(Refusal::Forgeries(until, now)),
            None => Ok(()),
        }
    }

    /// One more bad credential of this address.
    pub(super) fn note_bad_credential(&self, ip: Option<IpAddr>) {
        let (isolate, now) = (self.host.isolate(), self.host.now_ms());
        isolate.forgeries.borrow_mut().count(address(ip), self.plan.auth.forgeries, now);
    }

    fn note_forgery(&self, digest: [u8; 32], ip: Option<IpAddr>) {
        self.note_bad_credential(ip);
        let (isolate, now) = (self.host.isolate(), self.host.now_ms());
        isolate.tokens.borrow_mut().refused(digest, TokenFault::Signature, now);
    }

    /// The keys that a token may be signed with. What is fetched for it is fetched in the background: the request may
    /// be given up by its client, and others wait for the keys too.
    async fn keys(&self, statement: &Statement, record: &mut Record) -> Result<Vec<KeyOf<H>>, Refusal> {
        let unknown = || Refusal::Token(TokenFault::UnknownKey);
        let issuer = self.issuer(statement).ok_or_else(unknown)?;
        if statement.algorithm == Algorithm::Hs256 {
            return self
                .shared_secret(statement.issuer, issuer)
                .await
                .map(|key| vec![key])
                .ok_or_else(unknown);
        }
        let store = self.host.isolate().keys.get(statement.issuer).ok_or_else(unknown)?;
        // Whole seconds, and clocks that differ: it was issued by then, and at the latest when it came here.
        let slack = u64::from(self.plan.auth.leeway_seconds).saturating_add(1);
        let issued_ms = statement.issued_at.saturating_add(slack).saturating_mul(1_000);
        let published_ms = issued_ms.min(self.host.now_ms());
        loop {
            let (kid, now) = (statement.kid.as_deref(), self.host.now_ms());
            let lookup = store.borrow().lookup(kid, statement.algorithm, published_ms, issuer, now);
            match lookup {
                Lookup::Keys { keys, refresh } => {
                    if refresh {
                        issuers::fetch(self.host, self.plan, statement.issuer, Why::Expired);
                    }
                    self.note_keys(issuer, statement, record);
                    return Ok(keys);
                }
                Lookup::Unknown => return Err(unknown()),
                Lookup::Unavailable(error) => return Err(Refusal::KeysUnavailable(error)),
                Lookup::Wait => self.host.pause(WAIT_FOR_KEYS_MS).await,
                Lookup::Fetch(why) => issuers::fetch(self.host, self.plan, statement.issuer, why),
            }
        }
    }

    /// For the log, where keys are older than they should be; and for explanations.
    fn note_keys(&self, issuer: &Issuer, statement: &Statement, record: &mut Record) {
        let Some(store) = self.host.isolate().keys.get(statement.issuer) else { return };
        let store = store.borrow();
        let age = store.fetched_ms().map(|at| self.host.now_ms().saturating_sub(at) / 1_000);
        let age = age.map(|age| format!(", key set of {age} s ago")).unwrap_or_default();
        record.signed = Some(format!("{} by {}{age}", statement.algorithm.name(), issuer.name));
        record.degraded.extend(store.error().map(|error| format!("keys of {}{age}: {error}", issuer.name)));
        let left_out = Some(store.left_out()).filter(|count| *count > 0);
        record.degraded.extend(left_out.map(|count| format!("keys of {}: {count} too many", issuer.name)));
    }

    async fn shared_secret(&self, place: usize, issuer: &Issuer) -> Option<KeyOf<H>> {
        let store = self.host.isolate().keys.get(place)?;
        if let Some(key) = &store.borrow().secret {
            return Some(Rc::clone(key));
        }
        let secret = self.host.settings().get(issuer.hs256?.secret)?;
        let material = self.host.import(&Jwk::Secret(secret.to_owned())).await.ok()?;
        let key = Rc::new(Key { kid: None, algorithm: Algorithm::Hs256, material });
        store.borrow_mut().secret = Some(Rc::clone(&key));
        Some(key)
    }
}

fn address(ip: Option<IpAddr>) -> String {
    ip.map_or_else(|| "none".to_owned(), network)
}
