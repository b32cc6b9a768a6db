//! Who is calling: where a credential may stand, and what it must be, before anything else is done for a request.
//!
//! The app behind does not check token signatures, so a token that gets past this module is believed. Three
//! rules follow: a token that is there and not good is refused even where none is needed; on routes that need
//! none at all it is dropped; and the app reads identity from headers that only the gateway can set.
//! Left out: the check of an API key's secret, which the origin does.

pub mod bounded;
pub mod condition;
pub mod cookie;
pub mod credential;
pub mod isolate;
pub mod keys;
pub mod leak;
mod members;
#[cfg(any(test, feature = "ring"))]
pub mod native;
pub mod operator;
pub mod revocation;
pub mod token;
pub mod webhook;

use crate::plan::{Condition, Source};
use cookie::CookieFault;
use token::{Identity, TokenFault};
use webhook::WebhookFault;

/// Field that carries an API key.
pub const API_KEY: &str = "x-api-key";
/// Field that carries the operators' key.
pub const ADMIN_KEY: &str = "x-admin-api-key";

/// What a request brings to prove who sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing that the route asks about.
    None,
    /// A token, from the header or from where else the route lets it stand.
    Token(String, Option<Source>),
    /// An API key of a known shape.
    ApiKey(String),
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
    /// The token is good, and this does not hold of it.
    Condition(Condition),
    /// The session cookie cannot be read.
    Cookie(CookieFault),
    /// Another site's page makes the browser send its session cookie.
    CrossSite,
    /// Two credentials at once, or one that is not in the form of its kind.
    Request(&'static str),
    /// The API key has not the shape of one.
    ApiKey,
    /// A secret key of the Supabase project, which has no business here.
    Leak,
    /// The operators' key is wrong, or none is configured.
    AdminKey,
    /// The operators' key is right, and may not be used from here.
    AdminAddress,
    /// The webhook's sender did not prove itself.
    Webhook(WebhookFault),
    /// The Worker lacks this secret, without which no sender can be told from another.
    NoSecret(&'static str),
    /// The issuer's keys could not be had.
    KeysUnavailable(String),
    /// This address has sent so many bad signatures, or API keys that the origin refused, that no new credential of it is
    /// looked at until then (Unix ms), as of this time.
    Forgeries(u64, u64),
}

/// The name under which an API key is limited and logged.
#[must_use]
pub fn key_hash(key: &str) -> String {
    crate::trace::hex(&hmac_sha256::Hash::hash(key.as_bytes()))
}
