use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_700_000_000_000;
const LEASE_MS: u64 = 10_000;

fn enter(name: &str, most: u32) -> Ask {
    Ask::Enter { name: name.to_owned(), most, lease_ms: LEASE_MS }
}

fn leave(name: &str) -> Ask {
    Ask::Leave { name: name.to_owned() }
}

const fn full(retry_in_ms: u64) -> Answer {
    Answer::Full { retry_in_ms }
}

const fn standing(taken: u32) -> Answer {
    Answer::Standing { taken }
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

    fn would_say(&self, ask: &Ask, now: u64) -> Answer {
        answer(&self.0, ask, now).1
    }
}

#[test]
fn the_stored_layout_stays_as_it_is() {
    let mut object = Object::default();
    object.ask(&enter("b", 2), NOW);
    object.ask(&enter("a", 2), NOW + 1);
    let stored = serde_json::to_string(&object.0).unwrap();
    assert_eq!(stored, r#"{"at_ms":1700000000001,"holders":{"a":1700000010001,"b":1700000010000}}"#);
    assert_eq!(serde_json::from_str::<State>(&stored).unwrap(), object.0);
}

#[test]
fn the_messages_stay_as_they_are() {
    let asks = [enter("a", 2), leave("a"), Ask::Look, Ask::Clear];
    assert_eq!(
        asks.map(|ask| serde_json::to_string(&ask).unwrap()),
        [
            r#"{"enter":{"name":"a","most":2,"lease_ms":10000}}"#,
            r#"{"leave":{"name":"a"}}"#,
            r#""look""#,
            r#""clear""#
        ]
    );
    assert_eq!(
        [Answer::In, full(7), standing(3)].map(|answer| serde_json::to_string(&answer).unwrap()),
        [r#""in""#, r#"{"full":{"retry_in_ms":7}}"#, r#"{"standing":{"taken":3}}"#]
    );
}

#[test]
fn who_leaves_makes_room_at_once() {
    let mut object = Object::default();
    assert_eq!(
        [object.ask(&enter("a", 1), NOW), object.ask(&enter("b", 1), NOW)],
        [Answer::In, full(LEASE_MS)]
    );
    assert_eq!(object.ask(&leave("a"), NOW + 1), standing(0));
    assert_eq!(object.ask(&enter("b", 1), NOW + 1), Answer::In);
    assert_eq!(object.ask(&leave("a"), NOW + 2), standing(1), "left already");
}

#[test]
fn who_is_in_stays_where_a_new_plan_has_fewer_places_and_nobody_new_comes_in() {
    let mut object = Object::default();
    for name in ["a", "b", "c"] {
        object.ask(&enter(name, 3), NOW);
    }
    assert_eq!(object.ask(&enter("c", 1), NOW + 1_000), Answer::In);
    assert_eq!(object.ask(&enter("d", 1), NOW + 1_000), full(9_000));
    assert_eq!(object.ask(&enter("d", 1), NOW + 10_000), full(1_000), "one is in, and one may be");
    assert_eq!(object.ask(&enter("d", 2), NOW + 10_000), Answer::In);
}

#[test]
fn a_retry_is_no_sooner_than_a_millisecond_and_no_later_than_the_lease_that_was_asked_for() {
    let mut object = Object::default();
    assert_eq!(object.ask(&enter("a", 0), NOW), full(LEASE_MS), "nobody may ever be in");
    object.ask(&enter("a", 1), NOW);
    let brief = |lease_ms| Ask::Enter { name: "b".to_owned(), most: 1, lease_ms };
    assert_eq!([object.ask(&brief(3_000), NOW), object.ask(&brief(0), NOW)], [full(3_000), full(1)]);
}

#[test]
fn a_refusal_and_a_look_leave_the_state_as_it_was_and_need_not_be_stored() {
    let mut object = Object::default();
    object.ask(&enter("a", 1), NOW);
    let before = object.0.clone();
    for ask in [enter("b", 1), leave("b"), Ask::Look] {
        object.ask(&ask, NOW + 5_000);
        assert_eq!(object.0, before, "{ask:?}");
    }
}

#[test]
fn a_cleared_key_has_room_and_who_held_a_place_comes_in_again() {
    let mut object = Object::default();
    object.ask(&enter("a", 1), NOW);
    assert_eq!(object.ask(&Ask::Clear, NOW), standing(0));
    assert_eq!(
        [object.ask(&enter("a", 1), NOW), object.ask(&enter("b", 1), NOW)],
        [Answer::In, full(LEASE_MS)]
    );
}

#[test]
fn a_clock_that_goes_back_takes_leases_with_it() {
    let mut object = Object::default();
    object.ask(&enter("a", 2), NOW);
    object.ask(&enter("b", 2), NOW + 4_000);
    let then = NOW - 40_000_000;
    assert_eq!(object.ask(&enter("c", 2), then), full(6_000));
    assert_eq!(object.ask(&enter("c", 2), then + 5_999), full(1), "not 40,000 s later");
    assert_eq!(object.ask(&enter("c", 2), then + 6_000), Answer::In);
}

#[test]
fn a_renewal_holds_for_a_whole_lease_though_the_clock_went_back_to_where_the_last_one_would_end_with_it() {
    let mut object = Object::default();
    object.ask(&enter("a", 2), NOW);
    object.ask(&enter("b", 2), NOW + 5);
    object.ask(&leave("b"), NOW - 5);
    assert_eq!(object.ask(&enter("a", 2), NOW - 10), Answer::In);
    assert_eq!(object.ask(&Ask::Look, NOW - 8), standing(1));
    assert_eq!(object.ask(&Ask::Look, NOW - 10 + LEASE_MS - 1), standing(1));
    assert_eq!(object.ask(&Ask::Look, NOW - 10 + LEASE_MS), standing(0));
}

#[test]
fn a_state_is_over_once_the_last_lease_is() {
    let mut object = Object::default();
    assert_eq!(object.0.over_ms(), 0);
    object.ask(&enter("a", 2), NOW);
    object.ask(&enter("b", 2), NOW + 4_000);
    assert_eq!(object.0.over_ms(), NOW + 14_000);
    assert_eq!(object.would_say(&Ask::Look, object.0.over_ms() - 1), standing(1));
    assert_eq!(object.would_say(&Ask::Look, object.0.over_ms()), standing(0));
}

#[derive(Debug, Clone)]
enum Op {
    Wait(u64),
    Back(u64),
    Forth(u64),
    /// Comes in, or renews; who never does so again has vanished.
    Enter(usize),
    Leave(usize),
    Look,
    Clear,
    Evict,
}

fn op() -> impl Strategy<Value = Op> {
    let name = || 0_usize..7;
    let ms = || prop_oneof![4 => 0_u64..2_000, 1 => 0_u64..15_000];
    prop_oneof![
        10 => ms().prop_map(Op::Wait),
        20 => name().prop_map(Op::Enter),
        3 => name().prop_map(Op::Leave),
        1 => ms().prop_map(Op::Back),
        1 => ms().prop_map(Op::Forth),
        2 => Just(Op::Look),
        1 => Just(Op::Clear),
        2 => Just(Op::Evict),
    ]
}

/// The time, and by how much the object's clock has stepped in all.
#[derive(Debug, Clone, Copy)]
struct Time {
    now: u64,
    back: u64,
    forth: u64,
}

/// Counts holders naively, in a list, by a time of its own. Where the object's clock steps, it only knows bounds for
/// how much time has passed there; without steps they are one.
struct World {
    time: Time,
    object: Object,
    most: u32,
    inside: Vec<(usize, Time)>,
}

impl World {
    fn clock(&self) -> u64 {
        self.time.now + self.time.forth - self.time.back
    }

    /// Whether a lease from then is not over, wherever the object's clock has stood between.
    fn surely(&self, then: Time) -> bool {
        self.time.now - then.now + self.time.forth - then.forth < LEASE_MS
    }

    /// Whether it may be so.
    fn maybe(&self, then: Time) -> bool {
        (self.time.now - then.now).saturating_sub(self.time.back - then.back) < LEASE_MS
    }

    fn count(&self, held: impl Fn(&Self, Time) -> bool) -> u32 {
        self.inside.iter().filter(|(_, then)| held(self, *then)).count().try_into().unwrap()
    }

    fn enter(&mut self, holder: usize) {
        let at = self.inside.iter().position(|(other, _)| *other == holder);
        let then = at.map(|at| self.inside.swap_remove(at).1);
        let ask = enter(&format!("holder {holder}"), self.most);
        match self.object.ask(&ask, self.clock()) {
            Answer::In => {
                let renewed = then.is_some_and(|then| self.maybe(then));
                assert!(renewed || self.count(Self::surely) < self.most, "nobody new where all is taken");
                self.inside.push((holder, self.time));
            }
            Answer::Full { retry_in_ms } => {
                assert!(!then.is_some_and(|then| self.surely(then)), "who renews in time stays");
                assert!(self.count(Self::maybe) >= self.most, "a place is free after its lease");
                self.judge_retry(&ask, retry_in_ms);
            }
            Answer::Standing { .. } => panic!("that is no answer"),
        }
        assert!(self.count(Self::surely) <= self.most);
    }

    fn judge_retry(&self, ask: &Ask, retry_in_ms: u64) {
        assert!((1..=LEASE_MS).contains(&retry_in_ms));
        let at = |ms| self.object.would_say(ask, self.clock() + ms);
        assert_eq!([at(retry_in_ms - 1), at(retry_in_ms)], [full(1), Answer::In]);
    }

    fn look(&mut self) {
        let Answer::Standing { taken } = self.object.ask(&Ask::Look, self.clock()) else { panic!() };
        assert!((self.count(Self::surely)..=self.count(Self::maybe)).contains(&taken));
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Wait(ms) => self.time.now += ms,
            Op::Back(ms) => self.time.back += ms,
            Op::Forth(ms) => self.time.forth += ms,
            Op::Enter(holder) => self.enter(holder),
            Op::Leave(holder) => {
                self.object.ask(&leave(&format!("holder {holder}")), self.clock());
                self.inside.retain(|(other, _)| *other != holder);
            }
            Op::Look => self.look(),
            Op::Clear => {
                self.object.ask(&Ask::Clear, self.clock());
                self.inside.clear();
            }
            Op::Evict => {
                let stored = serde_json::to_string(&self.object.0).unwrap();
                self.object.0 = serde_json::from_str(&stored).unwrap();
            }
        }
    }
}

fn run(most: u32, ops: &[Op]) {
    let (time, object) = (Time { now: NOW, back: 0, forth: 0 }, Object::default());
    let mut world = World { time, object, most, inside: vec![] };
    for op in ops {
        world.step(op);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_500, ..ProptestConfig::default() })]

    #[test]
    fn never_more_are_in_than_may_be_and_a_vanished_holders_place_is_free_after_its_lease(
        most in 1_u32..5, ops in prop::collection::vec(op(), 1..120),
    ) {
        run(most, &ops);
    }

    /// The same, exactly: what surely is and what may be is then one.
    #[test]
    fn with_a_good_clock_exactly_those_are_in_who_renewed_in_time(
        most in 1_u32..5, ops in prop::collection::vec(op(), 1..120),
    ) {
        let good = |op: &Op| !matches!(op, Op::Back(_) | Op::Forth(_));
        run(most, &ops.into_iter().filter(good).collect::<Vec<_>>());
    }
}
