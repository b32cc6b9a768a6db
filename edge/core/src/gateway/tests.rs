//! The order of effects, on a fake platform that records them.

mod cache;
mod collapse;
mod events;
mod fake;
mod keys;
mod limits;
mod places;
mod preview;
mod revocation;
mod seen;
mod signin;
mod upstreams;
mod webhook;

use http::{Response, StatusCode};
use serde_json::json;

use super::*;
use crate::host::SendError;
use crate::plan::{
    Admin, Cache, Concurrency, Edge, Limit, OnError, Priority, Proxy, Scheme, Segment, SignIn, Source,
    Timeouts, Upstream, Wait, Webhook, Window,
};
use crate::testing::{
    ANY_OF, BLUE, COGNITO, LIMIT as API, OPTIONAL, PREVIEWS, ROUTE, STREAM, STREAMS, SUPABASE,
};
use fake::{Fake, NOW_MS, signed_in};

const HOSTS: &[&str] = &["he2.ai", "api.he2.ai"];
const LIMIT: Option<Limit> = Some(API);
/// Ten a minute, and the origin may say that one counts for more.
const DEAR: Limit = Limit {
    name: "dear",
    windows: &[Window { quota: 10, seconds: 60, burst: None }],
    cost_field: Some("x-request-cost"),
    ..API
};

const OPERATORS: Auth = Auth::Admin(Admin { secret: "ADMIN_API_KEY", networks: &[] });
const STRIPE: Webhook = Webhook {
    scheme: Scheme::Stripe,
    secret: "STRIPE_WEBHOOK_SECRET",
    tolerance_seconds: 300,
    max_body_bytes: 100,
};
const WAIT: Wait = Wait { parameter: "timeout", most_seconds: 80, events: None };
const TIMEOUTS: Timeouts = Timeouts { idle_ms: Some(5_000), total_ms: Some(60_000) };
const PAGE: SignIn = SignIn { sources: &[Source::Cookie], ..OPTIONAL };

/// A route at `/name`.
const fn route(
    segments: &'static [Segment],
    auth: Auth,
    limit: Option<Limit>,
    cache: Option<Cache>,
) -> Route {
    Route { hosts: HOSTS, segments, auth, limit, cache, ..ROUTE }
}

macro_rules! at {
    ($name:literal) => {
        &[Segment::Literal($name)]
    };
}

pub(super) static PLAN: Plan = Plan {
    routes: &[
        route(at!("blocked"), Auth::Blocked, None, None),
        route(at!("cached"), Auth::Public, LIMIT, Some(crate::testing::CACHE)),
        route(
            at!("checking"),
            Auth::Public,
            None,
            Some(Cache { passes_authorization: true, ..crate::testing::CACHE }),
        ),
        Route { cors: false, ..route(at!("closed"), Auth::Public, None, None) },
        route(
            at!("collapsed"),
            Auth::Public,
            None,
            Some(Cache { collapses_data_centre: true, ..crate::testing::CACHE }),
        ),
        route(
            at!("counted"),
            Auth::Public,
            Some(Limit { counts_hits: true, ..API }),
            Some(crate::testing::CACHE),
        ),
        Route { cost: 3, ..route(at!("dear"), Auth::Public, Some(DEAR), None) },
        route(at!("dear-cached"), Auth::Public, Some(DEAR), Some(crate::testing::CACHE)),
        route(at!("deny"), Auth::Public, Some(Limit { on_error: OnError::Deny, ..API }), None),
        Route {
            concurrency: &[STREAMS],
            event_stream: true,
            ..route(at!("events"), Auth::Public, None, None)
        },
        Route { methods: &["GET"], ..route(at!("get"), Auth::Public, None, None) },
        Route {
            concurrency: &[Concurrency { closed_on_error: true, ..STREAMS }],
            ..route(at!("guarded-events"), Auth::Public, None, None)
        },
        Route { edge: Some(Edge::Health), ..route(at!("health"), Auth::Public, None, None) },
        route(at!("hook"), Auth::Webhook(STRIPE), None, None),
        Route {
            edge: Some(Edge::Proxy(Proxy { base: "https://eu.i.posthog.com/", tail: Some("rest") })),
            ..route(&[Segment::Literal("ingest"), Segment::Tail("rest")], Auth::Public, None, None)
        },
        Route { edge: Some(Edge::Limits), ..route(at!("limits"), OPERATORS, None, None) },
        Route { heartbeat_ms: Some(15_000), ..route(at!("lively"), Auth::Public, None, None) },
        Route {
            heartbeat_ms: Some(15_000),
            ..route(at!("lively-cached"), Auth::Public, None, Some(crate::testing::CACHE))
        },
        route(at!("local"), Auth::Public, Some(Limit { on_error: OnError::Local, ..API }), None),
        Route { wait: Some(WAIT), ..route(at!("long-poll"), Auth::SignIn(OPTIONAL), None, None) },
        Route { edge: Some(Edge::SentryTunnel), ..route(at!("monitoring"), Auth::Public, None, None) },
        Route { edge: Some(Edge::MyLimits), ..route(at!("my-limits"), Auth::SignIn(ANY_OF), None, None) },
        route(at!("optional"), Auth::SignIn(OPTIONAL), None, None),
        route(at!("page"), Auth::SignIn(PAGE), None, None),
        Route { edge: Some(Edge::Purge), ..route(at!("purge"), OPERATORS, None, None) },
        Route { edge: Some(Edge::Ready), ..route(at!("ready"), Auth::Public, None, None) },
        Route { edge: Some(Edge::Revocations), ..route(at!("revocations"), OPERATORS, None, None) },
        route(at!("runs"), Auth::Public, Some(Limit { tells_runs: true, ..API }), None),
        route(at!("shadow"), Auth::Public, Some(Limit { shadow: true, ..API }), None),
        route(at!("stream"), Auth::SignIn(STREAM), None, None),
        route(at!("strong"), Auth::SignIn(signin::STRONG), None, None),
        Route { timeouts: Some(TIMEOUTS), ..route(at!("timed"), Auth::Public, None, None) },
        Route { timeouts: Some(TIMEOUTS), ..route(at!("timed-user"), Auth::SignIn(ANY_OF), None, None) },
        route(at!("user"), Auth::SignIn(ANY_OF), LIMIT, None),
        Route { priority: Some(Priority::Vital), ..route(at!("vital"), Auth::Public, None, None) },
    ],
    issuers: &[SUPABASE, COGNITO],
    upstreams: &[BLUE, Upstream { name: "green", variable: "ORIGIN_GREEN", ..BLUE }],
    previews: Some(PREVIEWS),
    ..crate::testing::PLAN
};

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
fn where_a_route_says_so_no_page_of_another_origin_reads_its_answers() {
    let fake = Fake::new();
    let page = ("origin", "https://he2.ai");
    let (answer, _) = fake.answer("GET", "https://he2.ai/closed", &[page]);
    assert!(!answer.headers().contains_key("vary"));
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    let preflight = [page, ("access-control-request-method", "POST")];
    assert_eq!(fake.status("OPTIONS", "https://he2.ai/closed", &preflight), 403);
    assert!(fake.answer("GET", "https://he2.ai/get", &[page]).0.headers()["vary"] == "Origin");
}

