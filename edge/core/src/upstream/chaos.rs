//! All of it together, against origins that fail: a simulation of one isolate, by events, repeatable by its
//! seed.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use proptest::prelude::*;

use super::outcome::Outcome;
use super::pick::Origin;
use super::pool::{POLICY, Pool, Request, Run, Try};
use super::retry::{self, Next, Reason};
use crate::plan::Priority;

const RETRY: retry::Policy =
    retry::Policy { most_tries: 3, try_ms: 2_000, total_ms: 10_000, wait_ms: 50, longest_wait_ms: 400 };
const METHODS: [Method; 4] = [Method::GET, Method::GET, Method::PUT, Method::POST];
const CLASSES: [Priority; 4] =
    [Priority::Background, Priority::Anonymous, Priority::Interactive, Priority::Vital];

fn origins() -> Vec<Origin> {
    ["blue", "green"].map(|name| Origin { name, weight: 1, address: String::new() }).to_vec()
}

/// Knuth's linear congruential generator (MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What an origin does during its bad times.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// It is shut: whatever is under way breaks, then connections are refused, then, until the end, a
    /// balancer answers 502 and 503 in bursts between good answers.
    Restart { refusing_ms: u64 },
    /// Connections are refused.
    Down,
    /// It takes connections and says nothing.
    Frozen,
}

#[derive(Debug, Clone)]
struct World {
    seed: u64,
    per_second: u64,
    /// From when to when (ms), for each origin.
    trouble: [Option<(u64, u64, Trouble)>; 2],
    ends_ms: u64,
}

#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    idempotent: u64,
    idempotent_failed: u64,
    other_failed: u64,
    shed: u64,
    /// By second.
    by_second: BTreeMap<u64, (u64, u64)>,
    given_up: BTreeMap<String, u64>,
    tries: [u64; 2],
    /// Tries at the first origin that failed.
    wasted: u64,
    /// From a request's arrival to its answer (ms).
    slowest_ms: u64,
}

struct Flight<'a> {
    run: Run<'a>,
    started_ms: u64,
    idempotent: bool,
}

enum Event<'a> {
    Arrives(u64),
    Comes(Flight<'a>, Try, Outcome),
    Retries(Flight<'a>, usize),
}

struct Sim<'a> {
    world: World,
    pool: Pool,
    random: Random,
    events: BTreeMap<(u64, u64), Event<'a>>,
    numbers: u64,
    users: &'a [String],
    seen: Seen,
}

impl<'a> Sim<'a> {
    fn run(world: World, users: &'a [String]) -> Seen {
        let mut sim = Self {
            random: Random(world.seed),
            world,
            pool: Pool::new(&POLICY, origins()),
            events: BTreeMap::new(),
            numbers: 0,
            users,
            seen: Seen::default(),
        };
        sim.at(0, Event::Arrives(0));
        while let Some(((now, _), event)) = sim.events.pop_first() {
            sim.step(now, event);
        }
        sim.seen
    }

    fn at(&mut self, when: u64, event: Event<'a>) {
        self.numbers += 1;
        self.events.insert((when, self.numbers), event);
    }

    fn random_u16(&mut self) -> u16 {
        u16::try_from(self.random.below(65_536)).unwrap()
    }

    fn step(&mut self, now: u64, event: Event<'a>) {
        match event {
            Event::Arrives(number) => self.arrives(now, number),
            Event::Comes(flight, this, outcome) => self.comes(now, flight, this, outcome),
            Event::Retries(mut flight, upstream) => {
                self.seen.by_second.entry(now / 1_000).or_default().1 += 1;
                let this = self.pool.again(&mut flight.run, upstream, now);
                self.send(now, flight, this);
            }
        }
    }

