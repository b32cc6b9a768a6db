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
    context.wait_until(async move { log(what, work.await) });
}

/// Logs a failure that nobody waits for.
pub(crate) fn log<E: Display>(what: &'static str, done: Result<(), E>) {
    if let Err(error) = done {
        worker::console_error!("{what}: {error}");
    }
}
