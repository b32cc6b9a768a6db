use super::*;
use crate::limit::ledger::Lease;

const NOW: u64 = 1_700_000_000_000;

fn policy() -> Policy {
    Policy { windows: vec![Window { quota: 100, seconds: 3_600, burst: None }], strict: false }
}

fn standing(remaining: u32) -> Vec<Standing> {
    vec![Standing { quota: 100, seconds: 3_600, remaining, reset_in_ms: 9_000 }]
}

fn granted(name: u64, permits: u32) -> Verdict {
    let lease = (permits > 0).then_some(Lease { name, permits, life_ms: 60_000, outlived: true });
    Verdict::Granted { lease, windows: standing(50) }
}

fn refusal() -> Verdict {
    Verdict::Refused { retry_in_ms: 9_000, recheck_in_ms: 5_000, windows: standing(2) }
}

fn asks(wallet: &mut Wallet, key: &str, cost: u32, now: u64) -> (Take, Asked) {
    match wallet.spend(key, &policy(), cost, now) {
        Spend::Ask(Ask::Take(take), asked) => (take, asked),
        other => panic!("{other:?}"),
    }
}

fn learns(wallet: &mut Wallet, key: &str, verdict: &Verdict, now: u64) {
    let (_, asked) = asks(wallet, key, 1, now);
    wallet.learn(key, asked, verdict, now);
}

fn knows(wallet: &mut Wallet, key: &str, cost: u32, now: u64) -> Option<Outcome> {
    match wallet.spend(key, &policy(), cost, now) {
        Spend::Known(outcome) => Some(outcome),
        Spend::Ask(..) => None,
    }
}

fn returns(wallet: &mut Wallet, now: u64) -> Vec<(String, Ask)> {
    wallet.farewells(now)
}

#[test]
fn permits_are_spent_without_asking_and_the_standing_counts_them() {
    let mut wallet = Wallet::new(10);
    let (_, asked) = asks(&mut wallet, "k", 1, NOW);
    assert_eq!(wallet.learn("k", asked, &granted(1, 3), NOW + 100), Outcome::Spent { windows: standing(53) });
    let mut after = standing(51);
    after[0].reset_in_ms = 8_000;
    assert_eq!(knows(&mut wallet, "k", 2, NOW + 1_100), Some(Outcome::Spent { windows: after }));
    let (take, _) = asks(&mut wallet, "k", 2, NOW + 1_200);
    assert_eq!(take.returned, [Returned { name: 1, spent: 2 }], "one is left, two are needed");
}

#[test]
fn a_lease_lives_from_before_it_was_asked_for() {
    let mut wallet = Wallet::new(10);
    let (_, asked) = asks(&mut wallet, "k", 1, NOW);
    wallet.learn("k", asked, &granted(1, 9), NOW + 30_000);
    assert!(knows(&mut wallet, "k", 1, NOW + 57_999).is_some());
    assert_eq!(asks(&mut wallet, "k", 1, NOW + 58_000).0.returned, [Returned { name: 1, spent: 1 }]);
}

#[test]
fn a_lease_that_no_window_outlives_is_spent_to_its_end_and_kept() {
    let mut wallet = Wallet::new(10);
    let lease = Lease { name: 1, permits: 9, life_ms: 9_500, outlived: false };
    learns(&mut wallet, "k", &Verdict::Granted { lease: Some(lease), windows: standing(9) }, NOW);
    assert!(knows(&mut wallet, "k", 1, NOW + 9_499).is_some());
    assert!(returns(&mut wallet, NOW + 9_499).is_empty());
    assert!(knows(&mut wallet, "k", 1, NOW + 9_500).is_none());
}

#[test]
fn farewells_are_said_before_the_end_or_to_idle_keys_and_once() {
    let farewell = |spent| vec![("k".to_owned(), Ask::Return(vec![Returned { name: 1, spent }]))];
    let mut idle = Wallet::new(10);
    learns(&mut idle, "k", &granted(1, 9), NOW);
    assert_eq!(returns(&mut idle, NOW + 19_999), []);
    assert_eq!(returns(&mut idle, NOW + 20_000), farewell(0));
    assert_eq!(returns(&mut idle, NOW + 20_000), []);

    let mut busy = Wallet::new(10);
    learns(&mut busy, "k", &granted(1, 9), NOW);
    for s in [15, 30, 45, 57] {
        assert!(knows(&mut busy, "k", 1, NOW + s * 1_000).is_some());
    }
    assert_eq!(returns(&mut busy, NOW + 58_999), []);
    assert_eq!(returns(&mut busy, NOW + 59_000), farewell(4));
}

#[test]
fn what_is_spent_to_the_last_needs_no_farewell() {
    let mut wallet = Wallet::new(10);
    learns(&mut wallet, "k", &granted(1, 1), NOW);
    assert!(knows(&mut wallet, "k", 1, NOW).is_some());
    assert_eq!(returns(&mut wallet, NOW + 59_900), []);
}

#[test]
fn a_refusal_is_remembered_for_its_cost_and_more_and_a_while() {
    let mut wallet = Wallet::new(10);
    let (_, asked) = asks(&mut wallet, "k", 3, NOW);
    wallet.learn("k", asked, &refusal(), NOW);
    let Some(Outcome::Refused { retry_in_ms, .. }) = knows(&mut wallet, "k", 3, NOW + 4_999) else {
        panic!()
    };
    assert_eq!(retry_in_ms, 4_001, "what remains of it, not of the while");
    assert!(knows(&mut wallet, "k", 2, NOW + 4_999).is_none(), "may fit");
    assert!(knows(&mut wallet, "k", 3, NOW + 5_000).is_none(), "an operator may have raised the limit");
}

