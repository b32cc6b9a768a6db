//! The order of effects, on a fake platform that records them.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, Method, Response, StatusCode};
use jwt_simple::prelude::*;
use serde_json::json;

use super::*;
use crate::auth::keys::{Fetched, Store};
use crate::cache::Stored;
use crate::host::{Outgoing, SendError, Settings};
use crate::limit::State;
use crate::plan::{AuthPlan, Cache, Cors, Segment, Service, Window};

const NOW_MS: u64 = 1_800_000_000_000;
const ISSUER: &str = "https://ref.supabase.co/auth/v1";
const HOSTS: &[&str] = &["he2.ai", "api.he2.ai"];
const LIMIT: Option<Limit> =
    Some(Limit { name: "api", windows: &[Window { quota: 1, seconds: 60 }], line: 9 });

const fn route(
    pattern: &'static str,
    segments: &'static [Segment],
    auth: Auth,
    limit: Option<Limit>,
    cache: Cache,
) -> Route {
    Route {
        name: "r",
        line: 7,
        hosts: HOSTS,
        methods: &[],
        pattern,
        segments,
        service: "backend",
        auth,
        limit,
        cache,
        raw_path: false,
        first_byte_ms: 1_000,
    }
}

static PLAN: Plan = Plan {
    hosts: &[
        plan::Host { name: "he2.ai", redirect: None, line: 1 },
        plan::Host { name: "api.he2.ai", redirect: None, line: 2 },
        plan::Host { name: "www.he2.ai", redirect: Some("he2.ai"), line: 3 },
    ],
    services: &[Service { name: "backend", port: Some(8000) }],
    routes: &[
        route("/blocked", &[Segment::Literal("blocked")], Auth::Blocked, None, Cache::Off),
        route("/cached", &[Segment::Literal("cached")], Auth::Public, LIMIT, Cache::Obey),
        Route {
            methods: &["GET"],
            ..route("/get", &[Segment::Literal("get")], Auth::Public, None, Cache::Off)
        },
        route("/optional", &[Segment::Literal("optional")], Auth::Optional, None, Cache::Off),
        route("/stream", &[Segment::Literal("stream")], Auth::Stream, None, Cache::Off),
        route("/user", &[Segment::Literal("user")], Auth::User, LIMIT, Cache::Off),
    ],
    auth: AuthPlan {
        audiences: &["authenticated"],
        algorithms: &["ES256"],
        roles: &["authenticated"],
        leeway_seconds: 30,
        max_token_bytes: 8_192,
        jwks_max_age_seconds: 600,
        jwks_stale_seconds: 86_400,
        jwks_cooldown_seconds: 30,
    },
    cors: Cors {
        origins: &["https://he2.ai"],
        methods: "GET",
        headers: "Authorization",
        expose: "RateLimit",
        max_age_seconds: 600,
    },
    lock_header: "x-he2-origin-lock",
};

/// A platform that does nothing but remember what it was asked to do.
struct Fake {
    effects: RefCell<Vec<String>>,
    settings: Settings,
    keys: RefCell<Store>,
    jwks: Result<Fetched, String>,
    limiter: Result<RefCell<State>, String>,
    stored: RefCell<Option<(String, Stored)>>,
    origin: fn() -> Result<Response<String>, SendError>,
    sent: RefCell<Option<Outgoing<String>>>,
    now: Cell<u64>,
}

impl Fake {
    fn new() -> Self {
        let settings = Settings {
            origin: "http://alb".into(),
            issuer: ISSUER.into(),
            origin_lock: Some("lock".into()),
            ..Settings::default()
        };
        Self {
            effects: RefCell::default(),
            settings,
            keys: RefCell::default(),
            jwks: Err("issuer down".into()),
            limiter: Ok(RefCell::default()),
            stored: RefCell::default(),
            origin: || Ok(Response::new("from the origin".to_owned())),
            sent: RefCell::default(),
            now: Cell::new(NOW_MS),
        }
    }

