//! How often a caller may call: several fixed windows at once, all checked before any is charged.
//!
//! [`take`] is the whole arithmetic; the Durable Object that runs it holds one [`State`] per caller and limit,
//! and [`Ask`] and [`Verdict`] are all that passes between it and the gateway. A window opens at a caller's first
//! request and closes after its length. Header fields: draft-ietf-httpapi-ratelimit-headers-11, and beside them
//! the `X-RateLimit-*` that the app publishes. Left out: concurrency, costs, and answering without a round trip.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HeaderName, RETRY_AFTER};
use serde::{Deserialize, Serialize};

use crate::auth::Caller;
use crate::headers::set;
use crate::plan::{Limit, Window};

/// The Durable Object namespace's binding.
pub const BINDING: &str = "LIMITER";

/// A request's question to the Durable Object of its caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Quota and seconds of each window, in the plan's order.
    pub windows: Vec<(u32, u32)>,
}

/// What the Durable Object keeps: per window when it opened (Unix ms) and what it has counted. Its JSON is
/// the stored layout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// In the order of [`Ask::windows`].
    pub windows: Vec<(u64, u32)>,
    /// When all of them are closed, in Unix milliseconds: the state then says nothing any more.
    pub closes_ms: u64,
}

/// The answer to an [`Ask`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the request may pass; only then was it counted.
    pub allowed: bool,
    /// The windows after this request, in the order asked.
    pub windows: Vec<Standing>,
}

/// How one window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Requests it allows.
    pub quota: u32,
    /// Its length in seconds.
    pub seconds: u32,
    /// Requests left.
    pub remaining: u32,
    /// When it closes, in Unix milliseconds.
    pub reset_ms: u64,
}

impl Ask {
    /// The question for a limit of the plan.
    #[must_use]
    pub fn new(limit: &Limit) -> Self {
        Self { windows: limit.windows.iter().map(|&Window { quota, seconds }| (quota, seconds)).collect() }
    }
}

/// Counts a request if every window has room, and none otherwise.
#[must_use]
pub fn take(state: &State, ask: &Ask, now: u64) -> (State, Verdict) {
    let before: Vec<_> =
        ask.windows.iter().enumerate().map(|(at, window)| current(state, at, window.1, now)).collect();
    let allowed = before.iter().zip(&ask.windows).all(|((_, used), (quota, _))| used < quota);
    let charge = u32::from(allowed);
    let after: Vec<_> = before.iter().map(|&(opened, used)| (opened, used.saturating_add(charge))).collect();
    let windows: Vec<_> =
        after.iter().zip(&ask.windows).map(|(&counted, &window)| standing(counted, window)).collect();
    let closes_ms = windows.iter().map(|window| window.reset_ms).max().unwrap_or_default();
    (State { windows: after, closes_ms }, Verdict { allowed, windows })
}

/// Window `at` as it is now: closed windows, and those from a clock that has since gone back, open anew.
fn current(state: &State, at: usize, seconds: u32, now: u64) -> (u64, u32) {
    match state.windows.get(at) {
        Some(&(opened, used)) if opened <= now && now < opened.saturating_add(length_ms(seconds)) => {
            (opened, used)
        }
        _ => (now, 0),
    }
}

fn standing((opened, used): (u64, u32), (quota, seconds): (u32, u32)) -> Standing {
    let reset_ms = opened.saturating_add(length_ms(seconds));
    Standing { quota, seconds, remaining: quota.saturating_sub(used), reset_ms }
}

fn length_ms(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1_000)
}

/// Whose counter a request falls on: the user's, the API key's, or the address's. An API key is not verified here,
/// so whoever makes keys up makes counters; the origin refuses each of those requests.
#[must_use]
pub fn object_name(limit: &Limit, caller: &Caller, ip: Option<IpAddr>) -> String {
    match caller {
        Caller::User(identity) => format!("{}/user/{}", limit.name, identity.user),
        Caller::ApiKey(hash) => format!("{}/key/{hash}", limit.name),
        Caller::Anonymous | Caller::Admin | Caller::Webhook => {
            format!("{}/ip/{}", limit.name, ip.map_or_else(|| "none".to_owned(), network))
        }
    }
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

impl Verdict {
    /// The window that a caller meets first: the one that refused, else the one with the smallest share left.
    fn tightest(&self) -> Option<(usize, Standing)> {
        let share = |standing: &Standing| {
            u64::from(standing.remaining).saturating_mul(1_000_000).checked_div(u64::from(standing.quota))
        };
        self.windows
            .iter()
            .copied()
            .enumerate()
            .min_by_key(|(_, standing)| (share(standing), u64::MAX.saturating_sub(standing.reset_ms)))
    }

    /// Seconds until a refused request could pass, rounded up: when the last full window closes.
    #[must_use]
    pub fn retry_after(&self, now: u64) -> u64 {
        let full = self.windows.iter().filter(|window| window.remaining == 0);
        full.map(|window| seconds_until(window.reset_ms, now)).max().unwrap_or_default().max(1)
    }

    /// Sets the header fields that tell a caller how its limit stands.
    pub fn describe(&self, limit: &Limit, now: u64, headers: &mut HeaderMap) {
        let Some((at, tightest)) = self.tightest() else { return };
        let policy: Vec<_> =
            self.windows.iter().enumerate().map(|(at, window)| policy(limit, at, window)).collect();
        set(headers, HeaderName::from_static("ratelimit-policy"), &policy.join(", "));
        let reset = seconds_until(tightest.reset_ms, now);
        let current =
            format!("\"{}-{}\";r={};t={reset}", limit.name, at.saturating_add(1), tightest.remaining);
        set(headers, HeaderName::from_static("ratelimit"), &current);
        let epoch = tightest.reset_ms.div_ceil(1_000);
        for (name, value) in [
            ("x-ratelimit-limit", u64::from(tightest.quota)),
            ("x-ratelimit-remaining", tightest.remaining.into()),
            ("x-ratelimit-reset", epoch),
        ] {
            set(headers, HeaderName::from_static(name), &value.to_string());
        }
        if !self.allowed {
            set(headers, RETRY_AFTER, &self.retry_after(now).to_string());
        }
    }
}

fn policy(limit: &Limit, at: usize, window: &Standing) -> String {
    format!("\"{}-{}\";q={};w={}", limit.name, at.saturating_add(1), window.quota, window.seconds)
}

fn seconds_until(at_ms: u64, now: u64) -> u64 {
    at_ms.saturating_sub(now).div_ceil(1_000)
}

#[cfg(test)]
mod tests;
