//! How many requests an upstream can have under way: found out by what comes of them.
//!
//! Additive increase, multiplicative decrease, as TCP's congestion control (RFC 5681 §3.1) and the AIMD limit of
//! Netflix's concurrency-limits have it: one more place after as many good answers as there are places, a tenth
//! less when the upstream is overloaded. It is when it says so or is too slow, and when most of the last answers
//! took more than twice the usual. What was sent within a second of a decrease changes nothing: it tells of the
//! same jam.
//!
//! An answer is judged by the mean of those before it. However different a service's requests are, fewer than
//! half of them can take more than twice their mean (Markov's inequality), so only a change of the whole
//! speaks. A slowness that stays becomes the new measure after some hundred answers; time-outs and 503
//! remain. An app that answers 503 for reasons of its own brings the limit to its least, which should
//! therefore bear usual traffic. Isolates find their limits each alone; as in TCP, they come to about equal
//! shares.

/// Bounds of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Places at first.
    pub start: u32,
    /// Never fewer.
    pub least: u32,
    /// Never more.
    pub most: u32,
}

/// A jam lasts so long (ms).
const JAM_MS: u64 = 1_000;
/// An answer is slow at so many times the mean, and at least so many milliseconds more.
const SLOWER: f64 = 2.0;
const SLOWER_MS: f64 = 100.0;
/// Answers over which the mean of latency goes, about, and over which the share of slow ones does.
const LONG: f64 = 256.0;
const SHORT: f64 = 16.0;

/// One upstream's limit.
#[derive(Debug, Clone)]
pub struct Adaptive {
    policy: Policy,
    limit: u32,
    /// Good answers since the limit last changed.
    good: u32,
    /// What was sent from here on is heeded (Unix ms).
    heeds_ms: u64,
    /// The mean of latency, in milliseconds.
    latency_ms: Option<f64>,
    /// The share of slow answers, from 0 to 1.
    slow: f64,
}