    fn did(&self, effect: &str) {
        self.effects.borrow_mut().push(effect.to_owned());
    }

    fn take_effects(&self) -> Vec<String> {
        self.effects.take()
    }

    fn answer(&self, method: &str, url: &str, fields: &[(&'static str, &str)]) -> (Response<String>, Record) {
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
            body: String::new(),
        };
        ready(handle(&PLAN, self, request))
    }

    fn status(&self, method: &str, url: &str, fields: &[(&'static str, &str)]) -> u16 {
        self.answer(method, url, fields).0.status().as_u16()
    }
}

impl Host for Fake {
    type Body = String;

    fn now_ms(&self) -> u64 {
        self.now.get()
    }
    fn random(&self) -> [u8; 24] {
        [7; 24]
    }
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn key_store(&self) -> &RefCell<Store> {
        &self.keys
    }
    fn text(&self, text: String) -> String {
        text
    }
    fn empty(&self) -> String {
        String::new()
    }
    async fn pause(&self, ms: u32) {
        self.did("pause");
        self.now.set(self.now.get() + u64::from(ms));
    }
    async fn fetch_keys(&self) -> Result<Fetched, String> {
        self.did("fetch keys");
        self.jwks.clone()
    }
    async fn take(&self, object: &str, ask: &Ask) -> Result<Verdict, String> {
        self.did(&format!("take {object}"));
        let counts = self.limiter.as_ref().map_err(Clone::clone)?;
        let (after, verdict) = limit::take(&counts.borrow(), ask, self.now_ms());
        counts.replace(after);
        Ok(verdict)
    }
    async fn cached(&self, key: &str) -> Option<(Stored, String)> {
        self.did("cache get");
        let stored = self.stored.borrow().clone()?;
        (stored.0 == key).then(|| (stored.1, "from the cache".to_owned()))
    }
    fn store(&self, key: &str, head: &Stored, body: String) -> String {
        self.did("cache put");
        self.stored.replace(Some((key.to_owned(), head.clone())));
        body
    }
    fn forget(&self, key: &str) {
        self.did(&format!("cache delete {key}"));
    }
    async fn send(&self, request: Outgoing<String>) -> Result<Response<String>, SendError> {
        self.did("origin");
        self.sent.replace(Some(request));
        (self.origin)()
    }
}

/// The fake never waits, so one poll is enough.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the fake platform does not wait"),
    }
}

/// A token by a key of the issuer, whose key set the fake then serves.
fn signed_in(fake: &mut Fake) -> String {
    let pair = ES256KeyPair::generate();
    let mut jwk: serde_json::Value = serde_json::from_str(&pair.public_key().to_jwk()).unwrap();
    jwk["kid"] = json!("k1");
    fake.jwks = Ok(Fetched { json: json!({ "keys": [jwk] }).to_string(), max_age: Some(600) });
    let custom = json!({"role": "authenticated"});
    let mut claims = Claims::with_custom_claims(custom, Duration::from_hours(1))
        .with_issuer(ISSUER)
        .with_audience("authenticated")
        .with_subject("u1");
    let at = |seconds| Some(UnixTimeStamp::from_secs(NOW_MS / 1_000 + seconds));
    (claims.issued_at, claims.expires_at, claims.invalid_before) = (at(0), at(60), None);
    pair.with_key_id("k1").sign(claims).unwrap()
}

#[test]
fn a_401_has_touched_nothing() {
    let fake = Fake::new();
    assert_eq!(fake.status("GET", "https://he2.ai/user", &[]), 401);
    assert_eq!(fake.status("GET", "https://he2.ai/user", &[("authorization", "Bearer not.a.token")]), 401);
    assert_eq!(
        fake.status("GET", "https://he2.ai/optional", &[("authorization", "Bearer e30.e30.e30")]),
        401
    );
    assert!(fake.take_effects().is_empty());
}

#[test]
fn whatever_is_refused_by_path_host_method_or_origin_has_touched_nothing() {
    let fake = Fake::new();
    for (status, method, url, fields) in [
        (400, "GET", "https://he2.ai/a/%2e%2e/user", &[][..]),
        (404, "GET", "https://he2.ai/nothing", &[]),
        (404, "GET", "https://he2.ai/blocked", &[]),
        (405, "POST", "https://he2.ai/get", &[]),
        (421, "GET", "https://evil.example/get", &[]),
        (421, "GET", "https://127.0.0.1/get", &[]),
        (508, "GET", "https://he2.ai/get", &[("via", "1.1 he2-edge")]),
        (308, "GET", "https://www.he2.ai/get?a", &[]),
        (
            204,
            "OPTIONS",
            "https://he2.ai/user",
            &[("origin", "https://he2.ai"), ("access-control-request-method", "POST")],
        ),
        (
            403,
            "OPTIONS",
            "https://he2.ai/user",
            &[("origin", "https://evil.example"), ("access-control-request-method", "POST")],
        ),
    ] {
        assert_eq!(fake.status(method, url, fields), status, "{method} {url}");
    }
    assert!(fake.take_effects().is_empty());
}

#[test]
fn a_429_has_touched_only_the_limiter() {
    let fake = Fake::new();
    assert_eq!(fake.status("GET", "https://he2.ai/cached", &[]), 200);
    fake.take_effects();
    let (response, record) = fake.answer("GET", "https://he2.ai/cached", &[("origin", "https://he2.ai")]);
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(fake.take_effects(), ["take api/ip/192.0.2.1"]);
    assert_eq!(record.limit.as_deref(), Some("api: refused"));
    assert_eq!(response.headers()["access-control-allow-origin"], "https://he2.ai", "a page can read why");
    assert_eq!(response.headers()["retry-after"], "60");
}

#[test]
fn a_fresh_hit_has_not_touched_the_origin() {
    let mut fake = Fake::new();
    fake.limiter = Err("off".into());
    fake.origin = || {
        Ok(Response::builder()
            .header("cache-control", "max-age=60")
            .body("from the origin".to_owned())
            .unwrap())
    };
    let (first, _) = fake.answer("GET", "https://he2.ai/cached", &[]);
    assert_eq!(first.headers()["cache-status"], "he2; fwd=uri-miss; stored");
    assert_eq!(fake.take_effects(), ["take api/ip/192.0.2.1", "cache get", "origin", "cache put"]);
    fake.now.set(NOW_MS + 5_000);
    let (hit, _) = fake.answer("GET", "https://he2.ai/cached", &[]);
    assert_eq!((hit.body().as_str(), &hit.headers()["age"]), ("from the cache", &"5".parse().unwrap()));
    assert_eq!(hit.headers()["cache-status"], "he2; hit; ttl=55");
    assert_eq!(fake.take_effects(), ["take api/ip/192.0.2.1", "cache get"]);
    let (head, _) = fake.answer("HEAD", "https://he2.ai/cached", &[]);
    assert!(head.body().is_empty() && head.headers()["age"] == "5");
}

#[test]
fn a_signed_in_request_fetches_keys_once_and_is_forwarded_with_its_identity() {
    let mut fake = Fake::new();
    let token = format!("Bearer {}", signed_in(&mut fake));
    let (response, record) = fake.answer("POST", "https://api.he2.ai/user?x=1", &[("authorization", &token)]);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(fake.take_effects(), ["fetch keys", "take api/user/u1", "origin"]);
    let sent = fake.sent.take().unwrap();
    assert_eq!(sent.url, "http://alb/user?x=1");
    assert_eq!(sent.headers["x-he2-user"], "u1");
    assert_eq!(sent.headers["x-he2-origin-lock"], "lock");
    assert_eq!((record.caller, record.caller_id.as_deref()), (Some("user"), Some("u1")));
    assert_eq!(fake.status("GET", "https://api.he2.ai/optional", &[("authorization", &token)]), 200);
    assert_eq!(fake.take_effects(), ["origin"], "the keys are known by now");
}

#[test]
fn a_token_in_the_query_of_a_stream_is_moved_to_the_header() {
    let mut fake = Fake::new();
    let token = signed_in(&mut fake);
    assert_eq!(fake.status("GET", &format!("https://he2.ai/stream?a=1&token={token}"), &[]), 200);
    let sent = fake.sent.take().unwrap();
    assert_eq!(sent.url, "http://alb/stream?a=1");
    assert_eq!(sent.headers["authorization"], format!("Bearer {token}"));
}

#[test]
fn an_issuer_that_is_down_is_a_503_and_is_left_alone_for_a_moment() {
    let mut fake = Fake::new();
    let token = format!("Bearer {}", signed_in(&mut fake));
    fake.jwks = Err("connection refused".into());
    let (response, record) = fake.answer("GET", "https://he2.ai/user", &[("authorization", &token)]);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(record.internal.as_deref(), Some("connection refused"));
    assert!(!response.body().contains("refused"), "internals are logged, not sent");
    assert_eq!(fake.status("GET", "https://he2.ai/user", &[("authorization", &token)]), 503);
    assert_eq!(fake.take_effects(), ["fetch keys"]);
}

#[test]
fn a_limiter_that_fails_lets_the_request_pass_and_invents_no_header() {
    let mut fake = Fake::new();
    fake.limiter = Err("overloaded".into());
    let (response, record) = fake.answer("GET", "https://he2.ai/cached", &[]);
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("ratelimit"));
    assert_eq!(record.degraded, ["limiter: overloaded"]);
}

