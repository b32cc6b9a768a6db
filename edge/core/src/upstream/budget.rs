//! How many retries there may be: a share of the requests of the last ten seconds, and a few besides.
//!
//! Retries help while few tries fail, and add to the load when most do; a budget by share allows the first
//! and bounds the second (Google SRE book, "Handling Overload": 10 % of a client's requests; Finagle's
//! `RetryBudget`: 20 % over ten seconds and at least ten a second; Envoy's `retry_budget`: 20 % of what is
//! under way). The floor is for an isolate that sees so few requests that a share of them is none.
//!
//! The bound: in any stretch of whole seconds, retries are at most `floor_per_second * 10` for each ten
//! seconds begun, and `percent` of the requests of that stretch *and of the nine seconds before it*: those
//! are the error, because a request may be the reason of a retry nine seconds later. A request is never the
//! reason twice: over an isolate's life the share holds without that error.

use super::recent::{Counts, Recent, SECONDS};

/// What a service allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Retries by the hundred requests.
    pub percent: u32,
    /// Retries each second whatever the requests, on the average of ten seconds.
    pub floor_per_second: u32,
}

/// One service's budget.
#[derive(Debug, Clone)]
pub struct Budget {
    policy: Policy,
    recent: Recent,
}

impl Budget {
    /// One that has seen no request.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, recent: Recent::default() }
    }

    /// A request came (its first try; whether it may be retried does not matter). `now_ms` is Unix time.
    pub fn request(&mut self, now_ms: u64) {
        self.recent.add(Counts { base: 1, part: 0 }, now_ms);
    }

    /// Takes one retry, if there is one left.
    #[must_use]
    pub fn take(&mut self, now_ms: u64) -> bool {
        let Counts { base: requests, part: retries } = self.recent.sum(now_ms);
        let floor = u64::from(self.policy.floor_per_second).saturating_mul(SECONDS);
        let share = requests.saturating_mul(self.policy.percent.into()) / 100;
        let left = retries < floor.saturating_add(share);
        if left {
            self.recent.add(Counts { base: 0, part: 1 }, now_ms);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Requests and retries that were let through, by second.
    fn run(policy: Policy, steps: &[(u64, u32, u32)]) -> Vec<(u64, u64)> {
        let (mut budget, mut now, mut seconds) = (Budget::new(policy), 0, vec![(0, 0); 60]);
        for (step, requests, wanted) in steps {
            now += step;
            let second = usize::try_from(now / 1_000).unwrap();
            seconds.resize(seconds.len().max(second + 1), (0, 0));
            (0..*requests).for_each(|_| budget.request(now));
            seconds[second].0 += u64::from(*requests);
            seconds[second].1 += (0..*wanted).map(|_| u64::from(budget.take(now))).sum::<u64>();
        }
        seconds
    }

    proptest! {
        #[test]
        fn in_any_stretch_retries_stay_within_the_floor_and_the_share(
            percent in 0_u32..=100, floor_per_second in 0_u32..4,
            steps in prop::collection::vec((0_u64..3_000, 0_u32..30, 0_u32..30), 1..60)
        ) {
            let seconds = run(Policy { percent, floor_per_second }, &steps);
            for from in 0..seconds.len() {
                for to in from + 1..=seconds.len() {
                    let retries: u64 = seconds[from..to].iter().map(|(_, retries)| retries).sum();
                    let before = from.saturating_sub(9);
                    let requests: u64 = seconds[before..to].iter().map(|(requests, _)| requests).sum();
                    let floor = u64::from(floor_per_second) * 10 * ((to - from) as u64).div_ceil(10);
                    let most = floor + requests * u64::from(percent) / 100;
                    prop_assert!(retries <= most, "{retries} > {most} in {from}..{to}");
                }
            }
        }

        #[test]
        fn who_wants_no_more_than_the_share_each_second_always_gets_it(
            percent in 0_u32..=100, requests in prop::collection::vec(0_u32..300, 1..60)
        ) {
            let step = |requests: &u32| (1_000, *requests, requests * percent / 100);
            let steps: Vec<_> = requests.iter().map(step).collect();
            let seconds = run(Policy { percent, floor_per_second: 0 }, &steps);
            let got: u64 = seconds.iter().map(|(_, retries)| retries).sum();
            let wanted: u64 = steps.iter().map(|(_, _, wanted)| u64::from(*wanted)).sum();
            prop_assert_eq!(got, wanted);
        }
    }

    #[test]
    fn a_quiet_isolate_has_the_floor() {
        let mut budget = Budget::new(Policy { percent: 20, floor_per_second: 1 });
        budget.request(0);
        assert_eq!((0..30).filter(|_| budget.take(0)).count(), 10);
        assert!(!budget.take(9_999), "the ten are for ten seconds");
        assert!(budget.take(10_000));
    }
}