#[test]
fn a_429_has_touched_only_the_limiter_and_the_next_one_not_even_that() {
    let fake = Fake::new();
    assert_eq!(fake.status("GET", "https://he2.ai/deny", &[]), 200);
    fake.take_effects();
    let (response, record) = fake.answer("GET", "https://he2.ai/deny", &[("origin", "https://he2.ai")]);
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(fake.take_effects(), ["take api/ip/192.0.2.1"]);
    assert_eq!(record.limit.as_deref(), Some("api: refused"));
    assert_eq!(response.headers()["access-control-allow-origin"], "https://he2.ai", "a page can read why");
    assert_eq!(response.headers()["retry-after"], "60");
    let problem: serde_json::Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(problem["violated-policies"], json!(["api-1"]));
    fake.wait(4);
    let (again, _) = fake.answer("GET", "https://he2.ai/deny", &[]);
    assert_eq!((again.status().as_u16(), &again.headers()["retry-after"]), (429, &"56".parse().unwrap()));
    assert!(fake.take_effects().is_empty());
}

#[test]
fn a_refused_start_of_a_run_is_told_in_the_form_of_the_apps_pages() {
    let fake = Fake::new();
    assert_eq!(fake.status("POST", "https://he2.ai/runs", &[]), 200);
    let (refused, _) = fake.answer("POST", "https://he2.ai/runs", &[]);
    let problem: serde_json::Value = serde_json::from_str(refused.body()).unwrap();
    let detail = &problem["detail"];
    assert_eq!((&detail["running_thread_ids"], &detail["running_count"]), (&json!([]), &json!(0)));
    assert!(detail["message"].is_string());
}

#[test]
fn a_shadow_limit_counts_and_logs_and_refuses_nobody() {
    let fake = Fake::new();
    let said: Vec<_> = (0..2)
        .map(|_| {
            let (response, record) = fake.answer("GET", "https://he2.ai/shadow", &[]);
            assert_eq!((response.status().as_u16(), response.headers().get("ratelimit")), (200, None));
            record.limit.unwrap()
        })
        .collect();
    assert_eq!(said, ["api: allowed", "api: would be refused"]);
}

#[test]
fn while_nobody_counts_the_plan_says_whether_a_request_passes() {
    let mut fake = Fake::new();
    fake.limiter = Err("overloaded".into());
    let answers = |name: &str| {
        let answer = |_| fake.status("GET", &format!("https://he2.ai/{name}"), &[]);
        (0..2).map(answer).collect::<Vec<_>>()
    };
    assert_eq!(answers("cached"), [200, 200]);
    assert_eq!(answers("deny"), [503, 503]);
    assert_eq!(answers("local"), [200, 429], "the isolate counts alone");
}

