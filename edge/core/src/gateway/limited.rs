//! The limit step: from what the isolate holds, by its object, or by what the plan says where nobody can be asked.

use super::Pass;
use super::places::Place;
use crate::fault::Fault;
use crate::host::Host;
use crate::limit;
use crate::limit::asking::Asking;
use crate::limit::ledger::{Answer, Ask, State, Take, Verdict, answer};
use crate::limit::told::Taken;
use crate::limit::wallet::{Outcome, Policy, Spend};
use crate::plan::{Limit, OnError, Route};
use crate::record::Record;

/// Leases that nobody needs are returned by the requests of others, this often (ms).
const FAREWELLS_MS: u64 = 1_000;

/// A limit as it holds for one request.
struct Charge {
    limit: Limit,
    key: String,
    policy: Policy,
    cost: u32,
}

impl<H: Host> Pass<'_, H> {
    /// What a request pays and takes on its way to the origin, if it has not paid on arrival ([`pays_on_arrival`]).
    pub(super) async fn pay(&self, asking: &Asking<'_>, record: &mut Record) -> Result<Vec<Place>, Fault> {
        if !pays_on_arrival(asking.route) {
            self.limit(asking, record).await?;
        }
        self.enter(asking, record).await
    }

    /// Charges a request to its limit, and notes how that stands then. Where nothing is known of how it stands, no header field is made up.
    pub(super) async fn limit(&self, asking: &Asking<'_>, record: &mut Record) -> Result<(), Fault> {
        let Some(limit) = asking.route.limit else { return Ok(()) };
        let charge = charge(limit, asking);
        record.limit_key = Some(charge.key.clone());
        record.tier = asking.windows(&charge.limit).1;
        let outcome = match self.spend(&charge, record).await {
            Ok(outcome) => Some(outcome),
            Err(error) => {
                record.degraded.push(format!("limiter: {error}"));
                self.unasked(&charge, &error)?
            }
        };
        self.farewells();
        record.taken = self.taken(&charge, outcome, record)?;
        Ok(())
    }

    async fn spend(&self, charge: &Charge, record: &mut Record) -> Result<Outcome, String> {
        let (isolate, now, key) = (self.host.isolate(), self.host.now_ms(), &charge.key);
        let spend = isolate.wallet.borrow_mut().spend(key, &charge.policy, charge.cost, now);
        let (ask, asked) = match spend {
            Spend::Known(outcome) => return Ok(outcome),
            Spend::Ask(ask, asked) => (ask, asked),
        };
        if !isolate.limiter.borrow_mut().may_ask(now) {
            return Err("it failed, and rests".to_owned());
        }
        record.limit_asked = true;
        let answer = self.host.limit(key, &ask).await;
        let (sent, now) = (now, self.host.now_ms());
        isolate.limiter.borrow_mut().told(answer.is_ok(), sent, now, 0);
        record.took("limit", sent, now);
        match answer {
            Ok(Answer::Taken(verdict)) => Ok(isolate.wallet.borrow_mut().learn(key, asked, &verdict, now)),
            Ok(Answer::Standing { .. }) => Err("it answered another question".to_owned()),
            Err(error) => Err(error),
        }
    }

    /// What the plan says where nobody can be asked.
    fn unasked(&self, charge: &Charge, error: &str) -> Result<Option<Outcome>, Fault> {
        match charge.limit.on_error {
            OnError::Allow => Ok(None),
            OnError::Deny if charge.limit.shadow => Ok(None),
            OnError::Deny => Err(Fault::Unavailable(format!("limiter: {error}"))),
            OnError::Local => Ok(self.refused_here(charge)),
        }
    }

    /// By what this isolate alone has counted while nobody can be asked: no more than a refusal follows from that.
    fn refused_here(&self, charge: &Charge) -> Option<Outcome> {
        let mut counts = self.host.isolate().local.borrow_mut();
        let before = counts.get(&charge.key).cloned().unwrap_or_else(State::default);
        let windows = charge.policy.windows.clone();
        let take = Take { windows, cost: charge.cost, want: charge.cost, returned: Vec::new() };
        let (after, answered) = answer(&before, &Ask::Take(take), self.host.now_ms());
        counts.insert(charge.key.clone(), after);
        match answered {
            Answer::Taken(Verdict::Refused { retry_in_ms, windows, .. }) => {
                Some(Outcome::Refused { retry_in_ms, windows })
            }
            _ => None,
        }
    }

    fn taken(
        &self,
        charge: &Charge,
        outcome: Option<Outcome>,
        record: &mut Record,
    ) -> Result<Option<Taken>, Fault> {
        let Charge { limit, cost, .. } = *charge;
        let (now, fields) = (self.host.now_ms(), self.plan.rate_limit_fields);
        let told = |windows, retry_in_ms| Some(Taken { limit, fields, cost, windows, retry_in_ms, now });
        let (says, taken) = match outcome {
            None => ("not asked", None),
            Some(Outcome::Refused { .. }) if limit.shadow => ("would be refused", None),
            Some(Outcome::Spent { .. }) if limit.shadow => ("allowed", None),
            Some(Outcome::Spent { windows }) => ("allowed", told(windows, None)),
            Some(Outcome::Refused { retry_in_ms, windows }) => ("refused", told(windows, Some(retry_in_ms))),
        };
        record.limit = Some(format!("{}: {says}", limit.name));
        match taken {
            Some(taken) if taken.retry_in_ms.is_some() => Err(Fault::Limited(Box::new(taken))),
            taken => Ok(taken),
        }
    }

    /// Charges what the origin says that the request cost beyond its route's word, as far as there is room: it has
    /// passed. Nobody outside hears of it but by what remains.
    pub(super) fn charge_late(&self, asking: &Asking<'_>, record: &mut Record) {
        let more = record.cost.unwrap_or_default().saturating_sub(asking.route.cost);
        let Some(limit) = asking.route.limit.filter(|_| more > 0) else { return };
        for window in record.taken.iter_mut().flat_map(|taken| &mut taken.windows) {
            window.remaining = window.remaining.saturating_sub(more);
        }
        self.charge_more(charge(limit, asking), more);
    }

    fn charge_more(&self, charge: Charge, more: u32) {
        let (isolate, now) = (self.host.isolate(), self.host.now_ms());
        let ask = isolate.wallet.borrow_mut().charge(&charge.key, &charge.policy, more, now);
        let Some(ask) = ask.filter(|_| isolate.limiter.borrow_mut().may_ask(now)) else { return };
        let host = self.host.clone();
        self.host.background(async move {
            let answer = host.limit(&charge.key, &ask).await;
            // What gets lost is not charged: the request is answered, and nobody waits.
            host.isolate().limiter.borrow_mut().told(answer.is_ok(), now, host.now_ms(), 0);
        });
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

/// Whether a request is charged whoever answers it; else only one that reaches the origin is.
pub(super) fn pays_on_arrival(route: &Route) -> bool {
    route.edge.is_some() || route.limit.is_some_and(|limit| limit.counts_hits)
}

/// The limit as it holds for the request.
fn charge(limit: Limit, asking: &Asking<'_>) -> Charge {
    let (windows, _) = asking.windows(&limit);
    let policy = limit::policy(&limit, windows);
    Charge { limit, key: asking.counter(&limit), policy, cost: asking.route.cost }
}
