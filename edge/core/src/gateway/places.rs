//! The concurrency step: a place for each request under way, held until it is over.
//!
//! A place is held by a lease that its request renews; when nobody does, because the isolate died, it is free again by
//! itself. An event stream is under way until it ends, any other request until its response head.

use std::cell::Cell;

use super::Pass;
use crate::fault::Fault;
use crate::host::Host;
use crate::limit::asking::Asking;
use crate::limit::places::{Answer, Ask};
use crate::limit::told::Crowded;
use crate::plan::Concurrency;
use crate::record::Record;
use crate::trace;

/// A place that is held, until it is dropped.
pub(super) struct Place<H: Host> {
    host: H,
    lease: Lease,
    renewed_ms: Cell<u64>,
}

struct Lease {
    key: String,
    name: String,
    /// What takes the place, and renews it.
    enter: Ask,
    /// How often to renew it, in milliseconds.
    every_ms: u64,
}

impl<H: Host> Pass<'_, H> {
    /// A place in each of the route's concurrencies. One who finds a later one full leaves the earlier ones.
    pub(super) async fn enter(
        &self,
        asking: &Asking<'_>,
        record: &mut Record,
    ) -> Result<Vec<Place<H>>, Fault> {
        let mut places = Vec::new();
        for concurrency in asking.route.concurrency {
            let lease = lease(concurrency, asking, self.host.random());
            match self.host.places(&lease.key, &lease.enter).await {
                Ok(Answer::Full { retry_in_ms }) => {
                    self.crowded(concurrency, retry_in_ms, record)?;
                    continue;
                }
                Ok(_) => {}
                Err(error) => blind(concurrency, &error, record)?,
            }
            // Also where nobody answered: it may have been let in, or will be when the lease is renewed.
            places.push(Place { host: self.host.clone(), lease, renewed_ms: Cell::new(self.host.now_ms()) });
        }
        Ok(places)
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

fn lease(concurrency: &Concurrency, asking: &Asking<'_>, random: [u8; 24]) -> Lease {
    // The object keeps and writes all names of a key at once: 64 bits tell them apart.
    let name = trace::hex(random.first_chunk::<8>().unwrap_or(&[0; 8]));
    let lease_ms = u64::from(concurrency.lease_seconds).saturating_mul(1_000);
    Lease {
        key: asking.places(concurrency),
        enter: Ask::Enter { name: name.clone(), most: concurrency.most, lease_ms },
        name,
        every_ms: lease_ms / 2,
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

impl<H: Host> Place<H> {
    /// Renews the lease when it is time. Whoever finds the place gone and others in it goes on, and tries again: a
    /// stream that began is not cut for the limiter's trouble.
    pub(super) async fn renew(&self) {
        let (now, lease) = (self.host.now_ms(), &self.lease);
        let due = now.saturating_sub(self.renewed_ms.get()) >= lease.every_ms;
        if due && self.host.places(&lease.key, &lease.enter).await.is_ok() {
            self.renewed_ms.set(now);
        }
    }
}

impl<H: Host> Drop for Place<H> {
    fn drop(&mut self) {
        let (host, key, name) = (self.host.clone(), self.lease.key.clone(), self.lease.name.clone());
        self.host.background(async move {
            // What gets lost is free when the lease is over.
            drop(host.places(&key, &Ask::Leave { name }).await);
        });
    }
}
