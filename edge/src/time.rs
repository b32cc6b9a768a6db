//! Waiting, and not waiting any longer.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use futures_util::future::{Either, select};
use wasm_bindgen_futures::JsFuture;

use crate::rim::Timer;

thread_local! {
    /// The one reading of the poll that is under way ([`one_reading_a_poll`]).
    static READ: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> u64 {
    READ.get().unwrap_or_else(read_ms)
}

/// This makes no object of it, as `worker::Date` does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number, and after 1970")]
fn read_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// The same work, with one reading of the clock for each time that it is polled: a request asks for the time dozens of
/// times, each a crossing, and between input and output the platform's clock stands still
/// (<https://developers.cloudflare.com/workers/runtime-apis/performance/>).
pub(crate) async fn one_reading_a_poll<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        READ.set(Some(read_ms()));
        let polled = work.as_mut().poll(context);
        READ.set(None);
        polled
    })
    .await
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
