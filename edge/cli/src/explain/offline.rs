//! A platform that does nothing and writes down what it was asked: empty cache, willing limiter, free places,
//! silent origin.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use edge_core::auth::ADMIN_KEY;
use edge_core::auth::isolate::Isolate;
use edge_core::auth::keys::{Fetched, Jwk};
use edge_core::auth::native::Key;
use edge_core::auth::revocation::{self, Answer};
use edge_core::cache::index::Index;
use edge_core::cache::purge;
use edge_core::cache::range::Part;
use edge_core::headers::single;
use edge_core::host::{Host, Outgoing, ReadError, SendError, Settings};
use edge_core::limit::ledger::{self, Ask};
use edge_core::limit::places;
use edge_core::maintenance;
use edge_core::plan::{Auth, Plan, Timeouts};
use edge_core::preview;
use edge_core::stream::Heartbeat;
use edge_core::telemetry::Telemetry;
use http::Response;
use serde::Deserialize;
use serde_json::json;

use crate::Failure;
use crate::args::Asked;

/// Stands for the address of Daytona's API.
const DAYTONA: &str = "DAYTONA";

#[derive(Clone)]
pub(super) struct Offline(Rc<Inner>);

struct Inner {
    now_ms: u64,
    settings: Settings,
    isolate: Isolate<Key>,
    jwks: Option<String>,
    /// The key set is so old (s), and the issuer is down.
    jwks_age: Option<u64>,
    revocations: revocation::State,
    reached: RefCell<Reached>,
}

/// What was asked of others on the request's way.
#[derive(Default)]
pub(super) struct Reached {
    /// The limiter's counter.
    pub(super) counter: Option<String>,
    /// Whose places, in the route's order.
    pub(super) places: Vec<String>,
    /// What would go to the origin.
    pub(super) sent: Option<Outgoing<String>>,
}

impl Offline {
    pub(super) fn new(plan: &'static Plan, asked: &Asked, now_ms: u64) -> Result<Self, Failure> {
        let settings = Settings {
            maintenance: std::env::var("MAINTENANCE").ok().map(|seconds| maintenance::seconds(&seconds)),
            origin_lock: Some("secret".to_owned()),
            telemetry: Telemetry::read(monitored),
            identity_secret: Some("secret".to_owned()),
            variables: variables(plan, asked),
            default_host: std::env::var("DEFAULT_HOST").ok(),
        };
        let revocations = asked.revocations.as_deref().map(revoked).transpose()?;
        Ok(Self(Rc::new(Inner {
            now_ms,
            settings,
            isolate: Isolate::new(plan),
            jwks: asked.jwks.as_deref().map(read).transpose()?,
            jwks_age: asked.jwks_age,
            revocations: revocations.unwrap_or_default(),
            reached: RefCell::default(),
        })))
    }

    pub(super) fn reached(&self) -> Reached {
        self.0.reached.take()
    }
}

pub(super) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

/// What `GET /.edge/revocations` answers.
fn revoked(path: &Path) -> Result<revocation::State, Failure> {
    #[derive(Deserialize)]
    struct Listed {
        revocations: Vec<revocation::Entry>,
    }
    let Listed { revocations } = serde_json::from_str(&read(path)?)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    Ok(revocation::State { version: 1, entries: revocations })
}

/// Of all that is told to somebody, only where the pages' reports go: nothing is told from here.
fn monitored(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|_| name == "MONITORED_DSN")
}

/// Those of the environment. The first upstream is always on, and its variable's name stands for its address. The issuer
/// may be an option instead; and the operators' key is a secret of the deployment:
/// where it is not set, whatever was given is taken for right, and `steps` says so.
fn variables(plan: &Plan, asked: &Asked) -> BTreeMap<&'static str, String> {
    let of_environment = |name: &&'static str| Some((*name, std::env::var(name).ok()?));
    let mut variables: BTreeMap<_, _> = plan.variables.iter().filter_map(of_environment).collect();
    if let Some(upstream) = plan.upstreams.first() {
        variables.insert(upstream.variable, upstream.variable.to_owned());
    }
    if let (Some(issuer), Some(address)) = (plan.issuers.first(), &asked.issuer) {
        variables.insert(issuer.variable, address.clone());
    }
    for route in plan.routes {
        if let (Auth::Admin(admin), Some(given)) = (route.auth, single(&asked.headers, ADMIN_KEY)) {
            variables.entry(admin.secret).or_insert_with(|| given.to_owned());
        }
    }
    if plan.previews.is_some() {
        variables.insert(preview::API, DAYTONA.to_owned());
        variables.insert(preview::KEY, "secret".to_owned());
    }
    variables
}

/// What Daytona's API would say of a sandbox that anybody may look at.
fn told(request: &Outgoing<String>) -> Option<String> {
    let about = request.url.strip_prefix(DAYTONA)?.strip_prefix("/sandbox/")?;
    let told = match about.split('/').collect::<Vec<_>>()[..] {
        [sandbox, "ports", port, _] => {
            json!({ "url": format!("https://{port}-{sandbox}.{DAYTONA}"), "token": "secret" })
        }
        _ => json!({ "state": "started", "public": true }),
    };
    Some(told.to_string())
}

