//! The Durable Object that counts: one per caller and limit.
//!
//! Exact because there is one object of a name in the world, on one thread. Between reading the state and writing it
//! nothing awaits, so no two requests see the same count; while storage is read, the platform's input gate holds
//! other events back, and its output gate holds the answer until the write is durable.
//! Source: <https://developers.cloudflare.com/durable-objects/reference/in-memory-state/>.

use std::cell::RefCell;

use edge_core::limit::{self, Ask};
use worker::{Date, DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use crate::object;

/// One caller's counters for one limit.
#[durable_object]
pub struct Limiter {
    state: State,
    counts: RefCell<Option<limit::State>>,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { state, counts: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let ask: Ask = request.json().await?;
        object::load(&self.state, &self.counts).await?;
        let now = Date::now().as_millis();
        // From here to `replace` nothing awaits: that makes check and charge one step.
        let before = self.counts.take().unwrap_or_default();
        let (after, verdict) = limit::take(&before, &ask, now);
        self.counts.replace(Some(after.clone()));
        if verdict.allowed {
            self.save(&after, before.closes_ms <= now).await?;
        }
        Response::from_json(&verdict)
    }

    /// Nobody has called for a while: what the counts say is over, unless a window has opened since.
    async fn alarm(&self) -> worker::Result<Response> {
        object::load(&self.state, &self.counts).await?;
        let counts = self.counts.take();
        object::clear_after(&self.state, counts.map_or(0, |counts| counts.closes_ms)).await?;
        Response::empty()
    }
}

impl Limiter {
    async fn save(&self, counts: &limit::State, was_idle: bool) -> worker::Result<()> {
        object::save(&self.state, counts).await?;
        if was_idle {
            object::wake_at(&self.state, counts.closes_ms).await?;
        }
        Ok(())
    }
}
