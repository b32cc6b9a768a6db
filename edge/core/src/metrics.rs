//! A request as a data point of Workers Analytics Engine.
//!
//! The schema is stable: a name keeps its place, and new ones come last ([`BLOBS`], [`DOUBLES`]). One point for each
//! request, whatever the log keeps; the platform samples, so sums are over `_sample_interval`. Nothing in it is of a
//! caller's making or tells who calls. Limits: <https://developers.cloudflare.com/analytics/analytics-engine/limits/>.

use crate::otlp::trace::known;
use crate::record::Record;

/// What `blob1`, `blob2`, … hold.
pub const BLOBS: [&str; 7] = ["route", "host", "method", "fault", "cache", "caller", "limit"];
/// What `double1`, `double2`, … hold.
pub const DOUBLES: [&str; 6] = ["requests", "status", "total_ms", "origin_ms", "hit", "degraded"];
/// The index, by which the platform samples, of a request without a route.
const NO_ROUTE: &str = "none";

/// One data point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The route's name.
    pub index: &'static str,
    /// In the order of [`BLOBS`]; empty where there is nothing to say.
    pub blobs: [String; BLOBS.len()],
    /// In the order of [`DOUBLES`].
    pub doubles: [u32; DOUBLES.len()],
}

/// The data point of a request.
#[must_use]
pub fn point(record: &Record) -> Point {
    let route = record.route.unwrap_or(NO_ROUTE);
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let host = record.matched.map(|_| record.host.as_str());
    // `he2; hit; ttl=5`: what happened, without its numbers.
    let cache = record.cache.as_deref().and_then(|status| status.split("; ").nth(1));
    Point {
        index: route,
        blobs: [
            route.to_owned(),
            text(host),
            known(&record.method).to_owned(),
            text(record.fault.as_deref()),
            text(cache),
            text(record.caller),
            text(record.limit.as_deref()),
        ],
        doubles: [
            1,
            record.status.into(),
            number(record.total_ms),
            number(record.origin_ms.unwrap_or_default()),
            record.hit.into(),
            (!record.degraded.is_empty()).into(),
        ],
    }
}

fn number(ms: u64) -> u32 {
    ms.try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ROUTE;

    #[test]
    fn a_name_keeps_its_place() {
        static ROUTED: crate::plan::Route = ROUTE;
        let record = Record {
            route: Some("agents"),
            matched: Some(&ROUTED),
            host: "he2.ai".to_owned(),
            method: "GET".to_owned(),
            fault: Some("refused".to_owned()),
            cache: Some("he2; fwd=uri-miss; stored".to_owned()),
            caller: Some("user"),
            limit: Some("api: taken".to_owned()),
            status: 502,
            total_ms: 12,
            origin_ms: Some(10),
            hit: true,
            degraded: vec!["a".to_owned(), "b".to_owned()],
            ..Record::default()
        };
        let Point { index, blobs, doubles } = point(&record);
        assert_eq!(index, "agents");
        assert_eq!(blobs, ["agents", "he2.ai", "GET", "refused", "fwd=uri-miss", "user", "api: taken"]);
        assert_eq!(doubles, [1, 502, 12, 10, 1, 1]);
    }

    #[test]
    fn callers_make_up_no_values() {
        let record = Record { method: "MADE-UP".to_owned(), host: "made.up".to_owned(), ..Record::default() };
        let Point { index, blobs, .. } = point(&record);
        assert_eq!((index, &*blobs[1], &*blobs[2]), ("none", "", "_OTHER"));
    }

    /// The queries that are there for operators, by name.
    const QUERIES: [(&str, &str); 4] = [
        ("routes", include_str!("../../queries/routes.sql")),
        ("errors", include_str!("../../queries/errors.sql")),
        ("limits", include_str!("../../queries/limits.sql")),
        ("cache", include_str!("../../queries/cache.sql")),
    ];

    #[test]
    fn the_queries_call_every_column_by_its_name() {
        for (name, query) in QUERIES {
            let words: Vec<_> =
                query.split([' ', '\n', '(', ')', ',']).filter(|word| !word.is_empty()).collect();
            let columns = |kind: &str, names: &[&str]| {
                let at = |word: &str| word.strip_prefix(kind).and_then(|at| at.parse::<usize>().ok());
                let found = words.iter().zip(words.iter().skip(1)).filter_map(|(word, next)| {
                    at(word)
                        .map(|at| assert_eq!(*next, format!("/*{}*/", names[at - 1]), "{name}.sql: {word}"))
                });
                found.count()
            };
            assert!(columns("blob", &BLOBS) + columns("double", &DOUBLES) > 1, "{name}.sql");
        }
    }
}
