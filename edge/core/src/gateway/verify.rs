//! From a token to what it says: remembered, or verified with the issuer's keys, which are fetched if need be.

use std::net::IpAddr;
use std::rc::Rc;

use super::Pass;
use super::issuers;
use crate::auth::Refusal;
use crate::auth::keys::{Jwk, Key, Lookup, Why};
use crate::auth::token::{self, Parsed, Statement, TokenFault};
use crate::host::Host;
use crate::limit::network;
use crate::plan::{Algorithm, Issuer};
use crate::record::Record;

/// How long to wait before looking again for keys that another request is fetching (ms).
const WAIT_FOR_KEYS_MS: u32 = 25;

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
        if let Some(statement) = self.remembered(&digest)? {
            self.judge_times(&statement, grace)?;
            self.keys(&statement, record).await?;
            // A key set that changed meanwhile has made the isolate forget.
            if let Some(statement) = self.remembered(&digest)? {
                return Ok(statement);
            }
        }
        let (parsed, statement) = self.read(token)?;
        self.judge_times(&statement, grace)?;
        self.spare(ip)?;
        let keys = self.keys(&statement, record).await?;
        if !self.is_signed_by_any(&parsed, &keys).await {
            self.note_forgery(digest, ip);
            return Err(Refusal::Token(TokenFault::Signature));
        }
        let statement = Rc::new(statement);
        self.host.isolate().tokens.borrow_mut().verified(digest, Rc::clone(&statement));
        Ok(statement)
    }

    fn remembered(&self, digest: &[u8; 32]) -> Result<Option<Rc<Statement>>, Refusal> {
        let tokens = self.host.isolate().tokens.borrow();
        tokens.get(digest, self.host.now_ms()).transpose().map_err(Refusal::Token)
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
    fn spare(&self, ip: Option<IpAddr>) -> Result<(), Refusal> {
        let now = self.host.now_ms();
        let forgeries = self.host.isolate().forgeries.borrow();
        match forgeries.refused_until(&address(ip), self.plan.auth.forgeries, now) {
            Some(until) => Err(Refusal::Forgeries(until, now)),
            None => Ok(()),
        }
    }

    fn note_forgery(&self, digest: [u8; 32], ip: Option<IpAddr>) {
        let (isolate, now) = (self.host.isolate(), self.host.now_ms());
        isolate.forgeries.borrow_mut().count(address(ip), self.plan.auth.forgeries, now);
        isolate.tokens.borrow_mut().refused(digest, TokenFault::Signature, now);
    }

    async fn is_signed_by_any(&self, parsed: &Parsed<'_>, keys: &[Rc<Key<H::Key>>]) -> bool {
        for key in keys {
            if self.host.verify(&key.material, parsed.message.as_bytes(), &parsed.signature).await {
                return true;
            }
        }
        false
    }

    /// The keys that a token may be signed with, fetched if need be.
    async fn keys(
        &self,
        statement: &Statement,
        record: &mut Record,
    ) -> Result<Vec<Rc<Key<H::Key>>>, Refusal> {
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
        loop {
            let now = self.host.now_ms();
            let lookup = store.borrow().lookup(statement.kid.as_deref(), statement.algorithm, issuer, now);
            match lookup {
                Lookup::Keys { keys, refresh } => {
                    if refresh {
                        let fetch = issuers::fetch(self.host, self.plan, statement.issuer, Why::Expired);
                        self.host.background(fetch);
                    }
                    self.note_keys(issuer, statement, record);
                    return Ok(keys);
                }
                Lookup::Unknown => return Err(unknown()),
                Lookup::Unavailable(error) => return Err(Refusal::KeysUnavailable(error)),
                Lookup::Wait => self.host.pause(WAIT_FOR_KEYS_MS).await,
                Lookup::Fetch(why) => issuers::fetch(self.host, self.plan, statement.issuer, why).await,
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
    }

    async fn shared_secret(&self, place: usize, issuer: &Issuer) -> Option<Rc<Key<H::Key>>> {
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
