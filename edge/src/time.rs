//! Waiting, and not waiting any longer.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::Delay;

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
