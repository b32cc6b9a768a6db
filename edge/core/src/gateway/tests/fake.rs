//! A platform that does nothing but remember what it was asked to do.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::ops::{Deref, DerefMut};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, Method, Response};
use serde_json::{Value, json};

use super::PLAN;
use crate::auth::isolate::Isolate;
use crate::auth::keys::{Fetched, Jwk};
use crate::auth::native::Key;
use crate::auth::revocation;
use crate::cache::index::Index;
use crate::cache::purge;
use crate::cache::range::Part;
use crate::gateway::handle;
use crate::host::{Cf, Host, Outgoing, ReadError, Request, SendError, Settings};
use crate::limit::ledger::{self, Answer, Ask};
use crate::limit::places;
use crate::plan::Timeouts;
use crate::record::Record;
use crate::stream::Heartbeat;
use crate::telemetry::Telemetry;
use crate::testing::{ISSUER, NOW, PREVIEWS, SECRET, Signer, key_set, with};

pub(super) const NOW_MS: u64 = NOW * 1_000;

#[derive(Clone)]
pub(super) struct Fake(Rc<Inner>);

type Work = Pin<Box<dyn Future<Output = ()>>>;

pub(super) struct Inner {
    effects: RefCell<Vec<String>>,
    pub(super) settings: Settings,
    /// What the platform says of every connection.
    pub(super) cf: Cf,
    pub(super) isolate: Isolate<Key>,
    pub(super) jwks: Result<String, String>,
    /// What other isolates have fetched.
    pub(super) shared: RefCell<Option<Fetched>>,
    pub(super) revocations: RefCell<Result<revocation::State, String>>,
    pub(super) acknowledged: RefCell<Vec<String>>,
    pub(super) limiter: Result<RefCell<BTreeMap<String, ledger::State>>, String>,
    pub(super) purges: RefCell<Result<purge::State, String>>,
    pub(super) indexes: RefCell<BTreeMap<String, Index>>,
    pub(super) contents: RefCell<BTreeMap<String, String>>,
    pub(super) places: Result<RefCell<BTreeMap<String, places::State>>, String>,
    pub(super) origin: fn() -> Result<Response<String>, SendError>,
    /// What the upstreams answer next, before what `origin` does.
    pub(super) answers: RefCell<VecDeque<Result<Response<String>, SendError>>>,
    /// What Daytona's API answers at an address.
    pub(super) daytona: fn(&str) -> Response<String>,
    pub(super) sent: RefCell<Option<Outgoing<String>>>,
    /// Where requests were sent, in their order.
    pub(super) urls: RefCell<Vec<String>>,
    pub(super) now: Cell<u64>,
    /// Whether there is anything random; else it is all zeros.
    pub(super) has_random: bool,
    /// How often something random was asked for.
    drawn: Cell<u8>,
    work: RefCell<Vec<Work>>,
    /// What ends the stream that was answered last.
    pub(super) over: RefCell<Option<Work>>,
}

