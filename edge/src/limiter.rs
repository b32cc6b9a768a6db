//! The Durable Object that counts: one per shard, for all keys that fall on it.

use edge_core::limit;
use edge_core::limit::ledger::{self, Answer, Ask};
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use crate::shard::{self, Kept, Shard};

/// Asks the object that a limit's key belongs to.
pub(crate) async fn ask(env: &Env, key: &str, ask: &Ask) -> Result<Answer, String> {
    shard::ask::<ledger::State>(env, key, ask).await
}

/// The counters of a shard's keys.
#[durable_object]
pub struct Limiter {
    shard: Shard<ledger::State>,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { shard: Shard::new(state) }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        self.shard.fetch(request).await
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.shard.alarm().await
    }
}

impl Kept for ledger::State {
    type Ask = Ask;
    type Answer = Answer;
    const BINDING: &str = limit::BINDING;

    fn answer(&self, ask: &Ask, now: u64) -> (Self, Answer) {
        ledger::answer(self, ask, now)
    }

    fn over_ms(&self) -> u64 {
        self.over_ms()
    }
}
