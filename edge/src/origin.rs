//! Requests to the origin, and its answers.

use edge_core::host::{Outgoing, SendError};
use http::header::CONTENT_LENGTH;
use http::{Method, Response, StatusCode};
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::{AbortController, AbortSignal};

use crate::body::Body;
use crate::stream::{self, Counted};
use crate::time::within;
use crate::{fields, glue, scope};

/// Sends a request; `gone` breaks it off, and its answer too, unless that outlives the client: then `background` keeps
/// the event alive until its head is here.
pub(crate) async fn send(
    mut outgoing: Outgoing<Body>,
    gone: &AbortSignal,
    background: impl FnOnce(Promise),
) -> Result<Response<Body>, SendError> {
    let failed = |error: JsValue| SendError::Failed(glue::reason(&error));
    let stop = Stop::new().map_err(failed)?;
    let (outlives, first_byte_ms) = (outgoing.outlives, outgoing.first_byte_ms);
    let signal = match outlives {
        true => stop.0.signal(),
        false => AbortSignal::any(&Array::of2(gone, &stop.0.signal())),
    };
    let counted = count(&mut outgoing, &stop.0);
    let request = request(outgoing, &signal).map_err(failed)?;
    let answer = match outlives {
        true => scope::fetch_encoded(&request).map_err(failed)?,
        false => scope::fetch(&request),
    };
    if outlives {
        // Others wait for it, so it goes on though the client leaves.
        background(answer.clone());
    }
    let Some(answer) = within(first_byte_ms, scope::response(answer)).await else {
        return Err(SendError::Timeout);
    };
    match answer {
        Err(_) if counted.is_some_and(|counted| counted.is_over()) => Err(SendError::TooLong),
        Err(_) if gone.aborted() && !outlives => Err(SendError::Gone),
        answer => answer.and_then(|answer| response(answer, stop.answered(), outlives)).map_err(failed),
    }
}

/// Breaks off a request that is dropped before its answer is here: nobody waits for it any more.
struct Stop(AbortController, bool);

impl Stop {
    fn new() -> Result<Self, JsValue> {
        Ok(Self(AbortController::new()?, false))
    }

    /// The answer is here; it is broken off by whoever has it.
    fn answered(mut self) -> AbortController {
        self.1 = true;
        self.0.clone()
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        if !self.1 {
            self.0.abort();
        }
    }
}

/// Counts content whose length is not declared: of other content the platform sends no more than that.
fn count(outgoing: &mut Outgoing<Body>, stop: &AbortController) -> Option<Counted> {
    let Body::Stream(stream) = &outgoing.body else { return None };
    let most = outgoing.max_body_bytes.filter(|_| !outgoing.headers.contains_key(CONTENT_LENGTH))?;
    let counted = stream::counted(stream, most, stop);
    outgoing.body = Body::Stream(counted.readable());
    Some(counted)
}

/// Redirects are the client's to follow: an edge that followed them would hide the origin's `Location`.
fn request(outgoing: Outgoing<Body>, signal: &AbortSignal) -> Result<web_sys::Request, JsValue> {
    let init = web_sys::RequestInit::new();
    init.set_method(outgoing.method.as_str());
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_signal(Some(signal));
    // Cloudflare's own cache below this one would store by file name, and nothing here could forget it.
    init.set_cache(web_sys::RequestCache::NoStore);
    match (outgoing.method, outgoing.body) {
        // The runtime has content for `Content-Length: 0` too, and will not send any with these methods.
        (Method::GET | Method::HEAD, _) => {}
        (_, Body::Stream(stream)) => init.set_body(&stream),
        (_, Body::Bytes(bytes)) => init.set_body(&Uint8Array::from(bytes.as_slice())),
        _ => {}
    }
    let request = web_sys::Request::new_with_str_and_init(&outgoing.url, &init)?;
    fields::write(&outgoing.headers, &request.headers())?;
    Ok(request)
}

fn response(
    arrived: web_sys::Response,
    stop: AbortController,
    encoded: bool,
) -> Result<Response<Body>, JsValue> {
    let status = status(arrived.status()).ok_or_else(|| format!("status {}", arrived.status()))?;
    let headers = fields::read(&arrived.headers());
    let body = match (status, arrived.body()) {
        (StatusCode::SWITCHING_PROTOCOLS, _) => Body::Upgraded(arrived),
        (_, Some(stream)) if encoded => Body::Encoded(stream),
        (_, Some(stream)) => Body::Arriving(stream, stop),
        (_, None) => Body::Empty,
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A status that a response can have here; the runtime makes no other.
fn status(code: u16) -> Option<StatusCode> {
    let sent = code == 101 || (200..600).contains(&code);
    StatusCode::from_u16(code).ok().filter(|_| sent)
}
