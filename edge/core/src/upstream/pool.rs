//! One service's upstreams, as an isolate knows them, and the way of a request through them.
//!
//! A request takes [`Pool::first`], sends, tells [`Pool::next`] what came of it, and goes on from there: it has its
//! answer, or waits and sends [`Pool::again`]. Every try ends in [`Pool::next`] or [`Pool::ended`], or in [`Pool::left`]
//! when nobody wants its answer any more. One for which none is called, since the platform may drop a request at any
//! await, costs a place until its time is over and a probe for one rest.

use http::Method;

use super::adaptive;
use super::breaker::{self, Breaker, State};
use super::budget::{self, Budget};
use super::health::Health;
use super::outcome::Outcome;
use super::pick::{Origin, Standing, pick};
use super::retry::{self, Next, Tried, Upstream};
use super::shed::{Load, Place};
use crate::plan::Priority;

/// What holds of the upstreams of every service.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// When one is left alone.
    pub breaker: breaker::Policy,
    /// How many requests of an isolate one may have under way.
    pub places: adaptive::Policy,
    /// Retries of a whole service.
    pub budget: budget::Policy,
}

/// The gateway's own. The breaker opens after five failures in a row, as Envoy's outlier detection does, or by half of
/// at least twenty; retries are a fifth of the requests, as Finagle's and Envoy's are, and ten in ten seconds besides. A
/// limit starts at its most: a burst of callers is no sign that an upstream has too much to do, and only what it does
/// about them is. Its least is more than an isolate's usual traffic: an app that answers 503 by itself must not be shut by it.
pub const POLICY: Policy = Policy {
    breaker: breaker::Policy {
        failures: 5,
        percent: 50,
        least: 20,
        rest_ms: 1_000,
        longest_ms: 15_000,
        probes: 3,
    },
    places: adaptive::Policy { start: 1_000, least: 50, most: 1_000 },
    budget: budget::Policy { percent: 20, floor_per_second: 1 },
};

/// A request, as far as upstreams go.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Whether its content, if it has any, can be sent again: not that of a stream.
    pub replayable: bool,
    /// Whether its first byte's time says something of the upstream, and it holds a place until then: not a long poll.
    pub timed: bool,
    /// How much it matters.
    pub class: Priority,
    /// What callers are told apart by: a user, an API key, an address.
    pub sticky: &'a str,
}

/// A request on its way.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    request: Request<'a>,
    policy: retry::Policy,
    started_ms: u64,
    tried: Vec<usize>,
}

impl<'a> Run<'a> {
    /// One that has been nowhere. `now_ms` is Unix time, as everywhere here.
    #[must_use]
    pub fn new(request: Request<'a>, policy: retry::Policy, now_ms: u64) -> Self {
        Self { request, policy, started_ms: now_ms, tried: Vec::new() }
    }

    /// How often it was sent.
    #[must_use]
    pub fn tries(&self) -> u32 {
        u32::try_from(self.tried.len()).unwrap_or(u32::MAX)
    }

    /// Whether another try may follow the next one.
    fn may_go_on(&self) -> bool {
        let Request { method, replayable, .. } = self.request;
        method.is_idempotent() && replayable && self.tries() < self.policy.most_tries
    }
}

/// A try that is under way.
#[derive(Debug)]
#[must_use = "what comes of a try is to be told"]
pub struct Try {
    /// Whom to ask: its place among the origins.
    pub upstream: usize,
    /// How long it may take until the response head (ms).
    pub within_ms: u32,
    sent_ms: u64,
    place: Option<Place>,
}

/// One service's upstreams.
#[derive(Debug, Clone)]
pub struct Pool {
    origins: Vec<Origin>,
    states: Vec<Known>,
    budget: Budget,
}

/// What is known of one upstream.
#[derive(Debug, Clone)]
struct Known {
    breaker: Breaker,
    health: Health,
    load: Load,
}

