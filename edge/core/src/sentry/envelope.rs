//! A fault as an envelope with one event: <https://develop.sentry.dev/sdk/data-model/envelopes/>,
//! <https://develop.sentry.dev/sdk/data-model/event-payloads/>.
//!
//! Left out: stack traces, which a build without symbols does not have, and whatever tells who the caller is.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

/// A fault that should not happen.
#[derive(Debug, Clone)]
pub struct Report {
    /// 32 lower-case hexadecimal digits.
    pub event_id: String,
    /// When it happened (Unix ms).
    pub at_ms: u64,
    /// The fault's name: reports of one name and route are one issue.
    pub fault: String,
    /// What only operators may know about it.
    pub reason: String,
    /// The route's name.
    pub route: Option<&'static str>,
    /// Request method.
    pub method: String,
    /// Public host and path, as they may be logged; no query.
    pub url: String,
    /// Response status.
    pub status: u16,
    /// The id in `X-Request-Id`.
    pub request_id: String,
    /// W3C trace id.
    pub trace_id: String,
    /// `production`, `staging`.
    pub environment: String,
    /// Version of the deployment.
    pub release: String,
}

/// The media type of envelopes.
pub const TYPE: &str = "application/x-sentry-envelope";

/// Characters of a reason that are told: an event may have a megabyte, but nobody reads it.
const REASON: usize = 1_000;

/// The envelope, sent at `now_ms` (Unix).
#[must_use]
pub fn encode(report: &Report, now_ms: u64) -> String {
    let event = event(report);
    let header = json!({ "event_id": report.event_id, "sent_at": rfc3339(now_ms) });
    let item = json!({ "type": "event", "content_type": "application/json", "length": event.len() });
    format!("{header}\n{item}\n{event}\n")
}

fn event(report: &Report) -> String {
    let Report { fault, route, .. } = report;
    let reason: String = report.reason.chars().take(REASON).collect();
    json!({
        "event_id": report.event_id,
        "timestamp": Duration::from_millis(report.at_ms).as_secs_f64(),
        "platform": "other",
        "level": "error",
        "logger": "he2-edge",
        "transaction": route,
        "environment": report.environment,
        "release": report.release,
        "fingerprint": [fault, route.unwrap_or_default()],
        "exception": { "values": [{
            "type": fault,
            "value": reason,
            "mechanism": { "type": "gateway", "handled": false },
        }] },
        "request": { "method": report.method, "url": report.url },
        "tags": {
            "status": report.status.to_string(),
            "request_id": report.request_id,
            "trace_id": report.trace_id,
        },
    })
    .to_string()
}

/// UTC, to the second (RFC 3339 §5.6); nothing past the year 9999.
fn rfc3339(ms: u64) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const LAST_MS: u64 = 253_402_300_799_999;
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(ms)).filter(|_| ms <= LAST_MS)?;
    let date = httpdate::fmt_http_date(time);
    let mut words = date.split(' ').skip(1);
    let (day, month, year, clock) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)?.saturating_add(1);
    Some(format!("{year}-{month:02}-{day}T{clock}Z"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn report(reason: &str) -> Report {
        Report {
            event_id: "9ec79c33ec9942ab8353589fcb2e04dc".to_owned(),
            at_ms: 784_111_777_250,
            fault: "internal".to_owned(),
            reason: reason.to_owned(),
            route: Some("agents"),
            method: "GET".to_owned(),
            url: "https://he2.ai/api/agents".to_owned(),
            status: 500,
            request_id: "r".to_owned(),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            environment: "staging".to_owned(),
            release: "1".to_owned(),
        }
    }

    /// Reads an envelope by the grammar of its documentation: headers, then an item by its length.
    fn parts(envelope: &str) -> (Value, Value, Value) {
        let (header, rest) = envelope.split_once('\n').unwrap();
        let (item, rest) = rest.split_once('\n').unwrap();
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let length = json(item)["length"].as_u64().unwrap().try_into().unwrap();
        let (payload, end) = rest.split_at(length);
        assert_eq!(end, "\n", "the payload ends where it should");
        (json(header), json(item), json(payload))
    }

    #[test]
    fn an_envelope_holds_one_event_of_the_length_it_says() {
        let (header, item, event) = parts(&encode(&report("schön\n{}\r\n"), 784_111_777_999));
        assert_eq!(header["sent_at"], "1994-11-06T08:49:37Z");
        assert_eq!(item["type"], "event");
        assert_eq!((&event["event_id"], &event["timestamp"]), (&header["event_id"], &json!(784_111_777.25)));
        assert_eq!(event["exception"]["values"][0]["value"], "schön\n{}\r\n");
    }

    #[test]
    fn a_reason_without_end_is_cut() {
        let (_, _, event) = parts(&encode(&report(&"ü".repeat(1_000_000)), 0));
        assert_eq!(event["exception"]["values"][0]["value"].as_str().unwrap().chars().count(), REASON);
    }

    #[test]
    fn rfc3339_dates() {
        assert_eq!(rfc3339(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(rfc3339(1_709_164_800_000).as_deref(), Some("2024-02-29T00:00:00Z"));
        assert_eq!(rfc3339(u64::MAX), None);
    }
}