impl Deref for Fake {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl DerefMut for Fake {
    fn deref_mut(&mut self) -> &mut Inner {
        Rc::get_mut(&mut self.0).expect("all work is done")
    }
}

impl Fake {
    pub(super) fn new() -> Self {
        let variables = [
            ("ORIGIN", "http://alb"),
            ("ISSUER", ISSUER),
            ("ADMIN_API_KEY", "the operators' key"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_of_the_sender"),
            ("JWT_HS256_SECRET", SECRET),
            ("DAYTONA_API_KEY", "the API key"),
        ];
        let settings = Settings {
            maintenance: None,
            origin_lock: Some("lock".into()),
            telemetry: Telemetry::default(),
            identity_secret: Some("identity".into()),
            variables: BTreeMap::from(variables.map(|(name, value)| (name, value.to_owned()))),
            default_host: None,
        };
        Self(Rc::new(Inner {
            effects: RefCell::default(),
            settings,
            cf: Cf::default(),
            isolate: Isolate::new(&PLAN),
            jwks: Err("issuer down".into()),
            shared: RefCell::default(),
            revocations: RefCell::new(Ok(revocation::State::default())),
            acknowledged: RefCell::default(),
            limiter: Ok(RefCell::default()),
            purges: RefCell::new(Ok(purge::State::default())),
            indexes: RefCell::default(),
            contents: RefCell::default(),
            places: Ok(RefCell::default()),
            origin: || Ok(Response::new("from the origin".to_owned())),
            answers: RefCell::default(),
            daytona: |_| panic!("Daytona is not asked"),
            sent: RefCell::default(),
            urls: RefCell::default(),
            now: Cell::new(NOW_MS),
            has_random: true,
            drawn: Cell::default(),
            work: RefCell::default(),
            over: RefCell::default(),
        }))
    }

    fn did(&self, effect: &str) {
        self.effects.borrow_mut().push(effect.to_owned());
    }

    pub(super) fn take_effects(&self) -> Vec<String> {
        self.effects.take()
    }

    pub(super) fn answer(
        &self,
        method: &str,
        url: &str,
        fields: &[(&'static str, &str)],
    ) -> (Response<String>, Record) {
        self.answer_content(method, url, fields, "")
    }

    /// Answers a request, and does the work that goes on after the answer.
    pub(super) fn answer_content(
        &self,
        method: &str,
        url: &str,
        fields: &[(&'static str, &str)],
        content: &str,
    ) -> (Response<String>, Record) {
        let target = crate::target::parse(url).unwrap();
        let headers: HeaderMap = fields
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let request = Request {
            method: method.parse::<Method>().unwrap(),
            scheme: target.scheme,
            host: target.host,
            path: target.path,
            query: target.query,
            headers,
            ip: "192.0.2.1".parse().ok(),
            cf: self.cf.clone(),
            body: content.to_owned(),
        };
        let answer = ready(handle(&PLAN, self, request));
        self.work();
        answer
    }

    /// Does the work that was left for the background, as far as the time lets it.
    pub(super) fn work(&self) {
        let mut context = Context::from_waker(Waker::noop());
        for mut work in self.work.take() {
            if work.as_mut().poll(&mut context).is_pending() {
                self.work.borrow_mut().push(work);
            }
        }
    }

    /// Nothing of the work that was left is ever done.
    pub(super) fn forget_work(&self) {
        std::mem::forget(self.work.take());
    }

    pub(super) fn status(&self, method: &str, url: &str, fields: &[(&'static str, &str)]) -> u16 {
        self.answer(method, url, fields).0.status().as_u16()
    }

    /// The status of a call with this token, in the header.
    pub(super) fn call(&self, path: &str, token: &str) -> u16 {
        self.status("GET", &format!("https://he2.ai{path}"), &[("authorization", &format!("Bearer {token}"))])
    }

    /// Lets so many seconds pass.
    pub(super) fn wait(&self, seconds: u64) {
        self.now.set(self.now.get() + seconds * 1_000);
    }
}

impl Host for Fake {
    type Body = String;
    type Key = Key;

    fn now_ms(&self) -> u64 {
        self.now.get()
    }
    fn random(&self) -> [u8; 24] {
        self.drawn.set(self.drawn.get().wrapping_add(u8::from(self.has_random)));
        [self.drawn.get(); 24]
    }
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn isolate(&self) -> &Isolate<Key> {
        &self.isolate
    }
    fn text(&self, text: String) -> String {
        text
    }
    fn bytes(&self, bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }
    fn empty(&self) -> String {
        String::new()
    }
    fn again(&self, body: &String) -> Option<String> {
        Some(body.clone())
    }
    fn discard(&self, _: String) {
        self.did("discard");
    }
    async fn pause(&self, ms: u32) {
        self.now.set(self.now.get() + u64::from(ms));
        self.work();
    }
    async fn within<T>(&self, ms: u32, work: impl Future<Output = T>) -> Option<T> {
        let until = self.now.get() + u64::from(ms);
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.now.get() >= until => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
    fn background(&self, work: impl Future<Output = ()> + 'static) {
        self.work.borrow_mut().push(Box::pin(work));
    }
    async fn fetch_keys(&self, url: &str) -> Result<Fetched, String> {
        self.did("fetch keys");
        assert_eq!(url, format!("{ISSUER}/.well-known/jwks.json"));
        self.jwks.clone().map(|json| Fetched { json, max_age: Some(600), fetched_ms: self.now.get() })
    }
    async fn shared_keys(&self, _: &str) -> Option<Fetched> {
        self.did("shared keys");
        self.shared.borrow().clone()
    }
    async fn share_keys(&self, _: &str, fetched: &Fetched) {
        self.did("share keys");
        self.shared.replace(Some(fetched.clone()));
    }
    async fn import(&self, jwk: &Jwk) -> Result<Key, String> {
        Key::import(jwk)
    }
    async fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        self.did("verify");
        key.verify(message, signature)
    }
    async fn read(&self, body: String, most: u32) -> Result<Vec<u8>, ReadError> {
        self.did("read");
        (body.len() <= most as usize).then(|| body.into_bytes()).ok_or(ReadError::TooLong)
    }
    fn events(
        &self,
        body: String,
        heartbeat: Option<Heartbeat>,
        over: impl Future<Output = ()> + 'static,
    ) -> String {
        self.over.replace(Some(Box::pin(over)));
        match heartbeat {
            Some(Heartbeat { silence_ms, first }) => format!("{first}{body}: each {silence_ms} ms"),
            None => body,
        }
    }
    fn limit_time(&self, body: String, length: Option<u64>, timeouts: Timeouts, _: &str) -> String {
        format!("{body} of {length:?} within {:?} and {:?}", timeouts.idle_ms, timeouts.total_ms)
    }
    async fn revocations(&self, ask: &revocation::Ask) -> Result<revocation::Answer, String> {
        self.did("revocations");
        let mut state = self.revocations.borrow_mut();
        let held = state.as_mut().map_err(|error| error.clone())?;
        let (changed, answer) = revocation::answer(held, ask.clone(), self.now.get() / 1_000);
        *held = changed.unwrap_or_else(|| held.clone());
        Ok(answer)
    }
    async fn is_acknowledged(&self, delivery: &str) -> Result<bool, String> {
        self.did("is acknowledged");
        Ok(self.acknowledged.borrow().iter().any(|known| known == delivery))
    }
    async fn acknowledge(&self, delivery: &str, _: u32) -> Result<(), String> {
        self.did("acknowledge");
        self.acknowledged.borrow_mut().push(delivery.to_owned());
        Ok(())
    }
    async fn limit(&self, key: &str, ask: &Ask) -> Result<Answer, String> {
        self.did(&format!("take {key}"));
        let counts = self.limiter.as_ref().map_err(Clone::clone)?;
        let mut counts = counts.borrow_mut();
        let (after, answer) = ledger::answer(counts.entry(key.to_owned()).or_default(), ask, self.now_ms());
        counts.insert(key.to_owned(), after);
        Ok(answer)
    }
    async fn places(&self, key: &str, ask: &places::Ask) -> Result<places::Answer, String> {
        let name = match ask {
            places::Ask::Leave { .. } => "leave",
            places::Ask::Look => "look",
            _ => "enter",
        };
        self.did(&format!("{name} {key}"));
        let states = self.places.as_ref().map_err(Clone::clone)?;
        let mut states = states.borrow_mut();
        let (after, answer) = places::answer(states.entry(key.to_owned()).or_default(), ask, self.now_ms());
        states.insert(key.to_owned(), after);
        Ok(answer)
    }
    async fn purges(&self, ask: &purge::Ask) -> Result<purge::Answer, String> {
        self.did("purges");
        let mut state = self.purges.borrow_mut();
        let held = state.as_mut().map_err(|error| error.clone())?;
        let (changed, answer) = purge::answer(held, ask.clone(), self.now.get());
        *held = changed.unwrap_or_else(|| held.clone());
        Ok(answer)
    }
    async fn index(&self, key: &str) -> Option<Index> {
        self.did("cache get");
        self.indexes.borrow().get(key).cloned()
    }
    async fn put_index(&self, key: &str, index: &Index) {
        self.did("cache put");
        self.indexes.borrow_mut().insert(key.to_owned(), index.clone());
    }
    async fn content(&self, name: &str, part: Part) -> Option<String> {
        self.did("content");
        let whole = self.contents.borrow().get(name).cloned()?;
        match part {
            Part::Bytes { first, last } => {
                whole.get(usize::try_from(first).ok()?..=usize::try_from(last).ok()?).map(str::to_owned)
            }
            _ => Some(whole),
        }
    }
    fn keep(
        &self,
        name: String,
        length: Option<u64>,
        body: String,
    ) -> (String, impl Future<Output = Option<u64>> + 'static) {
        (body.clone(), self.save(name, length, body))
    }
    fn save(
        &self,
        name: String,
        _: Option<u64>,
        body: String,
    ) -> impl Future<Output = Option<u64>> + 'static {
        self.did("content put");
        let length = body.len() as u64;
        self.contents.borrow_mut().insert(name, body);
        std::future::ready(Some(length))
    }
    async fn send(&self, request: Outgoing<String>) -> Result<Response<String>, SendError> {
        if let Some(path) = request.url.strip_prefix(PREVIEWS.api) {
            assert_eq!(request.headers["authorization"], "Bearer the API key");
            self.did(&format!("daytona {} {path}", request.method));
            return Ok((self.daytona)(path));
        }
        self.did("origin");
        self.urls.borrow_mut().push(request.url.clone());
        self.sent.replace(Some(request));
        let next = self.answers.borrow_mut().pop_front();
        next.unwrap_or_else(self.origin)
    }
}

/// The fake never waits, so one poll is enough.
pub(super) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the fake platform does not wait"),
    }
}

/// A signer whose key the issuer publishes.
pub(super) fn published(fake: &mut Fake, kid: &'static str) -> Signer {
    let signer = Signer::new(kid);
    fake.jwks = Ok(key_set(&[&signer]));
    signer
}

/// A token by a key of the issuer, whose key set the fake then serves.
pub(super) fn signed_in(fake: &mut Fake) -> String {
    published(fake, "k1").sign(&with(&json!({})))
}

/// The same with other claims.
pub(super) fn token(signer: &Signer, changes: &Value) -> String {
    signer.sign(&with(changes))
}

/// How often this was done since the last look.
pub(super) fn done(fake: &Fake, effect: &str) -> usize {
    fake.take_effects().iter().filter(|done| *done == effect).count()
}
