//! Two counts over the last ten seconds: a part, and the base that it is judged by.
//!
//! They are kept by whole seconds, the present one and the nine before it, so what is summed is the last nine
//! to ten seconds. A clock that steps back counts on in the latest second that it has shown.

/// Seconds that are summed.
pub const SECONDS: u64 = 10;

/// A part and its base.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// What the part is judged by: requests, outcomes.
    pub base: u64,
    /// Retries, failures.
    pub part: u64,
}

/// Counts of the last ten seconds.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// [`SECONDS`] of them, each with its Unix second, at the place of its remainder.
    seconds: [(u64, Counts); 10],
    latest: u64,
}

impl Recent {
    /// Adds to both. `now_ms` is Unix time.
    pub fn add(&mut self, counts: Counts, now_ms: u64) {
        self.latest = self.second(now_ms);
        let place = usize::try_from(self.latest % SECONDS).unwrap_or_default();
        let Some((second, sum)) = self.seconds.get_mut(place) else { return };
        if *second != self.latest {
            (*second, *sum) = (self.latest, Counts::default());
        }
        *sum = plus(*sum, counts);
    }

    /// Both over the last ten seconds.
    #[must_use]
    pub fn sum(&self, now_ms: u64) -> Counts {
        let now = self.second(now_ms);
        let within = self.seconds.iter().filter(|(second, _)| second.saturating_add(SECONDS) > now);
        within.map(|(_, counts)| *counts).fold(Counts::default(), plus)
    }

    fn second(&self, now_ms: u64) -> u64 {
        (now_ms / 1_000).max(self.latest)
    }
}

fn plus(one: Counts, other: Counts) -> Counts {
    Counts { base: one.base.saturating_add(other.base), part: one.part.saturating_add(other.part) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_present_second_and_the_nine_before(
            steps in prop::collection::vec((0_u64..4_000, 0_u64..5, 0_u64..5), 1..80)
        ) {
            let (mut recent, mut all, mut now) = (Recent::default(), Vec::new(), 0);
            for (step, base, part) in steps {
                now += step;
                recent.add(Counts { base, part }, now);
                all.push((now / 1_000, Counts { base, part }));
                let within = all.iter().filter(|(second, _)| second + 10 > now / 1_000);
                let sum = within.map(|(_, counts)| *counts).fold(Counts::default(), plus);
                prop_assert_eq!(recent.sum(now), sum);
            }
        }
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nothing() {
        let mut recent = Recent::default();
        recent.add(Counts { base: 3, part: 1 }, 100_000);
        recent.add(Counts { base: 2, part: 0 }, 40_000);
        assert_eq!(recent.sum(41_000), Counts { base: 5, part: 1 });
        assert_eq!(recent.sum(110_000), Counts::default());
    }
}
