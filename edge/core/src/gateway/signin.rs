//! The sign-in step: from a credential to a caller, with the issuer's keys fetched on the way if need be.

use std::rc::Rc;

use super::Pass;
use crate::auth::keys::{Key, Lookup, Why};
use crate::auth::token::{self, Hint, Identity, TokenFault};
use crate::auth::{self, Caller, Credential, Refusal};
use crate::fault::Fault;
use crate::host::{Host, Request};
use crate::plan::{Auth, Route};
use crate::record::Record;

/// How long to wait before looking again for keys that another request is fetching (ms).
const WAIT_FOR_KEYS_MS: u32 = 25;

/// A caller, and the token that was verified on the way.
pub(super) struct SignedIn {
    pub(super) caller: Caller,
    pub(super) token: Option<String>,
}

impl<H: Host> Pass<'_, H> {
    /// Who calls; a token leaves the query, so that no log behind sees it.
    pub(super) async fn authenticate(
        &self,
        route: &Route,
        request: &mut Request<H::Body>,
        record: &mut Record,
    ) -> Result<SignedIn, Fault> {
        let admin_key = self.host.settings().admin_key.as_deref();
        let credential = auth::credential(route.auth, &request.headers, request.query.as_deref(), admin_key)?;
        let mut verified = None;
        let caller = match credential {
            Credential::None => Caller::Anonymous,
            Credential::Admin => Caller::Admin,
            Credential::Webhook => Caller::Webhook,
            Credential::ApiKey(key) => Caller::ApiKey(auth::key_hash(&key)),
            Credential::Bearer(token) => {
                let identity = self.verify(&token, record).await?;
                verified = Some(token);
                Caller::User(identity)
            }
        };
        if route.auth == Auth::Stream {
            request.query = auth::without_token(request.query.as_deref());
        }
        record.caller = Some(caller.class());
        record.caller_id = match &caller {
            Caller::User(identity) => Some(identity.user.clone()),
            Caller::ApiKey(hash) => Some(hash.clone()),
            _ => None,
        };
        Ok(SignedIn { caller, token: verified })
    }

    async fn verify(&self, token: &str, record: &mut Record) -> Result<Identity, Refusal> {
        let hint = token::hint(token, &self.plan.auth).map_err(Refusal::Token)?;
        let keys = self.keys(&hint, record).await?;
        let settings = self.host.settings();
        let now = self.host.now_ms() / 1_000;
        token::verify_by_any(token, &keys, &settings.issuer, &self.plan.auth, now).map_err(Refusal::Token)
    }

    /// The keys that a token may be signed with, fetched if need be.
    async fn keys(&self, hint: &Hint, record: &mut Record) -> Result<Vec<Rc<Key>>, Refusal> {
        if hint.alg == "HS256" {
            let secret = self.host.settings().hs256_secret.as_deref();
            return secret
                .map(|secret| vec![Key::hs256(secret).into()])
                .ok_or(Refusal::Token(TokenFault::UnknownKey));
        }
        loop {
            let store = self.host.key_store();
            let lookup =
                store.borrow().lookup(hint.kid.as_deref(), hint.alg, &self.plan.auth, self.host.now_ms());
            match lookup {
                Lookup::Keys(keys) => {
                    record.degraded.extend(store.borrow().error().map(|error| format!("keys: {error}")));
                    return Ok(keys);
                }
                Lookup::Unknown => return Err(Refusal::Token(TokenFault::UnknownKey)),
                Lookup::Unavailable(error) => return Err(Refusal::KeysUnavailable(error)),
                Lookup::Wait => self.host.pause(WAIT_FOR_KEYS_MS).await,
                Lookup::Fetch(why) => self.fetch_keys(why).await,
            }
        }
    }

    async fn fetch_keys(&self, why: Why) {
        let store = self.host.key_store();
        store.borrow_mut().begin(why, self.host.now_ms());
        let result = self.host.fetch_keys().await;
        store.borrow_mut().end(result, &self.plan.auth, self.host.now_ms());
    }
}
