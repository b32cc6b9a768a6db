//! The platform's global functions.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response, SubtleCrypto, WorkerGlobalScope};

/// `fetch()`: sends a request, and gives the answer as soon as its head is here.
pub(crate) async fn fetch(request: &Request) -> Result<Response, JsValue> {
    JsFuture::from(scope().fetch_with_request(request)).await?.dyn_into()
}

/// `crypto.subtle`.
pub(crate) fn subtle() -> Result<SubtleCrypto, JsValue> {
    Ok(scope().crypto()?.subtle())
}

fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}
