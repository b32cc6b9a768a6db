//! Who is calling: where a credential may stand, and what it must be, before anything else is done for a request.
//!
//! The app behind does not check token signatures, so a token that gets past this module is believed. Three
//! rules follow: a token that is there and not good is refused even where none is needed; on routes that need
//! none at all it is dropped; and the app reads identity from headers that only the gateway can set.
//! Left out: revocation, cookies, and the check of an API key's secret and a webhook's signature, which the
//! origin does.

pub mod keys;
pub mod token;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::headers;
use crate::path::decode_all;
use crate::plan::Auth;
use token::{Identity, TokenFault};

/// Field that carries an API key.
pub const API_KEY: &str = "x-api-key";
/// Field that carries the operators' key.
pub const ADMIN_KEY: &str = "x-admin-api-key";

/// What a request brings to prove who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing that the route asks about.
    None,
    /// A bearer token, from the header or, on stream routes, from `?token=`.
    Bearer(String),
    /// An API key of a known shape.
    ApiKey(String),
    /// Whoever may call an admin route.
    Admin,
    /// A webhook with its signature header.
    Webhook,
}

/// Who the caller is, after all checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Not known.
    Anonymous,
    /// A user whose token is good.
    User(Identity),
    /// The holder of an API key, by the SHA-256 of the key; the origin checks the secret.
    ApiKey(String),
    /// An operator.
    Admin,
    /// A webhook's sender.
    Webhook,
}

impl Caller {
    /// Whether an answer may be personal to this caller.
    #[must_use]
    pub fn is_identified(&self) -> bool {
        *self != Self::Anonymous
    }

    /// The class, for logs.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::ApiKey(_) => "api-key",
            Self::Admin => "admin",
            Self::Webhook => "webhook",
        }
    }
}

/// Why a caller is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The route is not for anybody.
    Blocked,
    /// No credential where one is needed.
    Missing,
    /// The token is not good.
    Token(TokenFault),
    /// Two credentials at once, or one that is not in the form of its kind.
    Request(&'static str),
    /// The API key has not the shape of one.
    ApiKey,
    /// The operators' key is wrong, or none is configured.
    AdminKey,
    /// None of these header fields came with a webhook.
    Unsigned(&'static [&'static str]),
    /// The issuer's keys could not be had.
    KeysUnavailable(String),
}

/// Finds the credential that a route's class asks about, without checking a token's signature.
///
/// `query` is the raw query string; `admin_key` the configured operators' key.
pub fn credential(
    auth: Auth,
    headers: &HeaderMap,
    query: Option<&str>,
    admin_key: Option<&str>,
) -> Result<Credential, Refusal> {
    match auth {
        Auth::Blocked => Err(Refusal::Blocked),
        Auth::Public => Ok(Credential::None),
        Auth::Admin => admin(headers, admin_key),
        Auth::Webhook(any) => match any.iter().any(|name| headers.contains_key(*name)) {
            true => Ok(Credential::Webhook),
            false => Err(Refusal::Unsigned(any)),
        },
        Auth::Optional => bearer(headers).map(|token| token.map_or(Credential::None, Credential::Bearer)),
        Auth::User => user(headers, None),
        Auth::Stream => user(headers, query_token(query)?),
    }
}

/// One credential of a user: RFC 6750 §2 forbids more than one way at once.
fn user(headers: &HeaderMap, query: Option<String>) -> Result<Credential, Refusal> {
    match (bearer(headers)?, query, api_key(headers)?) {
        (None, None, None) => Err(Refusal::Missing),
        (Some(token), None, None) | (None, Some(token), None) => Ok(Credential::Bearer(token)),
        (None, None, Some(key)) => Ok(Credential::ApiKey(key)),
        _ => Err(Refusal::Request("more than one credential was sent; send one")),
    }
}

/// The token of the `Authorization` field, if there is one.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    let value = headers::single(headers, AUTHORIZATION)
        .ok_or(Refusal::Request("more than one Authorization field"))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim().to_owned())),
        _ => Err(Refusal::Request("the Authorization field does not carry a Bearer token")),
    }
}

fn api_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    if !headers.contains_key(API_KEY) {
        return Ok(None);
    }
    match headers::single(headers, API_KEY) {
        Some(key) if is_api_key(key) => Ok(Some(key.to_owned())),
        _ => Err(Refusal::ApiKey),
    }
}

/// `pk_` and `sk_` with 32 letters or digits each, or `he-` with 36 characters: the two forms the app issues.
fn is_api_key(key: &str) -> bool {
    let word = |text: &str, len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let pair = |text: &str| {
        let (public, secret) = text.strip_prefix("pk_")?.split_once(":sk_")?;
        Some(word(public, 32) && word(secret, 32))
    };
    let single =
        |text: &str| text.strip_prefix("he-").map(|rest| rest.len() == 36 && rest.bytes().all(is_key_byte));
    pair(key).or_else(|| single(key)).unwrap_or(false)
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn admin(headers: &HeaderMap, expected: Option<&str>) -> Result<Credential, Refusal> {
    let given = headers::single(headers, ADMIN_KEY).ok_or(Refusal::Missing)?;
    match expected {
        Some(expected) if !expected.is_empty() && same(given, expected) => Ok(Credential::Admin),
        _ => Err(Refusal::AdminKey),
    }
}

/// Compares secrets by their digests, so that time tells nothing about where they differ.
fn same(left: &str, right: &str) -> bool {
    hmac_sha256::Hash::hash(left.as_bytes()) == hmac_sha256::Hash::hash(right.as_bytes())
}

/// The one value of `token` in a query string.
fn query_token(query: Option<&str>) -> Result<Option<String>, Refusal> {
    let mut values = pairs(query).filter_map(|(name, value)| is_token(name).then_some(value));
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(Refusal::Request("more than one token in the query")),
        (first, _) => Ok(first.filter(|token| !token.is_empty()).map(str::to_owned)),
    }
}

/// A query string without its `token`; the other parameters stay byte for byte.
#[must_use]
pub fn without_token(query: Option<&str>) -> Option<String> {
    let rest: Vec<_> =
        query?.split('&').filter(|pair| !is_token(pair.split('=').next().unwrap_or_default())).collect();
    (!rest.is_empty()).then(|| rest.join("&"))
}

/// Whether the origin, which decodes names, would read this one as `token`.
fn is_token(name: &str) -> bool {
    decode_all(name) == b"token"
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    query.unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The name under which an API key is limited and logged.
#[must_use]
pub fn key_hash(key: &str) -> String {
    crate::trace::hex(&hmac_sha256::Hash::hash(key.as_bytes()))
}

#[cfg(test)]
mod tests;
