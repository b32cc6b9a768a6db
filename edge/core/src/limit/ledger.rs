//! What the Durable Object of one key decides: whether a request may pass, and how many permits to lend besides.
//!
//! [`answer`] is the whole of it. The object keeps one [`State`]; [`Ask`] and [`Answer`] are all that passes between
//! it and the isolates. Every window must have room before any is charged. A lease is permits that an isolate may
//! spend on its own: they are neither charged nor free but *out*, and count against every window, also one that opens
//! meanwhile. What comes back unspent is free again; what was spent is charged when the isolate says so, and all
//! of a lease is charged when it is over and nobody said (the isolate died, or the answer was lost).
//!
//! # What is guaranteed
//!
//! A request counts when it is let through: at the object's answer if it had to ask, else when its isolate spends a
//! permit on it. Then, by the object's clock:
//!
//! - **Fixed windows**: at most `quota` permits from a window's opening until the next one opens. Charged and out
//!   together never exceed the quota, and every permit of a lease is spent while it is out. A lease is over before
//!   any fixed window closes, so that what is spent is charged to the window in which it was spent, and to no other:
//!   with every lease returned in time, exactly `quota`. For the last [`SLACK_MS`] of a window nothing is lent. (Where
//!   an operator resets a key or a new plan changes its windows, leases from before count against the new ones. While
//!   an operator has raised it, the quota is the raised one; a window may end with more than its quota after that.)
//! - **GCRA windows**: any stretch of `t` seconds sees at most `burst + quota * t / seconds`. What is out does not
//!   drain, and what is returned is charged as if spent only then; the bucket, with what is out, is therefore never
//!   less full than one that counts each request as it passes. While leases are out a caller gets less, never more.
//!
//! A late charge is what the origin says, with its response, that a request cost besides. It counts when it is charged,
//! and to the windows of then: the request has passed already, perhaps in a window that has closed since. It takes what
//! is neither charged nor out, up to its permits, and the rest is forgiven: nobody owes anything. So all of the above
//! holds with late charges, which count as if they were requests of just the size that fits.
//!
//! It rests on: one object per key; the state stored before the answer leaves (the platform's output gate); an
//! isolate that spends from a lease for no longer than its life, counted by its own clock from before it asked, and
//! not at all once that clock was seen to go back; clocks that lose less than [`SLACK_MS`] unseen in that time; an
//! object's clock that does not run ahead of the time. Where it goes back, windows and leases go back with it: time
//! stands still for a moment. Messages may be lost, late or doubled. Isolates are trusted: they say what they spent.
//!
//! Left out: how keys are named, which requests are limited, storage and alarms, and what to do when nobody answers.

use serde::{Deserialize, Serialize};

use super::window::{Counter, Standing, Window};

mod message;

pub use message::{Answer, Ask, By, Lease, Returned, Take, Verdict};

/// How long a lease lives at most, in milliseconds.
pub const LIFE_MS: u64 = 60_000;
/// How much longer than its life a lease counts as out, in milliseconds: what an isolate's clock may lose unseen.
pub const SLACK_MS: u64 = 500;
/// Permits that are lent at once, at most.
const MAX_BATCH: u32 = 1_000;
/// Leases that are out at once, at most; who asks beyond that gets what it needs now.
const MAX_LEASES: usize = 64;
/// Isolates remember a refusal for so long at most (ms), so that an operator's raise is soon felt …
const RECHECK_MS: u64 = 5_000;
/// … and for so long where permits are out that may come back.
const RECHECK_LENT_MS: u64 = 1_000;

/// What the Durable Object keeps of its key. Its JSON is the stored layout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// When it last changed, in Unix milliseconds.
    at_ms: u64,
    /// No lease had this name yet, nor a greater one.
    next: u64,
    /// When the raise in [`Counter::raised`] ends, in Unix milliseconds.
    raised_until_ms: u64,
    /// Windows of the last question, and after them those of earlier ones to which something is charged yet.
    counters: Vec<Counter>,
    /// How many windows the last question had.
    asked: usize,
    /// By their end.
    leases: Vec<Out>,
}

/// A lease that is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Out {
    name: u64,
    permits: u32,
    /// When nobody can be spending it any more, in Unix milliseconds.
    until_ms: u64,
}

