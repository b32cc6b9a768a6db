//! How an upstream has done of late, from what its tries came to. Nothing is sent to find out.
//!
//! It is a mean of outcomes in which each new one weighs a quarter. What speaks against an upstream halves
//! with every ten seconds, so one that was left alone is believed in again after a while, and the next
//! request tells.

/// Everything failed.
pub const ALL: u32 = 65_536;
/// What speaks against an upstream is half as much after so long (ms).
const HALF_LIFE_MS: u64 = 10_000;
/// A new outcome is so many-th part of the mean.
const WEIGHT: u32 = 4;

/// One upstream's health.
#[derive(Debug, Clone, Copy, Default)]
pub struct Health {
    /// The share of failures, in parts of [`ALL`], at `seen_ms`.
    failures: u32,
    seen_ms: u64,
}

impl Health {
    /// The share of failures now (Unix ms), in parts of [`ALL`].
    #[must_use]
    pub fn failures(&self, now_ms: u64) -> u32 {
        let elapsed = now_ms.saturating_sub(self.seen_ms);
        let halved =
            u32::try_from(elapsed / HALF_LIFE_MS).ok().and_then(|times| self.failures.checked_shr(times));
        let halved = u64::from(halved.unwrap_or_default());
        // From one half to the next in a straight line.
        let less = halved.saturating_mul(elapsed % HALF_LIFE_MS) / HALF_LIFE_MS / 2;
        u32::try_from(halved.saturating_sub(less)).unwrap_or(ALL)
    }

    /// Whether it did its part in at least half of its tries.
    #[must_use]
    pub fn is_good(&self, now_ms: u64) -> bool {
        self.failures(now_ms) <= ALL / 2
    }

    /// A try came to this.
    pub fn told(&mut self, good: bool, now_ms: u64) {
        let before = self.failures(now_ms);
        let rest = before.saturating_sub(before.div_ceil(WEIGHT));
        self.failures = if good { rest } else { rest.saturating_add(ALL / WEIGHT).min(ALL) };
        self.seen_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(outcomes: &[bool]) -> Health {
        let mut health = Health::default();
        for good in outcomes {
            health.told(*good, 1_000);
        }
        health
    }

    #[test]
    fn three_failures_in_a_row_are_bad_and_two_are_not() {
        assert!(after(&[]).is_good(1_000));
        assert!(after(&[true, false, false]).is_good(1_000));
        assert!(!after(&[true, false, false, false]).is_good(1_000));
    }

    #[test]
    fn three_successes_mend_whatever_was() {
        assert!(after(&[[false; 100].as_slice(), &[true; 3]].concat()).is_good(1_000));
        assert_eq!(after(&[[false; 9].as_slice(), &[true; 60]].concat()).failures(1_000), 0);
    }

    #[test]
    fn what_was_bad_is_half_as_bad_every_ten_seconds() {
        let health = Health { failures: ALL, seen_ms: 0 };
        let after = [0, 5_000, 10_000, 20_000, 30_000, 10_000_000, u64::MAX].map(|now| health.failures(now));
        assert_eq!(after, [ALL, ALL * 3 / 4, ALL / 2, ALL / 4, ALL / 8, 0, 0]);
    }

    proptest! {
        #[test]
        fn it_stays_a_share_and_only_time_and_successes_lower_it(
            outcomes in prop::collection::vec((any::<bool>(), 0_u64..30_000), 0..60)
        ) {
            let (mut health, mut now) = (Health::default(), 0);
            for (good, step) in outcomes {
                now += step;
                let before = health.failures(now);
                prop_assert!(health.failures(now + 1) <= before);
                health.told(good, now);
                prop_assert!(health.failures(now) <= ALL);
                let after = health.failures(now);
                let ordered = if good { after <= before } else { after >= before };
                prop_assert!(ordered);
            }
        }
    }
}
