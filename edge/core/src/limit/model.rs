//! Any interleaving of isolates, late charges, lost and late and doubled messages, crashes, evictions and clocks that
//! step, judged by a naive count of what ran.

use proptest::prelude::*;

use super::ledger::{Answer, Ask, LIFE_MS, SLACK_MS, State, Take, Verdict, answer};
use super::wallet::{Asked, Outcome, Policy, Spend, Wallet};
use super::window::Window;
use judge::Judge;
use op::{Op, op, windows};

mod judge;
mod op;

const EPOCH_MS: u64 = 1_700_000_000_000;
const KEY: &str = "runs/user/u";

struct Isolate {
    wallet: Wallet,
    /// Its clock is ahead of the time by so much; steps back are kept with their time.
    ahead: u64,
    back: Vec<(u64, u64)>,
    /// Mail to an isolate that crashed goes nowhere.
    life: u32,
}

enum Mail {
    Ask { isolate: usize, life: u32, ask: Ask, asked: Option<Asked> },
    Answer { isolate: usize, life: u32, asked: Asked, verdict: Verdict },
}

struct World {
    now: u64,
    /// The object's clock is behind by so much.
    behind: u64,
    /// The object's time as it passes: none while its clock goes back. Read when its state last changed.
    elapsed: (u64, u64),
    state: State,
    isolates: Vec<Isolate>,
    mail: Vec<Mail>,
    judge: Judge,
}

fn remaining(answer: &Answer) -> Vec<u32> {
    let Answer::Standing { windows, .. } = answer else { panic!("{answer:?}") };
    windows.iter().map(|window| window.remaining).collect()
}

fn isolate(life: u32) -> Isolate {
    Isolate { wallet: Wallet::new(8), ahead: u64::from(life) * 7_000, back: vec![], life }
}

impl World {
    fn new(windows: &[Window]) -> Self {
        let judge = Judge::new(windows);
        let isolates = (0..3).map(isolate).collect();
        let (state, mail) = (State::default(), vec![]);
        Self { now: EPOCH_MS, behind: 0, elapsed: (EPOCH_MS, 0), state, isolates, mail, judge }
    }

    fn clock(&self, isolate: usize) -> u64 {
        let back: u64 = self.isolates[isolate].back.iter().map(|(_, ms)| ms).sum();
        self.now + self.isolates[isolate].ahead - back
    }

    fn policy(&self, strict: bool) -> Policy {
        Policy { windows: self.judge.windows.clone(), strict }
    }

    fn elapsed(&self) -> u64 {
        self.elapsed.1 + (self.now - self.behind).saturating_sub(self.elapsed.0)
    }

    fn object(&mut self, ask: &Ask) -> Answer {
        let (after, said) = answer(&self.state, ask, self.now - self.behind);
        let (elapsed, charged) = (self.elapsed(), self.charged(ask, &said));
        if after != self.state {
            self.elapsed = (self.now - self.behind, elapsed);
        }
        self.state = after;
        if charged > 0 {
            self.judge.granted(elapsed);
            self.judge.ran(self.now, charged);
        }
        said
    }

    /// What the object charges at once by what it said. Of a late charge that must be what there was room for.
    fn charged(&self, ask: &Ask, said: &Answer) -> u32 {
        match (ask, said) {
            (Ask::Take(Take { cost, .. }), Answer::Taken(Verdict::Granted { .. })) => *cost,
            (Ask::Charge { windows, permits, returned }, said) => {
                let now = self.now - self.behind;
                let returned = answer(&self.state, &Ask::Return(returned.clone()), now).0;
                let before = remaining(&answer(&returned, &Ask::Look(windows.clone()), now).1);
                let charged = *before.iter().min().unwrap().min(permits);
                assert_eq!(remaining(said), before.iter().map(|left| left - charged).collect::<Vec<_>>());
                charged
            }
            _ => 0,
        }
    }

    fn request(&mut self, at: usize, cost: u32, strict: bool) -> bool {
        let (now, policy) = (self.clock(at), self.policy(strict));
        let life = self.isolates[at].life;
        match self.isolates[at].wallet.spend(KEY, &policy, cost, now) {
            Spend::Known(Outcome::Spent { .. }) => self.judge.ran(self.now, cost),
            Spend::Known(Outcome::Refused { .. }) => {}
            Spend::Ask(ask, asked) => {
                self.mail.push(Mail::Ask { isolate: at, life, ask, asked: Some(asked) });
                return true;
            }
        }
        false
    }

    fn charge(&mut self, at: usize, permits: u32) -> bool {
        let (now, policy) = (self.clock(at), self.policy(false));
        let Isolate { wallet, life, .. } = &mut self.isolates[at];
        let held = wallet.payable(KEY, now);
        let ask = wallet.charge(KEY, &policy, permits, now);
        self.judge.ran(self.now, held.min(permits));
        let Some(ask) = ask else { return false };
        assert!(matches!(ask, Ask::Charge { permits: rest, .. } if rest == permits - held));
        self.mail.push(Mail::Ask { isolate: at, life: *life, ask, asked: None });
        true
    }

    fn charge_at_once(&mut self, isolate: usize, permits: u32) {
        if self.charge(isolate, permits) {
            let mail = self.mail.pop().unwrap();
            self.deliver(mail);
        }
    }

    fn deliver(&mut self, mail: Mail) {
        match mail {
            Mail::Ask { isolate, life, ask, asked } => {
                if let (Answer::Taken(verdict), Some(asked)) = (self.object(&ask), asked) {
                    self.mail.push(Mail::Answer { isolate, life, asked, verdict });
                }
            }
            Mail::Answer { isolate, life, asked, verdict } if self.isolates[isolate].life == life => {
                let now = self.clock(isolate);
                self.isolates[isolate].wallet.learn(KEY, asked, &verdict, now);
            }
            Mail::Answer { .. } => {}
        }
    }

