//! What callers are told of their limits.
//!
//! Header fields: draft-ietf-httpapi-ratelimit-headers in the generation that the plan names, and beside them the
//! `X-RateLimit-*` that the app publishes. All of them describe one window, the one that a caller meets first.

use http::HeaderMap;
use http::header::{HeaderName, RETRY_AFTER};

use super::window::Standing;
use crate::headers::{append, set};
use crate::plan::{Concurrency, Limit, Part, RateLimitFields};

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A limit, and how a caller stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The limit.
    pub limit: Limit,
    /// In which form it is told.
    pub fields: RateLimitFields,
    /// What the request costs.
    pub cost: u32,
    /// The windows that hold for the caller, in the plan's order.
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
        // Of GCRA a refused caller need not wait until all is free again.
        let reset_in_ms = tightest.reset_in_ms.min(self.retry_in_ms.unwrap_or(u64::MAX));
        self.tell(headers, (at, tightest), seconds(reset_in_ms));
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

    /// The fields of the plan's generation; `reset` in seconds.
    fn tell(&self, headers: &mut HeaderMap, (at, window): (usize, Standing), reset: u64) {
        let Standing { quota, remaining, .. } = window;
        match self.fields {
            RateLimitFields::Draft06 => {
                for (name, value) in [
                    ("ratelimit-limit", u64::from(quota)),
                    ("ratelimit-remaining", remaining.into()),
                    ("ratelimit-reset", reset),
                ] {
                    set(headers, HeaderName::from_static(name), &value.to_string());
                }
            }
            RateLimitFields::Draft07 => {
                let current = format!("limit={quota}, remaining={remaining}, reset={reset}");
                set(headers, RATELIMIT, &current);
            }
            RateLimitFields::Draft11 => {
                set(headers, RATELIMIT, &format!("\"{}\";r={remaining};t={reset}", self.name(at)));
            }
        }
        let policies: Vec<_> =
            self.windows.iter().enumerate().map(|(at, window)| self.policy(at, window)).collect();
        set(headers, POLICY, &policies.join(", "));
    }

    /// The names of the windows that have no room for the request.
    #[must_use]
    pub fn violated(&self) -> Vec<String> {
        let full = self.windows.iter().enumerate().filter(|(_, window)| window.remaining < self.cost);
        full.map(|(at, _)| self.name(at)).collect()
    }

    /// The window that a caller meets first: of those without room for the request, or else of all, the one with the
    /// smallest share left; of those that are used up, the one that is longest.
    fn tightest(&self) -> Option<(usize, Standing)> {
        let share = |window: &Standing| {
            u64::from(window.remaining).saturating_mul(1_000_000).checked_div(u64::from(window.quota))
        };
        let windows = self.windows.iter().copied().enumerate();
        windows.min_by_key(|(_, window)| {
            let has_room = window.remaining >= self.cost;
            (has_room, share(window), u64::MAX.saturating_sub(window.reset_in_ms))
        })
    }

    fn policy(&self, at: usize, window: &Standing) -> String {
        let Standing { quota, seconds, .. } = window;
        match self.fields {
            RateLimitFields::Draft06 | RateLimitFields::Draft07 => format!("{quota};w={seconds}"),
            RateLimitFields::Draft11 => format!("\"{}\";q={quota};w={seconds}", self.name(at)),
        }
    }

    fn name(&self, at: usize) -> String {
        format!("{}-{}", self.limit.name, at.saturating_add(1))
    }
}

/// A place may be free at any moment: trying so often (ms) is worth it.
const LOOK_AGAIN_MS: u64 = 10_000;

/// All places of a caller are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowded {
    /// Which places.
    pub concurrency: Concurrency,
    /// In which form it is told.
    pub fields: RateLimitFields,
    /// When a place is free again even if nobody leaves, in milliseconds: at most so.
    pub retry_in_ms: u64,
}

/// Whether a counter is one caller's, whatever the path.
#[must_use]
pub fn is_own(by: &[Part]) -> bool {
    !by.iter().any(|part| matches!(part, Part::Param(_) | Part::Service))
}

impl Crowded {
    /// Whether the places are the caller's own: else it is the service that is full.
    #[must_use]
    pub fn is_own(&self) -> bool {
        is_own(self.concurrency.by)
    }

    /// Adds the header fields that say so. The earlier generations know no quota but of requests in time; and what is
    /// not the caller's own is not told at all.
    pub fn describe(&self, headers: &mut HeaderMap) {
        let Concurrency { name, most, .. } = self.concurrency;
        if self.fields == RateLimitFields::Draft11 && self.is_own() {
            append(headers, POLICY, &format!("\"{name}\";q={most};qu=\"concurrent-requests\""));
            append(headers, RATELIMIT, &format!("\"{name}\";r=0"));
        }
        set(headers, RETRY_AFTER, &seconds(self.retry_in_ms.min(LOOK_AGAIN_MS)).to_string());
    }
}

/// Rounded up: after so many seconds it is so.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}

#[cfg(test)]
mod tests;
