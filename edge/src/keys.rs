//! Key sets: the issuer's answer, and the copy that the isolates of a data centre share in the Cache API.

use edge_core::auth::keys::Fetched;
use edge_core::cache::control::Control;
use edge_core::host::ReadError;
use wasm_bindgen::JsValue;
use worker::{Cache, Response};

use crate::body::Body;
use crate::store::FOR_EVER;
use crate::time::{now_ms, within};
use crate::{glue, rim, scope};

/// The issuer's answer is not waited for longer (ms).
const TIMEOUT_MS: u32 = 5_000;
/// More of it is not read (bytes): a key is a few hundred.
const LONGEST: u32 = 256 << 10;

/// Asks an issuer for its key set.
pub(crate) async fn fetch(url: &str) -> Result<Fetched, String> {
    let answer = within(TIMEOUT_MS, ask(url)).await;
    let answer = answer.unwrap_or_else(|| Err(format!("no answer within {TIMEOUT_MS} ms")));
    answer.map_err(|reason| format!("{url}: {reason}"))
}

async fn ask(url: &str) -> Result<Fetched, String> {
    let response = get(url).await.map_err(|error| glue::reason(&error))?;
    if response.status() != 200 {
        return Err(format!("status {}", response.status()));
    }
    let body = Body::from(response.body()).read(LONGEST).await.map_err(|error| match error {
        ReadError::TooLong => format!("more than {LONGEST} bytes"),
        ReadError::Failed(reason) => reason,
    })?;
    let json = String::from_utf8(body).map_err(|error| error.to_string())?;
    Ok(Fetched { json, max_age: max_age(&response), fetched_ms: now_ms() })
}

async fn get(url: &str) -> Result<web_sys::Response, JsValue> {
    let init = web_sys::RequestInit::new();
    // A cache in between would hide the key that has just been added.
    init.set_cache(web_sys::RequestCache::NoStore);
    scope::response(scope::fetch(&web_sys::Request::new_with_str_and_init(url, &init)?)).await
}

fn max_age(response: &web_sys::Response) -> Option<u32> {
    let seconds = Control::of(&rim::headers(response)).max_age?;
    Some(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// Apart from the cache of responses, so that no key of the one can meet one of the other.
async fn cache() -> Cache {
    Cache::open("he2-keys".to_owned()).await
}

/// The key set that was shared under this address, if there is one that can be read.
pub(crate) async fn shared(url: &str) -> Option<Fetched> {
    let mut entry = cache().await.get(url, false).await.ok()??;
    serde_json::from_str(&entry.text().await.ok()?).ok()
}

/// Shares a key set. The platform keeps it as long as it can: how old it may be is judged by who reads it.
pub(crate) async fn share(url: &str, fetched: &Fetched) -> worker::Result<()> {
    let mut entry = Response::ok(serde_json::to_string(fetched)?)?;
    entry.headers_mut().set("cache-control", FOR_EVER)?;
    cache().await.put(url, entry).await
}
