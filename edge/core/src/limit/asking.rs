//! A request as limits see it: whose counters it falls on, and which windows hold for it.
//!
//! A counter is only for what its request proves, or for what no caller can make up at will: where a session or a claim
//! is missing, the caller stands in. Values of any length and form make keys that are short, printable and never
//! mistaken for one another.

use std::fmt::Write;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::network;
use crate::auth::condition::{self, member};
use crate::auth::{Caller, key_hash};
use crate::plan::{ClaimNames, Concurrency, Limit, Part, Route, TierOf, Window};
use crate::route;

/// Longer values stand in keys as their digest (bytes).
const LONGEST: usize = 128;

/// A request, as limits see it.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'r> {
    /// Its route.
    pub route: &'static Route,
    /// Its path in normal form.
    pub path: &'r str,
    /// Who calls.
    pub caller: &'r Caller,
    /// From where.
    pub ip: Option<IpAddr>,
    /// The claims of the verified token, and how its issuer calls them; where the limits look at them
    /// ([`looks_at_claims`]).
    pub claims: Option<(&'r Map<String, Value>, &'static ClaimNames)>,
    /// The API key.
    pub api_key: Option<&'r str>,
}

/// Whether the limits of a route look at claims.
#[must_use]
pub fn looks_at_claims(route: &Route) -> bool {
    let by_claim = |by: &[Part]| by.iter().any(|part| matches!(part, Part::Claim(_)));
    let of_user = |limit: &Limit| limit.tiers.iter().any(|tier| matches!(tier.of, TierOf::User(_)));
    route.limit.is_some_and(|limit| by_claim(limit.by) || of_user(&limit))
        || route.concurrency.iter().any(|concurrency| by_claim(concurrency.by))
}

impl Asking<'_> {
    /// The counter of a limit: `api/user/…`.
    #[must_use]
    pub fn counter(&self, limit: &Limit) -> String {
        self.key(limit.name, limit.by)
    }

    /// Whose places: `streams/user/…`.
    #[must_use]
    pub fn places(&self, concurrency: &Concurrency) -> String {
        self.key(concurrency.name, concurrency.by)
    }

    /// What callers are told apart by: a user, else an API key, else an address.
    #[must_use]
    pub fn who(&self) -> String {
        let (kind, value) = self.caller();
        format!("{kind}/{value}")
    }

    /// The windows that hold for the caller, and the tier's name.
    #[must_use]
    pub fn windows(&self, limit: &Limit) -> (&'static [Window], Option<&'static str>) {
        let tier = limit.tiers.iter().find(|tier| self.is_of(&tier.of));
        tier.map_or((limit.windows, None), |tier| (tier.windows, Some(tier.name)))
    }

    fn is_of(&self, tier: &TierOf) -> bool {
        match tier {
            TierOf::User(test) => {
                self.claims.is_some_and(|(claims, names)| condition::holds(test, claims, names))
            }
            TierOf::ApiKey(prefix) => self.api_key.is_some_and(|key| key.starts_with(prefix)),
        }
    }

    fn key(&self, name: &str, by: &[Part]) -> String {
        by.iter().fold(name.to_owned(), |mut key, part| {
            let (kind, value) = self.part(*part);
            // Writing to a string cannot fail.
            let _ = write!(key, "/{kind}/{value}");
            key
        })
    }

    fn part(&self, part: Part) -> (&'static str, String) {
        let found = match part {
            Part::Caller => None,
            Part::Address => Some(self.address()),
            Part::Session => self.session().map(|session| ("session", named(session))),
            Part::Claim(path) => self.claim(path).map(|claim| ("claim", named(&claim))),
            Part::Param(name) => Some(("path", named(self.param(name)))),
            Part::Service => Some(("service", named(self.route.service))),
        };
        found.unwrap_or_else(|| self.caller())
    }

    fn caller(&self) -> (&'static str, String) {
        match self.caller {
            Caller::User(identity) => ("user", named(&identity.user)),
            Caller::ApiKey(hash) => ("key", hash.clone()),
            Caller::Anonymous | Caller::Admin | Caller::Webhook => self.address(),
        }
    }

    fn address(&self) -> (&'static str, String) {
        ("ip", self.ip.map_or_else(|| "none".to_owned(), network))
    }

    fn session(&self) -> Option<&str> {
        match self.caller {
            Caller::User(identity) => identity.session.as_deref(),
            _ => None,
        }
    }

    /// A claim that is one value.
    fn claim(&self, path: &[&str]) -> Option<String> {
        match member(self.claims?.0, path)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn param(&self, name: &str) -> &str {
        route::param(self.route, self.path, name).unwrap_or_default()
    }
}

/// A value as part of a key.
fn named(value: &str) -> String {
    let plain = value.len() <= LONGEST && value.bytes().all(|byte| byte.is_ascii_graphic());
    match plain {
        true => value.replace('%', "%25").replace('/', "%2F"),
        false => format!("sha256:{}", key_hash(value)),
    }
}

#[cfg(test)]
mod tests;
