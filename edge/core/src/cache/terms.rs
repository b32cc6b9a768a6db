//! For how long a stored response may be used, and when it may be used past that: judged once, when it is stored.

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::{fresh, targeted};
use crate::plan::Cache;

/// What the origin and the route permit. All in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The freshness lifetime (RFC 9111 §4.2.1).
    pub life: u64,
    /// Past its life, for how long it is served while a new one is fetched (RFC 5861 §3).
    pub while_revalidate: u64,
    /// Past its life, for how long it is served while the origin fails (RFC 5861 §4).
    pub if_error: u64,
    /// It is asked for each time, fresh or not: `no-cache` (RFC 9111 §5.2.2.4).
    pub always_validate: bool,
    /// It is never served stale, whoever would let it (§4.2.4).
    pub never_stale: bool,
    /// The route gave it its life, to spare the origin: a client's wish for a younger one counts for nothing.
    pub assigned: bool,
}

impl Terms {
    /// The terms of a response that arrived at this time (Unix ms); none where nobody says that it has a life at all.
    #[must_use]
    pub fn of(policy: &Cache, status: StatusCode, headers: &HeaderMap, received_ms: u64) -> Option<Self> {
        let control = targeted::control(headers);
        let explicit = fresh::explicit(headers, &control, received_ms);
        let life = fresh::lifetime(policy, status, headers, &control, received_ms);
        let never_stale = control.must_revalidate
            || control.proxy_revalidate
            || control.no_cache
            // §5.2.2.10: for a shared cache it is proxy-revalidate, too.
            || control.s_maxage.is_some();
        let stale = |said: Option<u64>, otherwise: u32| match never_stale {
            true => 0,
            false => said.unwrap_or(otherwise.into()),
        };
        Some(Self {
            life: life.or(control.no_cache.then_some(0))?,
            while_revalidate: stale(control.stale_while_revalidate, policy.stale_while_revalidate),
            if_error: stale(control.stale_if_error, policy.stale_if_error),
            always_validate: control.no_cache,
            never_stale,
            assigned: explicit.is_none() && policy.assign.is_some() && !control.present,
        })
    }

    /// Whether it may ever be served without asking.
    pub(super) fn outlives_now(&self) -> bool {
        !self.always_validate && (self.life > 0 || self.while_revalidate > 0 || self.if_error > 0)
    }
}
