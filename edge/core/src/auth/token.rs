//! What a token says, and whether it may be believed as far as that can be told without a key: RFC 7519, RFC 7515
//! and the advice of RFC 8725.
//!
//! [`parse`] reads its form, [`issuer`] finds who made it, [`statement`] judges its claims. Only then, and by the
//! platform, is the signature verified: it is what costs. Decided here too: which algorithm goes with which key (the
//! key says so, never the token alone), and that Supabase's own keys and roles are never a user. Left out: keys
//! ([`super::keys`]), revocation, what a route asks beyond that ([`super::condition`]).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::members::Members;
use crate::auth::condition;
use crate::host::Settings;
use crate::plan::{Algorithm, Audiences, AuthPlan, Issuer, Plan};

/// What the gateway believes about a signed-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id (`sub`).
    pub user: String,
    /// The role; empty where the issuer knows none.
    pub role: String,
    /// The session's id.
    pub session: Option<String>,
    /// Authenticator assurance level, `aal1` or `aal2`.
    pub aal: Option<String>,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Longer than the plan allows.
    TooLong,
    /// Not a JWT in compact form (RFC 7519 §3), or with a member twice.
    Malformed,
    /// One of Supabase's own keys (`sb_…`), which are no tokens.
    ApiKeyAsToken,
    /// A header parameter that must be understood and is not: `crit`, `b64`, another `typ`, an odd `kid`.
    Header,
    /// `alg` is not one that the issuer uses, or not the key's.
    Algorithm,
    /// Signed with a shared secret after the end of its time.
    AlgorithmEnded,
    /// No key of the issuer has this `kid`.
    UnknownKey,
    /// The signature is not by the key.
    Signature,
    /// `exp` has passed.
    Expired,
    /// No `exp` or no `iat`, or not in whole seconds.
    Times,
    /// Good for longer than the plan allows.
    TooLongLived,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// `iss` is no issuer of this deployment.
    Issuer,
    /// The audience is none of the issuer's.
    Audience,
    /// A claim that says who the user is has not the form of one.
    Claims,
    /// No `sub`.
    NoSubject,
    /// The role is not one of a signed-in user: `anon`, `service_role`.
    NotAUser,
    /// It lacks what every token of its issuer must say.
    Kind,
    /// Its session, user or key was revoked.
    Revoked,
}

impl TokenFault {
    /// What may be told to the caller.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::TooLong => "the token is too long",
            Self::Malformed => "the token is not a JWT",
            Self::ApiKeyAsToken => "an API key is not a bearer token",
            Self::Header => "the token's header asks for what is not supported",
            Self::Algorithm => "the token's algorithm is not accepted",
            Self::AlgorithmEnded => "tokens signed with the shared secret are no longer accepted",
            Self::UnknownKey => "the token is signed by an unknown key",
            Self::Signature => "the token's signature is not valid",
            Self::Expired => "the token has expired",
            Self::Times => "the token does not say when it was issued and when it expires",
            Self::TooLongLived => "the token is good for too long",
            Self::NotYetValid => "the token is not valid yet",
            Self::Issuer => "the token's issuer is not accepted",
            Self::Audience => "the token is for another audience",
            Self::Claims => "a claim of the token has not the form it must have",
            Self::NoSubject => "the token names no user",
            Self::NotAUser => "the token's role is not a signed-in user",
            Self::Kind => "the token is not of the kind that is accepted",
            Self::Revoked => "the token has been revoked",
        }
    }
}

