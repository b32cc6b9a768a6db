//! What happened to one request: the log line, `he2 explain` and the tests all read this.
//!
//! Nothing in it is secret: paths without their query, no header values, and an API key only as its digest.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::auth::revocation::Revocation;
use crate::cache::purge::Purge;
use crate::fault::Fault;
use crate::limit::told::Taken;
use crate::otlp::trace::Call;
use crate::plan::Route;
use crate::trace::hex;
use crate::upstream::retry::Reason;

/// The outcomes of a request's steps, in their order. A step that was not reached left nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Record {
    /// The id in `X-Request-Id`.
    pub request_id: String,
    /// W3C trace id.
    pub trace_id: String,
    /// Request method.
    pub method: String,
    /// Public host.
    pub host: String,
    /// Path in normal form (as it arrived, if it has none).
    pub path: String,
    /// The caller's address; of IPv6 the /64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The route's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'static str>,
    /// The route's line in he2.toml.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The sandbox that a preview is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
    /// The port in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Class of the caller: `user`, `api-key`, `anonymous`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<&'static str>,
    /// The user's name in logs ([`name_of`]), or the digest of the API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The user's id, or the digest of the API key.
    #[serde(skip)]
    pub caller_id: Option<String>,
    /// A secret key of the Supabase project came with the request: the field's name, or `query`. It is out, and must
    /// be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leak: Option<String>,
    /// The limit asked: its name and outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// Whose counter: what operators look up, but for the user's id, in place of which the name in logs stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_key: Option<String>,
    /// The tier whose windows hold for the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<&'static str>,
    /// The places asked for, where there was none left: their name and outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<String>,
    /// The limit's object was asked: the isolate did not know by itself.
    #[serde(skip_serializing_if = "is_false")]
    pub limit_asked: bool,
    /// The `Cache-Status` member of this gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// The upstream that was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<&'static str>,
    /// How often upstreams were asked, where that was more than once.
    #[serde(skip_serializing_if = "is_one_or_none")]
    pub tries: u32,
    /// Why a failure was not tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gave_up: Option<Reason>,
    /// Milliseconds until the origin's response head, all tries together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_ms: Option<u64>,
    /// Milliseconds that other steps took: sign-in, limit, places, cache. The platform's clock stands still between input
    /// and output, so steps that asked nobody took none, and are left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub steps_ms: BTreeMap<&'static str, u64>,
    /// The requests to the origin.
    #[serde(skip)]
    pub calls: Vec<Call>,
    /// Milliseconds until the answer's head.
    pub total_ms: u64,
    /// Response status.
    pub status: u16,
    /// Why the gateway answered itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What only operators may know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<String>,
    /// What worked, but not as it should: a limiter that failed open, keys used past their age.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<String>,
    /// What an operator revoked, or took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
    /// What an operator purged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purged: Option<Purge>,
    /// A webhook's delivery that the app had acknowledged before.
    #[serde(skip_serializing_if = "is_false")]
    pub replayed: bool,
    /// What the origin said that the request cost, where that is more than its route says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u32>,
    /// How many requests this line stands for ([`crate::sample`]); none where it is not written.
    #[serde(skip_serializing_if = "is_one")]
    pub weight: Option<f64>,
    /// It was answered out of the cache, and the origin not asked.
    #[serde(skip)]
    pub hit: bool,
    /// How the caller's limit stands, for the answer.
    #[serde(skip)]
    pub taken: Option<Taken>,
    /// How the token is signed, and how old the keys are: for explanations.
    #[serde(skip)]
    pub signed: Option<String>,
    /// The route itself, for programs in the same process.
    #[serde(skip)]
    pub matched: Option<&'static Route>,
    /// The fault itself, for the same.
    #[serde(skip)]
    pub refused: Option<Fault>,
}

impl Record {
    /// Notes that a step took from then till now (Unix ms).
    pub(crate) fn took(&mut self, step: &'static str, from_ms: u64, till_ms: u64) {
        let took = till_ms.saturating_sub(from_ms);
        if took > 0 {
            let total = self.steps_ms.entry(step).or_default();
            *total = total.saturating_add(took);
        }
    }

    /// What all steps took together, in milliseconds.
    pub(crate) fn waited_ms(&self) -> u64 {
        self.steps_ms.values().sum::<u64>().saturating_add(self.origin_ms.unwrap_or_default())
    }

    /// `Server-Timing` for whoever looks at a request in a browser (<https://www.w3.org/TR/server-timing/>): the steps by
    /// name, as it has no secrets; none where nothing took time.
    #[must_use]
    pub fn server_timing(&self) -> Option<String> {
        let steps = self.steps_ms.iter().map(|(name, ms)| (*name, *ms));
        let steps = steps.chain(self.origin_ms.map(|ms| ("origin", ms)));
        let metrics: Vec<String> = steps.map(|(name, ms)| format!("{name};dur={ms}")).collect();
        (!metrics.is_empty()).then(|| metrics.join(", "))
    }

    /// Puts the user's name in logs in place of the id, by the deployment's secret.
    pub(crate) fn name_caller(&mut self, secret: Option<&str>) {
        let Some(id) = &self.caller_id else { return };
        if self.caller != Some("user") {
            self.identity = Some(id.clone());
            return;
        }
        let name = name_of(id, secret.unwrap_or_default());
        self.limit_key = self.limit_key.take().map(|key| key.replace(id.as_str(), &name));
        self.identity = Some(name);
    }
}

/// A user's name in logs: the first 16 hexadecimal digits of the HMAC-SHA256 of `log:ID` with `IDENTITY_SECRET`. The
/// same user has the same name, which tells nobody without the secret who it is.
#[must_use]
pub fn name_of(id: &str, secret: &str) -> String {
    let mut name = hex(&hmac_sha256::HMAC::mac(format!("log:{id}"), secret));
    name.truncate(16);
    name
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
fn is_one(weight: &Option<f64>) -> bool {
    weight.is_none_or(|weight| weight <= 1.0)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_one_or_none(tries: &u32) -> bool {
    *tries <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_that_took_time_is_told_with_its_milliseconds() {
        let mut record = Record::default();
        record.took("auth", 1_000, 1_000);
        assert_eq!(record.server_timing(), None);
        record.took("cache", 1_000, 1_002);
        record.took("cache", 1_010, 1_011);
        record.took("auth", 2_000, 1_990);
        record.origin_ms = Some(120);
        assert_eq!(record.server_timing().as_deref(), Some("cache;dur=3, origin;dur=120"));
        assert_eq!(record.waited_ms(), 123);
    }
}
