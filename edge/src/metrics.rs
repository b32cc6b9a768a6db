//! One data point for each request, into Workers Analytics Engine: the binding `METRICS`, where there is one.

use std::cell::OnceCell;

use edge_core::metrics::point;
use edge_core::record::Record;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

#[wasm_bindgen(module = "/src/metrics.js")]
extern "C" {
    #[wasm_bindgen(js_name = isBound)]
    fn is_bound(env: &JsValue) -> bool;
    #[wasm_bindgen(catch)]
    fn write(env: &JsValue, index: &str, blobs: &str, doubles: &[u32]) -> Result<(), JsValue>;
}

thread_local! {
    static BOUND: OnceCell<bool> = const { OnceCell::new() };
}

/// Writes what happened to a request.
pub(crate) fn tell(env: &Env, record: &Record) {
    if !BOUND.with(|bound| *bound.get_or_init(|| is_bound(env))) {
        return;
    }
    let point = point(record);
    // The platform refuses more points than it takes of one request, and this is the only one.
    let _ = write(env, point.index, &point.blobs.join("\n"), &point.doubles);
}
