//! Pipes: two ends, between which the platform passes bytes without JavaScript
//! (<https://developers.cloudflare.com/workers/runtime-apis/streams/transformstream/>).

use js_sys::BigInt;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{ReadableStream, WritableStream};

/// The platform declares no length from here on: it is no exact number in JavaScript.
const INEXACT: u64 = 1 << 53;

#[wasm_bindgen]
extern "C" {
    type IdentityTransformStream;

    #[wasm_bindgen(constructor)]
    fn new() -> IdentityTransformStream;
    #[wasm_bindgen(method, getter)]
    fn readable(this: &IdentityTransformStream) -> ReadableStream;
    #[wasm_bindgen(method, getter)]
    fn writable(this: &IdentityTransformStream) -> WritableStream;

    /// One that knows how long its content will be, so that the length is declared to who reads it.
    #[wasm_bindgen(extends = IdentityTransformStream)]
    type FixedLengthStream;

    #[wasm_bindgen(constructor)]
    fn new(length: BigInt) -> FixedLengthStream;
}

/// Two ends of one pipe.
pub(crate) struct Pipe(IdentityTransformStream);

impl Pipe {
    /// For content of this length, in bytes, where it is known.
    pub(crate) fn new(length: Option<u64>) -> Self {
        match length.filter(|length| *length < INEXACT) {
            Some(length) => Self(FixedLengthStream::new(length.into()).unchecked_into()),
            None => Self(IdentityTransformStream::new()),
        }
    }

    pub(crate) fn readable(&self) -> ReadableStream {
        self.0.readable()
    }

    pub(crate) fn writable(&self) -> WritableStream {
        self.0.writable()
    }
}
