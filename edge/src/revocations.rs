//! The Durable Object that holds the revocations: one for all.
//!
//! Exact for the reason that `shard.rs` gives: between reading the state and writing it nothing awaits, and no
//! answer leaves before the write is durable. So what was answered with 201 holds, and no other request undoes it
//! unseen.

use std::cell::RefCell;

use edge_core::auth::revocation::{self, Answer, Ask};
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use crate::object;
use crate::time::now_ms;

/// All revocations.
#[durable_object]
pub struct Revocations {
    state: State,
    held: RefCell<Option<revocation::State>>,
}

impl DurableObject for Revocations {
    fn new(state: State, _env: Env) -> Self {
        Self { state, held: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let ask = request.json().await?;
        Response::from_json(&self.answer(ask).await?)
    }

    /// The last entry is over: whoever looks at it clears it up. The version stays.
    async fn alarm(&self) -> worker::Result<Response> {
        self.answer(Ask::List).await?;
        Response::empty()
    }
}

impl Revocations {
    async fn answer(&self, ask: Ask) -> worker::Result<Answer> {
        object::load(&self.state, &self.held).await?;
        let now = now_ms() / 1_000;
        // From here to `replace` nothing awaits: that makes looking and changing one step.
        let before = self.held.take().unwrap_or_default();
        let (changed, answer) = revocation::answer(&before, ask, now);
        self.held.replace(Some(changed.clone().unwrap_or(before)));
        if let Some(after) = changed {
            self.save(&after).await?;
        }
        Ok(answer)
    }

    async fn save(&self, after: &revocation::State) -> worker::Result<()> {
        object::save(&self.state, after).await?;
        match after.entries.iter().map(|entry| entry.until).max() {
            Some(until) => object::wake_at(&self.state, until.saturating_mul(1_000)).await,
            None => Ok(()),
        }
    }
}
