//! Webhooks: the sender proves itself by the exact content, and what the app has acknowledged does not reach it again.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

use super::Pass;
use super::signin::SignedIn;
use crate::auth::webhook::{WebhookFault, claim};
use crate::auth::{Caller, Refusal, key_hash};
use crate::fault::Fault;
use crate::host::{Host, Request};
use crate::plan::{Route, Webhook};
use crate::record::Record;

impl<H: Host> Pass<'_, H> {
    /// Whether the sender is who the route is for. What is read of the content goes on as it came.
    pub(super) async fn webhook(
        &self,
        route: &Route,
        policy: &Webhook,
        request: &mut Request<H::Body>,
    ) -> Result<SignedIn, Fault> {
        let secrets = self.host.settings().get(policy.secret).ok_or(Refusal::NoSecret(policy.secret))?;
        let now = self.host.now_ms() / 1_000;
        let claim = claim(policy.scheme, &request.headers, secrets, policy.tolerance_seconds, now)
            .map_err(|fault| refused(fault, policy))?;
        let content = self.content(request, policy.max_body_bytes).await?;
        let id = claim.verify(&content, secrets).map_err(|fault| refused(fault, policy))?;
        request.body = self.host.bytes(content);
        let delivery = id.map(|id| Delivery {
            name: format!("{}/{}", route.name, key_hash(&id)),
            // A copy of it passes that long: its time may be ahead by the tolerance, and then behind by it.
            seconds: policy.tolerance_seconds.saturating_mul(2),
        });
        Ok(SignedIn { delivery, ..Caller::Webhook.into() })
    }

    /// The answer to a delivery that the app has acknowledged before. If that cannot be told, the app is asked.
    pub(super) async fn replayed(
        &self,
        delivery: Option<&Delivery>,
        record: &mut Record,
    ) -> Option<Response<H::Body>> {
        match self.host.is_acknowledged(&delivery?.name).await {
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
    pub(super) fn note_delivery(&self, delivery: Option<Delivery>, response: &Response<H::Body>) {
        let Some(delivery) = delivery.filter(|_| response.status().is_success()) else { return };
        let host = self.host.clone();
        self.host.background(async move {
            // Forgotten, it is only delivered once more.
            drop(host.acknowledge(&delivery.name, delivery.seconds).await);
        });
    }
}

/// One delivery of a webhook, however often it comes.
pub(super) struct Delivery {
    name: String,
    /// How long it is remembered.
    seconds: u32,
}

fn refused(fault: WebhookFault, policy: &Webhook) -> Fault {
    match fault {
        WebhookFault::NoSecret => Refusal::NoSecret(policy.secret).into(),
        fault => Refusal::Webhook(fault).into(),
    }
}
