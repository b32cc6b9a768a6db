//! How often a caller may call: any number of windows at once, all of which must have room before any is charged.
//!
//! A Durable Object per shard of keys decides ([`ledger`]) and lends permits to isolates, which spend them without a
//! round trip and remember refusals ([`wallet`]); the counts are exact all the same. Decided here: whose counter a
//! request falls on, and what a caller is told. Header fields: draft-ietf-httpapi-ratelimit-headers-11, and beside
//! them the `X-RateLimit-*` that the app publishes. Left out: concurrency and costs.

pub mod breaker;
pub mod ledger;
#[cfg(test)]
mod load;
#[cfg(test)]
mod model;
pub mod operator;
pub mod wallet;
pub mod window;

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HeaderName, RETRY_AFTER};
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::headers::set;
use crate::plan::Limit;
use ledger::Ask;
use wallet::Policy;
use window::{Standing, Window};

/// The Durable Object namespace's binding.
pub const BINDING: &str = "LIMITER";
/// Objects that share the keys of a limit. One takes some 500 requests a second, of which leases leave one in twenty.
/// Source: <https://developers.cloudflare.com/durable-objects/best-practices/rules-of-durable-objects/>.
const SHARDS: u8 = 64;

/// What the Durable Object of a shard is asked about one of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The key.
    pub key: String,
    /// The question.
    pub ask: Ask,
}

/// How a limit of the plan is kept.
#[must_use]
pub fn policy(limit: &Limit) -> Policy {
    let window = |window: &crate::plan::Window| Window {
        quota: window.quota,
        seconds: window.seconds,
        burst: window.burst,
    };
    Policy { windows: limit.windows.iter().map(window).collect(), strict: limit.strict }
}

/// Whose counter a request falls on: the user's, the API key's, or the address's.
#[must_use]
pub fn key(limit: &Limit, caller: &Caller, ip: Option<IpAddr>) -> String {
    match caller {
        Caller::User(identity) => format!("{}/user/{}", limit.name, identity.user),
        Caller::ApiKey(hash) => format!("{}/key/{hash}", limit.name),
        Caller::Anonymous | Caller::Admin | Caller::Webhook => {
            format!("{}/ip/{}", limit.name, ip.map_or_else(|| "none".to_owned(), network))
        }
    }
}

/// The name of the Durable Object that a key belongs to.
#[must_use]
pub fn shard(key: &str) -> String {
    let [first, ..] = hmac_sha256::Hash::hash(key.as_bytes());
    format!("{}", first.checked_rem(SHARDS).unwrap_or_default())
}

/// An IPv4 address, or the /64 that an IPv6 subscriber has all to itself.
pub(crate) fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// A limit, and how a caller stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The limit.
    pub limit: Limit,
    /// Its windows, in the plan's order.
    pub windows: Vec<Standing>,
    /// Until a refused request can pass, in milliseconds; none for one that may.
    pub retry_in_ms: Option<u64>,
    /// When this was so, in Unix milliseconds.
    pub now: u64,
}

impl Taken {
    /// Sets the header fields that tell a caller how its limit stands.
    pub fn describe(&self, headers: &mut HeaderMap) {
        let Some((at, tightest)) = self.tightest() else { return };
        let policy: Vec<_> =
            self.windows.iter().enumerate().map(|(at, window)| self.policy(at, window)).collect();
        set(headers, HeaderName::from_static("ratelimit-policy"), &policy.join(", "));
        // Of GCRA a refused caller need not wait until all is free again.
        let reset_in_ms = tightest.reset_in_ms.min(self.retry_in_ms.unwrap_or(u64::MAX));
        let reset = seconds(reset_in_ms);
        let current = format!("\"{}\";r={};t={reset}", self.name(at), tightest.remaining);
        set(headers, HeaderName::from_static("ratelimit"), &current);
        for (name, value) in [
            ("x-ratelimit-limit", u64::from(tightest.quota)),
            ("x-ratelimit-remaining", tightest.remaining.min(tightest.quota).into()),
            ("x-ratelimit-reset", self.now.saturating_add(reset_in_ms).div_ceil(1_000)),
        ] {
            set(headers, HeaderName::from_static(name), &value.to_string());
        }
        if let Some(retry_in_ms) = self.retry_in_ms {
            set(headers, RETRY_AFTER, &seconds(retry_in_ms).to_string());
        }
    }

    /// The names of the windows that are used up.
    #[must_use]
    pub fn violated(&self) -> Vec<String> {
        let used_up = self.windows.iter().enumerate().filter(|(_, window)| window.remaining == 0);
        used_up.map(|(at, _)| self.name(at)).collect()
    }

    /// The window that a caller meets first: the one that is used up longest, else the one with the smallest share left.
    fn tightest(&self) -> Option<(usize, Standing)> {
        let share = |window: &Standing| {
            u64::from(window.remaining).saturating_mul(1_000_000).checked_div(u64::from(window.quota))
        };
        let windows = self.windows.iter().copied().enumerate();
        windows.min_by_key(|(_, window)| (share(window), u64::MAX.saturating_sub(window.reset_in_ms)))
    }

    fn policy(&self, at: usize, window: &Standing) -> String {
        format!("\"{}\";q={};w={}", self.name(at), window.quota, window.seconds)
    }

    fn name(&self, at: usize) -> String {
        format!("{}-{}", self.limit.name, at.saturating_add(1))
    }
}

/// Rounded up: after so many seconds it is so.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}

#[cfg(test)]
mod tests;
