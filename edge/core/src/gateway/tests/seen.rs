//! What watchers, third parties and collectors see.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::*;
use crate::telemetry::Telemetry;

const COLLECTOR: (&str, &str) = ("OTLP_ENDPOINT", "http://collector:4318");

fn telling(variables: &[(&str, &str)]) -> Fake {
    let mut fake = Fake::new();
    let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
    fake.settings.telemetry = Telemetry::read(|name| found(name).map(|(_, value)| (*value).to_owned()));
    fake
}

fn body(fake: &Fake, url: &str) -> (u16, Value) {
    let (response, _) = fake.answer("GET", url, &[]);
    (response.status().as_u16(), serde_json::from_str(response.body()).unwrap())
}

#[test]
fn health_touches_nothing() {
    let fake = Fake::new();
    assert_eq!(body(&fake, "https://he2.ai/health"), (200, json!({ "status": "ok" })));
    assert!(fake.take_effects().is_empty());
}

#[test]
fn what_can_do_its_work_is_ready_and_is_asked_behind_once() {
    let mut fake = Fake::new();
    fake::published(&mut fake, "k1");
    let all = json!({ "ready": true, "settings": true, "keys": true, "origin": true });
    assert_eq!(body(&fake, "https://he2.ai/ready"), (200, all.clone()));
    assert_eq!(fake.sent.borrow().as_ref().unwrap().url, "http://alb/api/health");
    assert!(fake.take_effects().contains(&"fetch keys".to_owned()));
    assert_eq!(body(&fake, "https://he2.ai/ready"), (200, all));
    assert!(fake.take_effects().is_empty());
}

#[test]
fn an_origin_that_answered_lately_is_not_asked() {
    let mut fake = Fake::new();
    fake::published(&mut fake, "k1");
    assert_eq!(fake.status("GET", "https://he2.ai/get", &[]), 200);
    fake.take_effects();
    assert_eq!(body(&fake, "https://he2.ai/ready").0, 200);
    assert_eq!(fake::done(&fake, "origin"), 0);
}

#[test]
fn what_is_missing_shows_by_its_part_and_by_name_in_the_log_alone() {
    let mut fake = Fake::new();
    fake.origin = || Err(SendError::Failed("no connection".to_owned()));
    fake.settings.identity_secret = None;
    let (response, record) = fake.answer("GET", "https://he2.ai/ready", &[]);
    let found: Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(found, json!({ "ready": false, "settings": false, "keys": false, "origin": false }));
    assert_eq!(response.status(), 503);
    let expected = [
        "IDENTITY_SECRET is not set, or cannot be read",
        "no keys of supabase",
        "backend at blue: no connection",
    ];
    assert_eq!(record.degraded, expected);
    fake.wait(5);
    fake.origin = || Ok(Response::new(String::new()));
    assert_eq!(body(&fake, "https://he2.ai/ready").1["origin"], true);
}