impl Known {
    /// Probes decide what is half-open; health, what is closed.
    fn standing(&self, class: Priority, now_ms: u64) -> Standing {
        let well = match self.breaker.state(now_ms) {
            State::Closed => self.health.is_good(now_ms),
            State::HalfOpen => true,
            State::Open => false,
        };
        match well && self.load.has_room(class, now_ms) {
            true => Standing::Good,
            false => Standing::Bad(self.health.failures(now_ms)),
        }
    }
}

impl Pool {
    /// One that has seen no request.
    #[must_use]
    pub fn new(policy: &Policy, origins: Vec<Origin>) -> Self {
        let known = Known {
            breaker: Breaker::new(policy.breaker),
            health: Health::default(),
            load: Load::new(policy.places),
        };
        let states = vec![known; origins.len()];
        Self { origins, states, budget: Budget::new(policy.budget) }
    }

    /// The origin at a place.
    #[must_use]
    pub fn origin(&self, at: usize) -> Option<&Origin> {
        self.origins.get(at)
    }

    /// The first try; none where there is no room for it.
    pub fn first(&mut self, run: &mut Run<'_>, now_ms: u64) -> Option<Try> {
        let upstream = self.pick(run, now_ms);
        if !upstream.has_room {
            return None;
        }
        self.budget.request(now_ms);
        Some(self.again(run, upstream.at, now_ms))
    }

    /// A try at an upstream: the one that [`Next::Retry`] names.
    pub fn again(&mut self, run: &mut Run<'_>, upstream: usize, now_ms: u64) -> Try {
        run.tried.push(upstream);
        let another = run.may_go_on() && self.other(run, now_ms).is_some();
        let within_ms = run.policy.within_ms(run.started_ms, another, now_ms);
        let timed = run.request.timed;
        let place = self.states.get_mut(upstream).and_then(|known| {
            known.breaker.asked(now_ms);
            timed.then(|| known.load.enter(now_ms.saturating_add(within_ms.into()), now_ms))
        });
        Try { upstream, within_ms, sent_ms: now_ms, place }
    }

    /// Another try at another upstream while the first one is silent: none where no other is good, or the budget spent.
    pub fn hedge(&mut self, run: &mut Run<'_>, now_ms: u64) -> Option<Try> {
        let other = self.other(run, now_ms).filter(|_| run.may_go_on())?;
        self.budget.take(now_ms).then(|| self.again(run, other, now_ms))
    }

    /// A try came to something: what now?
    pub fn next(&mut self, run: &Run<'_>, done: Try, outcome: Outcome, now_ms: u64, random: u16) -> Next {
        self.ended(run, done, outcome, now_ms, random);
        let tried = Tried {
            method: run.request.method,
            replayable: run.request.replayable,
            started_ms: run.started_ms,
            tries: run.tries(),
            outcome,
            next: self.pick(run, now_ms),
        };
        retry::next(&run.policy, &tried, &mut self.budget, random, now_ms)
    }

    /// A try came to something, and another one is under way.
    pub fn ended(&mut self, run: &Run<'_>, done: Try, outcome: Outcome, now_ms: u64, random: u16) {
        self.learn(run, &done, outcome, now_ms, random);
        self.left(done);
    }

    /// Nobody wants a try's answer any more: it says nothing of the upstream.
    #[expect(clippy::needless_pass_by_value, reason = "a try ends once")]
    pub fn left(&mut self, done: Try) {
        if let (Some(known), Some(place)) = (self.states.get_mut(done.upstream), done.place) {
            known.load.leave(place);
        }
    }

    /// Another upstream than the last one, if one is good.
    fn other(&self, run: &Run<'_>, now_ms: u64) -> Option<usize> {
        let Upstream { at, same, .. } = self.pick(run, now_ms);
        (!same && self.standing(run, at, now_ms) == Standing::Good).then_some(at)
    }

    fn standing(&self, run: &Run<'_>, at: usize, now_ms: u64) -> Standing {
        self.states.get(at).map_or(Standing::Bad(u32::MAX), |known| known.standing(run.request.class, now_ms))
    }