    fn call(&mut self, isolate: usize, cost: u32) {
        if self.request(isolate, cost, false) {
            for _ in 0..2 {
                let mail = self.mail.pop().unwrap();
                self.deliver(mail);
            }
        }
    }

    fn farewells(&mut self, at: usize) {
        let (now, life) = (self.clock(at), self.isolates[at].life);
        for (_, ask) in self.isolates[at].wallet.farewells(now) {
            self.mail.push(Mail::Ask { isolate: at, life, ask, asked: None });
        }
    }

    /// What an isolate's clock may lose unseen, at most the slack in a lease's life.
    fn back_unseen(&mut self, at: usize, ms: u64) {
        let recent = |(then, _): &&(u64, u64)| then + LIFE_MS + SLACK_MS >= self.now;
        let lost: u64 = self.isolates[at].back.iter().filter(recent).map(|(_, ms)| ms).sum();
        if lost + ms <= SLACK_MS {
            self.isolates[at].back.push((self.now, ms));
        }
    }

    fn back_seen(&mut self, at: usize, ms: u64) {
        self.farewells(at);
        self.isolates[at].back.push((0, ms));
        self.farewells(at);
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Wait(ms) => self.now += ms,
            Op::Request { isolate, cost, strict } => drop(self.request(isolate, cost, strict)),
            Op::Call { isolate, cost, times } => (0..times).for_each(|_| self.call(isolate, cost)),
            Op::Charge { isolate, permits } => drop(self.charge(isolate, permits)),
            Op::Deliver { .. } | Op::Lose { .. } if self.mail.is_empty() => {}
            Op::Deliver { at, doubled } => {
                let mail = self.mail.remove(at % self.mail.len());
                if let (true, Mail::Ask { ask, .. }) = (doubled, &mail) {
                    self.object(ask);
                }
                self.deliver(mail);
            }
            Op::Lose { at } => drop(self.mail.remove(at % self.mail.len())),
            Op::Farewells { isolate } => self.farewells(isolate),
            Op::Crash { isolate: at } => self.isolates[at] = isolate(self.isolates[at].life + 3),
            Op::Forward { isolate, ms } => self.isolates[isolate].ahead += ms,
            Op::BackUnseen { isolate, ms } => self.back_unseen(isolate, ms),
            Op::BackSeen { isolate, ms } => self.back_seen(isolate, ms),
            Op::ObjectBack { ms } => self.behind += ms,
            Op::Evict => {
                let stored = serde_json::to_string(&self.state).unwrap();
                self.state = serde_json::from_str(&stored).unwrap();
            }
            Op::Reset => {
                self.object(&Ask::Reset);
                self.judge.reset();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_500, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_runs_more_than_a_window_allows(windows in windows(), ops in prop::collection::vec(op(), 1..100)) {
        let mut world = World::new(&windows);
        for op in &ops {
            world.step(op);
        }
        world.judge.judge_bursts();
    }
}

#[test]
fn an_isolate_whose_clock_loses_the_slack_unseen_spends_nothing_in_the_next_window() {
    let mut world = World::new(&[Window { quota: 60, seconds: 10, burst: None }]);
    (0..6).for_each(|_| world.call(0, 1));
    world.step(&Op::BackUnseen { isolate: 0, ms: SLACK_MS });
    world.step(&Op::Wait(10_000));
    (0..60).for_each(|_| world.call(1, 1));
    assert_eq!(world.judge.left(0, world.elapsed()), 0);
    (0..6).for_each(|_| world.call(0, 1));
}

/// Isolates that return in time and lose nothing: how long until so many calls of so much, and a late charge or none.
fn orderly() -> impl Strategy<Value = Vec<(u64, usize, u32, usize, u32)>> {
    let wait = prop_oneof![8 => 0_u64..300, 1 => 5_000_u64..15_000];
    let late = prop_oneof![2 => Just(0_u32), 1 => 1_u32..30];
    prop::collection::vec((wait, 0_usize..3, 1_u32..4, 1_usize..20, late), 1..40)
}

fn tick(world: &mut World, ms: u64) {
    let until = world.now + ms;
    while world.now < until {
        world.now = until.min(world.now + 250);
        (0..3).for_each(|at| world.farewells(at));
        for mail in std::mem::take(&mut world.mail) {
            world.deliver(mail);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn with_every_lease_returned_exactly_the_quota_runs(
        windows in windows().prop_filter("fixed", |all| all.iter().all(|window| window.burst.is_none())),
        orderly in orderly(),
    ) {
        let mut world = World::new(&windows);
        for (wait, isolate, cost, times, late) in orderly {
            tick(&mut world, wait);
            (0..times).for_each(|_| world.call(isolate, cost));
            world.charge_at_once(isolate, late);
        }
        tick(&mut world, 21_000);
        let left = (0..windows.len()).map(|at| world.judge.left(at, world.elapsed())).collect::<Vec<_>>();
        let standing = remaining(&world.object(&Ask::Look(windows.clone())));
        prop_assert_eq!(standing.into_iter().map(u64::from).collect::<Vec<_>>(), left.clone());
        let take = Ask::Take(Take { windows, cost: 1, want: 1, returned: vec![] });
        let passes = |_: &u64| matches!(world.object(&take), Answer::Taken(Verdict::Granted { .. }));
        prop_assert_eq!(Some((0..1_000).take_while(passes).count() as u64), left.into_iter().min());
    }
}
