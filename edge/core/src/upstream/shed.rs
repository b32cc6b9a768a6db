//! Who is let through to an upstream that has more to do than it can.
//!
//! Each class may fill only a part of the places, the less important the smaller, so that what matters most
//! still finds one when the rest are refused (Google SRE book, "Handling Overload": criticality). A refusal
//! is a 503 with `Retry-After` (RFC 9110 §15.6.4), later for who matters less, and spread so that those
//! refused together do not come back together.
//!
//! A place is held until the response head: an event stream holds none while it flows, and a request that may take long
//! by its nature none at all. A place that is not given back, because the platform dropped a request whose client left,
//! is free again when the request's time is over.

use super::adaptive::{Adaptive, Policy};
use super::backoff::part;
use super::outcome::Outcome;
use crate::plan::Priority;

/// The part of the places that a class may fill, by the hundred.
fn percent(class: Priority) -> u32 {
    match class {
        Priority::Background => 50,
        Priority::Anonymous => 75,
        Priority::Interactive => 90,
        Priority::Vital => 100,
    }
}

/// Seconds after which to come again when there is no room: from half of the class's time to all of it, by a random
/// number. For `Retry-After`.
#[must_use]
pub fn retry_after_s(class: Priority, random: u16) -> u32 {
    let longest: u32 = match class {
        Priority::Background => 60,
        Priority::Anonymous => 20,
        Priority::Interactive => 10,
        Priority::Vital => 4,
    };
    longest.saturating_sub(part(longest / 2, random))
}

/// A place that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "a place is to be given back"]
pub struct Place {
    until_ms: u64,
    number: u64,
}

/// What of this isolate is under way at one upstream.
#[derive(Debug, Clone)]
pub struct Load {
    limit: Adaptive,
    held: Vec<Place>,
    numbers: u64,
}

impl Load {
    /// Nothing is under way.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { limit: Adaptive::new(policy), held: Vec::new(), numbers: 0 }
    }

    /// Whether there is room for a request of this class now (Unix ms).
    #[must_use]
    pub fn has_room(&self, class: Priority, now_ms: u64) -> bool {
        let places = u64::from(self.limit.limit()).saturating_mul(percent(class).into());
        u64::from(self.under_way(now_ms)).saturating_mul(100) < places
    }

    /// Takes a place for a request that is over at `until_ms` at the latest, whether there is room or not.
    pub fn enter(&mut self, until_ms: u64, now_ms: u64) -> Place {
        self.held.retain(|place| place.until_ms >= now_ms);
        self.numbers = self.numbers.wrapping_add(1);
        let place = Place { until_ms, number: self.numbers };
        self.held.push(place);
        place
    }

    /// Gives a place back. Once is enough, and twice does no harm.
    pub fn leave(&mut self, place: Place) {
        self.held.retain(|held| *held != place);
    }

    /// Learns from what came of a request that was sent at `sent_ms`; `timed` if its first byte's time says
    /// something.
    pub fn told(&mut self, outcome: Outcome, timed: bool, sent_ms: u64, now_ms: u64) {
        let took = u32::try_from(now_ms.saturating_sub(sent_ms)).unwrap_or(u32::MAX);
        let under_way = self.under_way(now_ms);
        match outcome {
            Outcome::Answered => {
                self.limit.answered(Some(took).filter(|_| timed), under_way, sent_ms, now_ms);
            }
            bad if bad.is_overload() => self.limit.overloaded(sent_ms, now_ms),
            _ => {}
        }
    }

    fn under_way(&self, now_ms: u64) -> u32 {
        let held = self.held.iter().filter(|place| place.until_ms >= now_ms);
        u32::try_from(held.count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy { start: 20, least: 10, most: 1_000 };
    const CLASSES: [Priority; 4] =
        [Priority::Background, Priority::Anonymous, Priority::Interactive, Priority::Vital];

    fn filled(places: u32) -> Load {
        let mut load = Load::new(POLICY);
        for _ in 0..places {
            let _held = load.enter(1_000, 0);
        }
        load
    }

    #[test]
    fn classes_are_refused_one_after_the_other_as_places_fill() {
        let room = |places| CLASSES.map(|class| filled(places).has_room(class, 0));
        assert_eq!(room(9), [true; 4]);
        assert_eq!(room(10), [false, true, true, true]);
        assert_eq!(room(15), [false, false, true, true]);
        assert_eq!(room(18), [false, false, false, true]);
        assert_eq!(room(20), [false; 4]);
    }

    #[test]
    fn a_place_that_nobody_gives_back_is_free_when_its_time_is_over() {
        let load = filled(20);
        assert!(!load.has_room(Priority::Vital, 1_000));
        assert!(load.has_room(Priority::Background, 1_001));
    }

    #[test]
    fn a_place_given_back_twice_frees_one() {
        let mut load = filled(19);
        let place = load.enter(1_000, 0);
        (0..2).for_each(|_| load.leave(place));
        assert!(load.has_room(Priority::Vital, 0));
        let _held = load.enter(1_000, 0);
        assert!(!load.has_room(Priority::Vital, 0));
    }

    #[test]
    fn who_matters_less_comes_back_later_and_not_all_at_once() {
        assert_eq!(CLASSES.map(|class| retry_after_s(class, 0)), [60, 20, 10, 4]);
        assert_eq!(CLASSES.map(|class| retry_after_s(class, u16::MAX)), [31, 11, 6, 3]);
    }

    #[test]
    fn overload_takes_places_away_and_a_refused_connection_does_not() {
        let mut load = filled(18);
        load.told(Outcome::Failed, true, 0, 0);
        assert!(load.has_room(Priority::Vital, 0));
        load.told(Outcome::TimedOut, true, 0, 0);
        assert!(!load.has_room(Priority::Vital, 0));
    }

    proptest! {
        #[test]
        fn where_one_class_has_room_every_more_important_one_has(places in 0_u32..30, overloads in 0_u64..8) {
            let mut load = filled(places);
            (0..overloads).for_each(|at| load.told(Outcome::TimedOut, true, at * 2_000, 500));
            let room = CLASSES.map(|class| load.has_room(class, 500));
            prop_assert!(room.is_sorted(), "{room:?}");
        }

        #[test]
        fn as_many_are_under_way_as_entered_and_neither_left_nor_ran_out(
            events in prop::collection::vec(
                (0_u64..200, 0_u64..2_000, any::<Option<prop::sample::Index>>()),
                0..100,
            )
        ) {
            let (mut load, mut now, mut held) = (Load::new(POLICY), 0, Vec::new());
            for (step, lasts, leaves) in events {
                now += step;
                held.push(load.enter(now + lasts, now));
                if let Some(index) = leaves {
                    load.leave(held.swap_remove(index.index(held.len())));
                }
                let expected = held.iter().filter(|place| place.until_ms >= now).count();
                prop_assert_eq!(load.under_way(now) as usize, expected);
            }
        }
    }
}
