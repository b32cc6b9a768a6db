//! The concurrency step: a place for each request under way, held until it is over.
//!
//! A place is held by a lease, which background work renews while the request holds the place: until an event stream
//! ends, any other until its response head. When nobody renews it, because the isolate died, it is free again by itself.
//! That a client has gone is known when the platform notices, for a silent one perhaps only by the next write.

use std::pin::pin;

use futures_channel::oneshot;

use super::Pass;
use crate::fault::Fault;
use crate::host::Host;
use crate::limit::asking::Asking;
use crate::limit::places::{Answer, Ask};
use crate::limit::told::Crowded;
use crate::plan::Concurrency;
use crate::record::Record;
use crate::trace;

/// An isolate remembers for so long (ms) that places are full: who tries again and again costs no round trips.
const FULL_MS: u64 = 1_000;

/// How often to look whether a lease is to be renewed (ms).
const LOOK_MS: u32 = 3_000;

/// A place that is held, until it is dropped.
pub(super) struct Place(#[expect(dead_code, reason = "held for its drop")] oneshot::Sender<()>);

struct Lease {
    key: String,
    name: String,
    /// What takes the place, and renews it.
    enter: Ask,
    /// How old it may be before it is renewed, in milliseconds: there is time for a second try.
    renew_ms: u64,
}

impl<H: Host> Pass<'_, H> {
    /// A place in each of the route's concurrencies. One who finds a later one full leaves the earlier ones.
    pub(super) async fn enter(&self, asking: &Asking<'_>, record: &mut Record) -> Result<Vec<Place>, Fault> {
        let mut places = Vec::new();
        for concurrency in asking.route.concurrency {
            let lease = lease(concurrency, asking, self.host.random());
            match self.entered(&lease, record).await {
                Ok(Answer::Full { retry_in_ms }) => self.crowded(concurrency, retry_in_ms, record)?,
                Ok(_) => places.push(self.hold(lease)),
                Err(error) => {
                    // It may have been let in, or will be when the lease is renewed.
                    places.push(self.hold(lease));
                    blind(concurrency, &error, record)?;
                }
            }
        }
        Ok(places)
    }

    async fn entered(&self, lease: &Lease, record: &mut Record) -> Result<Answer, String> {
        let (isolate, now) = (self.host.isolate(), self.host.now_ms());
        let full_until = isolate.full.borrow().get(&lease.key).copied().unwrap_or_default();
        if now < full_until {
            return Ok(Answer::Full { retry_in_ms: full_until.saturating_sub(now) });
        }
        if !isolate.places.borrow_mut().may_ask(now) {
            return Err("they failed, and rest".to_owned());
        }
        let answer = self.host.places(&lease.key, &lease.enter).await;
        let (sent, now) = (now, self.host.now_ms());
        isolate.places.borrow_mut().told(answer.is_ok(), sent, now, 0);
        record.took("places", sent, now);
        if let Ok(Answer::Full { .. }) = answer {
            isolate.full.borrow_mut().insert(lease.key.clone(), now.saturating_add(FULL_MS));
        }
        answer
    }

    /// Holds a place for as long as what comes back is kept.
    fn hold(&self, lease: Lease) -> Place {
        let (sender, released) = oneshot::channel();
        let host = self.host.clone();
        self.host.background(async move { keep(&host, &lease, released).await });
        Place(sender)
    }

    fn crowded(&self, concurrency: &Concurrency, retry_in_ms: u64, record: &mut Record) -> Result<(), Fault> {
        let says = if concurrency.shadow { "would be refused" } else { "refused" };
        record.concurrency = Some(format!("{}: {says}", concurrency.name));
        let (concurrency, fields) = (*concurrency, self.plan.rate_limit_fields);
        match concurrency.shadow {
            true => Ok(()),
            false => Err(Fault::Crowded(Box::new(Crowded { concurrency, fields, retry_in_ms }))),
        }
    }
}

/// Renews a lease until its place is let go, and leaves then. Whoever finds the place gone and others in it goes on,
/// and tries again: what began is not cut for the limiter's trouble.
async fn keep<H: Host>(host: &H, lease: &Lease, released: oneshot::Receiver<()>) {
    let (mut released, mut renewed) = (pin!(released), host.now_ms());
    while host.within(LOOK_MS, released.as_mut()).await.is_none() {
        let now = host.now_ms();
        // A clock that was set back says nothing of the lease's age.
        let due = now < renewed || now.saturating_sub(renewed) >= lease.renew_ms;
        if due && host.places(&lease.key, &lease.enter).await.is_ok() {
            renewed = now;
        }
    }
    // What gets lost is free when the lease is over.
    drop(host.places(&lease.key, &Ask::Leave { name: lease.name.clone() }).await);
}

fn lease(concurrency: &Concurrency, asking: &Asking<'_>, random: [u8; 24]) -> Lease {
    // The object keeps and writes all names of a key at once: 64 bits tell them apart.
    let name = trace::hex(random.first_chunk::<8>().unwrap_or(&[0; 8]));
    let lease_ms = u64::from(concurrency.lease_seconds).saturating_mul(1_000);
    Lease {
        key: asking.places(concurrency),
        enter: Ask::Enter { name: name.clone(), most: concurrency.most, lease_ms },
        name,
        renew_ms: lease_ms / 3,
    }
}

/// What the plan says where nobody can be asked.
fn blind(concurrency: &Concurrency, error: &str, record: &mut Record) -> Result<(), Fault> {
    let degraded = format!("places of {}: {error}", concurrency.name);
    if concurrency.closed_on_error && !concurrency.shadow {
        return Err(Fault::Unavailable(degraded));
    }
    record.degraded.push(degraded);
    Ok(())
}