    fn arrives(&mut self, now: u64, number: u64) {
        // Evenly spread around the rate.
        let gap_us = self.random.below(2_000_000 / self.world.per_second + 1);
        let next = now + (gap_us + 500) / 1_000;
        if next < self.world.ends_ms {
            self.at(next, Event::Arrives(number + 1));
        }
        let method = &METHODS[usize::try_from(number % 4).unwrap()];
        let class = CLASSES[usize::try_from(self.random.below(4)).unwrap()];
        let user = usize::try_from(self.random.below(self.users.len() as u64)).unwrap();
        let request = Request { method, replayable: true, timed: true, class, sticky: &self.users[user] };
        let mut flight = Flight {
            run: Run::new(request, RETRY, now),
            started_ms: now,
            idempotent: *method != Method::POST,
        };
        self.seen.requests += 1;
        self.seen.idempotent += u64::from(flight.idempotent);
        match self.pool.first(&mut flight.run, now) {
            Some(this) => {
                self.seen.by_second.entry(now / 1_000).or_default().0 += 1;
                self.send(now, flight, this);
            }
            None => self.seen.shed += 1,
        }
    }

    fn send(&mut self, now: u64, flight: Flight<'a>, this: Try) {
        let (after, outcome) = self.answer(now, this.upstream);
        let within = u64::from(this.within_ms);
        let (after, outcome) = if after < within { (after, outcome) } else { (within, Outcome::TimedOut) };
        self.seen.tries[this.upstream] += 1;
        self.seen.wasted += u64::from(this.upstream == 0 && !outcome.is_good());
        self.at(now + after, Event::Comes(flight, this, outcome));
    }

    /// After how long an origin answers what is sent now, and what.
    fn answer(&mut self, now: u64, upstream: usize) -> (u64, Outcome) {
        let usual = 20 + self.random.below(100);
        let Some((from, to, trouble)) = self.world.trouble[upstream] else {
            return (usual, Outcome::Answered);
        };
        match trouble {
            // A connection that is open when the trouble begins breaks; what freezes stays open.
            _ if now < from && now + usual < from => (usual, Outcome::Answered),
            Trouble::Restart { .. } | Trouble::Down if now < from => (from - now, Outcome::Failed),
            _ if now >= to => (usual, Outcome::Answered),
            Trouble::Frozen => (u64::MAX / 2, Outcome::TimedOut),
            Trouble::Down => (1 + self.random.below(3), Outcome::Failed),
            Trouble::Restart { refusing_ms } if now < from + refusing_ms => {
                (1 + self.random.below(3), Outcome::Failed)
            }
            Trouble::Restart { .. } => self.burst(now, usual),
        }
    }

    /// Bursts of a tenth of a second to half a second.
    fn burst(&mut self, now: u64, usual: u64) -> (u64, Outcome) {
        let retry_after_ms =
            [None, Some(1_000), Some(30_000)][usize::try_from(self.random.below(3)).unwrap()];
        match (now / 100 + self.world.seed % 7) % 7 {
            0..=2 => (5, Outcome::Unavailable { status: StatusCode::BAD_GATEWAY, retry_after_ms: None }),
            3 | 4 => (5, Outcome::Unavailable { status: StatusCode::SERVICE_UNAVAILABLE, retry_after_ms }),
            _ => (usual, Outcome::Answered),
        }
    }

    fn comes(&mut self, now: u64, flight: Flight<'a>, this: Try, outcome: Outcome) {
        let random = self.random_u16();
        match self.pool.next(&flight.run, this, outcome, now, random) {
            Next::Answer => {
                self.seen.slowest_ms = self.seen.slowest_ms.max(now - flight.started_ms);
            }
            Next::GiveUp(reason) => self.failed(&flight, reason),
            Next::Retry { wait_ms, upstream } => {
                self.at(now + u64::from(wait_ms), Event::Retries(flight, upstream));
            }
        }
    }

    fn failed(&mut self, flight: &Flight<'_>, reason: Reason) {
        self.seen.idempotent_failed += u64::from(flight.idempotent);
        self.seen.other_failed += u64::from(!flight.idempotent);
        *self.seen.given_up.entry(format!("{reason:?}")).or_default() += 1;
    }
}

fn simulate(world: World) -> Seen {
    let users: Vec<_> = (0..1_000).map(|user| format!("user/{user}")).collect();
    Sim::run(world, &users)
}

