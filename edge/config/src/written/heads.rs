//! What he2.toml says of heads, word for word: how large, from where, and what is added.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Date;

use crate::fault::Report;
use crate::read::{Given, Lined, OneOrMore, Read, Section};

/// `[request]`; all of it may be left out.
#[derive(Default)]
pub(crate) struct Request {
    pub(crate) target: Given<u32>,
    pub(crate) query: Given<u32>,
    pub(crate) fields: Given<u32>,
    pub(crate) head: Given<u32>,
    pub(crate) max_body: Given<u32>,
}

/// `[[access]]`.
pub(crate) struct Access {
    pub(crate) line: u32,
    pub(crate) deny: Given<Places>,
    pub(crate) allow: Given<Places>,
    pub(crate) routes: Given<Vec<Lined<String>>>,
}

/// Where callers come from.
pub(crate) struct Places {
    pub(crate) countries: Given<Vec<Lined<String>>>,
    pub(crate) asns: Given<OneOrMore<u32>>,
    pub(crate) networks: Given<Vec<Lined<String>>>,
}

/// `[security.NAME]`.
pub(crate) struct Security {
    pub(crate) name: Lined<String>,
    pub(crate) hsts: Given<u32>,
    pub(crate) content: Given<String>,
    pub(crate) referrer: Given<String>,
    pub(crate) permissions: Given<String>,
    pub(crate) replace: Given<bool>,
}

/// A route's `retirement`.
pub(crate) struct Retirement {
    pub(crate) deprecated: Option<Lined<Date>>,
    pub(crate) sunset: Given<Date>,
    pub(crate) link: Given<String>,
}

pub(super) fn request<'d>(top: &mut Section<'d>, report: &'d Report) -> Request {
    let Some((line, table)) = top.table("request") else { return Request::default() };
    let mut section = Section::new("[request]", line, table, report);
    let request = Request {
        target: section.optional("target_bytes"),
        query: section.optional("query_bytes"),
        fields: section.optional("fields"),
        head: section.optional("head_bytes"),
        max_body: section.optional("max_body_bytes"),
    };
    section.finish();
    request
}

pub(super) fn access(line: u32, table: &DeTable<'_>, report: &Report) -> Access {
    let mut section = Section::new("[[access]]", line, table, report);
    let access = Access {
        line,
        deny: section.optional("deny"),
        allow: section.optional("allow"),
        routes: section.optional("routes"),
    };
    section.finish();
    access
}

pub(super) fn security(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Security {
    let mut section = Section::new(format!("[security.{}]", name.value), name.line, table, report);
    let security = Security {
        hsts: section.optional("hsts_seconds"),
        content: section.optional("content_security_policy"),
        referrer: section.optional("referrer_policy"),
        permissions: section.optional("permissions_policy"),
        replace: section.optional("replace"),
        name,
    };
    section.finish();
    security
}

impl Read for Places {
    const WANTED: &'static str = "a table, as { countries = [\"KP\"] }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let line = report.line(&value.span());
        let mut section = Section::new("a rule of access", line, value.get_ref().as_table()?, report);
        let places = Self {
            countries: section.optional("countries"),
            asns: section.optional("asns"),
            networks: section.optional("networks"),
        };
        section.finish();
        Some(places)
    }
}

impl Read for Retirement {
    const WANTED: &'static str = "a table, as { deprecated = 2026-12-01, sunset = 2027-06-30 }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let line = report.line(&value.span());
        let mut section = Section::new("retirement", line, value.get_ref().as_table()?, report);
        let retirement = Self {
            deprecated: section.required("deprecated"),
            sunset: section.optional("sunset"),
            link: section.optional("link"),
        };
        section.finish();
        Some(retirement)
    }
}