/// A token in its parts. Nothing of it is to be believed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<'t> {
    /// What is signed: header and payload as they stand (RFC 7515 §5.2).
    pub message: &'t str,
    /// The signature's bytes.
    pub signature: Vec<u8>,
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`.
    pub kid: Option<String>,
    /// The payload's members.
    pub claims: Map<String, Value>,
}

/// What a token says of its user, and how long. To be believed once its signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Who made it: place in [`Plan::issuers`].
    pub issuer: usize,
    /// How it is signed.
    pub algorithm: Algorithm,
    /// The key's id.
    pub kid: Option<String>,
    /// Who it is about.
    pub identity: Identity,
    /// `iat`, in Unix seconds.
    pub issued_at: u64,
    /// `nbf`, in Unix seconds.
    pub not_before: u64,
    /// `exp`, in Unix seconds.
    pub expires_at: u64,
}

/// Longest `kid`, user id, role and the like, in bytes: they travel in header fields and logs.
const LONGEST_NAME: usize = 256;

/// The roles of a Supabase project's own keys: everyone, and a machine with all rights.
const PROJECT_ROLES: [&str; 2] = ["anon", "service_role"];

/// Reads a token's form, and refuses what no key could make good.
pub fn parse<'t>(token: &'t str, plan: &AuthPlan) -> Result<Parsed<'t>, TokenFault> {
    if token.len() > usize::try_from(plan.max_token_bytes).unwrap_or(usize::MAX) {
        return Err(TokenFault::TooLong);
    }
    if token.starts_with("sb_") {
        return Err(TokenFault::ApiKeyAsToken);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(TokenFault::Malformed)?;
    let (algorithm, kid) = read_header(&object(header)?)?;
    Ok(Parsed { message, signature: decode(signature)?, algorithm, kid, claims: object(payload)? })
}

/// A token's claims, for a token that was verified before.
#[must_use]
pub fn claims(token: &str) -> Map<String, Value> {
    token.split('.').nth(1).and_then(|payload| object(payload).ok()).unwrap_or_default()
}

/// Base64url as RFC 7515 §2 has it: no padding, and no other spelling of the same bytes (RFC 4648 §3.5).
fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}

/// A JSON object without a member twice (RFC 8725 §2.4 tells what two readers may make of one).
fn object(part: &str) -> Result<Map<String, Value>, TokenFault> {
    serde_json::from_slice(&decode(part)?).map(|Members(members)| members).map_err(|_| TokenFault::Malformed)
}

/// `alg` and `kid`. `jwk`, `jku`, `x5u` and `x5c` are not read: a token cannot bring its own key.
fn read_header(header: &Map<String, Value>) -> Result<(Algorithm, Option<String>), TokenFault> {
    const KNOWN: [Algorithm; 4] = [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa, Algorithm::Hs256];
    let name = header.get("alg").and_then(Value::as_str).ok_or(TokenFault::Algorithm)?;
    let algorithm = KNOWN.into_iter().find(|known| known.name() == name).ok_or(TokenFault::Algorithm)?;
    // RFC 7515 §4.1.11: nothing critical is understood here, `b64` (RFC 7797) least of all.
    if header.contains_key("crit") || header.contains_key("b64") || !is_access_token(header.get("typ")) {
        return Err(TokenFault::Header);
    }
    match header.get("kid") {
        None => Ok((algorithm, None)),
        Some(Value::String(kid)) if kid.len() <= LONGEST_NAME => Ok((algorithm, Some(kid.clone()))),
        Some(_) => Err(TokenFault::Header),
    }
}

/// `JWT` (RFC 7519 §5.1) or `at+jwt` (RFC 9068 §2.1), or nothing said; so no other kind of JWT passes for a token
/// (RFC 8725 §3.11).
fn is_access_token(typ: Option<&Value>) -> bool {
    match typ {
        None => true,
        Some(Value::String(typ)) => {
            let typ = typ.to_ascii_lowercase();
            matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
        }
        Some(_) => false,
    }
}

/// Who made a token, by its `iss`: one of the issuers that this deployment has an address for.
pub fn issuer(
    parsed: &Parsed<'_>,
    plan: &Plan,
    settings: &Settings,
) -> Result<(usize, &'static Issuer), TokenFault> {
    let iss = parsed.claims.get("iss").and_then(Value::as_str).ok_or(TokenFault::Issuer)?;
    let mut issuers = plan.issuers.iter().enumerate();
    issuers.find(|(_, issuer)| settings.get(issuer.variable) == Some(iss)).ok_or(TokenFault::Issuer)
}

/// What the token says, if an issuer's token may say so. Its times are judged by [`Statement::is_current`].
pub fn statement(
    parsed: &Parsed<'_>,
    (place, issuer): (usize, &Issuer),
    settings: &Settings,
    plan: &AuthPlan,
) -> Result<Statement, TokenFault> {
    let claims = &parsed.claims;
    let taken = match parsed.algorithm {
        Algorithm::Hs256 => issuer.hs256.is_some(),
        public => issuer.algorithms.contains(&public),
    };
    if !taken {
        return Err(TokenFault::Algorithm);
    }
    if !is_for_us(claims.get(issuer.audience_claim), issuer, settings) {
        return Err(TokenFault::Audience);
    }
    if !condition::all_hold(issuer.conditions, claims, &issuer.claims) {
        return Err(TokenFault::Kind);
    }
    let (issued_at, expires_at) =
        (time(claims, "iat")?.ok_or(TokenFault::Times)?, time(claims, "exp")?.ok_or(TokenFault::Times)?);
    if expires_at.saturating_sub(issued_at) > plan.max_lifetime_seconds.into() {
        return Err(TokenFault::TooLongLived);
    }
    Ok(Statement {
        issuer: place,
        algorithm: parsed.algorithm,
        kid: parsed.kid.clone(),
        identity: identity(claims, issuer)?,
        issued_at,
        not_before: time(claims, "nbf")?.unwrap_or_default(),
        expires_at,
    })
}

fn is_for_us(claim: Option<&Value>, issuer: &Issuer, settings: &Settings) -> bool {
    let accepted = |given: &str| match issuer.audiences {
        Audiences::Listed(audiences) => audiences.contains(&given),
        Audiences::Variable(name) => {
            settings.get(name).unwrap_or_default().split_whitespace().any(|one| one == given)
        }
    };
    match claim {
        Some(Value::String(given)) => accepted(given),
        Some(Value::Array(given)) => given.iter().filter_map(Value::as_str).any(accepted),
        _ => false,
    }
}

fn identity(claims: &Map<String, Value>, issuer: &Issuer) -> Result<Identity, TokenFault> {
    let names = &issuer.claims;
    let role = name(claims, names.role)?.unwrap_or_default();
    let is_listed = issuer.roles.is_empty() || issuer.roles.contains(&role.as_str());
    if !is_listed || PROJECT_ROLES.contains(&role.as_str()) {
        return Err(TokenFault::NotAUser);
    }
    Ok(Identity {
        user: name(claims, names.user)?.ok_or(TokenFault::NoSubject)?,
        role,
        session: name(claims, names.session)?,
        aal: name(claims, names.aal)?,
    })
}

/// A claim that travels in header fields: visible ASCII, not empty, not long.
fn name(claims: &Map<String, Value>, claim: &str) -> Result<Option<String>, TokenFault> {
    match claims.get(claim) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_visible(text) && text.len() <= LONGEST_NAME => Ok(Some(text.clone())),
        Some(_) => Err(TokenFault::Claims),
    }
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A `NumericDate` (RFC 7519 §2), of which only whole seconds after 1970 are taken.
fn time(claims: &Map<String, Value>, claim: &str) -> Result<Option<u64>, TokenFault> {
    claims.get(claim).map(|value| value.as_u64().ok_or(TokenFault::Times)).transpose()
}

impl Statement {
    /// Whether it holds at `now` (Unix seconds), with `grace` seconds after its expiry.
    pub fn is_current(&self, plan: &AuthPlan, grace: u32, now: u64) -> Result<(), TokenFault> {
        let (leeway, grace) = (u64::from(plan.leeway_seconds), u64::from(grace));
        let latest = now.saturating_add(leeway);
        if now >= self.expires_at.saturating_add(leeway).saturating_add(grace) {
            Err(TokenFault::Expired)
        } else if self.not_before > latest || self.issued_at > latest {
            Err(TokenFault::NotYetValid)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
