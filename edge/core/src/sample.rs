//! Which requests leave a line in the log, and a trace at the collector.
//!
//! By class, and by the trace's id alone, so that of one trace all is kept or nothing. What an operator may have to
//! look into is always kept: errors, refusals, what is degraded, operators' requests, webhooks.

use crate::plan::{Auth, Log, Route};
use crate::record::Record;

/// How many requests the line of this one stands for, itself among them; none for no line.
#[must_use]
pub fn weight(log: Log, record: &Record) -> Option<f64> {
    let percent = percent(log, record);
    (share(&record.trace_id) < f64::from(percent)).then(|| 100.0 / f64::from(percent))
}

fn percent(log: Log, record: &Record) -> u8 {
    match () {
        () if is_kept(record) => 100,
        () if record.hit => log.cached,
        () if record.matched.is_some() && record.caller.is_none() => log.preflight,
        () => log.ok,
    }
}

fn is_kept(record: &Record) -> bool {
    let is_watched = |route: &Route| matches!(route.auth, Auth::Admin(_) | Auth::Webhook(_));
    record.status >= 400
        || record.fault.is_some()
        || record.leak.is_some()
        || !record.degraded.is_empty()
        || record.matched.is_some_and(is_watched)
}

/// Where a trace stands among all, in percent: by the end of its id, which W3C Trace Context asks to be random
/// (level 2, §3.2.2.3).
fn share(trace_id: &str) -> f64 {
    let end = trace_id.len().checked_sub(8).and_then(|at| trace_id.get(at..));
    let random = end.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0);
    f64::from(random) * 100.0 / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ROUTE;

    const LOG: Log = Log { ok: 50, cached: 10, preflight: 1 };
    static PUBLIC: Route = ROUTE;

    fn record(random: u32) -> Record {
        Record {
            trace_id: format!("4bf92f3577b34da6a3ce929d{random:08x}"),
            matched: Some(&PUBLIC),
            caller: Some("anonymous"),
            status: 200,
            ..Record::default()
        }
    }

    /// Weights of requests whose traces are spread evenly.
    fn weights(of: impl Fn(Record) -> Record) -> Vec<f64> {
        let spread = (0..1_000).map(|at| record(u32::MAX / 1_000 * at));
        spread.filter_map(|record| weight(LOG, &of(record))).collect()
    }

    #[test]
    fn of_each_class_as_many_are_kept_as_he2_toml_says_and_their_weights_make_up_for_the_rest() {
        for (kept, weights) in [
            (500, weights(|record| record)),
            (100, weights(|record| Record { hit: true, ..record })),
            (10, weights(|record| Record { caller: None, ..record })),
        ] {
            assert!(weights.len().abs_diff(kept) <= 1, "{} of {kept}", weights.len());
            assert!((weights.iter().sum::<f64>() - 1_000.0).abs() <= 100.0);
        }
    }

    #[test]
    fn errors_refusals_and_what_is_degraded_are_always_kept() {
        let kept: [fn(Record) -> Record; 4] = [
            |record| Record { status: 404, hit: true, ..record },
            |record| Record { fault: Some("refused".to_owned()), ..record },
            |record| Record { degraded: vec!["the limiter".to_owned()], ..record },
            |record| Record { leak: Some("query".to_owned()), ..record },
        ];
        for of in kept {
            assert_eq!(weights(of), [1.0; 1_000]);
        }
    }

    #[test]
    fn a_trace_is_kept_whole() {
        let (low, high) = (record(0), record(u32::MAX));
        for hit in [false, true] {
            assert!(weight(LOG, &Record { hit, ..low.clone() }).is_some());
            assert!(weight(LOG, &Record { hit, ..high.clone() }).is_none());
        }
    }
}
