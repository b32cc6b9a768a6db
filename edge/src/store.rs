//! The Cache API as mere storage: one entry per key, whose head travels in one field.
//!
//! The platform would age, refuse or drop what it understands; so each entry is a plain 200 with a long life, and
//! the true head stands in [`HEAD`], for `edge_core::cache` to judge.

use edge_core::cache::Stored;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use web_sys::Blob;
use worker::Cache;

use crate::body::Body;
use crate::{fields, stream};

/// The stored head, as JSON.
const HEAD: HeaderName = HeaderName::from_static("x-he2-head");
/// As long as the platform keeps anything.
pub(crate) const FOR_EVER: &str = "max-age=31536000";

/// Longer content is not stored (bytes): an isolate has 128 MB for all its requests.
const LONGEST: u32 = 8 << 20;

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

/// Stores a response, if it arrives whole and is not long: the content is read to its end first, which fails where the
/// origin broke off, and a part must never be served as the whole.
pub(crate) async fn put(key: String, head: Stored, body: Body) -> worker::Result<()> {
    let Body::Stream(stream) = body else { return Ok(()) };
    let Some(chunks) = stream::chunks(&stream, LONGEST).await? else { return Ok(()) };
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    headers.insert(
        HEAD,
        HeaderValue::from_str(&serde_json::to_string(&head)?).map_err(|error| error.to_string())?,
    );
    let init = web_sys::ResponseInit::new();
    init.set_headers(&fields::write(&headers)?.into());
    let content = Blob::new_with_u8_array_sequence(&chunks)?;
    // What was read is decoded; on a hit the runtime encodes it again by the head's Content-Encoding.
    let entry = web_sys::Response::new_with_opt_blob_and_init(Some(&content), &init)?;
    cache().await.put(key.as_str(), entry.into()).await
}

/// Forgets what is stored under a key in this data centre.
pub(crate) async fn delete(key: String) -> worker::Result<()> {
    cache().await.delete(key.as_str(), true).await.map(drop)
}