#[test]
fn a_limiter_that_keeps_failing_is_left_alone() {
    let mut fake = Fake::new();
    fake.limiter = Err("overloaded".into());
    for _ in 0..10 {
        assert_eq!(fake.status("GET", "https://he2.ai/cached", &[]), 200);
    }
    let asked = fake.take_effects().iter().filter(|effect| effect.starts_with("take")).count();
    assert_eq!(asked, 3);
    fake.wait(5);
    fake.answer("GET", "https://he2.ai/cached", &[]);
    assert!(fake.take_effects().iter().any(|effect| effect.starts_with("take")));
}

#[test]
fn a_fresh_hit_has_touched_neither_the_origin_nor_the_limiter() {
    let mut fake = Fake::new();
    fake.origin = || {
        Ok(Response::builder()
            .header("cache-control", "max-age=60")
            .body("from the origin".to_owned())
            .unwrap())
    };
    let (first, _) = fake.answer("GET", "https://he2.ai/cached", &[]);
    assert_eq!(first.headers()["cache-status"], "he2; fwd=uri-miss; stored");
    assert_eq!(
        fake.take_effects(),
        ["cache get", "take api/ip/192.0.2.1", "origin", "content put", "cache get", "cache put"]
    );
    fake.now.set(NOW_MS + 5_000);
    let (hit, _) = fake.answer("GET", "https://he2.ai/cached", &[]);
    assert_eq!((hit.body().as_str(), &hit.headers()["age"]), ("from the origin", &"5".parse().unwrap()));
    assert_eq!(hit.headers()["cache-status"], "he2; hit; ttl=55");
    assert_eq!(fake.take_effects(), ["cache get", "purges", "content", "read"]);
    fake.answer("GET", "https://he2.ai/cached", &[]);
    assert!(fake.take_effects().is_empty(), "it is in memory by now");
    assert!(!hit.headers().contains_key("ratelimit"), "nothing was taken");
    let (head, _) = fake.answer("HEAD", "https://he2.ai/cached", &[]);
    assert!(head.body().is_empty() && head.headers()["age"] == "5");
}

#[test]
fn a_hit_is_charged_where_the_limit_says_so() {
    let mut fake = Fake::new();
    fake.origin =
        || Ok(Response::builder().header("cache-control", "max-age=60").body("stored".to_owned()).unwrap());
    let call = || fake.status("GET", "https://he2.ai/counted", &[]);
    assert_eq!((call(), call()), (200, 429));
    assert_eq!(fake.take_effects().iter().filter(|effect| *effect == "origin").count(), 1);
}

#[test]
fn what_the_origin_says_of_its_cost_is_neither_stored_nor_charged_again() {
    let mut fake = Fake::new();
    fake.origin = || {
        let answer = Response::builder().header("cache-control", "max-age=60").header("x-request-cost", "5");
        Ok(answer.body("stored".to_owned()).unwrap())
    };
    let call = || fake.answer("GET", "https://he2.ai/dear-cached", &[]);
    let (first, record) = call();
    assert_eq!((first.headers()["x-ratelimit-remaining"].to_str().unwrap(), record.cost), ("5", Some(5)));
    let (hit, record) = call();
    assert_eq!(hit.headers()["cache-status"], "he2; hit; ttl=60");
    assert_eq!((hit.headers().get("x-request-cost"), record.cost), (None, None));
}

#[test]
fn a_signed_in_request_fetches_keys_once_and_is_forwarded_with_its_identity() {
    let mut fake = Fake::new();
    let token = format!("Bearer {}", signed_in(&mut fake));
    let (response, record) = fake.answer("POST", "https://api.he2.ai/user?x=1", &[("authorization", &token)]);
    assert_eq!(response.status(), StatusCode::OK);
    let effects = fake.take_effects();
    let sign_in = ["shared keys", "fetch keys", "share keys", "verify", "revocations"];
    assert_eq!(effects, [&sign_in[..], &["take api/user/u1", "origin"]].concat());
    let sent = fake.sent.take().unwrap();
    assert_eq!(sent.url, "http://alb/user?x=1");
    assert_eq!(sent.headers["x-he2-user"], "u1");
    assert_eq!(sent.headers["x-he2-origin-lock"], "lock");
    assert_eq!((record.caller, record.caller_id.as_deref()), (Some("user"), Some("u1")));
    assert_eq!(fake.status("GET", "https://api.he2.ai/optional", &[("authorization", &token)]), 200);
    assert_eq!(fake.take_effects(), ["origin"], "the token is known by now");
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
    assert_eq!(fake.take_effects(), ["shared keys", "fetch keys"]);
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
    assert_eq!(fake.indexes.borrow()["https://he2.ai/cached?a"].invalid_ms, NOW_MS);
    fake.take_effects();
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
