//! Which requests leave a line in the log.

use edge_core::plan::Log;

use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written;

/// Percent of each class; all where nothing is said.
pub(super) fn check(log: Option<&written::Log>, report: &Report) -> Option<Log> {
    let sample = match log.map(|log| &log.sample) {
        None | Some(Given::Absent) => return Some(Log { ok: 100, cached: 100, preflight: 100 }),
        Some(given) => &given.good()?.value,
    };
    let percent = |key, given| percent(key, given, report);
    let (ok, cached) = (percent("ok", &sample.ok), percent("cached", &sample.cached));
    let preflight = percent("preflight", &sample.preflight);
    Some(Log { ok: ok?, cached: cached?, preflight: preflight? })
}

fn percent(key: &str, given: &Given<u32>, report: &Report) -> Option<u8> {
    if given.is_absent() {
        return Some(100);
    }
    let Lined { line, value } = given.good()?;
    let percent = u8::try_from(*value).ok().filter(|percent| *percent <= 100);
    if percent.is_none() {
        report.add(*line, format!("{key} {value}: give 1 to 100 percent"));
    }
    percent
}
