//! Requests and responses across the border between JavaScript and Wasm: each head once, as text. `rim.js` is the other
//! side.

use edge_core::fields;
use edge_core::host::{Cf, Outgoing};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Headers, ReadableStream, Request, Response};
use worker::Env;

#[wasm_bindgen(module = "/src/rim.js")]
extern "C" {
    #[wasm_bindgen(js_name = requestHead)]
    fn request_head(request: &Request) -> String;
    fn lines(headers: &Headers) -> String;
    #[wasm_bindgen(catch)]
    #[allow(clippy::too_many_arguments, reason = "an object of them would be one more crossing each")]
    fn send(
        arrived: &Request,
        head: &str,
        body: &JsValue,
        most: Option<u32>,
        ms: u32,
        outlives: bool,
        encoded: bool,
    ) -> Result<Exchange, JsValue>;
    #[wasm_bindgen(catch)]
    fn respond(
        exchange: Option<&Exchange>,
        head: &str,
        body: &JsValue,
        encoded: bool,
    ) -> Result<Response, JsValue>;

    /// What an object says to a question: a promise of text, or of nothing where it says nothing in time (ms).
    pub(crate) fn ask(env: &Env, binding: &str, name: &str, question: &str, ms: u32) -> Promise;

    /// Milliseconds that are waited for.
    pub(crate) type Timer;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(ms: u32) -> Timer;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn over(this: &Timer) -> Promise;
    #[wasm_bindgen(method)]
    pub(crate) fn clear(this: &Timer);

    /// An answer that is promised.
    pub(crate) type Deferred;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Deferred;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn promise(this: &Deferred) -> Promise;
    #[wasm_bindgen(method)]
    pub(crate) fn resolve(this: &Deferred, response: &Response);

    /// A request to the origin, and its answer.
    #[derive(Debug)]
    type Exchange;
    #[wasm_bindgen(method, getter)]
    fn answered(this: &Exchange) -> Promise;
    #[wasm_bindgen(method, getter, js_name = isTooLong)]
    fn is_too_long(this: &Exchange) -> bool;
    #[wasm_bindgen(method, getter)]
    fn head(this: &Exchange) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn content(this: &Exchange) -> Option<ReadableStream>;
    #[wasm_bindgen(method, getter)]
    fn response(this: &Exchange) -> Response;
    #[wasm_bindgen(method)]
    fn abort(this: &Exchange);
}

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    request: Request,
    /// As `rim.js` writes it.
    head: String,
}

impl Arrived {
    pub(crate) fn new(request: Request) -> Self {
        Self { head: request_head(&request), request }
    }

    pub(crate) fn method(&self) -> &str {
        line(&self.head, 0)
    }

    pub(crate) fn url(&self) -> &str {
        line(&self.head, 1)
    }

    pub(crate) fn content(&self) -> Option<ReadableStream> {
        if line(&self.head, 2).is_empty() { None } else { self.request.body() }
    }

    /// Whether the client has left.
    pub(crate) fn is_gone(&self) -> bool {
        self.request.signal().aborted()
    }

    pub(crate) fn cf(&self) -> Cf {
        Cf::parse(after(&self.head, 3))
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        fields::parse(self.fields())
    }

    fn fields(&self) -> &str {
        after(&self.head, 7)
    }

    /// Sends a request that this one has led to.
    pub(crate) fn send(&self, outgoing: &Outgoing<JsValue>) -> Result<Asked, JsValue> {
        let Outgoing { method, url, headers, first_byte_ms, max_body_bytes, outlives, encoded, body } =
            outgoing;
        let head = [method.as_str(), url, &fields::edits(self.fields(), headers)].join("\n");
        // Of content whose length is declared, the platform sends no more than that.
        let most = max_body_bytes.filter(|_| !headers.contains_key(CONTENT_LENGTH));
        let exchange = send(&self.request, &head, body, most, *first_byte_ms, *outlives, *encoded)?;
        Ok(Asked { exchange: Some(exchange), encoded: *encoded })
    }
}

/// A request to the origin, which is broken off when this is dropped.
#[derive(Debug)]
pub(crate) struct Asked {
    exchange: Option<Exchange>,
    encoded: bool,
}

impl Asked {
    /// Settles when there is an answer, or none in time.
    pub(crate) fn answered(&self) -> Promise {
        self.exchange.as_ref().map_or(Promise::resolve(&JsValue::UNDEFINED), Exchange::answered)
    }

    /// Whether more content came than may be sent.
    pub(crate) fn is_too_long(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::is_too_long)
    }

    /// The answer, if there is one.
    pub(crate) fn answer(mut self) -> Option<Arriving> {
        let head = self.exchange.as_ref()?.head()?;
        Some(Arriving { head, exchange: self.exchange.take()?, encoded: self.encoded })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange {
            exchange.abort();
        }
    }
}

/// An answer whose content is still on its way.
#[derive(Debug)]
pub(crate) struct Arriving {
    exchange: Exchange,
    /// As `rim.js` writes it.
    head: String,
    /// As its `Content-Encoding` says, and not to be decoded.
    encoded: bool,
}

impl Arriving {
    pub(crate) fn status(&self) -> &str {
        line(&self.head, 0)
    }

    pub(crate) fn content(&self) -> Option<ReadableStream> {
        if line(&self.head, 1).is_empty() { None } else { self.exchange.content() }
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        fields::parse(after(&self.head, 2))
    }

    /// Whether its content stays as its `Content-Encoding` says.
    pub(crate) fn is_encoded(&self) -> bool {
        self.encoded
    }

    /// The platform's response, untouched.
    pub(crate) fn response(&self) -> Response {
        self.exchange.response()
    }

    /// Breaks it off at its source.
    pub(crate) fn abort(&self) {
        self.exchange.abort();
    }

    /// The same answer for the caller, with this status and these fields.
    pub(crate) fn respond(&self, status: StatusCode, headers: &HeaderMap) -> Result<Response, JsValue> {
        let head = [status.as_str(), &fields::edits(after(&self.head, 2), headers)].join("\n");
        respond(Some(&self.exchange), &head, &JsValue::NULL, self.encoded)
    }
}

fn line(head: &str, at: usize) -> &str {
    head.split('\n').nth(at).unwrap_or_default()
}

/// What comes after so many lines.
fn after(head: &str, lines: usize) -> &str {
    head.splitn(lines.saturating_add(1), '\n').nth(lines).unwrap_or_default()
}

/// A response of the gateway's own; `encoded` content is as its `Content-Encoding` says, and is not encoded once more.
pub(crate) fn response(
    status: StatusCode,
    headers: &HeaderMap,
    body: &JsValue,
    encoded: bool,
) -> Result<Response, JsValue> {
    let head = [status.as_str(), &fields::edits("", headers)].join("\n");
    respond(None, &head, body, encoded)
}

/// The fields of any response.
pub(crate) fn headers(response: &Response) -> HeaderMap {
    fields::parse(&lines(&response.headers()))
}