const OURS: &str = "https://ab1@o1.ingest.sentry.io/42";
const WHO: [(&str, &str); 6] = [
    ("cookie", "sb-he2-auth-token=secret"),
    ("x-api-key", "he-secret"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-he2-user", "u1"),
    ("user-agent", "a browser"),
    ("content-type", "text/plain"),
];

/// The fields that went on, but for those of the platform.
fn went_on(fake: &Fake) -> (String, Vec<(String, String)>) {
    let sent = fake.sent.borrow();
    let sent = sent.as_ref().unwrap();
    let fields =
        sent.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    (sent.url.clone(), fields)
}

fn fields(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_report_of_our_project_goes_to_sentry_without_who_calls() {
    let fake = telling(&[("MONITORED_DSN", OURS)]);
    let envelope = format!("{{\"dsn\":\"{OURS}\"}}\n{{\"type\":\"event\"}}\n{{}}");
    let (response, _) = fake.answer_content("POST", "https://he2.ai/monitoring", &WHO, &envelope);
    assert_eq!((response.status().as_u16(), response.body().as_str()), (200, "from the origin"));
    let expected = fields(&[
        ("content-type", "application/x-sentry-envelope"),
        ("user-agent", "a browser"),
        ("x-forwarded-for", "192.0.2.1"),
    ]);
    assert_eq!(went_on(&fake), ("https://o1.ingest.sentry.io/api/42/envelope/".to_owned(), expected));
    assert_eq!(fake.sent.borrow().as_ref().unwrap().body, envelope);
}

#[test]
fn a_report_of_another_project_goes_nowhere() {
    let foreign = "{\"dsn\":\"https://ab1@o2.ingest.sentry.io/42\"}\n";
    for (fake, content, status) in [
        (telling(&[("MONITORED_DSN", OURS)]), foreign, 400),
        (telling(&[("MONITORED_DSN", OURS)]), "no envelope", 400),
        (telling(&[]), foreign, 404),
    ] {
        let (response, _) = fake.answer_content("POST", "https://he2.ai/monitoring", &[], content);
        assert_eq!(response.status(), status);
        assert_eq!(fake::done(&fake, "origin"), 0);
    }
}

#[test]
fn a_third_party_hears_nothing_of_who_calls_and_sets_no_cookie() {
    let mut fake = Fake::new();
    fake.origin = || {
        let answer = Response::builder().header("set-cookie", "a=b").header("etag", "\"1\"");
        Ok(answer.body("script".to_owned()).unwrap())
    };
    let (response, _) =
        fake.answer("GET", "https://he2.ai/ingest/e/?v=1&token=eyJhbGciOiJFUzI1NiJ9.e30.e30", &WHO);
    let expected = fields(&[
        ("content-type", "text/plain"),
        ("user-agent", "a browser"),
        ("x-forwarded-for", "192.0.2.1"),
    ]);
    assert_eq!(went_on(&fake), ("https://eu.i.posthog.com/e/?v=1".to_owned(), expected));
    assert_eq!(
        (response.headers().get("set-cookie"), response.headers().get("etag").is_some()),
        (None, true)
    );
}

#[test]
fn a_user_has_one_name_in_the_log_and_no_id() {
    let mut fake = Fake::new();
    let token = signed_in(&mut fake);
    let headers = [("authorization", &*format!("Bearer {token}"))];
    let line = |fake: &Fake| {
        let (_, record) = fake.answer("GET", "https://he2.ai/user", &headers);
        serde_json::to_value(record).unwrap()
    };
    let seen = line(&fake);
    // printf %s log:u1 | openssl dgst -sha256 -hmac identity
    assert_eq!(seen["identity"], "46142183d665a6db");
    assert_eq!(seen["limit_key"], format!("api/user/{}", seen["identity"].as_str().unwrap()));
    assert!(seen.get("caller_id").is_none() && !seen.to_string().contains("u1"), "{seen}");
}

/// What the collector was sent since the last look, and where.
fn collected(fake: &Fake) -> Option<(String, Value)> {
    let sent = fake.sent.take().filter(|sent| sent.url.starts_with(COLLECTOR.1))?;
    Some((sent.url, serde_json::from_str(&sent.body).unwrap()))
}

#[test]
fn requests_are_told_in_batches_after_the_answer_and_lost_ones_are_counted() {
    thread_local! {
        static STATUS: RefCell<u16> = const { RefCell::new(400) };
    }
    let mut fake = telling(&[COLLECTOR]);
    fake.origin = || {
        let status = STATUS.with_borrow(|status| *status);
        Ok(Response::builder().status(status).body(String::new()).unwrap())
    };
    for _ in 0..crate::export::BATCH {
        assert!(collected(&fake).is_none());
        fake.answer("GET", "https://he2.ai/nothing", &[]);
    }
    let (url, traces) = collected(&fake).unwrap();
    assert_eq!(url, "http://collector:4318/v1/traces");
    let spans = &traces["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(spans.as_array().unwrap().len(), crate::export::BATCH);

    // The collector refused them for good.
    STATUS.set(200);
    fake.wait(10);
    fake.answer("GET", "https://he2.ai/health", &[]);
    let (url, metrics) = collected(&fake).unwrap();
    assert_eq!(url, "http://collector:4318/v1/metrics");
    let metrics = &metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    assert_eq!(metrics[2]["name"], "he2.traces.lost");
    assert_eq!(metrics[2]["sum"]["dataPoints"][0]["asInt"], crate::export::BATCH.to_string());
}

#[test]
fn a_caller_that_records_nothing_is_not_recorded() {
    let fake = telling(&[COLLECTOR]);
    let unsampled = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")];
    fake.answer("GET", "https://he2.ai/health", &unsampled);
    assert!(fake.isolate.untold.traces.borrow_mut().take(u64::MAX).is_none());
    fake.answer("GET", "https://he2.ai/health", &[]);
    let batch = fake.isolate.untold.traces.borrow_mut().take(u64::MAX);
    assert_eq!(batch.unwrap().items.len(), 1);
}

#[test]
fn the_call_to_the_origin_is_a_span_below_the_gateways_and_the_origin_is_told_of_it() {
    let fake = telling(&[COLLECTOR]);
    let parent = "00f067aa0ba902b7";
    let value = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{parent}-01");
    let (response, _) = fake.answer("GET", "https://he2.ai/get", &[("traceparent", &value)]);
    let told = fake.sent.borrow().as_ref().unwrap().headers["traceparent"].to_str().unwrap().to_owned();
    let batch = fake.isolate.untold.traces.borrow_mut().take(u64::MAX).unwrap();
    let exchange = &batch.items[0];
    assert_eq!(exchange.parent.as_deref(), Some(parent));
    assert!(response.headers()["traceparent"].to_str().unwrap().contains(&exchange.span_id));
    assert_eq!(told, format!("00-{}-{}-01", exchange.trace_id, exchange.calls[0].span_id));
    assert_ne!(exchange.calls[0].span_id, exchange.span_id);
}

#[test]
fn what_should_not_happen_is_told_to_sentry_until_it_asks_for_quiet() {
    let mut fake = telling(&[("SENTRY_DSN", OURS)]);
    fake.origin =
        || Ok(Response::builder().status(429).header("retry-after", "60").body(String::new()).unwrap());
    let told = |fake: &Fake| {
        report(fake, "panic", "a fault made by a test", &Record::default());
        fake.work();
        fake.sent.take()
    };
    let sent = told(&fake).unwrap();
    assert_eq!(sent.url, "https://o1.ingest.sentry.io/api/42/envelope/");
    assert!(sent.body.contains("a fault made by a test"));
    assert!(sent.headers["x-sentry-auth"].to_str().unwrap().contains("sentry_key=ab1"));
    assert!(told(&fake).is_none(), "for a minute");
    fake.wait(60);
    assert!(told(&fake).is_some());
}
