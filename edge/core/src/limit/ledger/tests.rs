use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_700_000_000_000;

fn window(quota: u32, seconds: u32, burst: Option<u32>) -> Window {
    Window { quota, seconds, burst }
}

fn ask(windows: &[Window], cost: u32, want: u32, returned: Vec<Returned>) -> Ask {
    Ask::Take(Take { windows: windows.to_vec(), cost, want, returned })
}

fn charge(windows: &[Window], permits: u32, returned: Vec<Returned>) -> Ask {
    Ask::Charge { windows: windows.to_vec(), permits, returned }
}

fn remaining(answer: &Answer) -> Vec<u32> {
    let Answer::Standing { windows, .. } = answer else { panic!("{answer:?}") };
    windows.iter().map(|window| window.remaining).collect()
}

/// A key's object.
#[derive(Default)]
struct Object(State);

impl Object {
    fn ask(&mut self, ask: &Ask, now: u64) -> Answer {
        let (state, said) = answer(&self.0, ask, now);
        self.0 = state;
        said
    }

    fn take(&mut self, windows: &[Window], cost: u32, want: u32, now: u64) -> Verdict {
        let Answer::Taken(verdict) = self.ask(&ask(windows, cost, want, vec![]), now) else { panic!() };
        verdict
    }

    fn lease(&mut self, windows: &[Window], want: u32, now: u64) -> Option<Lease> {
        let Verdict::Granted { lease, .. } = self.take(windows, 1, want, now) else { panic!("refused") };
        lease
    }

    fn remaining(&mut self, windows: &[Window], now: u64) -> Vec<u32> {
        remaining(&self.ask(&Ask::Look(windows.to_vec()), now))
    }

    fn charge(&mut self, windows: &[Window], permits: u32, now: u64) -> Vec<u32> {
        remaining(&self.ask(&charge(windows, permits, vec![]), now))
    }
}

fn refused(verdict: &Verdict) -> Option<(u64, u64)> {
    match verdict {
        Verdict::Refused { retry_in_ms, recheck_in_ms, .. } => Some((*retry_in_ms, *recheck_in_ms)),
        Verdict::Granted { .. } => None,
    }
}

#[test]
fn the_stored_layout_stays_as_it_is() {
    let mut object = Object::default();
    object.lease(&[window(100, 60, None), window(100, 60, Some(50))], 5, NOW);
    let stored = serde_json::to_string(&object.0).unwrap();
    assert_eq!(
        stored,
        concat!(
            r#"{"at_ms":1700000000000,"next":1700000000001,"raised_until_ms":0,"counters":["#,
            r#"{"quota":100,"seconds":60,"at_ms":1700000000000,"level":1},"#,
            r#"{"quota":100,"seconds":60,"burst":50,"at_ms":1700000000000,"level":60000}],"#,
            r#""asked":2,"leases":[{"name":1700000000000,"permits":4,"until_ms":1700000060000}]}"#
        )
    );
    assert_eq!(serde_json::from_str::<State>(&stored).unwrap(), object.0);
}