#[test]
fn an_origin_that_is_down_or_slow_is_a_502_or_504_without_its_reason() {
    let mut fake = Fake::new();
    fake.origin = || Err(SendError::Failed("10.0.0.7 refused".into()));
    let (down, record) = fake.answer("GET", "https://he2.ai/get", &[]);
    assert_eq!(
        (down.status(), record.internal.as_deref()),
        (StatusCode::BAD_GATEWAY, Some("10.0.0.7 refused"))
    );
    assert!(!down.body().contains("10.0.0.7"));
    fake.origin = || Err(SendError::Timeout);
    assert_eq!(fake.status("GET", "https://he2.ai/get", &[]), 504);
}

#[test]
fn rfc9111_4_4_an_unsafe_method_that_succeeds_invalidates_its_uri() {
    let mut fake = Fake::new();
    fake.limiter = Err("off".into());
    fake.answer("POST", "https://he2.ai/cached?a", &[]);
    assert_eq!(fake.take_effects().last().map(String::as_str), Some("cache delete https://he2.ai/cached?a"));
    fake.origin = || Err(SendError::Timeout);
    fake.answer("POST", "https://he2.ai/cached?a", &[]);
    assert_eq!(fake.take_effects().last().map(String::as_str), Some("origin"));
}

#[test]
fn every_refusal_is_problem_json_with_the_request_id() {
    let (response, record) = Fake::new().answer("GET", "https://he2.ai/user", &[]);
    let problem: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"he2\"");
    assert_eq!((&problem["status"], &problem["request_id"]), (&json!(401), &json!(record.request_id)));
    assert_eq!(response.headers()["x-request-id"], record.request_id.as_str());
}

#[test]
fn a_loopback_or_workers_dev_address_stands_for_a_public_host_only_where_the_deployment_says_so() {
    let mut fake = Fake::new();
    assert_eq!(fake.status("GET", "http://127.0.0.1:8787/get", &[]), 421);
    assert_eq!(fake.status("GET", "https://he2-edge-staging.team.workers.dev/get", &[]), 421);
    fake.settings.default_host = Some("he2.ai".into());
    assert_eq!(fake.status("GET", "http://127.0.0.1:8787/get", &[]), 200);
    assert_eq!(fake.status("GET", "https://he2-edge-staging.team.workers.dev/get", &[]), 200);
    assert_eq!(fake.status("GET", "https://evil.example/get", &[]), 421);
}