impl Adaptive {
    /// One that has seen nothing.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, limit: policy.start, good: 0, heeds_ms: 0, latency_ms: None, slow: 0.0 }
    }

    /// Places.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// A good answer to what was sent at `sent_ms`, while so many were under way. `first_byte_ms` where it
    /// says something: not of a long poll.
    pub fn answered(&mut self, first_byte_ms: Option<u32>, under_way: u32, sent_ms: u64, now_ms: u64) {
        if first_byte_ms.is_some_and(|ms| self.are_slow(ms)) {
            return self.overloaded(sent_ms, now_ms);
        }
        // A limit that nobody comes near was not put to the test.
        if sent_ms >= self.heeds_ms && under_way >= self.limit / 2 {
            self.good = self.good.saturating_add(1);
        }
        if self.good >= self.limit {
            self.change(self.limit.saturating_add(1));
        }
    }

    /// The upstream is overloaded, as what was sent at `sent_ms` tells.
    pub fn overloaded(&mut self, sent_ms: u64, now_ms: u64) {
        if sent_ms >= self.heeds_ms {
            self.heeds_ms = now_ms.saturating_add(JAM_MS);
            self.change(self.limit.saturating_sub(self.limit.div_ceil(10)));
        }
    }

    fn change(&mut self, limit: u32) {
        self.limit = limit.min(self.policy.most).max(self.policy.least);
        self.good = 0;
    }

    /// Whether most of the last answers were slow, this one included.
    fn are_slow(&mut self, first_byte_ms: u32) -> bool {
        let ms = f64::from(first_byte_ms);
        let mean = self.latency_ms.unwrap_or(ms);
        let slow = ms > mean * SLOWER && ms > mean + SLOWER_MS;
        self.latency_ms = Some(mean + (ms - mean) / LONG);
        self.slow += (f64::from(u8::from(slow)) - self.slow) / SHORT;
        self.slow > 0.5
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy { start: 100, least: 10, most: 1_000 };

    #[test]
    fn as_many_good_answers_as_places_make_one_more() {
        let mut limit = Adaptive::new(POLICY);
        (0..99).for_each(|_| limit.answered(None, 100, 0, 0));
        assert_eq!(limit.limit(), 100);
        limit.answered(None, 50, 0, 0);
        assert_eq!(limit.limit(), 101);
    }

    #[test]
    fn a_limit_that_nobody_comes_near_does_not_grow() {
        let mut limit = Adaptive::new(POLICY);
        (0..10_000).for_each(|_| limit.answered(Some(20), 49, 0, 0));
        assert_eq!(limit.limit(), 100);
    }

    #[test]
    fn one_jam_decreases_it_once() {
        let mut limit = Adaptive::new(POLICY);
        (0..50).for_each(|sent| limit.overloaded(5_000 - sent, 5_000));
        assert_eq!(limit.limit(), 90);
        limit.overloaded(5_999, 8_000);
        assert_eq!(limit.limit(), 90, "it was sent into the same jam");
        limit.overloaded(6_000, 8_000);
        assert_eq!(limit.limit(), 81);
    }

    #[test]
    fn what_was_sent_into_a_jam_does_not_increase_it_either() {
        let mut limit = Adaptive::new(POLICY);
        limit.overloaded(0, 0);
        (0..1_000).for_each(|_| limit.answered(None, 90, 999, 1_500));
        assert_eq!(limit.limit(), 90);
        (0..90).for_each(|_| limit.answered(None, 90, 1_000, 1_500));
        assert_eq!(limit.limit(), 91);
    }

    #[test]
    fn latency_that_stays_far_above_its_past_decreases_it() {
        let mut limit = Adaptive::new(POLICY);
        (0..1_000).for_each(|_| limit.answered(Some(80), 10, 0, 0));
        limit.answered(Some(60_000), 10, 0, 0);
        (0..300).for_each(|_| limit.answered(Some(80), 10, 0, 0));
        assert_eq!(limit.limit(), 100, "one slow answer is no jam");
        (0..20).for_each(|_| limit.answered(Some(1_000), 10, 0, 0));
        assert_eq!(limit.limit(), 90);
    }

    #[test]
    fn a_service_of_quick_and_slow_answers_is_not_jammed_by_its_mixture() {
        let mut limit = Adaptive::new(POLICY);
        for at in 0..100_000_u32 {
            // Of ten answers three take four seconds.
            let ms = if at.wrapping_mul(2_654_435_761) >> 16 < 19_661 { 4_000 } else { 20 };
            limit.answered(Some(ms), 10, at.into(), at.into());
        }
        assert_eq!(limit.limit(), 100);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(
            events in prop::collection::vec((any::<bool>(), 0_u32..5_000, 0_u64..3_000), 0..500),
            start in 10_u32..=1_000
        ) {
            let (mut limit, mut now) = (Adaptive::new(Policy { start, ..POLICY }), 0);
            for (good, ms, step) in events {
                now += step;
                match good {
                    true => limit.answered(Some(ms), 1_000, now, now),
                    false => limit.overloaded(now, now),
                }
                prop_assert!((10..=1_000).contains(&limit.limit()));
            }
        }

        #[test]
        fn it_finds_the_capacity_of_what_answers_503_beyond_it(capacity in 20_u32..400) {
            let (mut limit, mut now) = (Adaptive::new(POLICY), 0);
            let mut lowest = u32::MAX;
            for round in 0..4_000_u32 {
                // Every place is taken, and all come back after 100 ms.
                let taken = limit.limit();
                let sent = now;
                now += 100;
                for at in 0..taken {
                    match at < capacity {
                        true => limit.answered(None, taken, sent, now),
                        false => limit.overloaded(sent, now),
                    }
                }
                if round > 2_000 {
                    lowest = lowest.min(limit.limit());
                    // What is won with the last good round.
                    prop_assert!(limit.limit() <= capacity + 1, "{} for {capacity}", limit.limit());
                }
            }
            prop_assert!(lowest * 10 >= capacity * 8, "{lowest} for {capacity}");
        }
    }
}
