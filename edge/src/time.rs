//! Waiting, and not waiting any longer.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::Delay;

/// Unix time in milliseconds. It is asked for often: this makes no object of it, as `worker::Date` does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number, and after 1970")]
pub(crate) fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// Lets this many milliseconds pass.
pub(crate) async fn pause(ms: u32) {
    Delay::from(Duration::from_millis(ms.into())).await;
}

/// What `work` gives within `ms` milliseconds; afterwards it is dropped.
pub(crate) async fn within<T>(ms: u32, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(pause(ms))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
