//! What the gateway tells of limits: a caller of its own, operators of any.

use std::collections::BTreeMap;
use std::net::IpAddr;

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Pass;
use super::edge::LONGEST;
use crate::auth::Caller;
use crate::fault::Fault;
use crate::host::{Host, Request};
use crate::limit::ledger::{Answer, Ask, By};
use crate::limit::operator::{self, Change};
use crate::limit::{self, window::Standing};
use crate::plan::Limit;
use crate::record::Record;

impl<H: Host> Pass<'_, H> {
    /// How every limit of the plan stands for this caller.
    pub(super) async fn my_limits(
        &self,
        caller: &Caller,
        ip: Option<IpAddr>,
    ) -> Result<Response<H::Body>, Fault> {
        let mut policies = Vec::new();
        for (name, limit) in self.plan_limits() {
            let windows = self.look(&limit::key(&limit, caller, ip), &limit).await?;
            policies.push(json!({ "policy": name, "windows": windows }));
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
        let Change { key, raise, resets } = change.map_err(Fault::Content)?;
        record.limit_key = Some(key.clone());
        record.limit = Some(said(resets, raise.as_ref()));
        let name = key.split('/').next().unwrap_or_default();
        let limit = self.plan_limits().remove(name).ok_or(Fault::NotFound)?;
        if resets {
            self.change(&key, Ask::Reset).await?;
        }
        if let Some((by, until)) = raise {
            self.raise(&key, &limit, by, until).await?;
        }
        let windows = self.look(&key, &limit).await?;
        Ok(self.json(StatusCode::OK, &json!({ "key": key, "windows": windows })))
    }

    async fn raise(&self, key: &str, limit: &Limit, by: By, until: u64) -> Result<(), Fault> {
        let windows = limit::policy(limit).windows;
        let raise = Ask::Raise { windows, by, until_ms: until.saturating_mul(1_000) };
        self.change(key, raise).await
    }

    async fn change(&self, key: &str, ask: Ask) -> Result<(), Fault> {
        self.host.limit(key, &ask).await.map(drop).map_err(Fault::Unavailable)
    }

    /// The key's windows. What isolates hold for it is still the caller's to spend.
    async fn look(&self, key: &str, limit: &Limit) -> Result<Vec<Value>, Fault> {
        let ask = Ask::Look(limit::policy(limit).windows);
        match self.host.limit(key, &ask).await.map_err(Fault::Unavailable)? {
            Answer::Standing { windows, out } => {
                Ok(windows.iter().map(|window| shown(window, out)).collect())
            }
            Answer::Taken(_) => Err(Fault::Unavailable("it answered another question".to_owned())),
        }
    }

    /// The limits of all routes, by name.
    fn plan_limits(&self) -> BTreeMap<&'static str, Limit> {
        let limits = self.plan.routes.iter().filter_map(|route| route.limit);
        limits.map(|limit| (limit.name, limit)).collect()
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
