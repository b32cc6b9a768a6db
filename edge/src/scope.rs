//! The platform's global functions.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response, SubtleCrypto, WorkerGlobalScope};

/// `fetch()`: sends a request. The [`response`] is there as soon as its head is.
pub(crate) fn fetch(request: &Request) -> Promise {
    scope().fetch_with_request(request)
}

/// What `fetch` has promised.
pub(crate) async fn response(promised: Promise) -> Result<Response, JsValue> {
    JsFuture::from(promised).await?.dyn_into()
}

/// `crypto.subtle`.
pub(crate) fn subtle() -> Result<SubtleCrypto, JsValue> {
    Ok(scope().crypto()?.subtle())
}

fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}
