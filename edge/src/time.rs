//! Waiting, and not waiting any longer.

use std::pin::pin;

use futures_util::future::{Either, select};
use wasm_bindgen_futures::JsFuture;

use crate::rim::Timer;

/// Unix time in milliseconds. It is asked for often: this makes no object of it, as `worker::Date` does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number, and after 1970")]
pub(crate) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// Lets this many milliseconds pass.
pub(crate) async fn pause(ms: u32) {
    let waiting = Waiting(Timer::new(ms));
    // It does not fail.
    let _ = JsFuture::from(waiting.0.over()).await;
}

/// Gives the timer up when nobody waits any more.
struct Waiting(Timer);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// What `work` gives within `ms` milliseconds; afterwards it is dropped.
pub(crate) async fn within<T>(ms: u32, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(pause(ms))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
