//! Previews, word for word.

use toml::Spanned;
use toml::de::DeValue;

use crate::fault::Report;
use crate::read::{Given, Lined, Read, Section};

pub(crate) struct Previews {
    pub(crate) line: u32,
    pub(crate) domain: Option<Lined<String>>,
    pub(crate) ports: Option<Lined<Vec<Lined<Ports>>>>,
    pub(crate) reserved: Given<Vec<u16>>,
    pub(crate) api: Given<String>,
    pub(crate) limit: Given<String>,
    pub(crate) first_byte: Given<u32>,
}

/// `8080`, or `"3000-3010"`.
pub(crate) struct Ports {
    pub(crate) first: u16,
    pub(crate) last: u16,
}

/// `None` where there is no such section.
pub(super) fn previews<'d>(top: &mut Section<'d>, report: &'d Report) -> Option<Previews> {
    let (line, table) = top.table("previews")?;
    let mut section = Section::new("[previews]", line, table, report);
    let previews = Previews {
        line,
        domain: section.required("domain"),
        ports: section.required("ports"),
        reserved: section.optional("reserved"),
        api: section.optional("api"),
        limit: section.optional("limit"),
        first_byte: section.optional("first_byte_seconds"),
    };
    section.finish();
    Some(previews)
}

impl Read for Vec<Lined<Ports>> {
    const WANTED: &'static str = "an array of ports and ranges of them, as [8080, \"3000-3010\"]";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        value.get_ref().as_array()?.iter().map(|item| ports(item, report)).collect()
    }
}

fn ports(item: &Spanned<DeValue<'_>>, report: &Report) -> Option<Lined<Ports>> {
    let value = match item.get_ref().as_str() {
        Some(range) => {
            let (first, last) = range.split_once('-')?;
            Ports { first: port(first)?, last: port(last)? }
        }
        None => u16::read(item, report).map(|port| Ports { first: port, last: port })?,
    };
    Some(Lined { line: report.line(&item.span()), value })
}

fn port(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|port| *port > 0)
}
