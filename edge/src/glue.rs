//! Heads cross the border between JavaScript and Wasm here, once each way; bodies stay handles.

use edge_core::fault::Fault;
use edge_core::headers::single;
use edge_core::host::Request;
use edge_core::target;
use http::{Method, Response};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::body::Body;
use crate::fields;

/// The request as the gateway reads it. `None` for a URL that is none; the platform sends no such.
pub(crate) fn request(request: &web_sys::Request) -> Option<Request<Body>> {
    let target = target::parse(&request.url())?;
    let headers = fields::read(&request.headers());
    Some(Request {
        method: request.method().parse::<Method>().ok()?,
        scheme: target.scheme,
        host: target.host,
        path: target.path,
        query: target.query,
        ip: single(&headers, "cf-connecting-ip").and_then(|ip| ip.parse().ok()),
        cf: fields::connection(request),
        headers,
        body: request.body().into(),
    })
}

/// The response as the platform sends it.
pub(crate) fn response(response: Response<Body>) -> worker::Result<web_sys::Response> {
    let (head, body) = response.into_parts();
    let init = web_sys::ResponseInit::new();
    init.set_status(head.status.as_u16());
    let response = match body {
        Body::Upgraded(response) => return Ok(response),
        Body::Empty => web_sys::Response::new_with_opt_readable_stream_and_init(None, &init),
        Body::Stream(stream) | Body::Arriving(stream, _) => {
            web_sys::Response::new_with_opt_readable_stream_and_init(Some(&stream), &init)
        }
        Body::Encoded(stream) => {
            as_it_is(&init)?;
            web_sys::Response::new_with_opt_readable_stream_and_init(Some(&stream), &init)
        }
        Body::Bytes(bytes) => {
            as_it_is(&init)?;
            let bytes = Uint8Array::from(bytes.as_slice());
            web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&bytes), &init)
        }
    };
    let response = response?;
    fields::write(&head.headers, &response.headers())?;
    Ok(response)
}

/// Keeps the runtime from encoding content once more, by its `Content-Encoding`.
fn as_it_is(init: &web_sys::ResponseInit) -> Result<bool, JsValue> {
    Reflect::set(init, &"encodeBody".into(), &"manual".into())
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