impl Host for Offline {
    type Body = String;
    type Key = Key;

    fn now_ms(&self) -> u64 {
        self.0.now_ms
    }

    /// The same each time, so that explanations are; not zeros, which mean that there is nothing random.
    fn random(&self) -> [u8; 24] {
        [1; 24]
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn isolate(&self) -> &Isolate<Key> {
        &self.0.isolate
    }

    fn text(&self, text: String) -> String {
        text
    }

    fn bytes(&self, bytes: Vec<u8>) -> String {
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn empty(&self) -> String {
        String::new()
    }

    fn again(&self, body: &String) -> Option<String> {
        Some(body.clone())
    }

    fn discard(&self, _: String) {}

    async fn pause(&self, _: u32) {}

    async fn within<T>(&self, _: u32, work: impl Future<Output = T>) -> Option<T> {
        Some(work.await)
    }

    fn background(&self, work: impl Future<Output = ()> + 'static) {
        // What waits for the end of the request is of no interest.
        let _ = pin!(work).poll(&mut Context::from_waker(Waker::noop()));
    }

    async fn fetch_keys(&self, _: &str) -> Result<Fetched, String> {
        match (&self.0.jwks, self.0.jwks_age) {
            (Some(_), Some(_)) => Err("the issuer is taken to be down".to_owned()),
            (Some(json), None) => {
                Ok(Fetched { json: json.clone(), max_age: None, fetched_ms: self.0.now_ms })
            }
            (None, _) => Err("no key set here; name one by --jwks FILE".to_owned()),
        }
    }

    async fn shared_keys(&self, _: &str) -> Option<Fetched> {
        let fetched_ms = self.0.now_ms.saturating_sub(self.0.jwks_age?.saturating_mul(1_000));
        Some(Fetched { json: self.0.jwks.clone()?, max_age: None, fetched_ms })
    }

    async fn share_keys(&self, _: &str, _: &Fetched) {}

    async fn import(&self, jwk: &Jwk) -> Result<Key, String> {
        Key::import(jwk)
    }

    async fn verify(&self, key: &Key, message: &[u8], signature: &[u8]) -> bool {
        key.verify(message, signature)
    }

    async fn read(&self, body: String, most: u32) -> Result<Vec<u8>, ReadError> {
        match usize::try_from(most).is_ok_and(|most| body.len() <= most) {
            true => Ok(body.into_bytes()),
            false => Err(ReadError::TooLong),
        }
    }

    fn events(&self, body: String, _: Option<Heartbeat>, _: impl Future<Output = ()> + 'static) -> String {
        body
    }

    fn limit_time(&self, body: String, _: Option<u64>, _: Timeouts, _: &str) -> String {
        body
    }

    async fn revocations(&self, ask: &revocation::Ask) -> Result<Answer, String> {
        Ok(revocation::answer(&self.0.revocations, ask.clone(), self.0.now_ms / 1_000).1)
    }

    async fn is_acknowledged(&self, _: &str) -> Result<bool, String> {
        Ok(false)
    }

    async fn acknowledge(&self, _: &str, _: u32) -> Result<(), String> {
        Ok(())
    }

    async fn limit(&self, key: &str, ask: &Ask) -> Result<ledger::Answer, String> {
        self.0.reached.borrow_mut().counter = Some(key.to_owned());
        Ok(ledger::answer(&ledger::State::default(), ask, self.0.now_ms).1)
    }

    async fn places(&self, key: &str, ask: &places::Ask) -> Result<places::Answer, String> {
        if let places::Ask::Enter { .. } = ask {
            self.0.reached.borrow_mut().places.push(key.to_owned());
        }
        Ok(places::answer(&places::State::default(), ask, self.0.now_ms).1)
    }

    async fn purges(&self, ask: &purge::Ask) -> Result<purge::Answer, String> {
        Ok(purge::answer(&purge::State::default(), ask.clone(), self.0.now_ms).1)
    }

    async fn index(&self, _: &str) -> Option<Index> {
        None
    }

    async fn put_index(&self, _: &str, _: &Index) {}

    async fn content(&self, _: &str, _: Part) -> Option<String> {
        None
    }

    fn keep(
        &self,
        _: String,
        _: Option<u64>,
        body: String,
    ) -> (String, impl Future<Output = Option<u64>> + 'static) {
        (body, std::future::ready(None))
    }

    fn save(&self, _: String, _: Option<u64>, _: String) -> impl Future<Output = Option<u64>> + 'static {
        std::future::ready(None)
    }

    async fn send(&self, request: Outgoing<String>) -> Result<Response<String>, SendError> {
        if let Some(told) = told(&request) {
            return Ok(Response::new(told));
        }
        self.0.reached.borrow_mut().sent = Some(request);
        Ok(Response::new(String::new()))
    }
}
