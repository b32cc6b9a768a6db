//! The messages of opentelemetry-proto (`trace/v1/trace.proto`, `metrics/v1/metrics.proto`, `common/v1/common.proto`), as
//! their JSON may look: every name known, every value of its form.

use serde_json::Value;

/// The form of one value.
enum Form {
    Text,
    /// So many lower-case hexadecimal digits; or nothing, where that is allowed.
    Hex(usize, bool),
    /// `fixed64`, `int64`: a decimal string.
    Long,
    Double,
    /// An enum: a number up to this.
    Enum(u64),
    Bool,
    Many(&'static Form),
    Message(&'static [(&'static str, Form)]),
    /// Exactly one of these.
    OneOf(&'static [(&'static str, Form)]),
}

use Form::{Bool, Double, Enum, Hex, Long, Many, Message, OneOf, Text};

const VALUE: Form =
    OneOf(&[("stringValue", Text), ("intValue", Long), ("doubleValue", Double), ("boolValue", Bool)]);
const ATTRIBUTES: Form = Many(&Message(&[("key", Text), ("value", VALUE)]));
const RESOURCE: Form = Message(&[("attributes", ATTRIBUTES)]);
const SCOPE: Form = Message(&[("name", Text)]);
const SPAN: Form = Message(&[
    ("traceId", Hex(32, false)),
    ("spanId", Hex(16, false)),
    ("parentSpanId", Hex(16, true)),
    ("name", Text),
    ("kind", Enum(5)),
    ("startTimeUnixNano", Long),
    ("endTimeUnixNano", Long),
    ("attributes", ATTRIBUTES),
    ("status", Message(&[("code", Enum(2)), ("message", Text)])),
]);
const NUMBER: Form = Message(&[
    ("attributes", ATTRIBUTES),
    ("startTimeUnixNano", Long),
    ("timeUnixNano", Long),
    ("asInt", Long),
]);
const HISTOGRAM: Form = Message(&[
    ("attributes", ATTRIBUTES),
    ("startTimeUnixNano", Long),
    ("timeUnixNano", Long),
    ("count", Long),
    ("sum", Double),
    ("bucketCounts", Many(&Long)),
    ("explicitBounds", Many(&Double)),
]);
const SUM: Form =
    Message(&[("aggregationTemporality", Enum(2)), ("isMonotonic", Bool), ("dataPoints", Many(&NUMBER))]);
const METRIC: Form = Message(&[
    ("name", Text),
    ("unit", Text),
    ("description", Text),
    ("sum", SUM),
    ("histogram", Message(&[("aggregationTemporality", Enum(2)), ("dataPoints", Many(&HISTOGRAM))])),
]);
const TRACES: Form = Message(&[(
    "resourceSpans",
    Many(&Message(&[
        ("resource", RESOURCE),
        ("scopeSpans", Many(&Message(&[("scope", SCOPE), ("spans", Many(&SPAN))]))),
    ])),
)]);
const METRICS: Form = Message(&[(
    "resourceMetrics",
    Many(&Message(&[
        ("resource", RESOURCE),
        ("scopeMetrics", Many(&Message(&[("scope", SCOPE), ("metrics", Many(&METRIC))]))),
    ])),
)]);

/// Panics unless this is an `ExportTraceServiceRequest`.
pub(super) fn assert_traces(value: &Value) {
    check(value, &TRACES, "");
}

/// Panics unless this is an `ExportMetricsServiceRequest` whose histograms add up.
pub(super) fn assert_metrics(value: &Value) {
    check(value, &METRICS, "");
    let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    for point in value
        .pointer("/resourceMetrics/0/scopeMetrics/0/metrics/1/histogram/dataPoints")
        .unwrap()
        .as_array()
        .unwrap()
    {
        let buckets = point["bucketCounts"].as_array().unwrap();
        assert_eq!(buckets.len(), point["explicitBounds"].as_array().unwrap().len() + 1);
        assert_eq!(buckets.iter().map(number).sum::<u64>(), number(&point["count"]));
    }
}

fn check(value: &Value, form: &Form, at: &str) {
    let fits = match form {
        Text => value.is_string(),
        Hex(len, optional) => {
            value.as_str().is_some_and(|text| is_hex(text, *len) || *optional && text.is_empty())
        }
        Long => value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
        Double => value.is_f64(),
        Enum(most) => value.as_u64().is_some_and(|number| number <= *most),
        Bool => value.is_boolean(),
        Many(form) => {
            value.as_array().map(|items| items.iter().for_each(|item| check(item, form, at))).is_some()
        }
        Message(fields) => value.as_object().map(|_| members(value, fields, at)).is_some(),
        OneOf(fields) => {
            value.as_object().map(|map| (map.len(), members(value, fields, at))) == Some((1, ()))
        }
    };
    assert!(fits, "{at}: {value}");
}

fn members(value: &Value, fields: &[(&str, Form)], at: &str) {
    for (name, member) in value.as_object().unwrap() {
        let (_, form) =
            fields.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{at}/{name}"));
        check(member, form, &format!("{at}/{name}"));
    }
}

fn is_hex(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
