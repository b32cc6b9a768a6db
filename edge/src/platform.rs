//! The platform behind `edge_core`'s `Host`: clock, randomness, keys, limiter, cache store, fetch.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use edge_core::auth::keys::{Fetched, Store};
use edge_core::cache::Stored;
use edge_core::cache::control::Control;
use edge_core::host::{Host, Outgoing, SendError, Settings};
use edge_core::limit::{Ask, Verdict};
use futures_util::future::{Either, select};
use http::{Method, Response, StatusCode};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, WorkerGlobalScope};
use worker::{Context, Delay, Env};

use crate::body::Body;
use crate::{background, fields, glue, limiter, store};

thread_local! {
    /// The isolate's keys: plain data, so that it may outlive the request that fetched them.
    static KEYS: Rc<RefCell<Store>> = Rc::default();
}

/// The issuer's answer is not waited for longer (ms).
const KEYS_TIMEOUT_MS: u32 = 5_000;
/// The limiter's answer is not waited for longer (ms); the gateway then goes on without it.
const LIMITER_TIMEOUT_MS: u32 = 2_000;

/// One event's view of the platform.
pub(crate) struct Platform {
    settings: Settings,
    env: Env,
    context: Context,
    keys: Rc<RefCell<Store>>,
    /// Fires when the client leaves.
    gone: AbortSignal,
}

impl Platform {
    /// For the event that brought `request`.
    pub(crate) fn new(request: &web_sys::Request, settings: Settings, env: Env, context: Context) -> Self {
        Self { settings, env, context, keys: KEYS.with(Rc::clone), gone: request.signal() }
    }
}

impl Host for Platform {
    type Body = Body;

    fn now_ms(&self) -> u64 {
        worker::Date::now().as_millis()
    }

    fn random(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        // It fails only where there is no Web Crypto; ids are then all alike, and requests still served.
        let _ = getrandom::fill(&mut bytes);
        bytes
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn key_store(&self) -> &RefCell<Store> {
        &self.keys
    }

    fn text(&self, text: String) -> Body {
        Body::Text(text)
    }

    fn empty(&self) -> Body {
        Body::Empty
    }

    async fn pause(&self, ms: u32) {
        Delay::from(Duration::from_millis(ms.into())).await;
    }

    async fn fetch_keys(&self) -> Result<Fetched, String> {
        let url = format!("{}/.well-known/jwks.json", self.settings.issuer);
        let request = web_sys::Request::new_with_str(&url).map_err(|error| glue::reason(&error))?;
        let read = async {
            let response = fetch(&request).await?;
            let text = JsFuture::from(response.text()?).await?;
            Ok((response, text.as_string().unwrap_or_default()))
        };
        let (response, json) = within(KEYS_TIMEOUT_MS, read)
            .await
            .ok_or_else(|| format!("{url}: no answer within {KEYS_TIMEOUT_MS} ms"))?
            .map_err(|error: JsValue| format!("{url}: {}", glue::reason(&error)))?;
        match response.status() {
            200 => Ok(Fetched { json, max_age: max_age(&response) }),
            status => Err(format!("{url}: status {status}")),
        }
    }

    async fn take(&self, object: &str, ask: &Ask) -> Result<Verdict, String> {
        let answer = within(LIMITER_TIMEOUT_MS, limiter::ask(&self.env, object, ask)).await;
        answer.ok_or("no answer in time")?.map_err(|error| error.to_string())
    }

    async fn cached(&self, key: &str) -> Option<(Stored, Body)> {
        store::get(key).await
    }

    fn store(&self, key: &str, head: &Stored, body: Body) -> Body {
        let (ours, theirs) = body.tee();
        background::run(&self.context, "cache put", store::put(key.to_owned(), head.clone(), ours));
        theirs
    }

    fn forget(&self, key: &str) {
        background::run(&self.context, "cache delete", store::delete(key.to_owned()));
    }

    async fn send(&self, outgoing: Outgoing<Body>) -> Result<Response<Body>, SendError> {
        let failed = |error: JsValue| SendError::Failed(glue::reason(&error));
        let late = AbortController::new().map_err(failed)?;
        let signals = js_sys::Array::of2(&self.gone, &late.signal());
        let first_byte_ms = outgoing.first_byte_ms;
        let request = request(outgoing, &AbortSignal::any(&signals)).map_err(failed)?;
        let Some(answer) = within(first_byte_ms, fetch(&request)).await else {
            late.abort();
            return Err(SendError::Timeout);
        };
        answer.and_then(response).map_err(failed)
    }
}

/// What `work` gives within `ms` milliseconds; afterwards it is dropped.
async fn within<T>(ms: u32, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(Delay::from(Duration::from_millis(ms.into())))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

async fn fetch(request: &web_sys::Request) -> Result<web_sys::Response, JsValue> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    JsFuture::from(scope.fetch_with_request(request)).await?.dyn_into()
}

/// Redirects are the client's to follow: an edge that followed them would hide the origin's `Location`.
fn request(outgoing: Outgoing<Body>, signal: &AbortSignal) -> Result<web_sys::Request, JsValue> {
    let init = web_sys::RequestInit::new();
    init.set_method(outgoing.method.as_str());
    init.set_headers(&fields::write(&outgoing.headers)?.into());
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_signal(Some(signal));
    // Cloudflare's own cache below this one would store by file name, and nothing here could forget it.
    init.set_cache(web_sys::RequestCache::NoStore);
    // The runtime has content for `Content-Length: 0` too, and will not send any with these methods.
    let bare = matches!(outgoing.method, Method::GET | Method::HEAD);
    if let (Body::Stream(stream), false) = (outgoing.body, bare) {
        init.set_body(&stream);
    }
    web_sys::Request::new_with_str_and_init(&outgoing.url, &init)
}

fn response(arrived: web_sys::Response) -> Result<Response<Body>, JsValue> {
    let status = status(arrived.status()).ok_or_else(|| format!("status {}", arrived.status()))?;
    let headers = fields::read(&arrived.headers());
    let body = match status {
        StatusCode::SWITCHING_PROTOCOLS => Body::Upgraded(arrived),
        _ => arrived.body().into(),
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

fn max_age(response: &web_sys::Response) -> Option<u32> {
    let seconds = Control::of(&fields::read(&response.headers())).max_age?;
    Some(u32::try_from(seconds).unwrap_or(u32::MAX))
}
