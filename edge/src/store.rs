//! The Cache API as mere storage: one entry per key, whose head travels in one field.
//!
//! The platform would age, refuse or drop what it understands; so each entry is a plain 200 with a long life, and
//! the true head stands in [`HEAD`], for `edge_core::cache` to judge.

use edge_core::cache::Stored;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use worker::Cache;

use crate::body::Body;
use crate::glue;

/// The stored head, as JSON.
const HEAD: HeaderName = HeaderName::from_static("x-he2-head");
/// As long as the platform keeps anything.
const FOR_EVER: HeaderValue = HeaderValue::from_static("max-age=31536000");

async fn cache() -> Cache {
    Cache::open("he2".to_owned()).await
}

/// What is stored under a key, if it can be read.
pub(crate) async fn get(key: &str) -> Option<(Stored, Body)> {
    let entry = cache().await.get(key, true).await.ok()??;
    let entry = web_sys::Response::from(entry);
    let head = serde_json::from_str(&entry.headers().get(HEAD.as_str()).ok()??).ok()?;
    Some((head, entry.body().into()))
}

/// Stores a response.
pub(crate) async fn put(key: String, head: Stored, body: Body) -> worker::Result<()> {
    let mut headers = HeaderMap::new();
    // The body keeps its coding and length only if its own response says so.
    let original = head.header_map();
    for name in [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE] {
        headers.extend(original.get(&name).map(|value| (name, value.clone())));
    }
    headers.insert(CACHE_CONTROL, FOR_EVER);
    headers.insert(
        HEAD,
        HeaderValue::from_str(&serde_json::to_string(&head)?).map_err(|error| error.to_string())?,
    );
    let mut entry = http::Response::new(body);
    *entry.headers_mut() = headers;
    cache().await.put(key.as_str(), glue::response(entry)?.into()).await
}

/// Forgets what is stored under a key in this data centre.
pub(crate) async fn delete(key: String) -> worker::Result<()> {
    cache().await.delete(key.as_str(), true).await.map(drop)
}
