//! The Durable Object that holds the purges: one for all.
//!
//! Between reading the state and writing it nothing awaits, and no answer leaves before the write is durable: so what
//! was answered with 202 holds (`limiter.rs` gives the source).

use std::cell::RefCell;

use edge_core::cache::purge::{self, Answer, Ask};
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use crate::object;
use crate::time::now_ms;

/// All purges.
#[durable_object]
pub struct Purges {
    state: State,
    held: RefCell<Option<purge::State>>,
}

impl DurableObject for Purges {
    fn new(state: State, _env: Env) -> Self {
        Self { state, held: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let ask = request.json().await?;
        Response::from_json(&self.answer(ask).await?)
    }
}

impl Purges {
    async fn answer(&self, ask: Ask) -> worker::Result<Answer> {
        object::load(&self.state, &self.held).await?;
        // From here to `replace` nothing awaits: that makes looking and changing one step.
        let before = self.held.take().unwrap_or_default();
        let (changed, answer) = purge::answer(&before, ask, now_ms());
        self.held.replace(Some(changed.clone().unwrap_or(before)));
        if let Some(after) = changed {
            object::save(&self.state, &after).await?;
        }
        Ok(answer)
    }
}
