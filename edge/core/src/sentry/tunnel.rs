//! `/monitoring`: the pages' reports, which blockers would keep from Sentry's own address, are passed on to it; but only
//! those for our own project, or anybody could send anything anywhere through here
//! (<https://docs.sentry.io/platforms/javascript/troubleshooting/#using-the-tunnel-option>).
//!
//! They go to [`Dsn::endpoint`] of ours, never to an address that stands in them.

use serde::Deserialize;

use super::dsn::Dsn;

/// Longest envelope that is passed on (bytes). Pages' events have some tens of kilobytes; it is held whole in memory, and
/// anybody can send one.
pub const MOST_BYTES: u32 = 256 * 1_024;
/// Longest first line (bytes).
const HEADER_BYTES: usize = 8 * 1_024;

/// Why an envelope is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It does not begin with a header that names a DSN.
    NoEnvelope,
    /// It is for another project.
    Foreign,
}

#[derive(Deserialize)]
struct Header {
    dsn: String,
}

impl Refused {
    /// What the page is told.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::NoEnvelope => "the content is no envelope with a DSN",
            Self::Foreign => "the envelope is for another project",
        }
    }
}

/// Ours of the projects, if an envelope is for one: by the DSN in its first line.
pub fn check<'a>(ours: &'a [Dsn], envelope: &[u8]) -> Result<&'a Dsn, Refused> {
    let line = envelope.split(|byte| *byte == b'\n').next().filter(|line| line.len() <= HEADER_BYTES);
    let header = line.and_then(|line| serde_json::from_slice::<Header>(line).ok());
    let meant = header.and_then(|header| Dsn::parse(&header.dsn)).ok_or(Refused::NoEnvelope)?;
    ours.iter().find(|dsn| dsn.is_same_project(&meant)).ok_or(Refused::Foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(header: &str) -> Result<(), Refused> {
        let ours = ["https://ab1@o9.ingest.sentry.io/1", "https://ab1@o1.ingest.sentry.io/42"];
        let ours = ours.map(|dsn| Dsn::parse(dsn).unwrap());
        check(&ours, format!("{header}\n{{\"type\":\"event\"}}\n{{}}\n").as_bytes()).map(drop)
    }

    fn for_dsn(dsn: &str) -> Result<(), Refused> {
        checked(&format!("{{\"sdk\":{{}},\"dsn\":\"{dsn}\"}}"))
    }

    #[test]
    fn an_envelope_of_our_project_is_passed_on() {
        assert_eq!(for_dsn("https://ab1@o1.ingest.sentry.io/42"), Ok(()));
        assert_eq!(for_dsn("https://rotated2@O1.ingest.sentry.io/42"), Ok(()), "Sentry knows its keys");
    }

    #[test]
    fn an_envelope_of_any_other_is_not() {
        for dsn in [
            "https://ab1@o2.ingest.sentry.io/42",
            "https://ab1@o1.ingest.sentry.io/43",
            "https://ab1@o1.ingest.sentry.io:444/42",
            "https://ab1@o1.ingest.sentry.io/x/42",
            "https://ab1@o1.ingest.sentry.io.evil.example/42",
        ] {
            assert_eq!(for_dsn(dsn), Err(Refused::Foreign), "{dsn}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_not_passed_on() {
        let ours = "\"dsn\":\"https://ab1@o1.ingest.sentry.io/42\"";
        let hidden = "{\"dsn\":\"https://o1.ingest.sentry.io@evil.example/42\"}";
        let padded = format!("{{{ours},\"x\":\"{}\"}}", "x".repeat(HEADER_BYTES));
        let twice = format!("{{{ours},\"dsn\":\"https://ab1@o1.ingest.sentry.io/43\"}}");
        for header in ["", "{}", "[]", "null", "{\"dsn\":1}", hidden, &padded, &twice, &format!("{{{ours}")] {
            assert_eq!(checked(header), Err(Refused::NoEnvelope), "{header:.60}");
        }
    }
}