/// Answers an [`Ask`] at `now` (Unix milliseconds). A state that comes back equal need not be stored.
#[must_use]
pub fn answer(before: &State, ask: &Ask, now: u64) -> (State, Answer) {
    let mut state = before.as_of(now);
    let answer = match ask {
        Ask::Take(take) => Answer::Taken(state.take(take, now)),
        Ask::Return(returned) => state.take_back(returned, now).look(now),
        Ask::Charge { windows, permits, returned } => {
            state.take_back(returned, now).define(windows, now).charge(*permits, now).look(now)
        }
        Ask::Look(windows) => state.define(windows, now).look(now),
        Ask::Reset => state.reset().look(now),
        Ask::Raise { windows, by, until_ms } => {
            state.define(windows, now).raise(by, *until_ms, now).look(now)
        }
    };
    (state.unless_like(before), answer)
}

impl State {
    /// When the state says nothing any more and can be deleted, if nobody calls: Unix milliseconds.
    #[must_use]
    pub fn over_ms(&self) -> u64 {
        let last = self.leases.last().map_or(self.at_ms, |lease| lease.until_ms.max(self.at_ms));
        let mut settled = self.clone();
        settled.settle(last);
        let resets = settled.counters.iter().map(|counter| last.saturating_add(counter.reset_in(last)));
        resets.max().unwrap_or(last).max(self.raised_until_ms)
    }

    /// The state at `now`: the clock's going back undone, raises and leases that are over ended.
    fn as_of(&self, now: u64) -> Self {
        let mut state = self.clone();
        state.set_back(self.at_ms.saturating_sub(now));
        state.at_ms = now;
        if state.raised_until_ms <= now {
            state.counters.iter_mut().for_each(|counter| counter.raise(0, now));
        }
        state.settle(now);
        state
    }

    fn set_back(&mut self, by_ms: u64) {
        self.counters.iter_mut().for_each(|counter| counter.set_back(by_ms));
        for lease in &mut self.leases {
            lease.until_ms = lease.until_ms.saturating_sub(by_ms);
        }
    }

    /// Charges leases that are over, each in full and at its end.
    fn settle(&mut self, now: u64) {
        let over = self.leases.partition_point(|lease| lease.until_ms <= now);
        for lease in self.leases.drain(..over) {
            self.counters.iter_mut().for_each(|counter| counter.settle(lease.permits, lease.until_ms));
        }
    }

    /// Leases that are not out (any more) are passed over: they are charged already.
    fn take_back(&mut self, returned: &[Returned], now: u64) -> &mut Self {
        for back in returned {
            let Some(at) = self.leases.iter().position(|lease| lease.name == back.name) else { continue };
            let spent = back.spent.min(self.leases.remove(at).permits);
            self.counters.iter_mut().for_each(|counter| counter.settle(spent, now));
        }
        self
    }

    /// Asks about these windows from now on. One of the same kind and length keeps what is charged to it; others are
    /// charged on until they reset, so that callers with different plans by turns do not begin anew at each turn.
    fn define(&mut self, windows: &[Window], now: u64) -> &mut Self {
        let alike = |one: &Window, other: &Window| {
            (one.seconds, one.burst.is_some()) == (other.seconds, other.burst.is_some())
        };
        let known = |window: &Window| self.counters.iter().find(|known| alike(&known.window, window));
        let counter =
            |window| known(window).map_or(Counter::new(*window), |known| known.redefined(*window, now));
        let unasked = |known: &&Counter| {
            known.reset_in(now) > 0 && !windows.iter().any(|window| alike(&known.window, window))
        };
        self.counters =
            windows.iter().map(counter).chain(self.counters.iter().filter(unasked).copied()).collect();
        self.asked = windows.len();
        self
    }

    fn take(&mut self, take: &Take, now: u64) -> Verdict {
        self.take_back(&take.returned, now).define(&take.windows, now);
        let (cost, free) = (take.cost.max(1), self.free(now));
        if free < cost {
            return self.refuse(cost, now);
        }
        self.counters.iter_mut().for_each(|counter| counter.take(cost, now));
        let batch = take.want.min((free / 8).min(MAX_BATCH));
        let lease = self.lend(batch.saturating_sub(cost), now);
        Verdict::Granted { lease, windows: self.standings(now) }
    }

    /// Charges up to so many permits, as many as there is room for.
    fn charge(&mut self, permits: u32, now: u64) -> &mut Self {
        let permits = permits.min(self.free(now));
        if permits > 0 {
            self.counters.iter_mut().for_each(|counter| counter.take(permits, now));
        }
        self
    }

