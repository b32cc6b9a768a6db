//! How many requests there were, and how long they took: by route and class of status.
//!
//! What an isolate counted since it last told is told as a difference (`AGGREGATION_TEMPORALITY_DELTA`): isolates come
//! and go too fast for totals. The series are as many as he2.toml has patterns, times five.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Resource, nanoseconds, scope, text};
use crate::export::Landing;

/// Upper bounds of the histogram (ms), as the conventions advise for `http.server.request.duration`.
const BOUNDS_MS: [u64; 14] = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];
const DELTA: u8 = 1;

/// They are told so often (ms).
const EVERY_MS: u64 = 10_000;
/// After a failure nobody is told for so long (ms), unless the collector says how long.
const PAUSE_MS: u64 = 10_000;

/// What was counted since somebody was last told.
#[derive(Debug, Default)]
pub struct Requests {
    /// When the first was counted (Unix ms).
    since_ms: Option<u64>,
    series: BTreeMap<(&'static str, &'static str), Series>,
    /// Requests whose traces were lost on their way.
    lost: u64,
    /// Nobody is told before (Unix ms).
    rests_until: u64,
}

#[derive(Debug, Default)]
struct Series {
    count: u64,
    sum_ms: u64,
    /// One more than there are bounds.
    buckets: [u64; 15],
}

impl Requests {
    /// Counts a request: its route's pattern, response status, and milliseconds to the response's head.
    pub fn count(&mut self, route: Option<&'static str>, status: u16, ms: u64, now_ms: u64) {
        self.since_ms.get_or_insert(now_ms);
        let series = self.series.entry((route.unwrap_or_default(), class(status))).or_default();
        series.count = series.count.saturating_add(1);
        series.sum_ms = series.sum_ms.saturating_add(ms);
        let at = BOUNDS_MS.iter().take_while(|bound| ms > **bound).count();
        if let Some(bucket) = series.buckets.get_mut(at) {
            *bucket = bucket.saturating_add(1);
        }
    }

    /// So many requests whose traces were lost.
    pub fn lost(&mut self, requests: u64, now_ms: u64) {
        if requests > 0 {
            self.since_ms.get_or_insert(now_ms);
            self.lost = self.lost.saturating_add(requests);
        }
    }

    /// What is to be told now, if it is time; [`Requests::landed`] has to hear how that went. Counting begins anew.
    pub fn take(&mut self, now_ms: u64) -> Option<Self> {
        let due = self.since_ms.is_some_and(|since| now_ms.saturating_sub(since) >= EVERY_MS);
        (due && now_ms >= self.rests_until).then(|| mem::take(self))
    }

    /// Hears how telling went: what did not arrive is told with the next.
    pub fn landed(&mut self, told: Self, landing: Landing, now_ms: u64) {
        let Landing::Again(asked_ms) = landing else { return };
        self.rests_until = now_ms.saturating_add(asked_ms.unwrap_or(PAUSE_MS));
        self.since_ms = told.since_ms.or(self.since_ms);
        self.lost = self.lost.saturating_add(told.lost);
        for (key, series) in told.series {
            self.series.entry(key).or_default().add(&series);
        }
    }

    /// The content of a request to `/v1/metrics`.
    #[must_use]
    pub fn encode(&self, resource: &Resource<'_>, now_ms: u64) -> String {
        let points = |numbers: fn(&Series) -> Value| -> Vec<_> {
            self.series.iter().map(|(key, series)| self.point(*key, numbers(series), now_ms)).collect()
        };
        let lost = self.timed(json!({ "asInt": self.lost.to_string() }), Vec::new(), now_ms);
        let metrics = json!([
            {
                "name": "he2.requests",
                "unit": "{request}",
                "description": "Requests that the gateway answered",
                "sum": { "aggregationTemporality": DELTA, "isMonotonic": true, "dataPoints": points(Series::total) },
            },
            {
                "name": "http.server.request.duration",
                "unit": "s",
                "description": "From a request's arrival to its response's head",
                "histogram": { "aggregationTemporality": DELTA, "dataPoints": points(Series::histogram) },
            },
            {
                "name": "he2.traces.lost",
                "unit": "{request}",
                "description": "Requests whose traces did not reach the collector",
                "sum": { "aggregationTemporality": DELTA, "isMonotonic": true, "dataPoints": [lost] },
            },
        ]);
        let scoped = json!([{ "scope": scope(), "metrics": metrics }]);
        json!({ "resourceMetrics": [{ "resource": resource.json(), "scopeMetrics": scoped }] }).to_string()
    }