    fn pick(&self, run: &Run<'_>, now_ms: u64) -> Upstream {
        let standing = |at: usize| self.standing(run, at, now_ms);
        let at = pick(&self.origins, run.request.sticky, &run.tried, standing).unwrap_or_default();
        let has_room =
            self.states.get(at).is_some_and(|known| known.load.has_room(run.request.class, now_ms));
        Upstream { at, same: run.tried.last() == Some(&at), has_room }
    }

    /// Content that streams may come slowly, or break off, by its sender's doing: then no answer says nothing
    /// of the upstream, or one client could close it to all.
    fn learn(&mut self, run: &Run<'_>, done: &Try, outcome: Outcome, now_ms: u64, random: u16) {
        let silent = matches!(outcome, Outcome::Failed | Outcome::TimedOut);
        let Some(known) = self.states.get_mut(done.upstream).filter(|_| run.request.replayable || !silent)
        else {
            return;
        };
        known.breaker.told(outcome.is_good(), done.sent_ms, now_ms, random);
        known.health.told(outcome.is_good(), now_ms);
        known.load.told(outcome, run.request.timed, done.sent_ms, now_ms);
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::super::retry::Reason;
    use super::*;

    fn origins(names: &[&'static str]) -> Vec<Origin> {
        names.iter().map(|name| Origin { name, weight: 1, address: String::new() }).collect()
    }

    fn two() -> Pool {
        Pool::new(&POLICY, origins(&["blue", "green"]))
    }

    const POLICY: Policy = Policy {
        breaker: breaker::Policy {
            failures: 5,
            percent: 50,
            least: 20,
            rest_ms: 1_000,
            longest_ms: 8_000,
            probes: 3,
        },
        places: adaptive::Policy { start: 10, least: 10, most: 100 },
        budget: budget::Policy { percent: 20, floor_per_second: 1 },
    };
    const RETRY: retry::Policy =
        retry::Policy { most_tries: 3, try_ms: 2_000, total_ms: 5_000, wait_ms: 50, longest_wait_ms: 400 };
    const GET: Request<'_> = Request {
        method: &Method::GET,
        replayable: true,
        timed: true,
        class: Priority::Interactive,
        sticky: "user/1",
    };

    fn start(pool: &mut Pool, request: Request<'static>, now_ms: u64) -> (Run<'static>, Option<Try>) {
        let mut run = Run::new(request, RETRY, now_ms);
        let first = pool.first(&mut run, now_ms);
        (run, first)
    }

    fn ask(pool: &mut Pool, request: Request<'static>, outcome: Outcome, now_ms: u64) -> (usize, Next) {
        let (run, first) = start(pool, request, now_ms);
        let first = first.unwrap();
        (first.upstream, pool.next(&run, first, outcome, now_ms, 0))
    }

    #[test]
    fn a_failed_try_goes_on_at_the_other_origin() {
        let mut pool = two();
        let (mut run, first) = start(&mut pool, GET, 0);
        let first = first.unwrap();
        let at = first.upstream;
        let Next::Retry { upstream, .. } = pool.next(&run, first, Outcome::Failed, 0, 0) else { panic!() };
        assert_ne!(upstream, at);
        let second = pool.again(&mut run, upstream, 0);
        assert_eq!(pool.next(&run, second, Outcome::Answered, 0, 0), Next::Answer);
        assert_eq!(run.tries(), 2);
    }

    #[test]
    fn a_caller_stays_leaves_what_fails_and_comes_back() {
        let mut pool = two();
        let (home, _) = ask(&mut pool, GET, Outcome::Answered, 0);
        for _ in 0..9 {
            let (at, _) = ask(&mut pool, GET, if home == 0 { Outcome::Failed } else { Outcome::TimedOut }, 0);
            if at != home {
                break;
            }
        }
        assert_ne!(ask(&mut pool, GET, Outcome::Answered, 0).0, home);
        assert_eq!(ask(&mut pool, GET, Outcome::Answered, 20_000).0, home);
    }

    #[test]
    fn no_answer_to_content_that_streams_says_nothing_of_the_upstream() {
        let upload = Request { method: &Method::PUT, replayable: false, ..GET };
        let mut pool = two();
        let (home, _) = ask(&mut pool, GET, Outcome::Answered, 0);
        for _ in 0..50 {
            assert_eq!(ask(&mut pool, upload, Outcome::TimedOut, 0), (home, Next::GiveUp(Reason::Content)));
        }
        let said = Outcome::Unavailable { status: StatusCode::BAD_GATEWAY, retry_after_ms: None };
        for _ in 0..9 {
            ask(&mut pool, upload, said, 0);
        }
        assert_ne!(ask(&mut pool, upload, Outcome::Answered, 0).0, home);
    }

    #[test]
    fn who_finds_no_room_goes_to_the_other_origin_and_is_refused_when_both_are_full() {
        let (mut pool, mut held) = (two(), Vec::new());
        while let Some(one) = start(&mut pool, GET, 0).1 {
            held.push(one);
        }
        let of = |at| held.iter().filter(|one| one.upstream == at).count();
        assert_eq!((of(0), of(1)), (9, 9));
        let hook = Request { class: Priority::Vital, ..GET };
        assert!(start(&mut pool, hook, 0).1.is_some());
        held.drain(..2).for_each(|one| pool.left(one));
        assert!(start(&mut pool, GET, 0).1.is_some());
    }

    #[test]
    fn the_place_of_a_try_that_failed_is_free_for_its_retry() {
        let mut pool = Pool::new(&POLICY, origins(&["blue"]));
        let hook = Request { class: Priority::Vital, ..GET };
        let _held: Vec<_> = (0..9).map(|_| start(&mut pool, hook, 0).1.unwrap()).collect();
        assert_eq!(ask(&mut pool, hook, Outcome::Failed, 0), (0, Next::Retry { wait_ms: 0, upstream: 0 }));
    }

    #[test]
    fn where_all_origins_are_bad_one_is_asked_all_the_same() {
        let mut pool = two();
        for now in 0..200 {
            ask(&mut pool, GET, Outcome::Failed, now);
        }
        assert!(start(&mut pool, GET, 200).1.is_some());
    }

    #[test]
    fn a_try_is_given_up_early_only_where_another_upstream_is_good() {
        let within = |pool: &mut Pool| start(pool, GET, 0).1.unwrap().within_ms;
        assert_eq!(within(&mut two()), 2_000);
        assert_eq!(within(&mut Pool::new(&POLICY, origins(&["blue"]))), 5_000);
        let post = Request { method: &Method::POST, ..GET };
        assert_eq!(start(&mut two(), post, 0).1.unwrap().within_ms, 5_000, "no other can follow");
    }

    #[test]
    fn a_hedge_goes_to_another_good_upstream_within_the_budget() {
        let mut pool = two();
        for hedged in 0..12 {
            let (mut run, first) = start(&mut pool, GET, 0);
            let first = first.unwrap();
            let second = pool.hedge(&mut run, 0);
            // Ten in ten seconds, and a fifth of the requests.
            assert_eq!(second.is_some(), hedged < 12, "{hedged}");
            let second = second.unwrap();
            assert_ne!(second.upstream, first.upstream);
            pool.left(first);
            pool.left(second);
        }
        let (mut run, _first) = start(&mut pool, GET, 0);
        assert!(pool.hedge(&mut run, 0).is_none(), "the budget is spent");
        let mut alone = Pool::new(&POLICY, origins(&["blue"]));
        let (mut run, _first) = start(&mut alone, GET, 0);
        assert!(alone.hedge(&mut run, 0).is_none());
    }

    #[test]
    fn what_may_take_long_by_its_nature_holds_no_place() {
        let mut pool = Pool::new(&POLICY, origins(&["blue"]));
        let poll = Request { timed: false, ..GET };
        let _held: Vec<_> = (0..100).map(|_| start(&mut pool, poll, 0).1.unwrap()).collect();
        assert!(start(&mut pool, GET, 0).1.is_some());
    }
}
