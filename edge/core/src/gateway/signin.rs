//! The sign-in step: from a credential to a caller.

use std::rc::Rc;

use http::header::ORIGIN;

use super::Pass;
use crate::auth::condition;
use crate::auth::credential::{self, credential};
use crate::auth::operator;
use crate::auth::token::{self, Statement, TokenFault};
use crate::auth::{Caller, Credential, Refusal, cookie, key_hash, leak};
use crate::fault::Fault;
use crate::host::{Host, Request};
use crate::plan::{Auth, Condition, Issuer, Route, SignIn, Source};
use crate::record::Record;

/// A caller, and what was found on the way.
pub(super) struct SignedIn {
    pub(super) caller: Caller,
    /// The token that was verified, wherever it stood, and what it says.
    pub(super) token: Option<(String, Rc<Statement>)>,
    /// The name of a webhook's delivery.
    pub(super) delivery: Option<String>,
}

impl From<Caller> for SignedIn {
    fn from(caller: Caller) -> Self {
        Self { caller, token: None, delivery: None }
    }
}

impl<H: Host> Pass<'_, H> {
    /// Who calls; a token leaves the query, so that no log behind sees it.
    pub(super) async fn authenticate(
        &self,
        route: &Route,
        request: &mut Request<H::Body>,
        record: &mut Record,
    ) -> Result<SignedIn, Fault> {
        if let Some(place) = leak::found(&request.headers, request.query.as_deref()) {
            record.leak = Some(place);
            return Err(Refusal::Leak.into());
        }
        let signed_in = match &route.auth {
            Auth::Blocked => return Err(Refusal::Blocked.into()),
            Auth::Public => Caller::Anonymous.into(),
            Auth::Admin(policy) => {
                let expected = self.host.settings().get(policy.secret);
                operator::admin(policy, &request.headers, request.ip, expected)?;
                Caller::Admin.into()
            }
            Auth::Webhook(policy) => self.webhook(route, policy, request).await?,
            Auth::SignIn(policy) => self.sign_in(policy, request, record).await?,
        };
        record.caller = Some(signed_in.caller.class());
        record.caller_id = match &signed_in.caller {
            Caller::User(identity) => Some(identity.user.clone()),
            Caller::ApiKey(hash) => Some(hash.clone()),
            _ => None,
        };
        Ok(signed_in)
    }

    async fn sign_in(
        &self,
        policy: &SignIn,
        request: &mut Request<H::Body>,
        record: &mut Record,
    ) -> Result<SignedIn, Refusal> {
        let found = credential(policy, &request.headers, request.query.as_deref(), &self.cookies(policy));
        if policy.sources.contains(&Source::Query) {
            request.query = credential::without_token(request.query.as_deref());
        }
        // A bad cookie must not lock its user out of the page that would set a new one.
        let forgiving = !policy.required && credential::is_navigation(&request.headers);
        let (token, source) = match found {
            Ok(Credential::None) if policy.required => return Err(Refusal::Missing),
            Ok(Credential::None) => return Ok(Caller::Anonymous.into()),
            Ok(Credential::ApiKey(key)) => return Ok(Caller::ApiKey(key_hash(&key)).into()),
            Ok(Credential::Token(token, source)) => (token, source),
            Err(Refusal::Cookie(_)) if forgiving => return Ok(Caller::Anonymous.into()),
            Err(refusal) => return Err(refusal),
        };
        let by_cookie = source == Some(Source::Cookie);
        let is_ours = self.origin.is_some() || !request.headers.contains_key(ORIGIN);
        if by_cookie && credential::is_cross_site(&request.method, is_ours) {
            return Err(Refusal::CrossSite);
        }
        match self.user(token, policy, request, record).await {
            // The page's own server renews an expired session; it is no sign of anything else.
            Err(Refusal::Token(TokenFault::Expired)) if by_cookie && !policy.required => {
                Ok(Caller::Anonymous.into())
            }
            Err(Refusal::Token(_)) if by_cookie && forgiving => Ok(Caller::Anonymous.into()),
            other => other,
        }
    }

    async fn user(
        &self,
        token: String,
        policy: &SignIn,
        request: &Request<H::Body>,
        record: &mut Record,
    ) -> Result<SignedIn, Refusal> {
        let statement = self.verify(&token, policy.grace_seconds, request.ip, record).await?;
        if self.is_revoked(&statement, record).await {
            return Err(Refusal::Token(TokenFault::Revoked));
        }
        if let Some(failed) = self.failed(policy.conditions, &token, &statement) {
            return Err(Refusal::Condition(*failed));
        }
        let caller = Caller::User(statement.identity.clone());
        Ok(SignedIn { caller, token: Some((token, statement)), delivery: None })
    }

    /// The first of the conditions that does not hold.
    fn failed<'c>(
        &self,
        conditions: &'c [Condition],
        token: &str,
        statement: &Statement,
    ) -> Option<&'c Condition> {
        let issuer = self.issuer(statement)?;
        let claims = (!conditions.is_empty()).then(|| token::claims(token))?;
        conditions.iter().find(|condition| !condition::holds(condition, &claims, &issuer.claims))
    }

    /// Who made a token that says this.
    pub(super) fn issuer(&self, statement: &Statement) -> Option<&'static Issuer> {
        self.plan.issuers.get(statement.issuer)
    }

    /// The session cookies that count on a route.
    fn cookies(&self, policy: &SignIn) -> Vec<String> {
        if !policy.sources.contains(&Source::Cookie) {
            return Vec::new();
        }
        let settings = self.host.settings();
        let issuers = self.plan.issuers.iter().filter(|issuer| issuer.cookie);
        issuers.filter_map(|issuer| cookie::name(settings.get(issuer.variable)?)).collect()
    }
}
