//! The platform's global functions.

use js_sys::{Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, RequestInit, Response, SubtleCrypto, WorkerGlobalScope};

/// `fetch()`: sends a request. The [`response`] is there as soon as its head is.
pub(crate) fn fetch(request: &Request) -> Promise {
    scope().fetch_with_request(request)
}

/// The same, and the content stays as it was encoded
/// (<https://developers.cloudflare.com/workers/runtime-apis/request/#requestinit>).
pub(crate) fn fetch_encoded(request: &Request) -> Result<Promise, JsValue> {
    let init = RequestInit::new();
    // The runtime heeds it here, and not in a request that is made with it.
    Reflect::set(&init, &"encodeResponseBody".into(), &"manual".into())?;
    Ok(scope().fetch_with_request_and_init(request, &init))
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
