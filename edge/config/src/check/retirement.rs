//! Routes that are going away.

use edge_core::plan::Retirement;
use toml::value::Date;

use super::dates::start_of;
use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined};
use crate::written::heads;

/// `None` where the route stays, and where its dates have a fault.
pub(super) fn check(retirement: &Given<heads::Retirement>, report: &Report) -> Option<Retirement> {
    let heads::Retirement { deprecated, sunset, link } = &retirement.good()?.value;
    let sunset_line = sunset.good().map(|sunset| sunset.line);
    let sunset = sunset.good().and_then(|sunset| day("sunset", sunset, report));
    let deprecated = day("deprecated", deprecated.as_ref()?, report)?;
    if let Some(line) = sunset_line.filter(|_| sunset.is_some_and(|sunset| sunset < deprecated)) {
        // RFC 9745 §4.
        report.add(line, "`sunset` is before `deprecated`; give a later day");
    }
    Some(Retirement { deprecated, sunset, link: link.good().map(|link| page(link, report)) })
}

fn day(key: &str, day: &Lined<Date>, report: &Report) -> Option<u64> {
    let start = start_of(day.value);
    if start.is_none() {
        report.add(day.line, format!("{key} {}: there is no such day after 1970", day.value));
    }
    start
}

fn page(link: &Lined<String>, report: &Report) -> &'static str {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"');
    let good = link.value.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
    if !good || !link.value.bytes().all(plain) {
        report.add(
            link.line,
            format!("link `{}`: write the page's address, as `https://he2.ai/changelog`", link.value),
        );
    }
    leak::text(&link.value)
}
