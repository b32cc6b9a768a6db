//! The sign-in step: from a credential to a caller.

use std::net::IpAddr;
use std::rc::Rc;

use http::header::ORIGIN;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use super::webhook::Delivery;
use super::{Pass, apart};
use crate::auth::condition;
use crate::auth::credential::{self, credential};
use crate::auth::operator;
use crate::auth::token::{self, Statement, TokenFault};
use crate::auth::{Caller, Credential, Refusal, cookie, key_hash};
use crate::fault::Fault;
use crate::forward::is_websocket;
use crate::host::{Host, Request};
use crate::limit::asking;
use crate::plan::{Auth, Condition, Edge, Issuer, Route, SignIn, Source};
use crate::record::Record;

/// A caller, and what was found on the way.
pub(super) struct SignedIn {
    pub(super) caller: Caller,
    /// What the verified token says.
    pub(super) statement: Option<Rc<Statement>>,
    /// All its claims, where the route's limits look at them.
    pub(super) claims: Option<Map<String, Value>>,
    /// The verified token, for the origin's `Authorization`. One of a cookie goes on in the cookie alone: servers take
    /// heads of some kilobytes, and a session is several already.
    pub(super) token: Option<String>,
    /// The token stood in the query.
    pub(super) by_query: bool,
    /// The name of a webhook's delivery.
    pub(super) delivery: Option<Delivery>,
}

impl From<Caller> for SignedIn {
    fn from(caller: Caller) -> Self {
        Self { caller, statement: None, claims: None, token: None, by_query: false, delivery: None }
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
        let started = self.host.now_ms();
        let checked = self.checked(route, request, record).await;
        record.took("auth", started, self.host.now_ms());
        let signed_in = checked?;
        let taken = matches!(route.auth, Auth::SignIn(policy) if policy.sources.contains(&Source::Query));
        request.query = credential::without_token(request.query.as_deref(), taken);
        record.caller = Some(signed_in.caller.class());
        record.caller_id = match &signed_in.caller {
            Caller::User(identity) => Some(identity.user.clone()),
            Caller::ApiKey(hash) => Some(hash.clone()),
            _ => None,
        };
        Ok(signed_in)
    }

    async fn checked(
        &self,
        route: &Route,
        request: &mut Request<H::Body>,
        record: &mut Record,
    ) -> Result<SignedIn, Fault> {
        Ok(match &route.auth {
            Auth::Blocked => return Err(Refusal::Blocked.into()),
            Auth::Public => Caller::Anonymous.into(),
            Auth::Admin(policy) => {
                let expected = self.host.settings().get(policy.secret);
                operator::admin(policy, &request.headers, request.ip, expected)?;
                Caller::Admin.into()
            }
            Auth::Webhook(policy) => apart(self.webhook(route, policy, request)).await?,
            Auth::SignIn(policy) => {
                apart(self.sign_in(policy, self.looks_at_claims(route), request, record)).await?
            }
        })
    }

    async fn sign_in(
        &self,
        policy: &SignIn,
        looks_at_claims: bool,
        request: &Request<H::Body>,
        record: &mut Record,
    ) -> Result<SignedIn, Refusal> {
        let found = credential(policy, &request.headers, request.query.as_deref(), &self.cookies(policy));
        let (token, source) = match found {
            Ok(Credential::None) if policy.required => return Err(Refusal::Missing),
            Ok(Credential::None) => return Ok(Caller::Anonymous.into()),
            Ok(Credential::ApiKey(key)) => return self.api_key(&key, request.ip),
            Ok(Credential::Token(token, source)) => (token, source),
            Err(refusal) => return excused(refusal, Some(Source::Cookie), policy, request),
        };
        self.check_site(source, request)?;
        let claims = looks_at_claims.then(|| token::claims(&token));
        match self.user(token, source, policy, request.ip, record).await {
            Err(refusal) => excused(refusal, source, policy, request),
            Ok(signed_in) => Ok(SignedIn { claims, ..signed_in }),
        }
    }

