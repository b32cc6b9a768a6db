//! A request as spans: one of the gateway, and below it one for each time that the origin was asked.

use http::Response;
use serde_json::{Value, json};

use crate::host::SendError;

use super::{Resource, integer, nanoseconds, scope, text};

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT`.
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// One request that the gateway answered. Nothing in it is secret: no query, no header field.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// 32 lower-case hexadecimal digits.
    pub trace_id: String,
    /// 16 of them: the gateway's span.
    pub span_id: String,
    /// The caller's span, if the caller has one.
    pub parent: Option<String>,
    /// When the request arrived, and when the response's head was ready (Unix ms).
    pub time_ms: (u64, u64),
    /// Request method.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Public host.
    pub host: String,
    /// Path, as it may be logged.
    pub path: String,
    /// The route's pattern.
    pub route: Option<&'static str>,
    /// Response status.
    pub status: u16,
    /// Name of the gateway's own fault.
    pub fault: Option<String>,
    /// The id in `X-Request-Id`.
    pub request_id: String,
    /// The requests to origins, in order.
    pub calls: Vec<Call>,
}

/// One request to the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// 16 lower-case hexadecimal digits: the parent that the origin is told in `traceparent`.
    pub span_id: String,
    /// The upstream's name in he2.toml.
    pub upstream: &'static str,
    /// From sending it to the response's head (Unix ms).
    pub time_ms: (u64, u64),
    /// Response status, or what went wrong: `timeout`, `connection`, `cancelled`.
    pub outcome: Result<u16, &'static str>,
}

impl Call {
    /// A request that is sent at `now_ms` (Unix), and cancelled unless it comes to an end.
    #[must_use]
    pub fn new(span_id: String, upstream: &'static str, now_ms: u64) -> Self {
        Self { span_id, upstream, time_ms: (now_ms, now_ms), outcome: Err("cancelled") }
    }

    /// It came to something at `now_ms` (Unix).
    pub fn end<B>(&mut self, now_ms: u64, result: &Result<Response<B>, SendError>) {
        self.time_ms.1 = now_ms;
        self.outcome = match result {
            Ok(response) => Ok(response.status().as_u16()),
            Err(SendError::Timeout) => Err("timeout"),
            Err(SendError::Failed(_)) => Err("connection"),
            Err(SendError::Gone | SendError::TooLong(_)) => Err("cancelled"),
        };
    }
}

/// The content of a request to `/v1/traces`.
#[must_use]
pub fn encode(resource: &Resource<'_>, exchanges: &[Exchange]) -> String {
    let spans: Vec<_> = exchanges.iter().flat_map(spans).collect();
    let scoped = json!([{ "scope": scope(), "spans": spans }]);
    json!({ "resourceSpans": [{ "resource": resource.json(), "scopeSpans": scoped }] }).to_string()
}

fn spans(exchange: &Exchange) -> impl Iterator<Item = Value> {
    let calls = exchange.calls.iter().zip(0..);
    std::iter::once(server(exchange)).chain(calls.map(|(call, resent)| client(exchange, call, resent)))
}

fn server(exchange: &Exchange) -> Value {
    let Exchange { method, route, status, .. } = exchange;
    let mut attributes = vec![
        text("http.request.method", known(method)),
        text("url.scheme", &exchange.scheme),
        text("url.path", &exchange.path),
        text("server.address", &exchange.host),
        integer("http.response.status_code", (*status).into()),
        text("he2.request_id", &exchange.request_id),
    ];
    attributes.extend(route.map(|route| text("http.route", route)));
    // A client's own mistake is no error of the server (semantic conventions, "Status").
    let error = (*status >= 500).then(|| exchange.fault.clone().unwrap_or_else(|| status.to_string()));
    let parent = exchange.parent.as_deref();
    let name = [span_name(method), route.unwrap_or_default()].join(" ");
    let ids = (&*exchange.trace_id, &*exchange.span_id, parent);
    span(ids, SERVER, name.trim_end(), exchange.time_ms, attributes, error)
}

fn client(exchange: &Exchange, call: &Call, resent: u64) -> Value {
    let mut attributes = vec![
        text("http.request.method", known(&exchange.method)),
        text("url.path", &exchange.path),
        text("he2.upstream", call.upstream),
    ];
    attributes.extend(call.outcome.ok().map(|status| integer("http.response.status_code", status.into())));
    attributes.extend((resent > 0).then(|| integer("http.request.resend_count", resent)));
    let error = match call.outcome {
        Ok(status) => (status >= 400).then(|| status.to_string()),
        Err(reason) => Some(reason.to_owned()),
    };
    let ids = (&*exchange.trace_id, &*call.span_id, Some(&*exchange.span_id));
    span(ids, CLIENT, span_name(&exchange.method), call.time_ms, attributes, error)
}

/// `ids`: of the trace, the span and its parent.
fn span(
    (trace, span, parent): (&str, &str, Option<&str>),
    kind: u8,
    name: &str,
    (started, ended): (u64, u64),
    mut attributes: Vec<Value>,
    error: Option<String>,
) -> Value {
    let status = error.as_ref().map_or(json!({}), |_| json!({ "code": ERROR }));
    attributes.extend(error.map(|kind| text("error.type", &kind)));
    json!({
        "traceId": trace,
        "spanId": span,
        "parentSpanId": parent.unwrap_or_default(),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": nanoseconds(started),
        "endTimeUnixNano": nanoseconds(ended),
        "attributes": attributes,
        "status": status,
    })
}

/// A method that everybody knows; any other would let a caller make up values without end.
pub(crate) fn known(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH" => method,
        _ => "_OTHER",
    }
}

fn span_name(method: &str) -> &str {
    match known(method) {
        "_OTHER" => "HTTP",
        method => method,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::otlp::shape;

    pub(in crate::otlp) const RESOURCE: Resource<'static> =
        Resource { version: "1", environment: "staging", instance: "a1" };

    fn exchange(method: &str, status: u16, outcomes: &[Result<u16, &'static str>]) -> Exchange {
        let call = |outcome: &Result<u16, &'static str>| Call {
            span_id: "00f067aa0ba902b8".to_owned(),
            upstream: "alb",
            time_ms: (1_544_712_660_100, 1_544_712_660_900),
            outcome: *outcome,
        };
        Exchange {
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            span_id: "00f067aa0ba902b7".to_owned(),
            parent: None,
            time_ms: (1_544_712_660_000, 1_544_712_661_000),
            method: method.to_owned(),
            scheme: "https".to_owned(),
            host: "he2.ai".to_owned(),
            path: "/api/agents".to_owned(),
            route: Some("/api/agents"),
            status,
            fault: None,
            request_id: "r".to_owned(),
            calls: outcomes.iter().map(call).collect(),
        }
    }

    fn encoded(exchange: Exchange) -> Vec<Value> {
        let value = serde_json::from_str::<Value>(&encode(&RESOURCE, &[exchange])).unwrap();
        shape::assert_traces(&value);
        value["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    }

    fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
        let found = span["attributes"].as_array().unwrap().iter().find(|pair| pair["key"] == key)?;
        found["value"].as_object().unwrap().values().next()
    }

    #[test]
    fn a_request_is_a_server_span_with_a_client_span_for_each_call_below_it() {
        let spans = encoded(exchange("GET", 200, &[Err("timeout"), Ok(200)]));
        assert_eq!(spans.len(), 3);
        assert_eq!(spans[0]["name"], "GET /api/agents");
        assert_eq!(spans[0]["kind"], 2);
        assert_eq!(spans[0]["startTimeUnixNano"], "1544712660000000000");
        for call in &spans[1..] {
            assert_eq!(call["kind"], 3);
            assert_eq!(call["parentSpanId"], spans[0]["spanId"]);
            assert_eq!(call["traceId"], spans[0]["traceId"]);
        }
        assert_eq!(attribute(&spans[1], "error.type").unwrap(), "timeout");
        assert_eq!(attribute(&spans[2], "http.request.resend_count").unwrap(), "1");
    }

    #[test]
    fn a_clients_mistake_is_an_error_of_the_call_but_not_of_the_server() {
        let spans = encoded(exchange("GET", 404, &[Ok(404)]));
        assert_eq!(spans[0]["status"], json!({}));
        assert_eq!(spans[1]["status"], json!({ "code": 2 }));
        assert_eq!(attribute(&spans[1], "error.type").unwrap(), "404");
    }

    #[test]
    fn a_fault_of_the_gateway_is_the_error_by_its_name() {
        let failed = Exchange { fault: Some("origin".to_owned()), ..exchange("GET", 502, &[]) };
        assert_eq!(attribute(&encoded(failed)[0], "error.type").unwrap(), "origin");
        assert_eq!(attribute(&encoded(exchange("GET", 500, &[]))[0], "error.type").unwrap(), "500");
    }

    #[test]
    fn callers_cannot_make_up_methods_or_names() {
        let nowhere = Exchange { route: None, ..exchange("M-SEARCH", 404, &[]) };
        let spans = encoded(nowhere);
        assert_eq!(spans[0]["name"], "HTTP");
        assert_eq!(attribute(&spans[0], "http.request.method").unwrap(), "_OTHER");
    }
}
