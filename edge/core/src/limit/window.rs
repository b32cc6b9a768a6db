//! The arithmetic of one window: what is left in it, what a charge does, when it resets.
//!
//! A fixed window opens at its first charge and closes after its length, whatever was charged. A window with a
//! `burst` is GCRA in its leaky-bucket form (ITU-T I.371, annex A): the bucket holds `burst` permits and drains
//! `quota` of them in `seconds`, so that any stretch of `t` seconds sees at most `burst + quota * t / seconds`.
//! The bucket's level is kept in units of 1/(length in ms) of a permit, of which `quota` drain in a millisecond:
//! all arithmetic is in whole numbers and nothing is ever rounded. GCRA's theoretical arrival time is
//! `at_ms + level / quota`.
//!
//! ```
//! use edge_core::limit::window::{Counter, Window};
//!
//! let mut fixed = Counter::new(Window { quota: 2, seconds: 10, burst: None });
//! fixed.take(2, 5_000);
//! assert_eq!((fixed.room(14_999), fixed.fits_in(1, 14_999)), (0, Some(1)));
//! assert_eq!(fixed.room(15_000), 2, "all at once");
//!
//! let mut gcra = Counter::new(Window { quota: 2, seconds: 10, burst: Some(3) });
//! gcra.take(3, 5_000);
//! assert_eq!((gcra.room(9_999), gcra.fits_in(1, 9_999)), (0, Some(1)));
//! assert_eq!(gcra.room(10_000), 1, "one by one");
//! assert_eq!(gcra.reset_in(10_000), 10_000);
//! ```
//!
//! Time that seems to run backwards counts as none. A clock that was set back is made good by
//! [`Counter::set_back`], without which a window would stay open for as long as the clock was ahead.

use serde::{Deserialize, Serialize};

/// So many permits in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Permits per `seconds`.
    pub quota: u32,
    /// The length of a fixed window; of GCRA, the time in which `quota` permits come back.
    pub seconds: u32,
    /// GCRA: permits that may be taken at once. None: a fixed window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

impl Window {
    /// The length in milliseconds.
    #[must_use]
    pub fn period_ms(self) -> u64 {
        u64::from(self.seconds).saturating_mul(1_000)
    }

    /// The same window with a greater quota, and its burst in proportion; a lesser quota changes nothing.
    fn raised(self, quota: u32) -> Self {
        let grown = |burst: u32| u64::from(burst).saturating_mul(quota.into()).checked_div(self.quota.into());
        match quota > self.quota {
            true => Self {
                quota,
                burst: self.burst.map(|burst| narrow(grown(burst).unwrap_or_default())),
                ..self
            },
            false => self,
        }
    }
}

/// How one window of a key stands for a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Permits per `seconds`, as raised.
    pub quota: u32,
    /// The window's length.
    pub seconds: u32,
    /// Permits left; of GCRA, as many as can be taken at once.
    pub remaining: u32,
    /// Until all of it is free again, if nobody calls: the window closes, or the bucket is empty.
    pub reset_in_ms: u64,
}

/// A window and what is charged to it. Its JSON is part of the stored layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// What is counted.
    #[serde(flatten)]
    pub window: Window,
    /// The quota that an operator raised it to; 0: not raised.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub raised: u32,
    /// Fixed: when it opened. GCRA: when `level` was true. Unix milliseconds.
    at_ms: u64,
    /// Fixed: permits charged. GCRA: permits in the bucket, each as many units as the window has milliseconds.
    level: u64,
}

impl Counter {
    /// A window to which nothing is charged.
    #[must_use]
    pub fn new(window: Window) -> Self {
        Self { window, raised: 0, at_ms: 0, level: 0 }
    }

    /// Permits that can still be taken.
    #[must_use]
    pub fn room(&self, now: u64) -> u32 {
        let free = self.capacity().saturating_sub(self.level_at(now));
        narrow(free.checked_div(self.unit()).unwrap_or_default())
    }

