//! Whether a token is good: RFC 7519, with RFC 8725's advice.
//!
//! The signature and the time claims are jwt-simple's work. Decided here: which algorithm goes with which key
//! (the key says so, never the token alone), which claims must be there, and that Supabase's own keys and roles
//! are never a user. Left out: revocation.

use std::collections::HashSet;
use std::rc::Rc;

use jwt_simple::JWTError;
use jwt_simple::prelude::*;
use serde::Deserialize;

use super::keys::Key;
use crate::plan::AuthPlan;

/// What the gateway believes about a signed-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `sub`: the user's id.
    pub user: String,
    /// `role`.
    pub role: String,
    /// `session_id`.
    pub session: Option<String>,
    /// `aal`: authenticator assurance level, `aal1` or `aal2`.
    pub aal: Option<String>,
}

/// Claims of Supabase's tokens beyond the registered ones.
/// Source: <https://supabase.com/docs/guides/auth/jwt-fields>.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SupabaseClaims {
    role: Option<String>,
    session_id: Option<String>,
    aal: Option<String>,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Longer than the plan allows.
    TooLong,
    /// Not a JWT in compact form (RFC 7519 §3).
    Malformed,
    /// One of Supabase's own keys (`sb_…`), which are no tokens.
    ApiKeyAsToken,
    /// `alg` is not among the plan's, or not the key's.
    Algorithm,
    /// No key of the issuer has this `kid`.
    UnknownKey,
    /// The signature is not by the key.
    Signature,
    /// `exp` has passed.
    Expired,
    /// No `exp`.
    NoExpiry,
    /// `nbf` or `iat` lies ahead.
    NotYetValid,
    /// `iss` is not the configured issuer.
    Issuer,
    /// `aud` names none of the plan's audiences.
    Audience,
    /// No `sub`.
    NoSubject,
    /// `role` is not one of a signed-in user: `anon`, `service_role`.
    NotAUser,
}

impl TokenFault {
    /// What may be told to the caller.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::TooLong => "the token is too long",
            Self::Malformed => "the token is not a JWT",
            Self::ApiKeyAsToken => "an API key is not a bearer token",
            Self::Algorithm => "the token's algorithm is not accepted",
            Self::UnknownKey => "the token is signed by an unknown key",
            Self::Signature => "the token's signature is not valid",
            Self::Expired => "the token has expired",
            Self::NoExpiry => "the token has no expiry",
            Self::NotYetValid => "the token is not valid yet",
            Self::Issuer => "the token's issuer is not accepted",
            Self::Audience => "the token is for another audience",
            Self::NoSubject => "the token names no user",
            Self::NotAUser => "the token's role is not a signed-in user",
        }
    }
}

/// What an unverified token says about the key to verify it with. A hint, not a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// `alg`, one of the plan's.
    pub alg: &'static str,
    /// `kid`.
    pub kid: Option<String>,
}

/// A longer `kid` is no key's (bytes).
const MAX_KID: usize = 256;

/// Reads a token's header, and refuses what no key could make good.
pub fn hint(token: &str, plan: &AuthPlan) -> Result<Hint, TokenFault> {
    if token.len() > usize::try_from(plan.max_token_bytes).unwrap_or(usize::MAX) {
        return Err(TokenFault::TooLong);
    }
    if token.starts_with("sb_") {
        return Err(TokenFault::ApiKeyAsToken);
    }
    let metadata = Token::decode_metadata(token).map_err(|_| TokenFault::Malformed)?;
    let alg =
        plan.algorithms.iter().find(|alg| **alg == metadata.algorithm()).ok_or(TokenFault::Algorithm)?;
    let kid = metadata.key_id().map(str::to_owned);
    if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
        return Err(TokenFault::UnknownKey);
    }
    Ok(Hint { alg, kid })
}

/// Verifies a token by the first of `keys` that signed it, at `now` in Unix seconds.
pub fn verify_by_any(
    token: &str,
    keys: &[Rc<Key>],
    issuer: &str,
    plan: &AuthPlan,
    now: u64,
) -> Result<Identity, TokenFault> {
    let mut verdicts = keys.iter().map(|key| verify(token, key, issuer, plan, now));
    verdicts.find(|verdict| *verdict != Err(TokenFault::Signature)).unwrap_or(Err(TokenFault::Signature))
}

/// Verifies a token by a key, at `now` in Unix seconds.
pub fn verify(
    token: &str,
    key: &Key,
    issuer: &str,
    plan: &AuthPlan,
    now: u64,
) -> Result<Identity, TokenFault> {
    let options = options(issuer, plan, now);
    let claims = key.verify::<SupabaseClaims>(token, options).map_err(|error| fault(&error))?;
    claims.expires_at.ok_or(TokenFault::NoExpiry)?;
    let role = claims.custom.role.unwrap_or_default();
    if !plan.roles.contains(&role.as_str()) {
        return Err(TokenFault::NotAUser);
    }
    let user = claims.subject.filter(|subject| is_visible(subject)).ok_or(TokenFault::NoSubject)?;
    Ok(Identity { user, role, session: claims.custom.session_id, aal: claims.custom.aal })
}

/// An identity travels in header fields: it must be visible ASCII, and not empty.
fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn options(issuer: &str, plan: &AuthPlan, now: u64) -> VerificationOptions {
    VerificationOptions {
        allowed_issuers: Some(HashSet::from([issuer.to_owned()])),
        allowed_audiences: Some(plan.audiences.iter().map(|&audience| audience.to_owned()).collect()),
        time_tolerance: Some(Duration::from_secs(plan.leeway_seconds.into())),
        max_token_length: usize::try_from(plan.max_token_bytes).ok(),
        // Named for tests in jwt-simple; here it is the clock, which traps inside Wasm.
        artificial_time: Some(UnixTimeStamp::from_secs(now)),
        ..VerificationOptions::default()
    }
}

fn fault(error: &jwt_simple::Error) -> TokenFault {
    match error.downcast_ref::<JWTError>() {
        Some(JWTError::AlgorithmMismatch) => TokenFault::Algorithm,
        Some(JWTError::TokenHasExpired) => TokenFault::Expired,
        Some(JWTError::TokenNotValidYet | JWTError::ClockDrift) => TokenFault::NotYetValid,
        Some(JWTError::RequiredIssuerMismatch | JWTError::RequiredIssuerMissing) => TokenFault::Issuer,
        Some(JWTError::RequiredAudienceMismatch | JWTError::RequiredAudienceMissing) => TokenFault::Audience,
        Some(JWTError::InvalidSignature | JWTError::InvalidAuthenticationTag) => TokenFault::Signature,
        _ => TokenFault::Malformed,
    }
}
