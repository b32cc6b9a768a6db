//! What the gateway tells of limits: a caller of its own, operators of any.

use std::collections::BTreeMap;

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Pass;
use super::edge::LONGEST;
use crate::fault::Fault;
use crate::host::{Host, Request};
use crate::limit::asking::Asking;
use crate::limit::ledger::{Answer, Ask, By};
use crate::limit::operator::{self, Change};
use crate::limit::told::is_own;
use crate::limit::{self, places, window::Standing};
use crate::plan::{Concurrency, Limit, NO_TIER, Window};
use crate::record::Record;

impl<H: Host> Pass<'_, H> {
    /// How every limit of the plan stands for this caller, but for those that it shares with others or has one of for
    /// each path.
    pub(super) async fn my_limits(&self, asking: &Asking<'_>) -> Result<Response<H::Body>, Fault> {
        let mut policies = Vec::new();
        for (name, limit) in self.plan_limits().into_iter().filter(|(_, limit)| is_own(limit.by)) {
            let (windows, tier) = asking.windows(&limit);
            let shown = self.look(&asking.counter(&limit), &limit, windows).await?;
            policies.push(json!({ "policy": name, "tier": tier, "windows": shown }));
        }
        let own = |(_, concurrency): &(&str, Concurrency)| is_own(concurrency.by);
        for (name, concurrency) in self.plan_places().into_iter().filter(own) {
            let taken = self.look_at_places(&asking.places(&concurrency), &places::Ask::Look).await?;
            policies.push(json!({ "policy": name, "places": concurrency.most, "taken": taken }));
        }
        Ok(self.json(StatusCode::OK, &json!({ "policies": policies })))
    }

    /// An operator's look at a key, or a change of it.
    pub(super) async fn limits(
        &self,
        mut request: Request<H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let change = match request.method {
            Method::GET | Method::HEAD => operator::look(request.query.as_deref()),
            Method::DELETE => operator::reset(&self.content(&mut request, LONGEST).await?),
            _ => operator::raise(&self.content(&mut request, LONGEST).await?, self.host.now_ms() / 1_000),
        };
        let change = change.map_err(Fault::Content)?;
        record.limit_key = Some(change.key.clone());
        record.limit = Some(said(change.resets, change.raise.as_ref()));
        let name = change.key.split('/').next().unwrap_or_default();
        let shown = match (self.plan_limits().remove(name), self.plan_places().remove(name)) {
            (Some(limit), _) => self.change_counter(&change, &limit).await?,
            (None, Some(concurrency)) => self.change_places(&change, &concurrency).await?,
            (None, None) => return Err(Fault::NotFound),
        };
        Ok(self.json(StatusCode::OK, &shown))
    }

    async fn change_counter(&self, change: &Change, limit: &Limit) -> Result<Value, Fault> {
        let (key, windows) = (&change.key, windows_of(limit, change.tier.as_deref())?);
        if change.resets {
            self.change(key, Ask::Reset).await?;
        }
        if let Some((by, until)) = change.raise.clone() {
            let windows = limit::policy(limit, windows).windows;
            self.change(key, Ask::Raise { windows, by, until_ms: until.saturating_mul(1_000) }).await?;
        }
        let shown = self.look(key, limit, windows).await?;
        Ok(json!({ "key": key, "windows": shown }))
    }

    async fn change_places(&self, change: &Change, concurrency: &Concurrency) -> Result<Value, Fault> {
        if change.raise.is_some() {
            return Err(Fault::Content("places cannot be raised; change `most` in he2.toml"));
        }
        let ask = if change.resets { places::Ask::Clear } else { places::Ask::Look };
        let taken = self.look_at_places(&change.key, &ask).await?;
        Ok(json!({ "key": change.key, "places": concurrency.most, "taken": taken }))
    }

    async fn change(&self, key: &str, ask: Ask) -> Result<(), Fault> {
        self.host.limit(key, &ask).await.map(drop).map_err(Fault::Unavailable)
    }

    /// The key's windows. What isolates hold for it is still the caller's to spend.
    async fn look(&self, key: &str, limit: &Limit, windows: &[Window]) -> Result<Vec<Value>, Fault> {
        let ask = Ask::Look(limit::policy(limit, windows).windows);
        match self.host.limit(key, &ask).await.map_err(Fault::Unavailable)? {
            Answer::Standing { windows, out } => {
                Ok(windows.iter().map(|window| shown(window, out)).collect())
            }
            Answer::Taken(_) => Err(Fault::Unavailable("it answered another question".to_owned())),
        }
    }

    async fn look_at_places(&self, key: &str, ask: &places::Ask) -> Result<u32, Fault> {
        match self.host.places(key, ask).await.map_err(Fault::Unavailable)? {
            places::Answer::Standing { taken } => Ok(taken),
            _ => Err(Fault::Unavailable("it answered another question".to_owned())),
        }
    }

    /// The concurrencies of all routes, by name.
    fn plan_places(&self) -> BTreeMap<&'static str, Concurrency> {
        let all = self.plan.routes.iter().flat_map(|route| route.concurrency);
        all.map(|concurrency| (concurrency.name, *concurrency)).collect()
    }

    /// The limits of all routes, by name.
    fn plan_limits(&self) -> BTreeMap<&'static str, Limit> {
        let limits = self.plan.routes.iter().filter_map(|route| route.limit);
        limits.map(|limit| (limit.name, limit)).collect()
    }
}

/// Where callers have different windows, those of another tier would be shown, or raised, by mistake.
fn windows_of(limit: &Limit, tier: Option<&str>) -> Result<&'static [Window], Fault> {
    match tier {
        Some(NO_TIER) => Ok(limit.windows),
        None if limit.tiers.is_empty() => Ok(limit.windows),
        None => Err(Fault::Content(
            "the limit has tiers: name the caller's as `tier`, or \"default\" if it is of none",
        )),
        Some(name) => {
            let tier = limit.tiers.iter().find(|tier| tier.name == name);
            tier.map(|tier| tier.windows).ok_or(Fault::Content("the limit has no such tier"))
        }
    }
}

/// For the log: who has more than the plan gives must be traceable.
fn said(resets: bool, raise: Option<&(By, u64)>) -> String {
    match raise {
        Some((By::Percent(percent), until)) => format!("raised to {percent} % until {until}"),
        Some((By::Quotas(quotas), until)) => format!("raised to {quotas:?} until {until}"),
        None if resets => "freed".to_owned(),
        None => "looked at".to_owned(),
    }
}

fn shown(window: &Standing, out: u32) -> Value {
    json!({
        "quota": window.quota,
        "seconds": window.seconds,
        "remaining": window.remaining.saturating_add(out).min(window.quota),
        "reset_seconds": window.reset_in_ms.div_ceil(1_000),
    })
}