    fn refuse(&self, cost: u32, now: u64) -> Verdict {
        let retry_in_ms = self.fits_in(cost, now).max(1);
        let recheck = if self.leases.is_empty() { RECHECK_MS } else { RECHECK_LENT_MS };
        Verdict::Refused {
            retry_in_ms,
            recheck_in_ms: retry_in_ms.min(recheck),
            windows: self.standings(now),
        }
    }

    /// Lends permits, if any are to be lent and there is time to spend them.
    fn lend(&mut self, permits: u32, now: u64) -> Option<Lease> {
        let life_ms = self.life_ms(now);
        if permits == 0 || life_ms == 0 || self.leases.len() >= MAX_LEASES {
            return None;
        }
        let (name, until_ms) = (self.next.max(now), now.saturating_add(life_ms).saturating_add(SLACK_MS));
        self.next = name.saturating_add(1);
        let at = self.leases.partition_point(|other| other.until_ms <= until_ms);
        self.leases.insert(at, Out { name, permits, until_ms });
        let mut closes_in = self.counters.iter().map(|counter| counter.closes_in(now));
        let outlived = closes_in.any(|ms| ms.is_none_or(|ms| ms > until_ms.saturating_sub(now)));
        Some(Lease { name, permits, life_ms, outlived })
    }

    /// How long a lease lives: until the first fixed window is about to close.
    fn life_ms(&self, now: u64) -> u64 {
        let closes_in = self.counters.iter().filter_map(|counter| counter.closes_in(now)).min();
        closes_in.map_or(LIFE_MS, |ms| ms.saturating_sub(SLACK_MS).min(LIFE_MS))
    }

    /// Milliseconds until this cost fits, if nobody calls; where it never does, the longest window's length.
    fn fits_in(&self, cost: u32, now: u64) -> u64 {
        let wanted = self.out().saturating_add(cost);
        let fits_in = self.asked().map(|counter| counter.fits_in(wanted, now));
        let fits_in = fits_in.reduce(|one, other| Some(one?.max(other?))).flatten();
        let ends_in = self.leases.first().map(|lease| lease.until_ms.saturating_sub(now));
        match (fits_in, ends_in) {
            (Some(fits_in), None) => fits_in,
            (Some(fits_in), Some(ends_in)) if fits_in <= ends_in => fits_in,
            (_, Some(ends_in)) => ends_in.saturating_add(self.fits_after(cost, now.saturating_add(ends_in))),
            (None, None) => self.asked().map(|counter| counter.window.period_ms()).max().unwrap_or_default(),
        }
    }

    /// The same once the first lease is over.
    fn fits_after(&self, cost: u32, end: u64) -> u64 {
        let mut later = self.clone();
        later.settle(end);
        later.fits_in(cost, end)
    }

    fn reset(&mut self) -> &mut Self {
        self.counters.iter_mut().for_each(Counter::clear);
        self
    }

    fn raise(&mut self, by: &By, until_ms: u64, now: u64) -> &mut Self {
        for (at, counter) in self.counters.iter_mut().enumerate() {
            counter.raise(by.quota(at, counter.window), now);
        }
        self.raised_until_ms = until_ms;
        self
    }

    fn look(&mut self, now: u64) -> Answer {
        Answer::Standing { windows: self.standings(now), out: self.out() }
    }

    fn standings(&self, now: u64) -> Vec<Standing> {
        self.asked().map(|counter| counter.standing(self.out(), now)).collect()
    }

    fn free(&self, now: u64) -> u32 {
        let rooms = self.asked().map(|counter| counter.room(now));
        rooms.min().unwrap_or(u32::MAX).saturating_sub(self.out())
    }

    /// The windows that the last question was about.
    fn asked(&self) -> impl Iterator<Item = &Counter> {
        self.counters.iter().take(self.asked)
    }

    /// Permits that are lent.
    fn out(&self) -> u32 {
        self.leases.iter().fold(0, |sum, lease| sum.saturating_add(lease.permits))
    }

    /// Itself, or the state before where only the time has changed.
    fn unless_like(self, before: &Self) -> Self {
        let at_ms = self.at_ms;
        let timeless = Self { at_ms: before.at_ms, ..self };
        if timeless == *before { timeless } else { Self { at_ms, ..timeless } }
    }
}

#[cfg(test)]
mod tests;
