//! A panic ends the Wasm instance, and all requests in it; the platform's shim makes a new one for the next request.
//! That one tells Sentry what the last one died of.

use std::cell::Cell;
use std::panic;

use edge_core::gateway;
use edge_core::record::Record;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::event;

use crate::platform::Platform;

#[wasm_bindgen(module = "/src/panics.js")]
extern "C" {
    fn keep(message: &str);
    fn take() -> Option<String>;
}

thread_local! {
    /// Whether this instance has asked what the last one died of.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// A new instance begins.
#[event(start)]
fn start() {
    let rest = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        keep(&info.to_string());
        rest(info);
    }));
}

/// Tells of the last instance's end, in the first request of this one.
pub(crate) fn tell(platform: &Platform) {
    if ASKED.replace(true) {
        return;
    }
    if let Some(message) = take() {
        gateway::report(platform, "panic", &message, &Record::default());
    }
}

/// A request that asks for it panics: at once, or when others have had their turn. For a test, and not in what is
/// deployed.
#[cfg(feature = "panics")]
#[allow(clippy::panic, reason = "that is what it is for")]
pub(crate) async fn on_demand(headers: &http::HeaderMap) {
    match edge_core::headers::single(headers, "x-test-panic") {
        Some("now") => panic!("as the test says, at once"),
        Some(_) => {
            crate::time::pause(50).await;
            panic!("as the test says, later");
        }
        None => {}
    }
}
