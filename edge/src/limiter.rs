//! The Durable Object that counts: one per caller and limit.
//!
//! Exact because there is one object of a name in the world, on one thread. Between reading the state and writing it
//! nothing awaits, so no two requests see the same count; while storage is read, the platform's input gate holds
//! other events back, and its output gate holds the answer until the write is durable.
//! Source: <https://developers.cloudflare.com/durable-objects/reference/in-memory-state/>.

use std::cell::RefCell;
use std::time::Duration;

use edge_core::limit::{self, Ask, BINDING, Verdict};
use wasm_bindgen::JsValue;
use worker::{
    DurableObject, Env, Method, Request, RequestInit, Response, State, durable_object, wasm_bindgen,
};

/// Where the counts are stored, as JSON.
const STATE: &str = "state";

/// Asks the object of this name.
pub(crate) async fn ask(env: &Env, object: &str, ask: &Ask) -> worker::Result<Verdict> {
    let stub = env.durable_object(BINDING)?.get_by_name(object)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(JsValue::from_str(&serde_json::to_string(ask)?)));
    // The object is found by its name; the address only has to be one.
    let mut response = stub.fetch_with_request(Request::new_with_init("https://limiter/", &init)?).await?;
    response.json().await
}

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
        self.load().await?;
        let now = worker::Date::now().as_millis();
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
        self.load().await?;
        let closes_ms = self.counts.borrow().as_ref().map_or(0, |counts| counts.closes_ms);
        if worker::Date::now().as_millis() < closes_ms {
            self.wake_at(closes_ms).await?;
        } else {
            self.counts.replace(None);
            self.state.storage().delete_all().await?;
        }
        Response::empty()
    }
}

impl Limiter {
    async fn load(&self) -> worker::Result<()> {
        if self.counts.borrow().is_some() {
            return Ok(());
        }
        let stored: Option<String> = self.state.storage().get(STATE).await?;
        let counts = stored.and_then(|json| serde_json::from_str(&json).ok());
        self.counts.borrow_mut().get_or_insert_with(|| counts.unwrap_or_default());
        Ok(())
    }

    async fn save(&self, counts: &limit::State, was_idle: bool) -> worker::Result<()> {
        self.state.storage().put(STATE, serde_json::to_string(counts)?).await?;
        if was_idle {
            self.wake_at(counts.closes_ms).await?;
        }
        Ok(())
    }

    async fn wake_at(&self, ms: u64) -> worker::Result<()> {
        let in_ms = ms.saturating_sub(worker::Date::now().as_millis());
        self.state.storage().set_alarm(Duration::from_millis(in_ms)).await
    }
}