#[test]
fn strict_asks_every_time_for_exactly_the_cost() {
    let strict = Policy { strict: true, ..policy() };
    let mut wallet = Wallet::new(10);
    for _ in 0..20 {
        let Spend::Ask(Ask::Take(take), asked) = wallet.spend("k", &strict, 2, NOW) else { panic!() };
        assert_eq!((take.cost, take.want), (2, 2));
        wallet.learn("k", asked, &granted(1, 0), NOW);
    }
}

#[test]
fn a_key_gets_as_much_ahead_as_it_used_lately() {
    let mut wallet = Wallet::new(10);
    let wants: Vec<_> = (0..6).map(|s| asks(&mut wallet, "k", 1, NOW + s).0.want).collect();
    assert_eq!(wants, [1, 1, 1, 4, 5, 6]);
    assert_eq!(asks(&mut wallet, "k", 1, NOW + 60_000).0.want, 7, "the minute before counts too");
    assert_eq!(asks(&mut wallet, "k", 1, NOW + 400_000).0.want, 1);
}

#[test]
fn a_clock_that_goes_back_returns_everything_and_lends_nothing_to_answers_under_way() {
    let mut wallet = Wallet::new(10);
    learns(&mut wallet, "k", &granted(1, 9), NOW);
    learns(&mut wallet, "r", &refusal(), NOW);
    let (_, asked) = asks(&mut wallet, "other", 1, NOW);
    assert!(knows(&mut wallet, "k", 1, NOW - 1).is_none());
    assert!(knows(&mut wallet, "r", 1, NOW - 1).is_none(), "it could be remembered for too long");
    wallet.learn("other", asked, &granted(2, 9), NOW + 10);
    assert!(knows(&mut wallet, "other", 1, NOW + 10).is_none());
    let farewell = |key: &str, name| (key.to_owned(), Ask::Return(vec![Returned { name, spent: 0 }]));
    assert_eq!(returns(&mut wallet, NOW + 10), [farewell("k", 1)], "the other went back with the question");
}

#[test]
fn keys_that_are_forgotten_return_their_leases_and_keys_in_use_stay() {
    let mut wallet = Wallet::new(2);
    learns(&mut wallet, "idle", &granted(1, 9), NOW);
    learns(&mut wallet, "busy", &granted(2, 9), NOW);
    for at in 0..3 {
        learns(&mut wallet, &format!("passer-by {at}"), &granted(0, 0), NOW);
        assert!(knows(&mut wallet, "busy", 1, NOW).is_some());
    }
    assert_eq!(
        returns(&mut wallet, NOW),
        [("idle".to_owned(), Ask::Return(vec![Returned { name: 1, spent: 0 }]))]
    );
    assert!(wallet.young.len() + wallet.old.len() <= 4);
}

impl Wallet {
    /// What the wallet can pay for a key without asking.
    pub(in crate::limit) fn payable(&mut self, key: &str, now: u64) -> u32 {
        self.see(now);
        self.purse(key).payable(now)
    }
}

#[test]
fn a_late_charge_is_paid_from_leases_and_the_rest_is_asked_for_as_they_go_back() {
    let mut wallet = Wallet::new(10);
    learns(&mut wallet, "k", &granted(1, 9), NOW);
    assert_eq!(wallet.charge("k", &policy(), 5, NOW), None);
    assert_eq!(wallet.payable("k", NOW), 4);
    let asked =
        Ask::Charge { windows: policy().windows, permits: 3, returned: vec![Returned { name: 1, spent: 9 }] };
    assert_eq!(wallet.charge("k", &policy(), 7, NOW), Some(asked));
    assert_eq!(returns(&mut wallet, NOW + 60_000), []);
}

#[test]
fn a_late_charge_asks_nothing_of_a_key_of_which_nothing_is_left() {
    let none_left = |wallet: &mut Wallet, cost| {
        let (_, asked) = asks(wallet, "k", cost, NOW);
        wallet.learn("k", asked, &refusal(), NOW);
        wallet.charge("k", &policy(), 5, NOW + 4_999).is_none()
    };
    let mut wallet = Wallet::new(10);
    assert!(!none_left(&mut wallet, 3), "two may be");
    assert!(none_left(&mut wallet, 1));
    assert!(wallet.charge("k", &policy(), 5, NOW + 5_000).is_some(), "as a request would ask again");
    assert!(Wallet::new(10).charge("k", &policy(), 0, NOW).is_none());
}

#[test]
fn late_charges_count_as_use_so_that_leases_are_large_enough_for_them() {
    let mut wallet = Wallet::new(10);
    wallet.charge("k", &policy(), 30, NOW);
    assert_eq!(asks(&mut wallet, "k", 1, NOW).0.want, 31);
}

#[test]
fn questions_about_one_key_may_be_under_way_at_once() {
    let mut wallet = Wallet::new(10);
    let (_, one) = asks(&mut wallet, "k", 1, NOW);
    let (_, two) = asks(&mut wallet, "k", 1, NOW);
    wallet.learn("k", two, &granted(2, 2), NOW + 5);
    wallet.learn("k", one, &granted(1, 2), NOW + 6);
    assert!(knows(&mut wallet, "k", 3, NOW + 7).is_some(), "paid from both");
    let (take, _) = asks(&mut wallet, "k", 2, NOW + 8);
    let spent: u32 = take.returned.iter().map(|returned| returned.spent).sum();
    assert_eq!((take.returned.len(), spent), (2, 3));
}
