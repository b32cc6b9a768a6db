//! Copies that isolates keep of what a Durable Object holds, kept new enough.

use std::cell::RefCell;

use crate::host::Host;
use crate::poll::Polled;

/// Knowledge so many times older than it should be is not relied on: the request waits for news.
const TOO_OLD: u64 = 2;
/// How long to wait before looking again for news (ms).
pub(super) const WAIT_MS: u32 = 10;

/// Sees to it that a copy is not much older than `due_ms`. News are asked for in the background, by `ask`; a request
/// waits for them only where the isolate has heard nothing for long, and not where they cannot be had: why.
pub(super) async fn heard<H: Host, K: Polled>(
    host: &H,
    known: &RefCell<K>,
    due_ms: u64,
    ask: impl Fn(&H),
) -> Result<(), String> {
    while age_ms(host, known) >= due_ms.saturating_mul(TOO_OLD) {
        let failure = known.borrow().poll().failure(host.now_ms()).map(str::to_owned);
        if let Some(error) = failure {
            return Err(error);
        }
        ask(host);
        host.pause(WAIT_MS).await;
    }
    if age_ms(host, known) >= due_ms {
        ask(host);
    }
    Ok(())
}

/// How old the isolate's knowledge is; where it has none, that is too old for anything.
pub(super) fn age_ms<H: Host, K: Polled>(host: &H, known: &RefCell<K>) -> u64 {
    known.borrow().poll().age_ms(host.now_ms()).unwrap_or(u64::MAX)
}
