//! How long callers may let the origin wait, word for word.

use toml::Spanned;
use toml::de::DeValue;

use crate::fault::Report;
use crate::read::{Given, Lined, Read, Section};

pub(crate) struct Wait {
    pub(crate) parameter: Option<Lined<String>>,
    pub(crate) most: Option<Lined<u32>>,
    pub(crate) events: Given<String>,
}

impl Read for Wait {
    const WANTED: &'static str = "a table, as { parameter = \"timeout\", most_seconds = 80 }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let mut section =
            Section::new("a wait", report.line(&value.span()), value.get_ref().as_table()?, report);
        let wait = Self {
            parameter: section.required("parameter"),
            most: section.required("most_seconds"),
            events: section.optional("events"),
        };
        section.finish();
        Some(wait)
    }
}