    /// Whether limits need a caller's claims: those of the route, or of all where a caller is told of all.
    fn looks_at_claims(&self, route: &Route) -> bool {
        match route.edge {
            Some(Edge::MyLimits) => self.plan.routes.iter().any(asking::looks_at_claims),
            _ => asking::looks_at_claims(route),
        }
    }

    /// The origin checks the key's secret. Whoever makes keys up is heard no more before long: each would have limits of
    /// its own, and one might be somebody's.
    fn api_key(&self, key: &str, ip: Option<IpAddr>) -> Result<SignedIn, Refusal> {
        let hash = key_hash(key);
        if self.host.isolate().api_keys.borrow().get(&hash).is_none() {
            self.spare(ip)?;
        }
        Ok(Caller::ApiKey(hash).into())
    }

    /// Learns from the origin's answer whether a key is one.
    pub(super) fn note_api_key(&self, caller: &Caller, ip: Option<IpAddr>, response: &Response<H::Body>) {
        let Caller::ApiKey(hash) = caller else { return };
        match response.status() {
            StatusCode::UNAUTHORIZED => self.note_bad_credential(ip),
            status if status.is_success() => {
                self.host.isolate().api_keys.borrow_mut().insert(hash.clone(), ());
            }
            _ => {}
        }
    }

    /// Whether the page that made a browser send this may have meant it.
    fn check_site(&self, source: Option<Source>, request: &Request<H::Body>) -> Result<(), Refusal> {
        let (method, headers) = (&request.method, &request.headers);
        let is_ours = self.origin.is_some() || credential::is_same_origin(headers);
        let foreign = match source {
            None => false,
            Some(_) if is_ours => false,
            // No page of ours asks so; and a page of another site must not use up what an address may get wrong.
            Some(Source::Query) => credential::is_of_another_page(headers),
            Some(Source::Cookie) => {
                let changes = !method.is_safe() || is_websocket(method, headers);
                changes && headers.contains_key(ORIGIN)
            }
        };
        if foreign { Err(Refusal::CrossSite) } else { Ok(()) }
    }

    async fn user(
        &self,
        token: String,
        source: Option<Source>,
        policy: &SignIn,
        ip: Option<IpAddr>,
        record: &mut Record,
    ) -> Result<SignedIn, Refusal> {
        let statement = self.verify(&token, policy.grace_seconds, ip, record).await?;
        if self.is_revoked(&statement, record).await {
            return Err(Refusal::Token(TokenFault::Revoked));
        }
        if let Some(failed) = self.failed(policy.conditions, &token, &statement) {
            return Err(Refusal::Condition(*failed));
        }
        let caller = Caller::User(statement.identity.clone());
        let by_query = source == Some(Source::Query);
        let token = (source != Some(Source::Cookie)).then_some(token);
        Ok(SignedIn { caller, statement: Some(statement), claims: None, token, by_query, delivery: None })
    }

    /// The first of the conditions that does not hold.
    fn failed<'c>(
        &self,
        conditions: &'c [Condition],
        token: &str,
        statement: &Statement,
    ) -> Option<&'c Condition> {
        let Some(issuer) = self.issuer(statement) else { return conditions.first() };
        let claims = if conditions.is_empty() { Map::new() } else { token::claims(token) };
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

/// A cookie comes unasked and must not lock its user out. The page's own server renews an expired session, so where
/// nobody need be known, one is no sign of anything; and a browser on its way to a page gets it whatever its cookie is.
fn excused<B>(
    refusal: Refusal,
    source: Option<Source>,
    policy: &SignIn,
    request: &Request<B>,
) -> Result<SignedIn, Refusal> {
    let of_cookie = match refusal {
        Refusal::Cookie(_) => true,
        Refusal::Token(_) | Refusal::Forgeries(..) | Refusal::KeysUnavailable(_) => {
            source == Some(Source::Cookie)
        }
        _ => false,
    };
    let expired = refusal == Refusal::Token(TokenFault::Expired);
    let harmless = expired || credential::is_navigation(&request.headers);
    if of_cookie && harmless && !policy.required { Ok(Caller::Anonymous.into()) } else { Err(refusal) }
}
