//! The Durable Object that remembers a webhook's delivery: one per delivery, as long as its sender may repeat it.

use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use crate::object;
use crate::time::now_ms;

/// The Durable Object namespace's binding.
const BINDING: &str = "DELIVERIES";

/// What is asked of a delivery; both are answered with whether it is acknowledged.
#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    IsAcknowledged,
    /// It is, for so many seconds.
    Acknowledge(u32),
}

/// Whether the origin acknowledged the delivery of this name.
pub(crate) async fn is_acknowledged(env: &Env, delivery: &str) -> Result<bool, String> {
    object::ask(env, BINDING, delivery, &Ask::IsAcknowledged).await
}

/// Remembers for so many seconds that it did.
pub(crate) async fn acknowledge(env: &Env, delivery: &str, seconds: u32) -> Result<(), String> {
    object::ask::<bool>(env, BINDING, delivery, &Ask::Acknowledge(seconds)).await.map(drop)
}

/// One delivery. Its state is until when it is acknowledged (Unix ms).
#[durable_object]
pub struct Deliveries {
    state: State,
}

impl DurableObject for Deliveries {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        if let Ask::Acknowledge(seconds) = request.json().await? {
            let until_ms = now_ms().saturating_add(u64::from(seconds).saturating_mul(1_000));
            object::save(&self.state, &until_ms).await?;
            object::wake_at(&self.state, until_ms).await?;
        }
        Response::from_json(&(now_ms() < self.until_ms().await?))
    }

    /// The acknowledgement is over, unless there was another since.
    async fn alarm(&self) -> worker::Result<Response> {
        object::clear_after(&self.state, self.until_ms().await?).await?;
        Response::empty()
    }
}

impl Deliveries {
    async fn until_ms(&self) -> worker::Result<u64> {
        Ok(object::stored(&self.state).await?.unwrap_or_default())
    }
}
