use proptest::prelude::*;

use super::*;

fn fixed(quota: u32, seconds: u32) -> Counter {
    Counter::new(Window { quota, seconds, burst: None })
}

fn gcra(quota: u32, seconds: u32, burst: u32) -> Counter {
    Counter::new(Window { quota, seconds, burst: Some(burst) })
}

#[test]
fn the_stored_layout_stays_as_it_is() {
    let mut counters = [fixed(2, 10), gcra(2, 10, 3)];
    counters[1].raise(4, 5_000);
    for counter in &mut counters {
        counter.take(1, 5_000);
    }
    assert_eq!(
        serde_json::to_string(&counters).unwrap(),
        concat!(
            r#"[{"quota":2,"seconds":10,"at_ms":5000,"level":1},"#,
            r#"{"quota":2,"seconds":10,"burst":3,"raised":4,"at_ms":5000,"level":10000}]"#
        )
    );
    let back: [Counter; 2] = serde_json::from_str(&serde_json::to_string(&counters).unwrap()).unwrap();
    assert_eq!(back, counters);
}

#[test]
fn a_fixed_window_opens_at_its_first_charge_and_closes_after_its_length() {
    let mut counter = fixed(3, 10);
    assert_eq!((counter.room(7_000), counter.reset_in(7_000), counter.closes_in(7_000)), (3, 0, None));
    counter.take(1, 7_000);
    counter.take(2, 9_000);
    assert_eq!(
        (counter.room(9_000), counter.reset_in(9_000), counter.closes_in(9_000)),
        (0, 8_000, Some(8_000))
    );
    assert_eq!((counter.room(16_999), counter.room(17_000)), (0, 3));
}

#[test]
fn what_was_taken_while_a_fixed_window_was_closed_does_not_open_it() {
    let mut counter = fixed(3, 10);
    counter.settle(1, 7_000);
    assert_eq!(counter.room(7_000), 3);
    counter.take(1, 8_000);
    counter.settle(1, 9_000);
    assert_eq!((counter.room(9_000), counter.reset_in(9_000)), (1, 9_000));
    counter.settle(1, 18_000);
    assert_eq!(counter.room(18_000), 3);
}

#[test]
fn more_than_a_window_holds_never_fits() {
    assert_eq!(fixed(3, 10).fits_in(4, 0), None);
    assert_eq!(gcra(3, 10, 5).fits_in(6, 0), None);
    assert_eq!(fixed(0, 10).fits_in(1, 0), None);
}

#[test]
fn a_raise_grows_the_burst_in_proportion_and_never_lowers() {
    let mut counter = gcra(2, 10, 3);
    counter.raise(4, 0);
    assert_eq!((counter.room(0), counter.standing(1, 0).quota), (6, 4));
    counter.raise(1, 0);
    assert_eq!((counter.room(0), counter.standing(1, 0).remaining), (3, 2));
}

#[test]
fn what_drained_before_a_raise_drained_at_the_plans_rate() {
    let mut counter = gcra(1, 10, 10);
    counter.take(10, 0);
    counter.raise(10, 20_000);
    assert_eq!(counter.reset_in(20_000), 8_000, "two of ten have drained, the rest does ten times as fast");
}

#[test]
fn a_new_quota_keeps_what_is_charged() {
    let mut counter = fixed(3, 10);
    counter.take(2, 1_000);
    let counter = counter.redefined(Window { quota: 5, seconds: 10, burst: None }, 2_000);
    assert_eq!((counter.room(2_000), counter.reset_in(2_000)), (3, 9_000));
}

#[test]
fn time_that_runs_backwards_counts_as_none() {
    for mut counter in [fixed(3, 10), gcra(3, 10, 3)] {
        counter.take(2, 50_000);
        let reset = counter.reset_in(50_000);
        assert_eq!((counter.room(40_000), counter.reset_in(40_000)), (1, reset));
        counter.settle(1, 40_000);
        assert_eq!(counter.room(50_000), 0, "nor does a late charge set it back");
    }
}

proptest! {
    /// Against the theoretical arrival time, in thirds of a millisecond and the like: times are multiplied by the quota.
    #[test]
    fn gcra_is_that_of_the_theoretical_arrival_time(
        (quota, seconds, burst) in (1_u32..50, 1_u32..100, 1_u32..50),
        steps in prop::collection::vec((0_u64..3_000, 1_u32..4), 1..100),
    ) {
        let (interval, rate) = (u64::from(seconds) * 1_000, u64::from(quota));
        let (mut counter, mut now, mut arrival) = (gcra(quota, seconds, burst), 1_000_000, 0_u64);
        for (step, cost) in steps {
            now += step;
            let (charge, most) = (u64::from(cost) * interval, u64::from(burst) * interval);
            let later = arrival.max(now * rate) + charge;
            let passes = later <= now * rate + most;
            prop_assert_eq!(counter.room(now) >= cost, passes);
            prop_assert_eq!(counter.fits_in(cost, now), (charge <= most).then(|| later.saturating_sub(now * rate + most).div_ceil(rate)));
            if passes {
                counter.take(cost, now);
                arrival = later;
            }
            prop_assert_eq!(counter.reset_in(now), arrival.saturating_sub(now * rate).div_ceil(rate));
        }
    }

    #[test]
    fn it_fits_when_it_is_said_to_and_not_a_millisecond_before(
        burst in prop::option::of(1_u32..30),
        steps in prop::collection::vec((0_u64..3_000, 1_u32..4), 1..100),
    ) {
        let mut counter = Counter::new(Window { quota: 7, seconds: 9, burst });
        let mut now = 1_000_000;
        for (step, cost) in steps {
            now += step;
            match counter.fits_in(cost, now) {
                Some(0) => counter.take(cost, now),
                Some(ms) => prop_assert!(counter.room(now + ms - 1) < cost && counter.room(now + ms) >= cost),
                None => prop_assert!(counter.room(now + 1_000_000) < cost),
            }
            let reset = counter.reset_in(now);
            prop_assert_eq!(counter.room(now + reset), burst.unwrap_or(7));
        }
    }

    #[test]
    fn a_clock_set_back_neither_lengthens_a_window_nor_empties_it(
        burst in prop::option::of(1_u32..30), charge in 1_u32..7, back in 0_u64..900_000, later in 0_u64..20_000,
    ) {
        let mut counter = Counter::new(Window { quota: 7, seconds: 9, burst });
        counter.take(charge, 1_000_000);
        let mut back_there = counter;
        back_there.set_back(back);
        prop_assert_eq!(back_there.room(1_000_000 - back + later), counter.room(1_000_000 + later));
        prop_assert_eq!(back_there.reset_in(1_000_000 - back + later), counter.reset_in(1_000_000 + later));
    }
}
