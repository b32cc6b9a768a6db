//! What the Durable Objects have in common: JSON in, JSON out, one state as JSON, and an alarm that clears it up.

use std::cell::RefCell;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, State};

use crate::time::now_ms;
use crate::{glue, rim};

/// An object's answer is not waited for longer (ms); the gateway then goes on without it.
const TIMEOUT_MS: u32 = 2_000;
/// Where an object's state is stored.
const STATE: &str = "state";

/// Asks the object of this name in the namespace of this binding.
pub(crate) async fn ask<T: DeserializeOwned>(
    env: &Env,
    binding: &str,
    name: &str,
    ask: &impl Serialize,
) -> Result<T, String> {
    let ask = serde_json::to_string(ask).map_err(|error| error.to_string())?;
    let answer = JsFuture::from(rim::ask(env, binding, name, &ask, TIMEOUT_MS)).await;
    let answer = answer.map_err(|error| glue::reason(&error))?.as_string().ok_or("no answer in time")?;
    serde_json::from_str(&answer).map_err(|error| error.to_string())
}

/// What is stored, if it can be read.
pub(crate) async fn stored<T: DeserializeOwned>(object: &State) -> worker::Result<Option<T>> {
    let stored: Option<String> = object.storage().get(STATE).await?;
    Ok(stored.and_then(|json| serde_json::from_str(&json).ok()))
}

/// Reads what is stored into the object's memory, where it is not there yet.
pub(crate) async fn load<T: DeserializeOwned + Default>(
    object: &State,
    held: &RefCell<Option<T>>,
) -> worker::Result<()> {
    if held.borrow().is_none() {
        let stored = stored(object).await?;
        held.borrow_mut().get_or_insert_with(|| stored.unwrap_or_default());
    }
    Ok(())
}

/// Stores the state.
pub(crate) async fn save(object: &State, state: &impl Serialize) -> worker::Result<()> {
    object.storage().put(STATE, serde_json::to_string(state)?).await
}

/// Calls the object's `alarm` at this time (Unix ms), in place of any other.
pub(crate) async fn wake_at(object: &State, ms: u64) -> worker::Result<()> {
    let in_ms = ms.saturating_sub(now_ms());
    object.storage().set_alarm(Duration::from_millis(in_ms)).await
}

/// Deletes what is stored, or comes back at `over_ms` (Unix ms) where that is yet to come.
pub(crate) async fn clear_after(object: &State, over_ms: u64) -> worker::Result<()> {
    if now_ms() < over_ms { wake_at(object, over_ms).await } else { object.storage().delete_all().await }
}