    fn point(&self, (route, class): (&str, &str), numbers: Value, now_ms: u64) -> Value {
        let mut attributes = vec![text("he2.status_class", class)];
        if !route.is_empty() {
            attributes.push(text("http.route", route));
        }
        self.timed(numbers, attributes, now_ms)
    }

    fn timed(&self, mut numbers: Value, attributes: Vec<Value>, now_ms: u64) -> Value {
        if let Value::Object(point) = &mut numbers {
            let since_ms = self.since_ms.unwrap_or(now_ms);
            point.insert("attributes".to_owned(), attributes.into());
            point.insert("startTimeUnixNano".to_owned(), nanoseconds(since_ms).into());
            point.insert("timeUnixNano".to_owned(), nanoseconds(now_ms).into());
        }
        numbers
    }
}

impl Series {
    fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum_ms = self.sum_ms.saturating_add(other.sum_ms);
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets) {
            *bucket = bucket.saturating_add(more);
        }
    }

    fn total(&self) -> Value {
        json!({ "asInt": self.count.to_string() })
    }

    fn histogram(&self) -> Value {
        json!({
            "count": self.count.to_string(),
            "sum": seconds(self.sum_ms),
            "bucketCounts": self.buckets.map(|count| count.to_string()),
            "explicitBounds": BOUNDS_MS.map(seconds),
        })
    }
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

fn class(status: u16) -> &'static str {
    match status {
        0..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape;
    use super::super::trace::tests::RESOURCE;
    use super::*;

    fn told(requests: &Requests) -> (Value, Value) {
        let value = serde_json::from_str::<Value>(&requests.encode(&RESOURCE, 2_000)).unwrap();
        shape::assert_metrics(&value);
        let metrics = &value["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        (metrics[0]["sum"]["dataPoints"].clone(), metrics[1]["histogram"]["dataPoints"].clone())
    }

    #[test]
    fn requests_are_counted_by_route_and_class_of_status() {
        let mut requests = Requests::default();
        for (route, status) in [(Some("/a"), 200), (Some("/a"), 204), (Some("/a"), 404), (None, 404)] {
            requests.count(route, status, 10, 1_000);
        }
        let (counts, _) = told(&requests);
        let counts: Vec<_> = counts.as_array().unwrap().iter().map(|point| &point["asInt"]).collect();
        assert_eq!(counts, ["1", "2", "1"]);
    }

    #[test]
    fn a_bucket_takes_what_is_up_to_its_bound() {
        let mut requests = Requests::default();
        for ms in [0, 5, 6, 10_000, 10_001, 600_000] {
            requests.count(Some("/a"), 200, ms, 1_000);
        }
        let (_, durations) = told(&requests);
        let point = &durations[0];
        assert_eq!(
            point["bucketCounts"],
            json!(["2", "1", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "1", "2"])
        );
        assert_eq!(point["sum"], 620.012);
        assert_eq!(
            (&point["startTimeUnixNano"], &point["timeUnixNano"]),
            (&json!("1000000000"), &json!("2000000000"))
        );
    }

    #[test]
    fn what_did_not_arrive_is_told_with_the_next_and_what_arrived_once() {
        let mut requests = Requests::default();
        requests.count(Some("/a"), 200, 10, 1_000);
        requests.lost(3, 1_000);
        assert!(requests.take(1_000 + EVERY_MS - 1).is_none());
        let first = requests.take(1_000 + EVERY_MS).unwrap();
        requests.count(Some("/a"), 200, 10, 12_000);
        requests.landed(first, Landing::Again(Some(30_000)), 12_000);
        assert!(requests.take(41_999).is_none(), "it asked for time");
        let second = requests.take(42_000).unwrap();
        assert_eq!((told(&second).0[0]["asInt"].as_str(), second.lost), (Some("2"), 3));
        requests.landed(second, Landing::Done { arrived: true }, 42_000);
        assert!(requests.take(u64::MAX).is_none());
    }
}
