//! The platform behind `edge_core`'s `Host`.

use std::rc::Rc;

use edge_core::auth::isolate::Isolate;
use edge_core::auth::keys::{Fetched, Jwk};
use edge_core::auth::revocation;
use edge_core::cache::index::Index;
use edge_core::cache::purge;
use edge_core::cache::range::Part;
use edge_core::host::{Host, Outgoing, ReadError, SendError, Settings};
use edge_core::limit::{self, ledger};
use edge_core::plan::Timeouts;
use edge_core::stream::Heartbeat;
use http::Response;
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Env};

use crate::body::Body;
use crate::crypto::{self, Key};
use crate::plan::PLAN;
use crate::rim::Arrived;
use crate::{background, deliveries, glue, keys, limiter, object, origin, places, store, stream, time};

thread_local! {
    /// Plain data and keys, so that it may outlive the request that brought them.
    static ISOLATE: Rc<Isolate<Key>> = Rc::new(Isolate::new(&PLAN));
}

/// One event's view of the platform.
#[derive(Clone)]
pub(crate) struct Platform(Rc<Event>);

struct Event {
    settings: Rc<Settings>,
    isolate: Rc<Isolate<Key>>,
    env: Env,
    context: Context,
    arrived: Arrived,
}

impl Platform {
    /// For the event that brought the request.
    pub(crate) fn new(arrived: Arrived, settings: Rc<Settings>, env: Env, context: Context) -> Self {
        let isolate = ISOLATE.with(Rc::clone);
        Self(Rc::new(Event { settings, isolate, env, context, arrived }))
    }

    /// The event's bindings.
    pub(crate) fn env(&self) -> &Env {
        &self.0.env
    }
}

impl Host for Platform {
    type Body = Body;
    type Key = Key;

    fn now_ms(&self) -> u64 {
        time::now_ms()
    }

    fn random(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        // It fails only where there is no Web Crypto; ids are then all zeros, and requests still served.
        let _ = getrandom::fill(&mut bytes);
        bytes
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn isolate(&self) -> &Isolate<Key> {
        &self.0.isolate
    }

    fn text(&self, text: String) -> Body {
        Body::Bytes(text.into_bytes())
    }

    fn bytes(&self, bytes: Vec<u8>) -> Body {
        Body::Bytes(bytes)
    }

    fn empty(&self) -> Body {
        Body::Empty
    }

    fn again(&self, body: &Body) -> Option<Body> {
        body.again()
    }

    fn discard(&self, body: Body) {
        body.discard();
    }

    async fn pause(&self, ms: u32) {
        time::pause(ms).await;
    }

    async fn within<T>(&self, ms: u32, work: impl Future<Output = T>) -> Option<T> {
        time::within(ms, work).await
    }

    fn background(&self, work: impl Future<Output = ()> + 'static) {
        self.0.context.wait_until(work);
    }

    async fn fetch_keys(&self, url: &str) -> Result<Fetched, String> {
        keys::fetch(url).await
    }

    async fn shared_keys(&self, url: &str) -> Option<Fetched> {
        keys::shared(url).await
    }

    async fn share_keys(&self, url: &str, fetched: &Fetched) {
        background::log("sharing keys", keys::share(url, fetched).await);
    }

    async fn import(&self, jwk: &Jwk) -> Result<Key, String> {
        crypto::import(jwk).await.map_err(|error| glue::reason(&error))
    }

    async fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        crypto::verify(key, message, signature).await
    }

    async fn read(&self, body: Body, most: u32) -> Result<Vec<u8>, ReadError> {
        body.read(most).await
    }

    fn events(
        &self,
        body: Body,
        heartbeat: Option<Heartbeat>,
        over: impl Future<Output = ()> + 'static,
    ) -> Body {
        // What is here already ends by itself.
        let Body::Arriving(origin) = body else { return body };
        let Some(stream) = origin.content() else { return Body::Empty };
        let encoded = origin.is_encoded();
        let (stream, work) = stream::events(&stream, origin, heartbeat, over);
        // So that it is not abandoned, with all it holds, where the client leaves. That makes it fail, which is
        // nothing to report.
        self.0.context.wait_until(async { drop(work.await) });
        if encoded { Body::Encoded(stream) } else { Body::Stream(stream) }
    }

    fn limit_time(&self, body: Body, length: Option<u64>, timeouts: Timeouts, request_id: &str) -> Body {
        // What is here already takes no time.
        let Body::Arriving(origin) = body else { return body };
        let Some(stream) = origin.content() else { return Body::Arriving(origin) };
        let (stream, work) = stream::with_timeouts(&stream, length, timeouts);
        let what = format!("content of the answer to {request_id}");
        self.0.context.wait_until(async move {
            background::log(&what, work.await.map_err(|reason| glue::reason(&reason)));
        });
        Body::Encoded(stream)
    }

    async fn revocations(&self, ask: &revocation::Ask) -> Result<revocation::Answer, String> {
        object::ask(&self.0.env, revocation::BINDING, revocation::OBJECT, ask).await
    }

    async fn is_acknowledged(&self, delivery: &str) -> Result<bool, String> {
        deliveries::is_acknowledged(&self.0.env, delivery).await
    }

    async fn acknowledge(&self, delivery: &str, seconds: u32) -> Result<(), String> {
        deliveries::acknowledge(&self.0.env, delivery, seconds).await
    }

    async fn limit(&self, key: &str, ask: &ledger::Ask) -> Result<ledger::Answer, String> {
        limiter::ask(&self.0.env, key, ask).await
    }

    async fn places(&self, key: &str, ask: &limit::places::Ask) -> Result<limit::places::Answer, String> {
        places::ask(&self.0.env, key, ask).await
    }

    async fn purges(&self, ask: &purge::Ask) -> Result<purge::Answer, String> {
        object::ask(&self.0.env, purge::BINDING, purge::OBJECT, ask).await
    }

    async fn index(&self, key: &str) -> Option<Index> {
        store::index(key).await
    }

    async fn put_index(&self, key: &str, index: &Index) {
        background::log("cache put", store::put_index(key, index).await);
    }

    async fn content(&self, name: &str, part: Part) -> Option<Body> {
        store::content(name, part).await
    }

    fn keep(
        &self,
        name: String,
        length: Option<u64>,
        body: Body,
    ) -> (Body, impl Future<Output = Option<u64>> + 'static) {
        store::keep(name, length, body)
    }

    fn save(
        &self,
        name: String,
        length: Option<u64>,
        body: Body,
    ) -> impl Future<Output = Option<u64>> + 'static {
        store::save(name, length, body)
    }

    async fn send(&self, outgoing: Outgoing<Body>) -> Result<Response<Body>, SendError> {
        let background = |answer| self.background(async { drop(JsFuture::from(answer).await) });
        origin::send(outgoing, &self.0.arrived, background).await
    }
}
