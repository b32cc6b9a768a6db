//! Typed values out of a TOML document.
//!
//! Every fault is noted and reading goes on. (Serde's `deny_unknown_fields` would stop a section at its
//! first.) Whatever is not asked for is an unknown key.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Date;

use crate::fault::Report;
use crate::suggest;

/// A value and the line where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lined<T> {
    pub(crate) line: u32,
    pub(crate) value: T,
}

/// A value that may be left out.
#[derive(Default)]
pub(crate) enum Given<T> {
    #[default]
    Absent,
    /// It is there, of the wrong kind, and reported.
    Faulty,
    Good(Lined<T>),
}

impl<T> Given<T> {
    pub(crate) fn good(&self) -> Option<&Lined<T>> {
        match self {
            Self::Good(value) => Some(value),
            Self::Absent | Self::Faulty => None,
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A type that a TOML value can be read as.
pub(crate) trait Read: Sized {
    /// What the value must be, for people.
    const WANTED: &'static str;

    /// `None` when the value is of another kind. Faults further inside are noted in `report`.
    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self>;
}

/// One table of the document while it is read.
pub(crate) struct Section<'d> {
    title: String,
    pub(crate) line: u32,
    table: &'d DeTable<'d>,
    asked: Vec<&'static str>,
    report: &'d Report,
}

impl<'d> Section<'d> {
    /// `title` is how faults call it: "[auth]".
    pub(crate) fn new(
        title: impl Into<String>,
        line: u32,
        table: &'d DeTable<'d>,
        report: &'d Report,
    ) -> Self {
        Self { title: title.into(), line, table, asked: Vec::new(), report }
    }

    pub(crate) fn required<T: Read>(&mut self, key: &'static str) -> Option<Lined<T>> {
        match self.optional(key) {
            Given::Good(value) => return Some(value),
            Given::Faulty => {}
            Given::Absent => {
                self.report.add(self.line, format!("{} needs `{key}`; give it {}", self.title, T::WANTED));
            }
        }
        None
    }

    pub(crate) fn optional<T: Read>(&mut self, key: &'static str) -> Given<T> {
        self.asked.push(key);
        let Some(value) = self.table.get(key) else { return Given::Absent };
        read(key, value, self.report).map_or(Given::Faulty, Given::Good)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The table under `key`, with its line.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<(u32, &'d DeTable<'d>)> {
        self.asked.push(key);
        table(&format!("[{key}]"), self.table.get(key)?, self.report)
    }

    /// The tables under `key`: `[key.name]`, by name, in the order of the file.
    pub(crate) fn named(&mut self, key: &'static str) -> Vec<(Lined<String>, &'d DeTable<'d>)> {
        let Some((_, tables)) = self.table(key) else { return Vec::new() };
        let mut found = Vec::new();
        for (name, value) in tables {
            let line = self.report.line(&name.span());
            let title = format!("[{key}.{}]", name.get_ref());
            let Some((_, table)) = table(&title, value, self.report) else { continue };
            found.push((Lined { line, value: name.get_ref().to_string() }, table));
        }
        found.sort_by_key(|(name, _)| name.line);
        found
    }

    /// The tables under `key`, written `[[key]]`. `None` when it is written otherwise, which is reported.
    pub(crate) fn repeated(&mut self, key: &'static str) -> Option<Vec<(u32, &'d DeTable<'d>)>> {
        self.asked.push(key);
        let Some(value) = self.table.get(key) else { return Some(Vec::new()) };
        let DeValue::Array(items) = value.get_ref() else {
            self.report
                .add(self.report.line(&value.span()), format!("write `[[{key}]]`: there can be several"));
            return None;
        };
        Some(items.iter().filter_map(|item| table(&format!("[[{key}]]"), item, self.report)).collect())
    }

    /// Notes every key that nothing asked for.
    pub(crate) fn finish(self) {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let hint = suggest::hint(name, self.asked.iter().copied());
                let text = format!("unknown key `{name}` in {}; {hint}", self.title);
                self.report.add(self.report.line(&key.span()), text);
            }
        }
    }
}

fn table<'d>(
    title: &str,
    value: &'d Spanned<DeValue<'d>>,
    report: &Report,
) -> Option<(u32, &'d DeTable<'d>)> {
    let line = report.line(&value.span());
    let DeValue::Table(table) = value.get_ref() else {
        report.add(line, format!("{title} must be a table, not {}", kind(value.get_ref())));
        return None;
    };
    Some((line, table))
}

fn read<T: Read>(key: &str, value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Lined<T>> {
    let line = report.line(&value.span());
    let read = T::read(value, report);
    if read.is_none() {
        report.add(line, format!("`{key}` must be {}, not {}", T::WANTED, kind(value.get_ref())));
    }
    Some(Lined { line, value: read? })
}

/// What a value is, for people.
fn kind(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(_) => "a string".into(),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(_) => "a number with a fraction".into(),
        DeValue::Boolean(_) => "true or false".into(),
        DeValue::Datetime(moment) if moment.time.is_some() => "a time".into(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "an array".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

impl Read for String {
    const WANTED: &'static str = "a string in quotes";

    fn read(value: &Spanned<DeValue<'_>>, _: &Report) -> Option<Self> {
        value.get_ref().as_str().map(str::to_owned)
    }
}

impl Read for bool {
    const WANTED: &'static str = "true or false";

    fn read(value: &Spanned<DeValue<'_>>, _: &Report) -> Option<Self> {
        value.get_ref().as_bool()
    }
}

impl Read for u32 {
    const WANTED: &'static str = "a whole number from 1 to 4294967295";

    fn read(value: &Spanned<DeValue<'_>>, _: &Report) -> Option<Self> {
        let number = value.get_ref().as_integer()?;
        Self::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number > 0)
    }
}

/// A count of seconds that may be none and is at most a minute.
pub(crate) struct Leeway(pub(crate) u32);

impl Read for Leeway {
    const WANTED: &'static str = "a whole number of seconds from 0 to 60";

    fn read(value: &Spanned<DeValue<'_>>, _: &Report) -> Option<Self> {
        let number = value.get_ref().as_integer()?;
        let seconds = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
        (seconds <= 60).then_some(Self(seconds))
    }
}

impl Read for u16 {
    const WANTED: &'static str = "a port from 1 to 65535";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        u32::read(value, report).and_then(|number| Self::try_from(number).ok())
    }
}

impl Read for Vec<u16> {
    const WANTED: &'static str = "an array of ports";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        value.get_ref().as_array()?.iter().map(|item| u16::read(item, report)).collect()
    }
}

impl Read for Vec<Lined<String>> {
    const WANTED: &'static str = "an array of strings";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let items = value.get_ref().as_array()?.iter().map(|item| {
            let line = report.line(&item.span());
            Some(Lined { line, value: item.get_ref().as_str()?.to_owned() })
        });
        items.collect()
    }
}

impl Read for Date {
    const WANTED: &'static str = "a date without quotes, as 2027-06-30";

    fn read(value: &Spanned<DeValue<'_>>, _: &Report) -> Option<Self> {
        value.get_ref().as_datetime().filter(|moment| moment.time.is_none())?.date
    }
}

/// One value, or an array of such.
pub(crate) struct OneOrMore<T>(pub(crate) Vec<Lined<T>>);

impl<T: Read> Read for OneOrMore<T> {
    const WANTED: &'static str = T::WANTED;

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let item = |item: &Spanned<DeValue<'_>>| {
            Some(Lined { line: report.line(&item.span()), value: T::read(item, report)? })
        };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(item).collect::<Option<_>>().map(Self),
            _ => Some(Self(vec![item(value)?])),
        }
    }
}