#[test]
fn the_messages_stay_as_they_are() {
    let windows = vec![window(100, 60, None)];
    let json = |ask: Ask| serde_json::to_string(&ask).unwrap();
    assert_eq!(
        json(ask(&windows, 1, 5, vec![Returned { name: 7, spent: 2 }])),
        r#"{"take":{"windows":[{"quota":100,"seconds":60}],"cost":1,"want":5,"returned":[{"name":7,"spent":2}]}}"#
    );
    assert_eq!(
        json(Ask::Return(vec![Returned { name: 7, spent: 2 }])),
        r#"{"return":[{"name":7,"spent":2}]}"#
    );
    assert_eq!(
        json(charge(&windows, 3, vec![Returned { name: 7, spent: 2 }])),
        r#"{"charge":{"windows":[{"quota":100,"seconds":60}],"permits":3,"returned":[{"name":7,"spent":2}]}}"#
    );
    assert_eq!(json(Ask::Look(windows.clone())), r#"{"look":[{"quota":100,"seconds":60}]}"#);
    assert_eq!(json(Ask::Reset), r#""reset""#);
    assert_eq!(
        json(Ask::Raise { windows: windows.clone(), by: By::Percent(200), until_ms: 9 }),
        r#"{"raise":{"windows":[{"quota":100,"seconds":60}],"by":{"percent":200},"until_ms":9}}"#
    );
    let mut object = Object::default();
    let answers = [
        object.ask(&ask(&windows, 1, 5, vec![]), NOW),
        object.ask(&ask(&windows, 96, 0, vec![]), NOW),
        object.ask(&Ask::Reset, NOW),
    ];
    assert_eq!(
        answers.map(|answer| serde_json::to_string(&answer).unwrap()),
        [
            concat!(
                r#"{"taken":{"granted":{"lease":{"name":1700000000000,"permits":4,"life_ms":59500,"outlived":false},"#,
                r#""windows":[{"quota":100,"seconds":60,"remaining":95,"reset_in_ms":60000}]}}}"#
            ),
            concat!(
                r#"{"taken":{"refused":{"retry_in_ms":60000,"recheck_in_ms":1000,"#,
                r#""windows":[{"quota":100,"seconds":60,"remaining":95,"reset_in_ms":60000}]}}}"#
            ),
            r#"{"standing":{"windows":[{"quota":100,"seconds":60,"remaining":96,"reset_in_ms":0}],"out":4}}"#
        ]
    );
}

#[test]
fn every_window_must_have_room_and_a_refusal_charges_none() {
    let windows = [window(2, 10, None), window(3, 60, None)];
    let mut object = Object::default();
    let passed = [0, 1, 2, 10, 20].map(|s| refused(&object.take(&windows, 1, 1, NOW + s * 1_000)));
    assert_eq!(passed, [None, None, Some((8_000, 5_000)), None, Some((40_000, 5_000))]);
}

#[test]
fn a_refusal_leaves_the_state_as_it_was_and_need_not_be_stored() {
    for burst in [None, Some(2)] {
        let windows = [window(2, 60, burst)];
        let mut object = Object::default();
        object.take(&windows, 2, 2, NOW);
        let before = object.0.clone();
        assert!(refused(&object.take(&windows, 1, 1, NOW + 5_000)).is_some());
        assert_eq!(object.0, before);
    }
}

#[test]
fn batches_shrink_with_what_is_left_so_that_the_last_permits_are_lent_to_nobody() {
    let windows = [window(100, 60, None)];
    let (mut object, mut gone) = (Object::default(), 0);
    while gone < 100 {
        let batch = 1 + object.lease(&windows, 1_000, NOW).map_or(0, |lease| lease.permits);
        assert_eq!(batch, ((100 - gone) / 8).max(1));
        gone += batch;
        assert_eq!(object.remaining(&windows, NOW), [100 - gone]);
    }
    assert_eq!(refused(&object.take(&windows, 1, 1_000, NOW)), Some((60_000, 1_000)));
}

#[test]
fn who_wants_no_more_than_the_cost_borrows_nothing() {
    assert_eq!(Object::default().lease(&[window(1_000, 60, None)], 1, NOW), None);
}

#[test]
fn what_comes_back_unspent_is_free_again_and_only_once() {
    let windows = [window(100, 60, None), window(100, 60, Some(100))];
    let mut object = Object::default();
    let name = object.lease(&windows, 10, NOW).unwrap().name;
    assert_eq!(object.remaining(&windows, NOW), [90, 90]);
    for _ in 0..3 {
        object.ask(&Ask::Return(vec![Returned { name, spent: 4 }]), NOW);
        assert_eq!(object.remaining(&windows, NOW), [95, 95]);
    }
}

#[test]
fn a_lease_that_nobody_returns_stays_charged_where_it_was() {
    let windows = [window(100, 60, None), window(1_000, 3_600, None), window(100, 100, Some(100))];
    let mut object = Object::default();
    let lease = object.lease(&windows, 10, NOW).unwrap();
    assert_eq!(object.remaining(&windows, NOW + lease.life_ms + SLACK_MS - 1), [90, 990, 91]);
    let over = NOW + lease.life_ms + SLACK_MS;
    assert_eq!(
        object.remaining(&windows, over),
        [100, 990, 91],
        "GCRA: what was out did not drain, and begins to"
    );
    object.ask(&Ask::Return(vec![Returned { name: lease.name, spent: 0 }]), over);
    assert_eq!(object.remaining(&windows, over), [100, 990, 91], "too late");
}

#[test]
fn a_lease_is_over_before_a_fixed_window_closes() {
    let windows = [window(100, 10, None), window(1_000, 3_600, None)];
    let mut object = Object::default();
    let life = |lease: Option<Lease>| lease.map(|lease| (lease.life_ms, lease.outlived));
    assert_eq!(life(object.lease(&windows, 5, NOW)), Some((9_500, true)));
    assert_eq!(life(object.lease(&windows, 5, NOW + 9_499)), Some((1, true)));
    assert_eq!(life(object.lease(&windows, 5, NOW + 9_500)), None);
    assert_eq!(life(Object::default().lease(&windows[1..], 5, NOW)), Some((LIFE_MS, true)));
    assert_eq!(life(Object::default().lease(&windows[..1], 5, NOW)), Some((9_500, false)));
}

#[test]
fn a_late_charge_takes_as_much_as_the_fullest_window_has_room_for_and_nobody_owes_the_rest() {
    let windows = [window(100, 10, None), window(50, 60, None), window(100, 100, Some(100))];
    let mut object = Object::default();
    assert_eq!(object.charge(&windows, 20, NOW), [80, 30, 80], "as of a request, it opens windows");
    assert_eq!(object.charge(&windows, u32::MAX, NOW), [50, 0, 50]);
    assert_eq!(object.charge(&windows, 5, NOW), [50, 0, 50]);
    assert_eq!(object.remaining(&windows, NOW + 60_000), [100, 50, 100]);
}

#[test]
fn a_late_charge_leaves_alone_what_is_out_elsewhere_and_takes_what_comes_back_with_it() {
    let windows = [window(100, 60, None)];
    let mut object = Object::default();
    let name = object.lease(&windows, 10, NOW).unwrap().name;
    object.lease(&windows, 10, NOW);
    assert_eq!(object.remaining(&windows, NOW), [80]);
    let returned = vec![Returned { name, spent: 4 }];
    assert_eq!(remaining(&object.ask(&charge(&windows, 90, returned.clone()), NOW)), [0]);
    let Answer::Standing { out, .. } = object.ask(&Ask::Return(returned), NOW) else { panic!() };
    assert_eq!(out, 9, "still to be spent, or returned");
}

#[test]
fn a_late_charge_without_room_leaves_the_state_as_it_was_and_need_not_be_stored() {
    for burst in [None, Some(2)] {
        let windows = [window(2, 60, burst)];
        let mut object = Object::default();
        object.take(&windows, 2, 2, NOW);
        let before = object.0.clone();
        assert_eq!(object.charge(&windows, 1, NOW + 5_000), [0]);
        assert_eq!(object.0, before);
    }
}

#[test]
fn leases_from_before_count_against_windows_that_open_after() {
    let mut object = Object::default();
    object.lease(&[window(100, 60, None)], 10, NOW);
    object.ask(&Ask::Reset, NOW + 1);
    assert_eq!(object.remaining(&[window(100, 60, None)], NOW + 1), [91]);
    assert_eq!(object.remaining(&[window(50, 10, None)], NOW + 1), [41]);
}

#[test]
fn callers_with_different_plans_by_turns_do_not_begin_anew() {
    let (long, short) = ([window(100, 3_600, None)], [window(50, 10, None)]);
    let mut object = Object::default();
    for turn in 0..5 {
        object.take(&long, 1, 1, NOW + turn);
        object.take(&short, 1, 1, NOW + turn);
    }
    assert_eq!((object.remaining(&long, NOW + 5), object.remaining(&short, NOW + 5)), (vec![90], vec![41]));
    assert_eq!(object.remaining(&long, NOW + 20_000), [90]);
    assert_eq!(object.0.counters.len(), 1, "what has reset is forgotten");
}

#[test]
fn so_many_leases_are_out_and_no_more() {
    let windows = [window(1_000_000, 3_600, None)];
    let mut object = Object::default();
    let lent = (0..100).filter(|_| object.lease(&windows, 2, NOW).is_some()).count();
    assert_eq!(lent, MAX_LEASES);
}

#[test]
fn a_raise_holds_until_its_time_and_never_lowers() {
    let windows = [window(10, 60, None), window(10, 60, Some(4))];
    let mut object = Object::default();
    let raise = |by| Ask::Raise { windows: windows.to_vec(), by, until_ms: NOW + 1_000 };
    object.ask(&raise(By::Percent(250)), NOW);
    assert_eq!(object.remaining(&windows, NOW + 999), [25, 10]);
    assert_eq!(object.remaining(&windows, NOW + 1_000), [10, 4]);
    object.ask(&raise(By::Quotas(vec![15])), NOW);
    assert_eq!(object.remaining(&windows, NOW), [15, 4]);
    object.ask(&raise(By::Percent(50)), NOW);
    assert_eq!(object.remaining(&windows, NOW), [10, 4]);
}

#[test]
fn a_reset_frees_what_is_charged_and_keeps_a_raise() {
    let windows = [window(10, 60, None)];
    let mut object = Object::default();
    object
        .ask(&Ask::Raise { windows: windows.to_vec(), by: By::Quotas(vec![20]), until_ms: NOW + 9_000 }, NOW);
    object.take(&windows, 20, 20, NOW);
    assert_eq!(object.remaining(&windows, NOW), [0]);
    object.ask(&Ask::Reset, NOW);
    assert_eq!(object.remaining(&windows, NOW), [20]);
}

#[test]
fn an_objects_clock_that_goes_back_takes_windows_and_leases_with_it() {
    let windows = [window(100, 60, None), window(100, 3_600, None)];
    let mut object = Object::default();
    let lease = object.lease(&windows, 10, NOW).unwrap();
    let then = NOW - 40_000_000;
    assert_eq!(object.remaining(&windows, then), [90, 90]);
    object.ask(&Ask::Return(vec![Returned { name: lease.name, spent: 9 }]), then + 1_000);
    assert_eq!(object.remaining(&windows, then + 59_999), [90, 90]);
    assert_eq!(object.remaining(&windows, then + 60_000), [100, 90], "not 40,000 s later");
}

#[test]
fn a_state_is_over_once_it_says_nothing_any_more() {
    let windows = [window(100, 10, None), window(100, 60, Some(100))];
    let mut object = Object::default();
    object.lease(&windows, 11, NOW);
    assert_eq!(object.0.over_ms(), NOW + 10_000 + 6_000, "the lease ends, and then drains");
    assert_eq!(object.remaining(&windows, object.0.over_ms()), [100, 100]);
    object.ask(&Ask::Raise { windows: windows.to_vec(), by: By::Percent(200), until_ms: NOW + 99_000 }, NOW);
    assert_eq!(object.0.over_ms(), NOW + 99_000);
}

proptest! {
    #[test]
    fn a_refused_request_passes_when_it_is_told_to(
        burst in prop::option::of(20_u32..60),
        steps in prop::collection::vec((0_u64..4_000, 1_u32..12, 0_u32..30), 1..80),
    ) {
        let windows = [window(40, 20, burst), window(200, 600, None)];
        let (mut object, mut now) = (Object::default(), NOW);
        for (step, cost, want) in steps {
            now += step;
            if let Some((retry, recheck)) = refused(&object.take(&windows, cost, want, now)) {
                prop_assert!(0 < recheck && recheck <= retry);
                let at = |ms| answer(&object.0, &ask(&windows, cost, 0, vec![]), now + ms).1;
                let granted = |answer| matches!(answer, Answer::Taken(Verdict::Granted { .. }));
                prop_assert!(granted(at(retry)) && !granted(at(retry - 1)));
            }
        }
    }
}
