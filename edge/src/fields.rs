//! Header fields across the border between JavaScript and Wasm: once in, once out.
//!
//! The runtime reads and writes field values as UTF-8, so both ways are UTF-8 here.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use js_sys::{Array, JsString};
use wasm_bindgen::{JsCast, JsValue};

/// All fields; those that `http` cannot hold are left out, as no origin could be sent them.
pub(crate) fn read(headers: &web_sys::Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for entry in headers.entries() {
        let pair = entry.ok().and_then(|entry| entry.dyn_into::<Array>().ok());
        let Some((name, value)) = pair.and_then(|pair| Some((text(&pair.get(0))?, text(&pair.get(1))?)))
        else {
            continue;
        };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()))
        {
            map.append(name, value);
        }
    }
    map
}

/// The platform's form of the fields.
pub(crate) fn write(map: &HeaderMap) -> Result<web_sys::Headers, JsValue> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in map {
        headers.append(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))?;
    }
    Ok(headers)
}

fn text(value: &JsValue) -> Option<String> {
    value.dyn_ref::<JsString>().map(String::from)
}
