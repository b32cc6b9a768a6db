//! Work that goes on after the answer is sent.

use std::fmt::Display;

/// Logs a failure that nobody waits for.
pub(crate) fn log<E: Display>(what: &str, done: Result<(), E>) {
    if let Err(error) = done {
        worker::console_error!("{what}: {error}");
    }
}
