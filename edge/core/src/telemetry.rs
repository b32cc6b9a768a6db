//! Whom a deployment tells what happens, and what waits to be told.
//!
//! Nobody has to be told: what is not set is off. Left out: sending, which [`crate::gateway`] does after the answer.

use std::cell::{OnceCell, RefCell};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::export::Buffer;
use crate::otlp::metrics::Requests;
use crate::otlp::trace::Exchange;
use crate::path;
use crate::sentry::dsn::Dsn;
use crate::sentry::limits::Limits;

/// The deployment's settings of it.
#[derive(Debug, Clone, Default)]
pub struct Telemetry {
    /// `OTLP_ENDPOINT` and `OTLP_HEADERS`: a collector of OpenTelemetry.
    pub collector: Option<Collector>,
    /// `SENTRY_DSN`: where faults that should not happen are told.
    pub sentry: Option<Dsn>,
    /// `MONITORED_DSN`: the projects whose reports are passed on for the app's pages.
    pub monitored: Vec<Dsn>,
    /// `ENVIRONMENT`: `production`, `staging`.
    pub environment: String,
    /// Version of the deployment.
    pub version: String,
    /// Variables that are set and cannot be read.
    pub faulty: Vec<&'static str>,
}

/// Where traces and metrics go, by OTLP over HTTP.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Its address, to which `/v1/traces` and `/v1/metrics` are appended; without a trailing slash.
    pub endpoint: String,
    /// What it asks for.
    pub headers: HeaderMap,
}

impl Telemetry {
    /// Reads the variables; `variable` gives the value of one that is set and not empty.
    #[must_use]
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut telemetry = Self {
            environment: variable("ENVIRONMENT").unwrap_or_default(),
            version: variable("VERSION").unwrap_or_default(),
            ..Self::default()
        };
        let headers = telemetry.read_as("OTLP_HEADERS", &variable, header_fields).unwrap_or_default();
        let endpoint = telemetry.read_as("OTLP_ENDPOINT", &variable, endpoint);
        telemetry.collector = endpoint.map(|endpoint| Collector { endpoint, headers });
        telemetry.sentry = telemetry.read_as("SENTRY_DSN", &variable, Dsn::parse);
        telemetry.monitored = telemetry.read_as("MONITORED_DSN", &variable, dsns).unwrap_or_default();
        telemetry
    }

    fn read_as<T>(
        &mut self,
        name: &'static str,
        variable: impl Fn(&str) -> Option<String>,
        read: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let read = read(&variable(name)?);
        self.faulty.extend(read.is_none().then_some(name));
        read
    }
}

fn dsns(text: &str) -> Option<Vec<Dsn>> {
    text.split_whitespace().map(Dsn::parse).collect()
}

fn endpoint(text: &str) -> Option<String> {
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    is_address.then(|| text.trim_end_matches('/').to_owned())
}

/// `name=value,name=value`, the values escaped as in a URL: as `OTEL_EXPORTER_OTLP_HEADERS` is written
/// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables>).
fn header_fields(text: &str) -> Option<HeaderMap> {
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = HeaderValue::from_bytes(&path::decode_all(value.trim())).ok()?;
        Some((name.trim().parse::<HeaderName>().ok()?, value))
    };
    text.split(',').map(field).collect()
}

/// What an isolate has yet to tell.
#[derive(Debug, Default)]
pub struct Untold {
    /// Requests, for the collector.
    pub traces: RefCell<Buffer<Exchange>>,
    /// Their numbers, for the same.
    pub requests: RefCell<Requests>,
    /// Whether Sentry wants to hear.
    pub sentry: RefCell<Limits>,
    /// A random name of the isolate.
    pub instance: OnceCell<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Telemetry {
        let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Telemetry::read(|name| found(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn what_is_not_set_is_off_and_no_fault() {
        let telemetry = read(&[]);
        assert!(
            telemetry.collector.is_none() && telemetry.sentry.is_none() && telemetry.monitored.is_empty()
        );
        assert!(telemetry.faulty.is_empty());
    }

    #[test]
    fn a_collectors_fields_are_read_as_opentelemetry_writes_them() {
        let telemetry = read(&[
            ("OTLP_ENDPOINT", "https://collector.example/otlp/"),
            ("OTLP_HEADERS", "authorization=Basic%20YTpi , x-scope=1"),
        ]);
        let collector = telemetry.collector.unwrap();
        assert_eq!(collector.endpoint, "https://collector.example/otlp");
        assert_eq!(
            (&collector.headers["authorization"], &collector.headers["x-scope"]),
            (&HeaderValue::from_static("Basic YTpi"), &HeaderValue::from_static("1"))
        );
    }

    #[test]
    fn several_projects_may_be_monitored() {
        let telemetry = read(&[("MONITORED_DSN", "https://a1@sentry.io/1  https://a2@sentry.io/2")]);
        assert_eq!(telemetry.monitored.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_off_and_named() {
        let telemetry = read(&[
            ("OTLP_ENDPOINT", "collector:4318"),
            ("OTLP_HEADERS", "authorization"),
            ("SENTRY_DSN", "https://sentry.io/1"),
            ("MONITORED_DSN", "https://a1@sentry.io/1 x"),
        ]);
        assert_eq!(telemetry.faulty, ["OTLP_HEADERS", "OTLP_ENDPOINT", "SENTRY_DSN", "MONITORED_DSN"]);
        assert!(
            telemetry.collector.is_none() && telemetry.sentry.is_none() && telemetry.monitored.is_empty()
        );
    }
}
