//! How many requests may be under way at once.

use std::ops::RangeInclusive;

use edge_core::plan::Concurrency;

use super::parts;
use super::text::{check_name, check_range, choice};
use crate::fault::Report;
use crate::leak;
use crate::written::Written;
use crate::written::limit as written;

/// Whether nobody is let in while nobody can be asked.
const ON_ERROR: [(&str, bool); 2] = [("allow", false), ("deny", true)];
/// A shorter lease is renewed all the time; after a longer one, who has lost a stream still waits for its place.
const LEASE_SECONDS: RangeInclusive<u32> = 10..=600;
/// The object of a key writes the names of all who are in, each time one comes or goes.
const MOST: RangeInclusive<u32> = 1..=1_000;
const USUAL_LEASE_SECONDS: u32 = 60;

/// The concurrencies that hold.
pub(crate) fn check(written: &Written, report: &Report) -> Vec<Concurrency> {
    check_names(written, report);
    written.concurrencies.iter().filter_map(|concurrency| checked(concurrency, report)).collect()
}

/// Operators know counters and places by their names.
fn check_names(written: &Written, report: &Report) {
    for concurrency in &written.concurrencies {
        let name = &concurrency.name;
        if let Some(limit) = written.limits.iter().find(|limit| limit.name.value == name.value) {
            let text = format!(
                "concurrency `{}` has the name of the limit on line {}; rename one",
                name.value, limit.name.line
            );
            report.add(name.line, text);
        }
    }
}

fn checked(concurrency: &written::Concurrency, report: &Report) -> Option<Concurrency> {
    check_name(&concurrency.name, report);
    let lease = concurrency.lease.good();
    check_range("most", concurrency.most.as_ref(), &MOST, report);
    check_range("lease_seconds", lease, &LEASE_SECONDS, report);
    let by = parts::check(&concurrency.by, report);
    let closed_on_error = choice("on_error", &concurrency.on_error, false, &ON_ERROR, report);
    Some(Concurrency {
        name: leak::text(&concurrency.name.value),
        by: by?,
        most: concurrency.most.as_ref()?.value,
        lease_seconds: lease.map_or(USUAL_LEASE_SECONDS, |lease| lease.value),
        closed_on_error: closed_on_error?,
        shadow: concurrency.shadow.good().is_some_and(|shadow| shadow.value),
        line: concurrency.name.line,
    })
}
