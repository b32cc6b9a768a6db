//! Faults of he2.toml: where, what, and the repair.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

/// One thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line, counted from 1.
    pub line: u32,
    /// What is wrong, and the repair.
    pub text: String,
}

/// Everything that is wrong with the file, by line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    file_name: String,
    faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults
            .iter()
            .try_for_each(|fault| writeln!(f, "{}:{}: {}", self.file_name, fault.line, fault.text))
    }
}

impl std::error::Error for Faults {}

/// Collects faults while the file is read and checked, so that all are reported at once.
pub(crate) struct Report {
    /// Where each line ends.
    line_ends: Vec<usize>,
    faults: RefCell<Vec<Fault>>,
}

impl Report {
    pub(crate) fn new(text: &str) -> Self {
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { line_ends, faults: RefCell::default() }
    }

    /// The line in which `span` begins.
    pub(crate) fn line(&self, span: &Range<usize>) -> u32 {
        let before = self.line_ends.partition_point(|end| *end < span.start);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    pub(crate) fn add(&self, line: u32, text: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { line, text: text.into() });
    }

    pub(crate) fn count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// `good` unless anything was added. A missing value is no success either.
    pub(crate) fn finish<T>(self, file_name: &str, good: Option<T>) -> Result<T, Faults> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults.dedup();
        match good {
            Some(good) if faults.is_empty() => Ok(good),
            _ => Err(Faults { file_name: file_name.into(), faults }),
        }
    }
}
