//! What happened is told: in the log's line, to the collector, to Sentry. Nobody's request waits for it.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::export::{Batch, Landing};
use crate::headers::set;
use crate::host::{Host, Outgoing};
use crate::otlp::Resource;
use crate::otlp::metrics::Requests;
use crate::otlp::trace::{self, Exchange};
use crate::record::Record;
use crate::sentry::dsn::Dsn;
use crate::sentry::envelope::{self, Report};
use crate::telemetry::{Collector, Telemetry};
use crate::trace::{Trace, hex};

/// Who collects is not waited for longer (ms); the platform ends work in the background after 30 s.
const TIMEOUT_MS: u32 = 5_000;
/// Of what it answers no more is read (bytes).
const LONGEST: u32 = 65_536;

/// Keeps a request for the collector, if there is one, and sends what is due.
pub(super) fn tell<H: Host>(host: &H, record: &Record, trace: &Trace, scheme: &str, started_ms: u64) {
    if host.settings().telemetry.collector.is_none() {
        return;
    }
    let (untold, now) = (&host.isolate().untold, host.now_ms());
    let pattern = record.matched.map(|route| route.pattern);
    untold.requests.borrow_mut().count(pattern, record.status, record.total_ms, now);
    if trace.sampled && record.weight.is_some() {
        untold.traces.borrow_mut().push(exchange(record, trace, scheme, (started_ms, now)), now);
    }
    let (batch, told) = (untold.traces.borrow_mut().take(now), untold.requests.borrow_mut().take(now));
    if let Some(batch) = batch {
        let host = host.clone();
        host.clone().background(async move { send_traces(&host, batch).await });
    }
    if let Some(told) = told {
        let host = host.clone();
        host.clone().background(async move { send_requests(&host, told).await });
    }
}

fn exchange(record: &Record, trace: &Trace, scheme: &str, time_ms: (u64, u64)) -> Exchange {
    Exchange {
        trace_id: trace.trace_id.clone(),
        span_id: trace.span_id.clone(),
        parent: trace.parent_id.clone(),
        time_ms,
        method: record.method.clone(),
        scheme: scheme.to_owned(),
        host: record.host.clone(),
        path: record.path.clone(),
        route: record.matched.map(|route| route.pattern),
        status: record.status,
        fault: record.fault.clone(),
        request_id: record.request_id.clone(),
        calls: record.calls.clone(),
    }
}

async fn send_traces<H: Host>(host: &H, batch: Batch<Exchange>) {
    let text = trace::encode(&resource(host), &batch.items);
    let landing = collect(host, "/v1/traces", text).await;
    let (untold, now) = (&host.isolate().untold, host.now_ms());
    let mut traces = untold.traces.borrow_mut();
    traces.landed(batch, landing, now);
    untold.requests.borrow_mut().lost(traces.take_lost(), now);
}

async fn send_requests<H: Host>(host: &H, told: Requests) {
    let text = told.encode(&resource(host), host.now_ms());
    let landing = collect(host, "/v1/metrics", text).await;
    host.isolate().untold.requests.borrow_mut().landed(told, landing, host.now_ms());
}

/// Posts to the collector.
async fn collect<H: Host>(host: &H, path: &str, text: String) -> Landing {
    let Some(Collector { endpoint, headers }) = &host.settings().telemetry.collector else {
        return Landing::Done { arrived: false };
    };
    let mut headers = headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match post(host, format!("{endpoint}{path}"), headers, text).await {
        Some((status, headers)) => Landing::of(status, &headers, host.now_ms()),
        None => Landing::Again(None),
    }
}

async fn post<H: Host>(
    host: &H,
    url: String,
    headers: HeaderMap,
    text: String,
) -> Option<(StatusCode, HeaderMap)> {
    let body = host.text(text);
    let outgoing = Outgoing {
        method: Method::POST,
        url,
        headers,
        first_byte_ms: TIMEOUT_MS,
        max_body_bytes: None,
        outlives: true,
        encoded: true,
        body,
    };
    let (head, body) = host.send(outgoing).await.ok()?.into_parts();
    // To its end, so that the connection can serve again.
    drop(host.read(body, LONGEST).await);
    Some((head.status, head.headers))
}

fn resource<H: Host>(host: &H) -> Resource<'_> {
    let Telemetry { version, environment, .. } = &host.settings().telemetry;
    let instance = host.isolate().untold.instance.get_or_init(|| hex(&host.random()));
    Resource { version, environment, instance }
}

/// Tells Sentry of something that should not happen: its kind and what only operators may know of it.
pub fn report<H: Host>(host: &H, kind: &'static str, reason: &str, record: &Record) {
    let (telemetry, now) = (&host.settings().telemetry, host.now_ms());
    let Some(sentry) = &telemetry.sentry else { return };
    if !host.isolate().untold.sentry.borrow_mut().may_send(now) {
        return;
    }
    let mut event_id = hex(&host.random());
    event_id.truncate(32);
    let report = Report {
        event_id,
        at_ms: now,
        fault: kind.to_owned(),
        reason: reason.to_owned(),
        route: record.route,
        method: record.method.clone(),
        url: format!("https://{}{}", record.host, record.path),
        status: record.status,
        request_id: record.request_id.clone(),
        trace_id: record.trace_id.clone(),
        environment: telemetry.environment.clone(),
        release: telemetry.version.clone(),
    };
    let (host, sentry) = (host.clone(), sentry.clone());
    host.clone().background(async move { send_report(&host, &sentry, &report).await });
}

async fn send_report<H: Host>(host: &H, sentry: &Dsn, report: &Report) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(envelope::TYPE));
    set(&mut headers, HeaderName::from_static("x-sentry-auth"), &sentry.auth());
    let text = envelope::encode(report, host.now_ms());
    if let Some((status, headers)) = post(host, sentry.endpoint(), headers, text).await {
        host.isolate().untold.sentry.borrow_mut().told(status, &headers, host.now_ms());
    }
}
