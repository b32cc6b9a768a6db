//! Header fields across the border between JavaScript and Wasm: once in, once out.
//!
//! The runtime reads and writes field values as UTF-8, so both ways are UTF-8 here.

use edge_core::host::Cf;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/fields.js")]
extern "C" {
    fn lines(headers: &web_sys::Headers) -> String;
    #[wasm_bindgen(js_name = connection)]
    fn connection_lines(request: &web_sys::Request) -> String;
    #[wasm_bindgen(catch)]
    fn append(headers: &web_sys::Headers, lines: &str) -> Result<(), JsValue>;
}

/// All fields; those that `http` cannot hold are left out, as no origin could be sent them.
pub(crate) fn read(headers: &web_sys::Headers) -> HeaderMap {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    lines(headers).split('\n').filter_map(pair).collect()
}

/// What the platform says of the connection that brought a request.
pub(crate) fn connection(request: &web_sys::Request) -> Cf {
    Cf::parse(&connection_lines(request))
}

/// Adds the fields to the platform's.
pub(crate) fn write(map: &HeaderMap, headers: &web_sys::Headers) -> Result<(), JsValue> {
    let mut lines = String::new();
    for (name, value) in map {
        lines.extend([name.as_str(), ":", &String::from_utf8_lossy(value.as_bytes()), "\n"]);
    }
    append(headers, &lines)
}
