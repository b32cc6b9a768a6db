//! What leases save: calls of the Durable Object per request, at steady load.

use super::ledger::{Answer, Ask, State, answer};
use super::wallet::{Outcome, Policy, Spend, Wallet};
use super::window::Window;

/// One key's object and the isolates that ask it.
struct Fleet {
    policy: Policy,
    state: State,
    wallets: Vec<Wallet>,
    calls: u32,
    refused: u32,
}

impl Fleet {
    fn new(isolates: usize, windows: &[(u32, u32, Option<u32>)]) -> Self {
        let window = |&(quota, seconds, burst)| Window { quota, seconds, burst };
        let policy = Policy { windows: windows.iter().map(window).collect(), strict: false };
        let wallets = (0..isolates).map(|_| Wallet::new(100)).collect();
        Self { policy, state: State::default(), wallets, calls: 0, refused: 0 }
    }

    fn ask(&mut self, ask: &Ask, now: u64) -> Answer {
        self.calls += 1;
        let (state, said) = answer(&self.state, ask, now);
        self.state = state;
        said
    }

    fn request(&mut self, isolate: usize, now: u64) {
        let outcome = match self.wallets[isolate].spend("k", &self.policy, 1, now) {
            Spend::Known(outcome) => outcome,
            Spend::Ask(ask, asked) => {
                let Answer::Taken(verdict) = self.ask(&ask, now) else { panic!("{ask:?}") };
                self.wallets[isolate].learn("k", asked, &verdict, now)
            }
        };
        self.refused += u32::from(matches!(outcome, Outcome::Refused { .. }));
    }

    fn farewells(&mut self, now: u64) {
        for at in 0..self.wallets.len() {
            for (_, ask) in self.wallets[at].farewells(now) {
                self.ask(&ask, now);
            }
        }
    }

    /// One request each `every_ms` for ten minutes, at isolates in no order; farewells each second.
    fn run(mut self, every_ms: u64) -> (f64, f64) {
        let (mut random, mut requests, start) = (1_u64, 0, 1_700_000_000_000);
        for ms in (0..600_000).step_by(50) {
            if ms % every_ms == 0 {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                requests += 1;
                let isolate = usize::try_from(random >> 33).unwrap() % self.wallets.len();
                self.request(isolate, start + ms);
            }
            if ms % 1_000 == 0 {
                self.farewells(start + ms);
            }
        }
        (f64::from(self.calls) / f64::from(requests), f64::from(self.refused) / f64::from(requests))
    }
}

#[test]
fn steady_load_asks_for_less_than_one_request_in_twenty() {
    let (asks, refused) = Fleet::new(3, &[(600, 60, None)]).run(200);
    println!("5/s, 600 per 60 s, 3 isolates: {asks:.4} calls per request");
    assert!(asks < 0.05 && refused == 0.0, "{asks} {refused}");
}

#[test]
fn several_windows_and_bursts_cost_no_more_than_that_or_little() {
    // What the short window cuts off goes back for the long one: a few more calls each minute.
    for (most, windows) in [
        (0.03, &[(10_000, 3_600, None), (100_000, 86_400, None)][..]),
        (0.06, &[(600, 60, None), (10_000, 3_600, None)][..]),
        (0.03, &[(600, 60, Some(600))][..]),
    ] {
        let (asks, refused) = Fleet::new(3, windows).run(200);
        println!("5/s, {windows:?}, 3 isolates: {asks:.4} calls per request");
        assert!(asks < most && refused == 0.0, "{asks} {refused}");
    }
}

#[test]
fn an_attacker_costs_each_isolate_a_call_in_five_seconds_however_fast() {
    let (asks, refused) = Fleet::new(3, &[(100, 3_600, None)]).run(50);
    println!("20/s, 100 per hour, 3 isolates: {asks:.4} calls per request, {refused:.4} refused");
    assert!(asks < 0.035 && refused > 0.99, "{asks} {refused}");
}

#[test]
fn a_rare_request_costs_one_call() {
    let (asks, _) = Fleet::new(1, &[(100, 3_600, None)]).run(50_000);
    println!("1 in 50 s, 100 per hour, 1 isolate: {asks:.4} calls per request");
    assert!(asks <= 1.0, "{asks}");
}
