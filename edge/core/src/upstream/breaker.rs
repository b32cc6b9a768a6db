//! A circuit breaker: what keeps failing is left alone for a while, and then asked by a few before it is asked by all.
//!
//! | state | asked | left |
//! |---|---|---|
//! | closed | by all | open: after failures in a row, or by their share of enough outcomes in ten seconds |
//! | open | by nobody | half-open: when it has rested |
//! | half-open | by so many probes at a time | closed: so many succeeded; open, for longer: when one failed |
//!
//! The states are Nygard's ("Release It!"), the two reasons to open those of Envoy's outlier detection. Probes are
//! requests of callers. Only what was sent since a state began speaks in it: of fifty requests that were under way
//! when an upstream fell, forty-five come back with bad news that is known already. A probe that never comes back,
//! because its client left, holds up others for one first rest at most.
//!
//! Nobody is refused here: an open breaker is advice to who has another choice ([`super::pick`]).

use super::backoff::{ceiling, part};
use super::recent::{Counts, Recent};

/// When it opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Failures in a row that open it.
    pub failures: u32,
    /// Failures by the hundred outcomes of ten seconds that open it; over 100 for never.
    pub percent: u32,
    /// Outcomes in ten seconds below which their share says nothing.
    pub least: u32,
    /// The first rest, in milliseconds; the next ones are twice as long each.
    pub rest_ms: u32,
    /// The longest rest, in milliseconds.
    pub longest_ms: u32,
    /// Probes at a time, and successes that close it.
    pub probes: u32,
}

/// For the Durable Objects, which nobody else can stand in for: left alone, and then asked by one request at a time.
pub const OBJECT: Policy =
    Policy { failures: 3, percent: 101, least: 0, rest_ms: 5_000, longest_ms: 5_000, probes: 1 };

/// What it advises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Ask.
    Closed,
    /// Ask, and so learn whether it is well again.
    HalfOpen,
    /// Ask somebody else: it rests, or as many as may are asking.
    Open,
}

