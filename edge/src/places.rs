//! The Durable Object that keeps who is in: one per shard, for all concurrency keys that fall on it.

use edge_core::limit::places::{self, Answer, Ask};
use worker::{DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use crate::shard::{self, Kept, Shard};

/// Asks the object that a concurrency's key belongs to.
pub(crate) async fn ask(env: &Env, key: &str, ask: &Ask) -> Result<Answer, String> {
    shard::ask::<places::State>(env, key, ask).await
}

/// The places of a shard's keys.
#[durable_object]
pub struct Places {
    shard: Shard<places::State>,
}

impl DurableObject for Places {
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

impl Kept for places::State {
    type Ask = Ask;
    type Answer = Answer;
    const BINDING: &str = places::BINDING;

    fn answer(&self, ask: &Ask, now: u64) -> (Self, Answer) {
        places::answer(self, ask, now)
    }

    fn over_ms(&self) -> u64 {
        self.over_ms()
    }
}
