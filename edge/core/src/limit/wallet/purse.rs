//! What a wallet holds for one key.

use std::mem;

use super::{LIFE_MS, Outcome, Returned, Standing};
use crate::limit::ledger::Lease;

/// A lease goes back after so long without a request (ms).
const IDLE_MS: u64 = 20_000;
/// So long before its end a lease that some window outlives goes back with the next question …
const RENEW_MS: u64 = 2_000;
/// … and so long before its end, by itself.
const PART_MS: u64 = 1_000;

/// Leases, the last answer, and how much the key is used here.
#[derive(Debug, Default)]
pub(super) struct Purse {
    held: Vec<Held>,
    windows: Vec<Standing>,
    /// When `windows` was true.
    learned_ms: u64,
    refused: Option<Refused>,
    /// When a request last passed or asked.
    used_ms: u64,
    /// Permits used in this period of [`LIFE_MS`], and in the one before.
    used: (u32, u32),
    /// Which period, counted from 1970.
    period: u64,
}

#[derive(Debug)]
struct Held {
    name: u64,
    left: u32,
    spent: u32,
    /// Not spent any more from here on; `ends_ms` or somewhat before.
    renew_ms: u64,
    /// Returned from here on, unless nobody has use for it.
    part_ms: Option<u64>,
}

/// A refusal remembered.
#[derive(Debug)]
struct Refused {
    cost: u32,
    retry_ms: u64,
    recheck_ms: u64,
}

impl Held {
    fn new(lease: Lease, asked_ms: u64) -> Self {
        let ends_ms = asked_ms.saturating_add(lease.life_ms);
        let before = |ms: u64| ends_ms.saturating_sub(ms);
        let (renew_ms, part_ms) = match lease.outlived {
            true => (before(RENEW_MS.min(lease.life_ms / 4)), Some(before(PART_MS.min(lease.life_ms / 8)))),
            false => (ends_ms, None),
        };
        Self { name: lease.name, left: lease.permits, spent: 0, renew_ms, part_ms }
    }

    /// Takes up to so many permits out, and says how many are still wanted.
    fn pay(&mut self, wanted: u32, now: u64) -> u32 {
        let paid = wanted.min(self.payable(now));
        self.left = self.left.saturating_sub(paid);
        self.spent = self.spent.saturating_add(paid);
        wanted.saturating_sub(paid)
    }

    fn payable(&self, now: u64) -> u32 {
        if now < self.renew_ms { self.left } else { 0 }
    }

    fn returned(&self) -> Returned {
        Returned { name: self.name, spent: self.spent }
    }
}

impl Purse {
    /// Pays from the leases, if they have enough.
    pub(super) fn pay(&mut self, cost: u32, now: u64) -> Option<Outcome> {
        if self.payable(now) < cost {
            return None;
        }
        self.pay_part(cost, now);
        Some(Outcome::Spent { windows: self.standings(now) })
    }

    /// Pays from the leases as far as they go, and says how many permits are still wanted.
    pub(super) fn pay_part(&mut self, permits: u32, now: u64) -> u32 {
        self.count(permits, now);
        self.held.iter_mut().fold(permits, |wanted, held| held.pay(wanted, now))
    }

    /// Refuses what was refused a moment ago.
    pub(super) fn refusal(&self, cost: u32, now: u64) -> Option<Outcome> {
        let refused =
            self.refused.as_ref().filter(|refused| refused.cost <= cost && now < refused.recheck_ms)?;
        let retry_in_ms = refused.retry_ms.saturating_sub(now).max(1);
        Some(Outcome::Refused { retry_in_ms, windows: self.standings(now) })
    }

    /// Counts permits used, and says how many in this period and the one before.
    pub(super) fn count(&mut self, cost: u32, now: u64) -> u32 {
        let period = now / LIFE_MS;
        let (used, before) = match period.saturating_sub(self.period) {
            0 => self.used,
            1 => (0, self.used.0),
            _ => (0, 0),
        };
        (self.period, self.used) = (period, (used.saturating_add(cost), before));
        self.used_ms = now;
        self.used.0.saturating_add(before)
    }

    /// Takes a grant in; its lease lives from when it was asked for, or (None) is not to be spent.
    pub(super) fn grant(
        &mut self,
        lease: Option<Lease>,
        windows: &[Standing],
        asked_ms: Option<u64>,
        now: u64,
    ) -> Outcome {
        self.held.extend(lease.map(|lease| match asked_ms {
            Some(asked_ms) => Held::new(lease, asked_ms),
            None => Held { renew_ms: 0, part_ms: Some(0), ..Held::new(lease, 0) },
        }));
        self.refused = None;
        self.know(windows, now);
        Outcome::Spent { windows: self.standings(now) }
    }

    /// Takes a refusal in: when it can pass, and for how long not to ask, both in ms from now.
    pub(super) fn refuse(
        &mut self,
        cost: u32,
        (retry_in_ms, recheck_in_ms): (u64, u64),
        windows: &[Standing],
        now: u64,
    ) -> Outcome {
        let (retry_ms, recheck_ms) = (now.saturating_add(retry_in_ms), now.saturating_add(recheck_in_ms));
        self.refused = Some(Refused { cost, retry_ms, recheck_ms });
        self.know(windows, now);
        Outcome::Refused { retry_in_ms, windows: self.standings(now) }
    }

    /// Takes all leases out, to be returned.
    pub(super) fn empty(&mut self) -> Vec<Returned> {
        mem::take(&mut self.held).iter().map(Held::returned).collect()
    }

    /// The same, without those of which nothing is left: the object need not be told.
    pub(super) fn empty_unspent(&mut self) -> Vec<Returned> {
        mem::take(&mut self.held).iter().filter(|held| held.left > 0).map(Held::returned).collect()
    }

    /// Takes leases out that are to be returned by themselves.
    pub(super) fn part(&mut self, now: u64) -> Vec<Returned> {
        let idle = now.saturating_sub(self.used_ms) >= IDLE_MS;
        let due =
            |held: &mut Held| held.left > 0 && (idle || held.part_ms.is_some_and(|part_ms| part_ms <= now));
        self.held.extract_if(.., due).map(|held| held.returned()).collect()
    }

    fn know(&mut self, windows: &[Standing], now: u64) {
        self.windows = windows.to_vec();
        self.learned_ms = now;
    }

    pub(super) fn payable(&self, now: u64) -> u32 {
        self.held.iter().fold(0, |sum, held| sum.saturating_add(held.payable(now)))
    }

    fn standings(&self, now: u64) -> Vec<Standing> {
        let (held, passed) = (self.payable(now), now.saturating_sub(self.learned_ms));
        let today = |window: &Standing| Standing {
            remaining: window.remaining.saturating_add(held),
            reset_in_ms: window.reset_in_ms.saturating_sub(passed),
            ..*window
        };
        self.windows.iter().map(today).collect()
    }
}
