//! How often callers may call, and how many of their requests may be under way, word for word.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::ClaimTest;
use crate::fault::Report;
use crate::read::{Given, Lined, Read, Section};

pub(crate) struct Limit {
    pub(crate) name: Lined<String>,
    pub(crate) by: Given<Vec<Lined<Part>>>,
    pub(crate) windows: Windows,
    pub(crate) tiers: Given<Vec<Tier>>,
    pub(crate) cost_header: Given<String>,
    pub(crate) cache_hits: Given<String>,
    pub(crate) mode: Given<String>,
    pub(crate) on_error: Given<String>,
    pub(crate) shadow: Given<bool>,
    pub(crate) refusal: Given<String>,
}

pub(crate) type Windows = Option<Lined<Vec<Window>>>;

pub(crate) struct Window {
    pub(crate) quota: Option<Lined<u32>>,
    pub(crate) seconds: Option<Lined<u32>>,
    pub(crate) burst: Given<u32>,
}

/// `{ name = "free", claim = "app_metadata.plan", equals = "free", windows = [{ quota = 100, seconds = 3600 }] }`.
pub(crate) struct Tier {
    pub(crate) line: u32,
    pub(crate) name: Option<Lined<String>>,
    /// There when anything of a test is.
    pub(crate) test: Option<ClaimTest>,
    pub(crate) api_key_prefix: Given<String>,
    pub(crate) windows: Windows,
}

/// What requests must have in common to be counted together: a word, or a table that names a claim or a parameter.
pub(crate) enum Part {
    Word(String),
    Named { claim: Given<String>, param: Given<String> },
}

pub(crate) struct Concurrency {
    pub(crate) name: Lined<String>,
    pub(crate) most: Option<Lined<u32>>,
    pub(crate) by: Given<Vec<Lined<Part>>>,
    pub(crate) lease: Given<u32>,
    pub(crate) on_error: Given<String>,
    pub(crate) shadow: Given<bool>,
}

pub(super) fn limit(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Limit {
    let mut section = Section::new(format!("[limit.{}]", name.value), name.line, table, report);
    let limit = Limit {
        windows: section.required("windows"),
        by: section.optional("by"),
        tiers: section.optional("tiers"),
        cost_header: section.optional("cost_header"),
        cache_hits: section.optional("cache_hits"),
        mode: section.optional("mode"),
        on_error: section.optional("on_error"),
        shadow: section.optional("shadow"),
        refusal: section.optional("refusal"),
        name,
    };
    section.finish();
    limit
}

pub(super) fn concurrency(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Concurrency {
    let mut section = Section::new(format!("[concurrency.{}]", name.value), name.line, table, report);
    let concurrency = Concurrency {
        most: section.required("most"),
        by: section.optional("by"),
        lease: section.optional("lease_seconds"),
        on_error: section.optional("on_error"),
        shadow: section.optional("shadow"),
        name,
    };
    section.finish();
    concurrency
}

impl Read for Window {
    const WANTED: &'static str = "a window, as { quota = 20, seconds = 60 }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let mut section =
            Section::new("a window", report.line(&value.span()), value.get_ref().as_table()?, report);
        let window = Self {
            quota: section.required("quota"),
            seconds: section.required("seconds"),
            burst: section.optional("burst"),
        };
        section.finish();
        Some(window)
    }
}

impl Read for Vec<Window> {
    const WANTED: &'static str = "an array of windows, as [{ quota = 20, seconds = 60 }]";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        value.get_ref().as_array()?.iter().map(|item| Window::read(item, report)).collect()
    }
}

impl Read for Vec<Tier> {
    const WANTED: &'static str = "an array of tables, each with a `name`, who is of it, and `windows`";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        value.get_ref().as_array()?.iter().map(|item| tier(item, report)).collect()
    }
}

fn tier(item: &Spanned<DeValue<'_>>, report: &Report) -> Option<Tier> {
    let line = report.line(&item.span());
    let mut section = Section::new("a tier", line, item.get_ref().as_table()?, report);
    let tier = Tier {
        line,
        name: section.required("name"),
        test: ClaimTest::KEYS.iter().any(|key| section.has(key)).then(|| ClaimTest::of(&mut section)),
        api_key_prefix: section.optional("api_key_prefix"),
        windows: section.required("windows"),
    };
    section.finish();
    Some(tier)
}

impl Read for Vec<Lined<Part>> {
    const WANTED: &'static str = "an array of parts, as [\"caller\", { param = \"thread_id\" }]";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        value.get_ref().as_array()?.iter().map(|item| part(item, report)).collect()
    }
}

fn part(item: &Spanned<DeValue<'_>>, report: &Report) -> Option<Lined<Part>> {
    let line = report.line(&item.span());
    if let Some(word) = item.get_ref().as_str() {
        return Some(Lined { line, value: Part::Word(word.to_owned()) });
    }
    let mut section = Section::new("a part of `by`", line, item.get_ref().as_table()?, report);
    let value = Part::Named { claim: section.optional("claim"), param: section.optional("param") };
    section.finish();
    Some(Lined { line, value })
}