/// What an isolate has seen of one upstream.
#[derive(Debug, Clone)]
pub struct Breaker {
    policy: Policy,
    recent: Recent,
    in_a_row: u32,
    /// Rests since it was last closed.
    rests: u32,
    since_ms: u64,
    rest: Option<Rest>,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    over_ms: u64,
    /// When the next probes may be sent.
    next_ms: u64,
    asked: u32,
    succeeded: u32,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, recent: Recent::default(), in_a_row: 0, rests: 0, since_ms: 0, rest: None }
    }

    /// What it advises now (Unix ms). A clock that stepped back ends a rest.
    #[must_use]
    pub fn state(&self, now_ms: u64) -> State {
        match &self.rest {
            None => State::Closed,
            Some(rest) if now_ms >= rest.next_ms || now_ms < self.since_ms => State::HalfOpen,
            Some(_) => State::Open,
        }
    }

    /// Whether to ask now, for who has nobody else to ask and waits instead; if so, that is counted.
    pub fn may_ask(&mut self, now_ms: u64) -> bool {
        let may = self.state(now_ms) != State::Open;
        if may {
            self.asked(now_ms);
        }
        may
    }

    /// A request goes there. Must be called for each, so that probes are counted.
    pub fn asked(&mut self, now_ms: u64) {
        let Some(rest) = self.rest.as_mut().filter(|rest| now_ms >= rest.next_ms) else { return };
        rest.asked = rest.asked.saturating_add(1);
        if rest.asked >= self.policy.probes {
            rest.asked = 0;
            rest.next_ms = now_ms.saturating_add(self.policy.rest_ms.into());
        }
    }

    /// What came of a request that was sent at `sent_ms`. `random` shortens a rest by up to half, so that
    /// isolates do not come back together.
    pub fn told(&mut self, good: bool, sent_ms: u64, now_ms: u64, random: u16) {
        if sent_ms < self.since_ms {
            return;
        }
        match good {
            true => self.succeeded(now_ms),
            false => self.failed(sent_ms, now_ms, random),
        }
    }

    fn succeeded(&mut self, now_ms: u64) {
        self.in_a_row = 0;
        self.recent.add(Counts { base: 1, part: 0 }, now_ms);
        if let Some(rest) = &mut self.rest {
            rest.succeeded = rest.succeeded.saturating_add(1);
            if rest.succeeded >= self.policy.probes {
                *self = Self { since_ms: now_ms, ..Self::new(self.policy) };
            }
        }
    }

    fn failed(&mut self, sent_ms: u64, now_ms: u64, random: u16) {
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.recent.add(Counts { base: 1, part: 1 }, now_ms);
        let opens = match &self.rest {
            None => self.in_a_row >= self.policy.failures || self.by_share(now_ms),
            Some(rest) => sent_ms >= rest.over_ms,
        };
        if opens {
            self.open(now_ms, random);
        }
    }

    fn by_share(&self, now_ms: u64) -> bool {
        let Counts { base: outcomes, part: failures } = self.recent.sum(now_ms);
        outcomes >= self.policy.least.into()
            && failures.saturating_mul(100) >= outcomes.saturating_mul(self.policy.percent.into())
    }

    fn open(&mut self, now_ms: u64, random: u16) {
        let longest = ceiling(self.policy.rest_ms, self.rests, self.policy.longest_ms);
        let length = longest.saturating_sub(part(longest / 2, random));
        let over_ms = now_ms.saturating_add(length.into());
        self.rests = self.rests.saturating_add(1);
        self.since_ms = now_ms;
        self.rest = Some(Rest { over_ms, next_ms: over_ms, asked: 0, succeeded: 0 });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy =
        Policy { failures: 5, percent: 50, least: 20, rest_ms: 1_000, longest_ms: 8_000, probes: 2 };

    fn fail(breaker: &mut Breaker, now_ms: u64) {
        breaker.asked(now_ms);
        breaker.told(false, now_ms, now_ms, 0);
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(POLICY);
        (0..5).for_each(|_| fail(&mut breaker, 0));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let mut breaker = Breaker::new(POLICY);
        (0..4).for_each(|_| fail(&mut breaker, 0));
        breaker.told(true, 0, 0, 0);
        (0..4).for_each(|_| fail(&mut breaker, 0));
        assert_eq!(breaker.state(0), State::Closed);
        fail(&mut breaker, 0);
        assert_eq!(breaker.state(0), State::Open);
    }

    #[test]
    fn the_share_of_failures_opens_it_once_there_are_enough_outcomes() {
        let mut breaker = Breaker::new(POLICY);
        for at in 0..19 {
            breaker.told(at % 2 == 1, 0, 0, 0);
        }
        assert_eq!(breaker.state(0), State::Closed, "ten of nineteen: too few outcomes");
        breaker.told(true, 0, 0, 0);
        fail(&mut breaker, 0);
        assert_eq!(breaker.state(0), State::Open, "eleven of twenty-one");
    }

    #[test]
    fn outcomes_of_ten_seconds_ago_are_no_part_of_the_share() {
        let mut breaker = Breaker::new(POLICY);
        for at in 0..19 {
            breaker.told(at % 2 == 1, 0, 0, 0);
        }
        (0..11).for_each(|_| breaker.told(true, 10_000, 10_000, 0));
        fail(&mut breaker, 10_000);
        assert_eq!(breaker.state(10_000), State::Closed);
    }

    #[test]
    fn after_a_rest_so_many_probes_are_let_through_and_close_it() {
        let mut breaker = opened();
        assert_eq!(breaker.state(999), State::Open);
        for _ in 0..2 {
            assert_eq!(breaker.state(1_000), State::HalfOpen);
            breaker.asked(1_000);
        }
        assert_eq!(breaker.state(1_000), State::Open, "two are asking");
        breaker.told(true, 1_000, 1_010, 0);
        assert_eq!(breaker.state(1_010), State::Open);
        breaker.told(true, 1_000, 1_020, 0);
        assert_eq!(breaker.state(1_020), State::Closed);
    }

    #[test]
    fn probes_that_never_come_back_do_not_keep_it_open() {
        let mut breaker = opened();
        (0..2).for_each(|_| breaker.asked(1_000));
        assert_eq!(breaker.state(1_999), State::Open);
        assert_eq!(breaker.state(2_000), State::HalfOpen);
    }

    #[test]
    fn rests_grow_to_the_bound_while_probes_fail() {
        let (mut breaker, mut now, mut rests) = (opened(), 0, Vec::new());
        for _ in 0..6 {
            let start = now;
            while breaker.state(now) == State::Open {
                now += 1;
            }
            rests.push(now - start);
            fail(&mut breaker, now);
        }
        assert_eq!(rests, [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    }

    #[test]
    fn a_rest_starts_anew_once_it_was_closed() {
        let mut breaker = opened();
        fail(&mut breaker, 1_000);
        (0..2).for_each(|_| breaker.told(true, 3_000, 3_000, 0));
        (0..5).for_each(|_| fail(&mut breaker, 4_000));
        assert_eq!((breaker.state(4_999), breaker.state(5_000)), (State::Open, State::HalfOpen));
    }

    #[test]
    fn what_was_sent_before_it_opened_says_nothing_new() {
        let mut breaker = Breaker::new(POLICY);
        (0..5).for_each(|_| breaker.told(false, 100, 200, 0));
        for now in 201..1_500 {
            breaker.told(false, 100, now, 0);
            breaker.told(true, 100, now, 0);
        }
        assert_eq!(breaker.state(1_199), State::Open);
        assert_eq!(breaker.state(1_200), State::HalfOpen);
    }

    #[test]
    fn a_request_that_had_no_other_choice_lengthens_no_rest_and_can_end_it() {
        let mut breaker = opened();
        fail(&mut breaker, 500);
        assert_eq!(breaker.state(1_000), State::HalfOpen);
        let mut breaker = opened();
        (0..2).for_each(|_| breaker.told(true, 500, 500, 0));
        assert_eq!(breaker.state(500), State::Closed);
    }

    #[test]
    fn a_clock_that_steps_back_ends_a_rest() {
        let mut breaker = Breaker::new(POLICY);
        (0..5).for_each(|_| fail(&mut breaker, 10_000_000));
        assert_eq!(breaker.state(9_000_000), State::HalfOpen);
    }

    #[test]
    fn what_nobody_else_can_do_is_left_alone_and_then_asked_once() {
        let mut breaker = Breaker::new(OBJECT);
        for _ in 0..3 {
            assert!(breaker.may_ask(0));
            breaker.told(false, 0, 0, 0);
        }
        assert!(!breaker.may_ask(4_999));
        assert!(breaker.may_ask(5_000) && !breaker.may_ask(5_000));
        breaker.told(false, 5_000, 5_100, 0);
        assert!(!breaker.may_ask(10_099) && breaker.may_ask(10_100));
        breaker.told(true, 10_100, 10_100, 0);
        assert!(breaker.may_ask(10_100) && breaker.may_ask(10_100));
    }

    proptest! {
        #[test]
        fn it_never_rests_beyond_the_bound_nor_less_than_half_the_first_rest(
            tries in prop::collection::vec((0_u64..3_000, any::<bool>(), any::<u16>()), 0..200)
        ) {
            let (mut breaker, mut now) = (Breaker::new(POLICY), 0);
            for (step, good, random) in tries {
                now += step;
                let before = breaker.state(now);
                breaker.asked(now);
                breaker.told(good, now, now, random);
                prop_assert_ne!(breaker.state(now + 8_000), State::Open);
                if before == State::Closed && breaker.state(now) != State::Closed {
                    prop_assert_eq!(breaker.state(now + 499), State::Open);
                }
            }
        }

        #[test]
        fn while_it_is_half_open_no_more_ask_than_probes_in_each_first_rest(
            steps in prop::collection::vec(0_u64..400, 0..200)
        ) {
            let (mut breaker, mut now, mut asked) = (opened(), 1_000, Vec::new());
            for step in steps {
                now += step;
                if breaker.state(now) == State::HalfOpen {
                    breaker.asked(now);
                    asked.push(now);
                }
            }
            // Never told of any outcome: the second of two probes opens the next first rest.
            for three in asked.windows(3) {
                prop_assert!(three[2] - three[1] >= 1_000 || three[1] - three[0] >= 1_000);
            }
        }
    }
}
