//! The Cache API as mere storage: records as JSON, content as it came.
//!
//! The platform would age, refuse or drop what it understands; so each entry is a plain 200 with a long life, and
//! what it means is for `edge_core::cache` to judge. It keeps less than it says it does, or for a shorter time: what is
//! not found is asked for again.

use edge_core::cache::index::Index;
use edge_core::cache::range::Part;
use http::header::{CACHE_CONTROL, RANGE};
use js_sys::JsString;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, WritableStream};
use worker::Cache;

use crate::body::Body;
use crate::pipe::Pipe;
use crate::pump;
use crate::time;

/// As long as the platform keeps anything.
pub(crate) const FOR_EVER: &str = "max-age=31536000";

/// What takes the storage longer than this (ms) is as good as not there: the origin is asked.
const SLOWEST_MS: u32 = 1_000;

async fn cache() -> Cache {
    Cache::open("he2".to_owned()).await
}

/// What is stored at an address, or a part of it.
async fn get(address: &str, range: Option<String>) -> Option<web_sys::Response> {
    let request = web_sys::Request::new_with_str(address).ok()?;
    if let Some(range) = range {
        request.headers().set(RANGE.as_str(), &range).ok()?;
    }
    let request = worker::Request::from(request);
    let found = time::within(SLOWEST_MS, async { cache().await.get(&request, true).await });
    found.await?.ok()?.map(Into::into)
}

/// Stores content at an address. It fails where the content breaks off.
async fn put(address: &str, content: web_sys::Response) -> worker::Result<()> {
    content.headers().set(CACHE_CONTROL.as_str(), FOR_EVER)?;
    cache().await.put(address, content.into()).await
}

/// The record under a key, if it can be read.
pub(crate) async fn index(key: &str) -> Option<Index> {
    let found = get(key, None).await?;
    let text = time::within(SLOWEST_MS, JsFuture::from(found.text().ok()?)).await?.ok()?;
    serde_json::from_str(&String::from(text.dyn_into::<JsString>().ok()?)).ok()
}

/// Stores the record under a key.
pub(crate) async fn put_index(key: &str, index: &Index) -> worker::Result<()> {
    let text = serde_json::to_string(index)?;
    put(key, web_sys::Response::new_with_opt_str(Some(&text))?).await
}

/// Stored content, or exactly this part of it.
pub(crate) async fn content(name: &str, part: Part) -> Option<Body> {
    let (range, status) = match part {
        Part::Bytes { first, last } => (Some(format!("bytes={first}-{last}")), 206),
        _ => (None, 200),
    };
    let found = get(name, range).await?;
    (found.status() == status).then(|| found.body().map_or(Body::Empty, Body::Encoded))
}

/// The caller's content, and the storing of the same. Only streams are stored: the gateway's own words are not.
pub(crate) fn keep(
    name: String,
    length: Option<u64>,
    body: Body,
) -> (Body, impl Future<Output = Option<u64>> + 'static) {
    let Some(source) = body.stream() else { return (Body::Empty, store(name, length, None)) };
    let client = Pipe::new(length);
    let readable = client.readable();
    (Body::Encoded(readable), store(name, length, Some((source, Some(client.writable())))))
}

/// Stores content for nobody in particular.
pub(crate) fn save(
    name: String,
    length: Option<u64>,
    body: Body,
) -> impl Future<Output = Option<u64>> + 'static {
    store(name, length, body.stream().map(|source| (source, None)))
}

type Flow = (ReadableStream, Option<WritableStream>);

/// The length of what was stored, if that was all of it.
async fn store(name: String, length: Option<u64>, flow: Option<Flow>) -> Option<u64> {
    let Some((source, client)) = flow else { return Some(0) };
    match pump(&name, length, &source, client).await {
        Ok(stored) => stored,
        Err(error) => {
            worker::console_error!("storing: {}", crate::glue::reason(&error));
            None
        }
    }
}

async fn pump(
    name: &str,
    length: Option<u64>,
    source: &ReadableStream,
    client: Option<WritableStream>,
) -> Result<Option<u64>, JsValue> {
    let storage = Pipe::new(length);
    let content = web_sys::Response::new_with_opt_readable_stream(Some(&storage.readable()))?;
    let storing = put(name, content);
    pump::copy(source, client, storage.writable(), storing, length).await
}
