//! Requests for the same thing at the same time: one of them asks the origin, the others wait for what it stores. Those
//! of an isolate see each other ([`crate::cache::flight`]); where the route says so, one isolate of a data centre holds
//! a lease ([`crate::cache::lease`]).
//!
//! Nobody waits longer than a bound, whatever becomes of the one who asks.

use super::super::Pass;
use super::ask::Question;
use crate::cache::lease::Lease;
use crate::host::Host;
use crate::limit::places::{Answer, Ask};
use crate::record::Record;

/// How long a request waits at most for another of its isolate (ms); for one of its data centre half as long, so that
/// who has waited in vain can still get the answer for its own isolate.
const WAIT_MS: u64 = 10_000;
/// How long until it looks again, the first time, and at most (ms): in its isolate, and at the lease.
const LOOK_AGAIN_MS: (u32, u32) = (5, 50);
const ASK_AGAIN_MS: (u32, u32) = (10, 200);
/// Others wait for content for so long after its head is here (ms).
const CONTENT_MS: u64 = 2_000;
/// The object of a lease is not waited for longer (ms): to ask the origin twice is no harm.
const ASK_MS: u32 = 500;

/// The lead: others wait for this request's answer, until it lands or this is dropped.
pub(super) struct Lead<H: Host> {
    host: H,
    key: String,
    /// Where the route collapses the requests of a data centre.
    lease: Option<Lease>,
    /// The lease may be held.
    holds: bool,
}

impl<H: Host> Lead<H> {
    /// Takes the lease of the data centre, if there is one to take: whether another isolate has it. Where nobody answers
    /// it may have been taken all the same.
    pub(super) async fn is_second(&mut self) -> Result<bool, String> {
        let Some(lease) = &self.lease else { return Ok(false) };
        let answer = ask(&self.host, &lease.key, &lease.enter()).await;
        self.holds = !matches!(answer, Ok(Answer::Full { .. }));
        answer.map(|_| !self.holds)
    }

    /// Whether its isolate takes turns with others of the data centre.
    pub(super) fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    /// Whether another isolate holds the lease.
    async fn is_held(&self) -> bool {
        let Some(lease) = &self.lease else { return false };
        matches!(ask(&self.host, &lease.key, &Ask::Look).await, Ok(Answer::Standing { taken: 1.. }))
    }

    /// The head is here. A client that takes its time over the content does not hold the others for long.
    pub(super) fn has_head(&self) {
        let until_ms = self.host.now_ms().saturating_add(CONTENT_MS);
        self.host.isolate().cache.flights.borrow_mut().shorten(&self.key, until_ms);
    }
}

/// Nothing will be stored: neither those who wait for this lead nor the next wait any longer.
pub(super) fn give_up<H: Host>(lead: Option<Lead<H>>) {
    let Some(lead) = lead else { return };
    lead.host.isolate().cache.flights.borrow_mut().give_up(&lead.key, lead.host.now_ms());
}

impl<H: Host> Drop for Lead<H> {
    fn drop(&mut self) {
        self.host.isolate().cache.flights.borrow_mut().land(&self.key);
        let Some(lease) = self.lease.take().filter(|_| self.holds) else { return };
        let host = self.host.clone();
        // What gets lost is free when the lease is over.
        self.host.background(async move { drop(host.places(&lease.key, &lease.leave()).await) });
    }
}

impl<H: Host> Pass<'_, H> {
    /// Makes a request the one that others wait for, unless another of its isolate is, or waiting is of no use.
    pub(super) fn lead(&self, question: &Question) -> Option<Lead<H>> {
        let (now, key, longest) = (self.host.now_ms(), &question.key, longest_wait(question));
        let mut flights = self.host.isolate().cache.flights.borrow_mut();
        let leads = question.is_for_all()
            && flights.is_worth_waiting(key, now)
            && flights.lead(key, now, now.saturating_add(longest));
        let colo = self.colo.as_deref().filter(|_| question.policy.collapses_data_centre);
        let lease = || colo.map(|colo| Lease::new(colo, key, longest / 2, self.host.random()));
        leads.then(|| Lead { host: self.host.clone(), key: key.clone(), lease: lease(), holds: false })
    }

    /// Waits while another request of this isolate gets the answer; whether there was one.
    pub(super) async fn wait(&self, question: &Question) -> bool {
        let flights = &self.host.isolate().cache.flights;
        let is_led = async || flights.borrow().is_led(&question.key, self.host.now_ms());
        self.wait_while(is_led, WAIT_MS, LOOK_AGAIN_MS).await
    }

    /// Takes the lead in the data centre, or waits while another isolate gets the answer; whether what is stored is to be
    /// looked at again.
    pub(super) async fn follow(&self, lead: Option<&mut Lead<H>>, record: &mut Record) -> bool {
        let Some(lead) = lead.filter(|lead| lead.has_lease()) else { return false };
        match lead.is_second().await {
            Ok(true) => {
                let most_ms = lead.lease.as_ref().map_or(0, |lease| lease.ms);
                self.wait_while(async || lead.is_held().await, most_ms, ASK_AGAIN_MS).await;
            }
            // One that had it may have let it go since the storage was looked at.
            Ok(false) => {}
            Err(error) => {
                record.degraded.push(format!("collapsing: {error}"));
                return false;
            }
        }
        self.host.isolate().cache.doubt(&lead.key);
        true
    }

    /// Lets time pass while something is so, for so long at most; whether it was so at first.
    async fn wait_while(
        &self,
        is_so: impl AsyncFn() -> bool,
        most_ms: u64,
        (first_ms, longest_ms): (u32, u32),
    ) -> bool {
        let started = self.host.now_ms();
        let (mut pause, mut waited) = (first_ms, false);
        while self.host.now_ms().saturating_sub(started) < most_ms && is_so().await {
            self.host.pause(pause).await;
            waited = true;
            pause = pause.saturating_mul(2).min(longest_ms);
        }
        waited
    }
}

/// How long others wait for the answer to a question at most (ms).
fn longest_wait(question: &Question) -> u64 {
    WAIT_MS.min(question.route.first_byte_ms.into())
}

/// Asks the object of a lease, unless it keeps failing.
async fn ask<H: Host>(host: &H, key: &str, ask: &Ask) -> Result<Answer, String> {
    let (leases, sent) = (&host.isolate().cache.leases, host.now_ms());
    if !leases.borrow_mut().may_ask(sent) {
        return Err("it failed, and rests".to_owned());
    }
    let answer = host.within(ASK_MS, host.places(key, ask)).await;
    let answer = answer.unwrap_or_else(|| Err("no answer in time".to_owned()));
    leases.borrow_mut().told(answer.is_ok(), sent, host.now_ms(), 0);
    answer
}
