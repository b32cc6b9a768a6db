//! What happened, as OTLP over HTTP takes it, in JSON: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.
//!
//! Names in lower camel case, ids in hexadecimal, enums as numbers, 64-bit integers as strings. Attributes are those of
//! <https://opentelemetry.io/docs/specs/semconv/http/>. Spans go to `/v1/traces`, metrics to `/v1/metrics`, as
//! `application/json`. Left out: logs, which the platform exports, compression, and which requests are recorded.

pub mod metrics;
pub mod trace;

use serde_json::{Value, json};

/// The name of whatever writes these.
const SCOPE: &str = "he2-edge";

/// Who tells: the attributes of everything that is told.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Version of the deployment.
    pub version: &'a str,
    /// `production`, `staging`.
    pub environment: &'a str,
    /// A random name of the isolate: no two may write one series of metrics
    /// (<https://opentelemetry.io/docs/specs/otel/metrics/data-model/#single-writer>).
    pub instance: &'a str,
}

impl Resource<'_> {
    fn json(&self) -> Value {
        json!({ "attributes": [
            text("service.name", SCOPE),
            text("service.version", self.version),
            text("service.instance.id", self.instance),
            text("deployment.environment.name", self.environment),
        ] })
    }
}

fn scope() -> Value {
    json!({ "name": SCOPE })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn integer(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

/// Unix time in nanoseconds.
fn nanoseconds(ms: u64) -> String {
    ms.saturating_mul(1_000_000).to_string()
}

#[cfg(test)]
mod shape;
