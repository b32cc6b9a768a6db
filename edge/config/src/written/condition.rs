//! What must hold of a claim, word for word.

use edge_core::plan::Value;
use toml::Spanned;
use toml::de::DeValue;

use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined, OneOrMore, Read, Section};

/// `{ claim = "app_metadata.plan", one_of = ["pro", "team"] }`.
pub(crate) struct ClaimTest {
    pub(crate) line: u32,
    pub(crate) claim: Option<Lined<String>>,
    pub(crate) equals: Given<Value>,
    pub(crate) one_of: Given<Vec<Lined<Value>>>,
    pub(crate) contains: Given<OneOrMore<Value>>,
}

impl Read for Vec<ClaimTest> {
    const WANTED: &'static str = "an array of tests, as [{ claim = \"token_use\", equals = \"access\" }]";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        value.get_ref().as_array()?.iter().map(|item| test(item, report)).collect()
    }
}

fn test(item: &Spanned<DeValue<'_>>, report: &Report) -> Option<ClaimTest> {
    let line = report.line(&item.span());
    let mut section = Section::new("the test of a claim", line, item.get_ref().as_table()?, report);
    let test = ClaimTest::of(&mut section);
    section.finish();
    Some(test)
}

impl ClaimTest {
    pub(crate) const KEYS: [&str; 4] = ["claim", "equals", "one_of", "contains"];

    /// The test in a table that may hold more.
    pub(super) fn of(section: &mut Section<'_>) -> Self {
        Self {
            line: section.line,
            claim: section.required("claim"),
            equals: section.optional("equals"),
            one_of: section.optional("one_of"),
            contains: section.optional("contains"),
        }
    }
}

impl Read for Value {
    const WANTED: &'static str = "a string, a whole number, or true or false";

    fn read(value: &Spanned<DeValue<'_>>, _: &Report) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) => Some(Self::Text(leak::text(text))),
            DeValue::Boolean(good) => Some(Self::Bool(*good)),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(Self::Number)
            }
            _ => None,
        }
    }
}

impl Read for Vec<Lined<Value>> {
    const WANTED: &'static str = "an array of strings, whole numbers, true or false";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        value.get_ref().as_array()?;
        OneOrMore::read(value, report).map(|OneOrMore(values)| values)
    }
}