    /// Charges permits that are taken now: a closed window opens.
    pub fn take(&mut self, permits: u32, now: u64) {
        let level = self.level_at(now);
        if self.window.burst.is_some() || level == 0 {
            self.at_ms = self.at_ms.max(now);
        }
        self.level = level.saturating_add(self.units(permits));
    }

    /// Charges permits that were taken by `at`, and not known to be: a closed window stays closed, because whatever
    /// opens it comes later.
    pub fn settle(&mut self, permits: u32, at: u64) {
        if self.window.burst.is_some() || self.level_at(at) > 0 {
            self.take(permits, at);
        }
    }

    /// Milliseconds until so many permits can be taken, rounded up, if nobody calls; None: never.
    #[must_use]
    pub fn fits_in(&self, permits: u32, now: u64) -> Option<u64> {
        let wanted = self.units(permits);
        let excess = self.level_at(now).saturating_add(wanted).saturating_sub(self.capacity());
        match (excess, wanted <= self.capacity()) {
            (0, _) => Some(0),
            (_, false) => None,
            (_, true) if self.window.burst.is_some() => Some(self.drained_in(excess)),
            (_, true) => Some(self.reset_in(now)),
        }
    }

    /// Milliseconds until nothing is charged any more, rounded up.
    #[must_use]
    pub fn reset_in(&self, now: u64) -> u64 {
        let level = self.level_at(now);
        match (level, self.window.burst) {
            (0, _) => 0,
            (_, None) => self.window.period_ms().saturating_sub(self.elapsed(now)),
            (_, Some(_)) => self.drained_in(level),
        }
    }

    /// Milliseconds until a fixed window closes; None: it has no close, or is not open.
    #[must_use]
    pub fn closes_in(&self, now: u64) -> Option<u64> {
        (self.window.burst.is_none() && self.level_at(now) > 0).then(|| self.reset_in(now))
    }

    /// The same charges under another definition of the same kind and length.
    #[must_use]
    pub fn redefined(mut self, window: Window, now: u64) -> Self {
        if self.window != window {
            self.settle(0, now);
        }
        Self { window, ..self }
    }

    /// The quota raised from now on; 0: no longer raised, and what has drained meanwhile drained as if it never was.
    pub fn raise(&mut self, quota: u32, now: u64) {
        if quota > 0 {
            self.settle(0, now);
        }
        self.raised = quota;
    }

    /// Nothing is charged any more.
    pub fn clear(&mut self) {
        self.level = 0;
    }

    /// The clock was set back by so much, and everything else with it.
    pub fn set_back(&mut self, by_ms: u64) {
        self.at_ms = self.at_ms.saturating_sub(by_ms);
    }

    /// How it stands with `out` permits lent.
    #[must_use]
    pub fn standing(&self, out: u32, now: u64) -> Standing {
        let Window { quota, seconds, .. } = self.in_force();
        Standing {
            quota,
            seconds,
            remaining: self.room(now).saturating_sub(out),
            reset_in_ms: self.reset_in(now),
        }
    }

    fn level_at(&self, now: u64) -> u64 {
        match self.window.burst {
            None if self.elapsed(now) < self.window.period_ms() => self.level,
            None => 0,
            Some(_) => self.level.saturating_sub(self.elapsed(now).saturating_mul(self.drain())),
        }
    }

    fn elapsed(&self, now: u64) -> u64 {
        now.saturating_sub(self.at_ms)
    }

    fn in_force(&self) -> Window {
        self.window.raised(self.raised)
    }

    /// Units that drain in a millisecond.
    fn drain(&self) -> u64 {
        self.in_force().quota.into()
    }

    fn drained_in(&self, units: u64) -> u64 {
        units.div_ceil(self.drain().max(1))
    }

    fn capacity(&self) -> u64 {
        let window = self.in_force();
        self.units(window.burst.unwrap_or(window.quota))
    }

    fn units(&self, permits: u32) -> u64 {
        u64::from(permits).saturating_mul(self.unit())
    }

    fn unit(&self) -> u64 {
        self.window.burst.map_or(1, |_| self.window.period_ms())
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests;
