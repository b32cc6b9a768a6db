//! Requests to the origin, and its answers.

use edge_core::host::{Outgoing, SendError};
use http::{Method, Response, StatusCode};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::body::Body;
use crate::glue;
use crate::rim::{Arrived, Arriving};

/// Sends a request that `arrived` has led to. The client's leaving breaks it off, and its answer too, unless that
/// outlives the client: then `background` keeps the event alive until its head is here.
pub(crate) async fn send(
    outgoing: Outgoing<Body>,
    arrived: &Arrived,
    background: impl FnOnce(Promise),
) -> Result<Response<Body>, SendError> {
    let (outlives, most) = (outgoing.outlives, outgoing.max_body_bytes.unwrap_or(u32::MAX));
    let failed = |error: JsValue| SendError::Failed(glue::reason(&error));
    let asked = arrived.send(&for_platform(outgoing)).map_err(failed)?;
    let answered = asked.answered();
    if outlives {
        // Others wait for it, so it goes on though the client leaves.
        background(answered.clone());
    }
    match JsFuture::from(answered).await {
        Ok(_) => asked.answer().map_or(Err(SendError::Timeout), response),
        Err(_) if asked.is_too_long() => Err(SendError::TooLong(most)),
        Err(_) if arrived.is_gone() && !outlives => Err(SendError::Gone),
        Err(error) => Err(failed(error)),
    }
}

/// The request with its content as the runtime takes it: it has some for `Content-Length: 0` too, and will not send any with
/// GET and HEAD.
fn for_platform(outgoing: Outgoing<Body>) -> Outgoing<JsValue> {
    let Outgoing { method, url, headers, first_byte_ms, max_body_bytes, outlives, encoded, body } = outgoing;
    let body = match (&method, body) {
        (&Method::GET | &Method::HEAD, _) => JsValue::UNDEFINED,
        (_, Body::Stream(stream)) => stream.into(),
        (_, Body::Bytes(bytes)) => Uint8Array::from(bytes.as_slice()).into(),
        _ => JsValue::UNDEFINED,
    };
    Outgoing { method, url, headers, first_byte_ms, max_body_bytes, outlives, encoded, body }
}

fn response(arrived: Arriving) -> Result<Response<Body>, SendError> {
    let failed = || SendError::Failed(format!("status {}", arrived.status()));
    let status = status(arrived.status()).ok_or_else(failed)?;
    let headers = arrived.headers();
    let mut response = Response::new(match status {
        StatusCode::SWITCHING_PROTOCOLS => Body::Upgraded(arrived.response()),
        _ => Body::Arriving(arrived),
    });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A status that a response can have here; the runtime makes no other.
fn status(code: &str) -> Option<StatusCode> {
    let code = code.parse().ok()?;
    let sent = code == 101 || (200..600).contains(&code);
    StatusCode::from_u16(code).ok().filter(|_| sent)
}
