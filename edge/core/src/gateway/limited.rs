//! The limit step: from what the isolate holds, by its object, or by what the plan says where nobody can be asked.

use std::net::IpAddr;

use super::Pass;
use crate::auth::Caller;
use crate::fault::Fault;
use crate::host::Host;
use crate::limit::ledger::{Answer, Ask, State, Take, Verdict, answer};
use crate::limit::wallet::{Outcome, Spend};
use crate::limit::{self, Taken};
use crate::plan::{Limit, OnError, Route};
use crate::record::Record;

/// Leases that nobody needs are returned by the requests of others, this often (ms).
const FAREWELLS_MS: u64 = 1_000;

impl<H: Host> Pass<'_, H> {
    /// Charges a request to its limit. Where nothing is known of how it stands, no header field is made up.
    pub(super) async fn limit(
        &self,
        route: &'static Route,
        caller: &Caller,
        ip: Option<IpAddr>,
        record: &mut Record,
    ) -> Result<Option<Taken>, Fault> {
        let Some(limit) = &route.limit else { return Ok(None) };
        let key = limit::key(limit, caller, ip);
        record.limit_key = Some(key.clone());
        let outcome = match self.spend(limit, &key, record).await {
            Ok(outcome) => Some(outcome),
            Err(error) => {
                record.degraded.push(format!("limiter: {error}"));
                self.unasked(limit, &key, &error)?
            }
        };
        self.farewells();
        self.taken(limit, outcome, record)
    }

    async fn spend(&self, limit: &Limit, key: &str, record: &mut Record) -> Result<Outcome, String> {
        let (isolate, now) = (self.host.isolate(), self.host.now_ms());
        let spend = isolate.wallet.borrow_mut().spend(key, &limit::policy(limit), 1, now);
        let (ask, asked) = match spend {
            Spend::Known(outcome) => return Ok(outcome),
            Spend::Ask(ask, asked) => (ask, asked),
        };
        if !isolate.limiter.borrow_mut().may_ask(now) {
            return Err("it failed, and rests".to_owned());
        }
        record.limit_asked = true;
        let answer = self.host.limit(key, &ask).await;
        let now = self.host.now_ms();
        match answer {
            Ok(Answer::Taken(verdict)) => {
                isolate.limiter.borrow_mut().succeeded();
                Ok(isolate.wallet.borrow_mut().learn(key, asked, &verdict, now))
            }
            Ok(Answer::Standing { .. }) => Err("it answered another question".to_owned()),
            Err(error) => {
                isolate.limiter.borrow_mut().failed(now);
                Err(error)
            }
        }
    }

    /// What the plan says where nobody can be asked.
    fn unasked(&self, limit: &Limit, key: &str, error: &str) -> Result<Option<Outcome>, Fault> {
        match limit.on_error {
            OnError::Allow => Ok(None),
            OnError::Deny if limit.shadow => Ok(None),
            OnError::Deny => Err(Fault::Unavailable(format!("limiter: {error}"))),
            OnError::Local => Ok(self.refused_here(limit, key)),
        }
    }

    /// By what this isolate alone has counted while nobody can be asked: no more than a refusal follows from that.
    fn refused_here(&self, limit: &Limit, key: &str) -> Option<Outcome> {
        let mut counts = self.host.isolate().local.borrow_mut();
        let before = counts.get(&key.to_owned()).cloned().unwrap_or_else(State::default);
        let windows = limit::policy(limit).windows;
        let take = Take { windows, cost: 1, want: 1, returned: Vec::new() };
        let (after, answered) = answer(&before, &Ask::Take(take), self.host.now_ms());
        counts.insert(key.to_owned(), after);
        match answered {
            Answer::Taken(Verdict::Refused { retry_in_ms, windows, .. }) => {
                Some(Outcome::Refused { retry_in_ms, windows })
            }
            _ => None,
        }
    }

    fn taken(
        &self,
        limit: &Limit,
        outcome: Option<Outcome>,
        record: &mut Record,
    ) -> Result<Option<Taken>, Fault> {
        let now = self.host.now_ms();
        let (says, taken) = match outcome {
            None => ("not asked", None),
            Some(Outcome::Refused { .. }) if limit.shadow => ("would be refused", None),
            Some(Outcome::Spent { .. }) if limit.shadow => ("allowed", None),
            Some(Outcome::Spent { windows }) => {
                ("allowed", Some(Taken { limit: *limit, windows, retry_in_ms: None, now }))
            }
            Some(Outcome::Refused { retry_in_ms, windows }) => {
                let retry_in_ms = Some(retry_in_ms);
                ("refused", Some(Taken { limit: *limit, windows, retry_in_ms, now }))
            }
        };
        record.limit = Some(format!("{}: {says}", limit.name));
        match taken {
            Some(taken) if taken.retry_in_ms.is_some() => Err(Fault::Limited(Box::new(taken))),
            taken => Ok(taken),
        }
    }

    /// Returns leases that nobody needs any more.
    fn farewells(&self) {
        let (isolate, now) = (self.host.isolate(), self.host.now_ms());
        if now.saturating_sub(isolate.parted_ms.get()) < FAREWELLS_MS && now >= isolate.parted_ms.get() {
            return;
        }
        isolate.parted_ms.set(now);
        let farewells = isolate.wallet.borrow_mut().farewells(now);
        if farewells.is_empty() {
            return;
        }
        let host = self.host.clone();
        self.host.background(async move {
            for (key, ask) in farewells {
                // What gets lost is charged in full when its time is over.
                drop(host.limit(&key, &ask).await);
            }
        });
    }
}
