//! What the Durable Objects have in common that keep something for each key: one object for all keys of a shard
//! ([`limit::shard`]), in memory and in storage, and an alarm that clears up.
//!
//! Exact because there is one object of a name in the world, on one thread. Between reading a key's state and writing
//! it nothing awaits, so no two requests see the same state; while storage is read, the platform's input gate holds
//! other events back, and its output gate holds the answer until the write is durable.
//! Source: <https://developers.cloudflare.com/durable-objects/reference/in-memory-state/>.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use edge_core::limit;
use js_sys::{Array, JsString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use worker::{Env, Request, Response, State};

use crate::object;
use crate::time::now_ms;

/// How often keys are cleared up that nobody uses any more (ms).
const SWEEP_MS: u64 = 60_000;

/// What is kept for a key. Its JSON is the stored layout.
pub(crate) trait Kept: Clone + Default + PartialEq + Serialize + DeserializeOwned {
    /// A question about a key.
    type Ask: Serialize + DeserializeOwned;
    /// The answer to it.
    type Answer: Serialize + DeserializeOwned;
    /// The Durable Object namespace's binding.
    const BINDING: &str;

    /// What is kept from now (Unix ms) on, and the answer. What comes back equal is not stored.
    fn answer(&self, ask: &Self::Ask, now: u64) -> (Self, Self::Answer);
    /// When it says nothing any more: Unix milliseconds.
    fn over_ms(&self) -> u64;
}

/// What an object is asked about one of its keys.
#[derive(Serialize, Deserialize)]
struct Call<K, A> {
    key: K,
    ask: A,
}

/// Asks the object that a key belongs to.
pub(crate) async fn ask<T: Kept>(env: &Env, key: &str, ask: &T::Ask) -> Result<T::Answer, String> {
    object::ask(env, T::BINDING, &limit::shard(key), &Call { key, ask }).await
}

/// The keys of an object.
pub(crate) struct Shard<T> {
    stored: Stored,
    keys: RefCell<HashMap<String, T>>,
}

impl<T: Kept> Shard<T> {
    /// With nothing in memory yet.
    pub(crate) fn new(state: State) -> Self {
        Self { stored: Stored { state, sweeps: Cell::default() }, keys: RefCell::default() }
    }

    /// Answers what [`ask`] has sent.
    pub(crate) async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let call = request.text().await?;
        let Call::<String, T::Ask> { key, ask } = serde_json::from_str(&call)?;
        if !self.keys.borrow().contains_key(&key) {
            let stored = parsed(self.stored.get(&key).await?);
            self.keys.borrow_mut().entry(key.clone()).or_insert(stored.unwrap_or_default());
        }
        let (changed, answer) = self.step(&key, &ask);
        if let Some(after) = changed {
            self.stored.put(&key, serde_json::to_string(&after)?).await?;
        }
        Response::from_json(&answer)
    }

    /// Looks at what is in memory and changes it, at once: nothing awaits here. Gives what is to be stored.
    fn step(&self, key: &str, ask: &T::Ask) -> (Option<T>, T::Answer) {
        let mut keys = self.keys.borrow_mut();
        let before = keys.get(key).cloned().unwrap_or_default();
        let (after, answer) = before.answer(ask, now_ms());
        if after == before {
            return (None, answer);
        }
        keys.insert(key.to_owned(), after.clone());
        (Some(after), answer)
    }

    /// Clears up the keys of which nothing is left to say.
    pub(crate) async fn alarm(&self) -> worker::Result<Response> {
        let now = now_ms();
        self.keys.borrow_mut().retain(|_, kept| now < kept.over_ms());
        let is_over = |stored| parsed(stored).is_none_or(|kept: T| kept.over_ms() <= now);
        // What was asked about meanwhile is in memory again.
        let in_use = |key: &str| self.keys.borrow().contains_key(key);
        self.stored.sweep(&is_over, &in_use).await?;
        Response::empty()
    }
}

/// What is stored: for each key, JSON. Nothing here depends on what is kept, so that it is compiled once.
struct Stored {
    state: State,
    /// Whether an alarm is known to be set.
    sweeps: Cell<bool>,
}

impl Stored {
    async fn get(&self, key: &str) -> worker::Result<Option<String>> {
        self.state.storage().get(key).await
    }

    async fn put(&self, key: &str, kept: String) -> worker::Result<()> {
        self.state.storage().put(key, kept).await?;
        self.sweep_later().await
    }

    /// Deletes what is over and not in use, and comes back if that leaves anything.
    async fn sweep(
        &self,
        is_over: &dyn Fn(Option<String>) -> bool,
        in_use: &dyn Fn(&str) -> bool,
    ) -> worker::Result<()> {
        self.sweeps.set(false);
        let stored = self.state.storage().list().await?;
        let keys: Vec<String> = Array::from(&stored.keys()).iter().filter_map(|key| text(&key)).collect();
        let (over, used): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| is_over(text(&stored.get(&key.into()))));
        for key in over.iter().filter(|key| !in_use(key)) {
            self.state.storage().delete(key).await?;
        }
        if used.is_empty() { Ok(()) } else { self.sweep_later().await }
    }

    async fn sweep_later(&self) -> worker::Result<()> {
        // An alarm that was set before the object was last evicted is not put off.
        if self.sweeps.replace(true) || self.state.storage().get_alarm().await?.is_some() {
            return Ok(());
        }
        object::wake_at(&self.state, now_ms().saturating_add(SWEEP_MS)).await
    }
}

fn parsed<T: DeserializeOwned>(stored: Option<String>) -> Option<T> {
    stored.and_then(|json| serde_json::from_str(&json).ok())
}

fn text(value: &wasm_bindgen::JsValue) -> Option<String> {
    value.dyn_ref::<JsString>().map(String::from)
}
