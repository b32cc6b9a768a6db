//! Requests and responses as the gateway has them, and as the platform does; bodies stay handles.

use edge_core::fault::Fault;
use edge_core::headers::single;
use edge_core::host::Request;
use edge_core::target;
use http::response::Parts;
use http::{Method, Response};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use crate::body::Body;
use crate::rim::{self, Arrived};

/// The request as the gateway reads it. `None` for a URL that is none; the platform sends no such.
pub(crate) fn request(arrived: &Arrived) -> Option<Request<Body>> {
    let target = target::parse(arrived.url())?;
    let headers = arrived.headers();
    Some(Request {
        method: arrived.method().parse::<Method>().ok()?,
        scheme: target.scheme,
        host: target.host,
        path: target.path,
        query: target.query,
        ip: single(&headers, "cf-connecting-ip").and_then(|ip| ip.parse().ok()),
        cf: arrived.cf(),
        headers,
        body: arrived.content().into(),
    })
}

/// The response as the platform sends it.
pub(crate) fn response(response: Response<Body>) -> worker::Result<web_sys::Response> {
    let (Parts { status, headers, .. }, body) = response.into_parts();
    let response = match body {
        Body::Upgraded(response) => Ok(response),
        Body::Arriving(arriving) => arriving.respond(status, &headers),
        Body::Empty => rim::response(status, &headers, &JsValue::NULL, false),
        Body::Stream(stream) => rim::response(status, &headers, &stream, false),
        Body::Encoded(stream) => rim::response(status, &headers, &stream, true),
        Body::Bytes(bytes) => rim::response(status, &headers, &Uint8Array::from(bytes.as_slice()), true),
    };
    Ok(response?)
}

/// The gateway's answer where it cannot even start.
pub(crate) fn refusal(fault: &Fault) -> worker::Result<web_sys::Response> {
    worker::console_error!("{}", fault.internal().unwrap_or_default());
    let mut refused = Response::new(Body::Bytes(fault.body("", false).into_bytes()));
    *refused.status_mut() = fault.status();
    *refused.headers_mut() = fault.headers(None);
    response(refused)
}

/// What a JavaScript exception says.
pub(crate) fn reason(error: &JsValue) -> String {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    message.or_else(|| error.as_string()).unwrap_or_else(|| "unknown error".to_owned())
}
