//! Work that goes on after the answer is sent.

use std::fmt::Display;
use std::future::Future;

use worker::Context;

/// Runs `work` in the background, up to the platform's 30 s; a failure is logged under `what`.
pub(crate) fn run<E: Display>(
    context: &Context,
    what: &'static str,
    work: impl Future<Output = Result<(), E>> + 'static,
) {
    context.wait_until(async move {
        if let Err(error) = work.await {
            worker::console_error!("{what}: {error}");
        }
    });
}
