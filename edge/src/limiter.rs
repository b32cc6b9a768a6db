//! The Durable Object that counts: one per shard, for all keys that fall on it.
//!
//! Exact because there is one object of a name in the world, on one thread. Between reading a key's state and writing
//! it nothing awaits, so no two requests see the same count; while storage is read, the platform's input gate holds
//! other events back, and its output gate holds the answer until the write is durable.
//! Source: <https://developers.cloudflare.com/durable-objects/reference/in-memory-state/>.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use edge_core::limit::ledger::{self, Answer};
use edge_core::limit::{self, Call};
use js_sys::{Array, JsString};
use wasm_bindgen::JsCast;
use worker::{Date, DurableObject, Env, Request, Response, State, durable_object, wasm_bindgen};

use crate::object;

/// How often keys are cleared up that nobody uses any more (ms).
const SWEEP_MS: u64 = 60_000;

/// Asks the object that a key belongs to.
pub(crate) async fn ask(env: &Env, key: &str, ask: &ledger::Ask) -> Result<Answer, String> {
    let call = Call { key: key.to_owned(), ask: ask.clone() };
    object::ask(env, limit::BINDING, &limit::shard(key), &call).await
}

/// The counters of a shard's keys.
#[durable_object]
pub struct Limiter {
    state: State,
    keys: RefCell<HashMap<String, ledger::State>>,
    /// Whether an alarm is known to be set.
    sweeps: Cell<bool>,
}

impl DurableObject for Limiter {
    fn new(state: State, _env: Env) -> Self {
        Self { state, keys: RefCell::default(), sweeps: Cell::default() }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let Call { key, ask } = request.json().await?;
        self.load(&key).await?;
        let now = Date::now().as_millis();
        // From here to `insert` nothing awaits: that makes check and charge one step.
        let before = self.keys.borrow().get(&key).cloned().unwrap_or_default();
        let (after, answer) = ledger::answer(&before, &ask, now);
        if after != before {
            self.keys.borrow_mut().insert(key.clone(), after.clone());
            self.state.storage().put(&key, serde_json::to_string(&after)?).await?;
            self.sweep_later().await?;
        }
        Response::from_json(&answer)
    }

    /// Clears up the keys whose state says nothing any more.
    async fn alarm(&self) -> worker::Result<Response> {
        self.sweeps.set(false);
        let now = Date::now().as_millis();
        let stored = self.state.storage().list().await?;
        let keys: Vec<String> = Array::from(&stored.keys()).iter().filter_map(|key| text(&key)).collect();
        let is_over = |key: &String| {
            let state = text(&stored.get(&key.into())).and_then(|json| serde_json::from_str(&json).ok());
            state.is_none_or(|state: ledger::State| state.over_ms() <= now)
        };
        let (over, used): (Vec<_>, Vec<_>) = keys.into_iter().partition(is_over);
        for key in over {
            self.keys.borrow_mut().remove(&key);
            self.state.storage().delete(&key).await?;
        }
        if !used.is_empty() {
            self.sweep_later().await?;
        }
        Response::empty()
    }
}

impl Limiter {
    async fn load(&self, key: &str) -> worker::Result<()> {
        if self.keys.borrow().contains_key(key) {
            return Ok(());
        }
        let stored: Option<String> = self.state.storage().get(key).await?;
        let state = stored.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        self.keys.borrow_mut().entry(key.to_owned()).or_insert(state);
        Ok(())
    }

    async fn sweep_later(&self) -> worker::Result<()> {
        if self.sweeps.replace(true) {
            return Ok(());
        }
        object::wake_at(&self.state, Date::now().as_millis().saturating_add(SWEEP_MS)).await
    }
}

fn text(value: &wasm_bindgen::JsValue) -> Option<String> {
    value.dyn_ref::<JsString>().map(String::from)
}