impl Seen {
    fn retries(&self) -> u64 {
        self.by_second.values().map(|(_, retries)| retries).sum()
    }

    /// The budget's bound, from the first second to the last. A retry is taken before its wait, at most 0.4
    /// s.
    fn budget(&self) -> u64 {
        let seconds = self.by_second.keys().last().unwrap() + 1;
        let requests: u64 = self.by_second.values().map(|(requests, _)| requests).sum();
        seconds.div_ceil(10) * 10 * u64::from(POLICY.budget.floor_per_second)
            + requests * u64::from(POLICY.budget.percent) / 100
    }
}

const RESTART: (u64, u64) = (20_000, 30_000);

fn restart(seed: u64, per_second: u64, refusing_ms: u64) -> World {
    let trouble = [Some((RESTART.0, RESTART.1, Trouble::Restart { refusing_ms })), None];
    World { seed, per_second, trouble, ends_ms: 60_000 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_idempotent_request_fails_while_one_of_two_origins_restarts(
        seed: u64, per_second in 1_u64..200, refusing_ms in 0_u64..10_000
    ) {
        let seen = simulate(restart(seed, per_second, refusing_ms));
        prop_assert_eq!((seen.idempotent_failed, seen.shed), (0, 0), "{:?}", seen);
        prop_assert!(seen.retries() <= seen.budget());
        prop_assert!(seen.tries[0] > seen.requests / 5, "it is asked again: {:?}", seen);
    }

    #[test]
    fn no_idempotent_request_fails_while_one_of_two_origins_is_frozen(seed: u64, per_second in 1_u64..200) {
        let trouble = [Some((RESTART.0, RESTART.1, Trouble::Frozen)), None];
        let seen = simulate(World { seed, per_second, trouble, ends_ms: 60_000 });
        prop_assert_eq!((seen.idempotent_failed, seen.shed), (0, 0), "{:?}", seen);
        prop_assert!(seen.retries() <= seen.budget());
        prop_assert!(seen.tries[0] > seen.requests / 5, "it is asked again: {:?}", seen);
    }

    #[test]
    fn while_all_origins_are_down_tries_stay_within_the_budget(
        seed: u64, per_second in 1_u64..200, frozen: [bool; 2]
    ) {
        let trouble = frozen.map(|frozen| {
            Some((10_000, 70_000, if frozen { Trouble::Frozen } else { Trouble::Down }))
        });
        let seen = simulate(World { seed, per_second, trouble, ends_ms: 70_000 });
        prop_assert!(seen.idempotent_failed > 0);
        prop_assert!(seen.retries() <= seen.budget(), "{} > {}", seen.retries(), seen.budget());
        prop_assert_eq!(seen.tries.iter().sum::<u64>(), seen.requests - seen.shed + seen.retries());
    }

    #[test]
    fn all_is_well_again_within_a_rest_after_all_origins_were_down(seed: u64, per_second in 10_u64..200) {
        let trouble = [Some((10_000, 30_000, Trouble::Down)); 2];
        let before = simulate(World { seed, per_second, trouble, ends_ms: 30_000 });
        let after = simulate(World { seed, per_second, trouble, ends_ms: 60_000 });
        // Half a second for what was sent just before the end.
        let failed = after.idempotent_failed.saturating_sub(before.idempotent_failed);
        prop_assert!(failed <= per_second / 2, "{failed}");
    }
}

#[test]
fn figures_of_a_restart() {
    for per_second in [1, 10, 50, 200, 400] {
        let seen = simulate(restart(1, per_second, 6_000));
        println!(
            "{per_second}/s: {} requests, {} retries of {}, {} tries wasted, failed {} of {} idempotent, {} others, \
             slowest {} ms, {:?}",
            seen.requests,
            seen.retries(),
            seen.budget(),
            seen.wasted,
            seen.idempotent_failed,
            seen.idempotent,
            seen.other_failed,
            seen.slowest_ms,
            seen.given_up,
        );
        assert_eq!(seen.idempotent_failed, 0);
    }
}
