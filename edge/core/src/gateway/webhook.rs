//! Webhooks: the sender proves itself by the exact content, and what the app has acknowledged does not reach it again.

use std::mem;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};

use super::Pass;
use super::signin::SignedIn;
use crate::auth::webhook::{Claim, WebhookFault, claim};
use crate::auth::{Caller, Refusal, key_hash};
use crate::fault::Fault;
use crate::headers::single;
use crate::host::{Host, ReadError, Request};
use crate::plan::{Route, Webhook};
use crate::record::Record;

/// How long an acknowledged delivery is remembered (s): Stripe sends again for three days at most.
/// Source: <https://docs.stripe.com/webhooks#retries>.
const ACKNOWLEDGED_SECONDS: u32 = 259_200;

impl<H: Host> Pass<'_, H> {
    /// Whether the sender is who the route is for. What is read of the content goes on as it came.
    pub(super) async fn webhook(
        &self,
        route: &Route,
        policy: &Webhook,
        request: &mut Request<H::Body>,
    ) -> Result<SignedIn, Fault> {
        let refused = |fault| match fault {
            WebhookFault::NoSecret => Fault::from(Refusal::NoSecret(policy.secret)),
            fault => Refusal::Webhook(fault).into(),
        };
        let settings = self.host.settings();
        let secrets = settings.get(policy.secret).ok_or(Refusal::NoSecret(policy.secret))?;
        let now = self.host.now_ms() / 1_000;
        let claim = claim(policy.scheme, &request.headers, secrets, policy.tolerance_seconds, now)
            .map_err(refused)?;
        if length(&request.headers).is_some_and(|length| length > policy.max_body_bytes.into()) {
            return Err(Fault::TooLong(policy.max_body_bytes));
        }
        let mut signed_in = SignedIn::from(Caller::Webhook);
        if claim != Claim::Proven {
            let body = mem::replace(&mut request.body, self.host.empty());
            let content = self.host.read(body, policy.max_body_bytes).await.map_err(|error| match error {
                ReadError::TooLong => Fault::TooLong(policy.max_body_bytes),
                ReadError::Failed(_) => Fault::Content("the content broke off"),
            })?;
            let id = claim.verify(&content, secrets).map_err(refused)?;
            signed_in.delivery = id.map(|id| format!("{}/{}", route.name, key_hash(&id)));
            request.body = self.host.bytes(content);
        }
        Ok(signed_in)
    }

    /// The answer to a delivery that the app has acknowledged before. If that cannot be told, the app is asked.
    pub(super) async fn replayed(
        &self,
        delivery: Option<&str>,
        record: &mut Record,
    ) -> Option<Response<H::Body>> {
        match self.host.is_acknowledged(delivery?).await {
            Ok(true) => {
                record.replayed = true;
                let mut response = Response::new(self.host.text("{\"acknowledged\":\"before\"}".to_owned()));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Some(response)
            }
            Ok(false) => None,
            Err(error) => {
                record.degraded.push(format!("deliveries: {error}"));
                None
            }
        }
    }

    /// Remembers a delivery that the app has acknowledged.
    pub(super) fn note_delivery(&self, delivery: Option<String>, response: &Response<H::Body>) {
        let Some(delivery) = delivery.filter(|_| response.status().is_success()) else { return };
        let host = self.host.clone();
        self.host.background(async move {
            // Forgotten, it is only delivered once more.
            drop(host.acknowledge(&delivery, ACKNOWLEDGED_SECONDS).await);
        });
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    single(headers, CONTENT_LENGTH)?.parse().ok()
}
