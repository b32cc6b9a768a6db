//! What requests must have in common to be counted together, and which routes can tell.

use edge_core::plan::{Auth, Part, Segment, SignIn};

use super::condition;
use super::routes::Pattern;
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::{self, limit as all};
use crate::{leak, suggest};

const WORDS: [(&str, Part); 4] = [
    ("caller", Part::Caller),
    ("address", Part::Address),
    ("session", Part::Session),
    ("service", Part::Service),
];
const TABLES: [&str; 2] = ["{ claim = … }", "{ param = … }"];

/// The parts that hold; the caller alone where none are given.
pub(super) fn check(by: &Given<Vec<Lined<all::Part>>>, report: &Report) -> Option<&'static [Part]> {
    let Some(by) = by.good() else { return by.is_absent().then_some(&[Part::Caller]) };
    if by.value.is_empty() {
        report.add(by.line, "`by` is empty; name at least one, or leave it out to count by caller");
    }
    let checked: Vec<Option<Part>> = by.value.iter().map(|written| part(written, report)).collect();
    for (index, (written, part)) in by.value.iter().zip(&checked).enumerate() {
        if part.is_some() && checked.iter().take(index).any(|before| before == part) {
            report.add(written.line, "`by` names the same twice; remove one");
        }
    }
    checked.into_iter().collect::<Option<Vec<Part>>>().map(leak::list)
}

fn part(written: &Lined<all::Part>, report: &Report) -> Option<Part> {
    match &written.value {
        all::Part::Word(word) => known(written.line, word, report),
        all::Part::Named { claim: Given::Good(claim), param: Given::Absent } => {
            condition::path(claim, report).map(Part::Claim)
        }
        all::Part::Named { claim: Given::Absent, param: Given::Good(param) } => {
            Some(Part::Param(leak::text(&param.value)))
        }
        all::Part::Named { claim: Given::Faulty, .. } | all::Part::Named { param: Given::Faulty, .. } => None,
        all::Part::Named { .. } => {
            report.add(written.line, "a part of `by` is either a `claim` or a `param`; give one");
            None
        }
    }
}

fn known(line: u32, word: &str, report: &Report) -> Option<Part> {
    let found = WORDS.iter().find(|(name, _)| *name == word);
    if found.is_none() {
        let hint = suggest::hint(word, WORDS.iter().map(|(name, _)| *name).chain(TABLES));
        report.add(line, format!("unknown part `{word}` of `by`; {hint}"));
    }
    found.map(|(_, part)| *part)
}

/// A route that names a limit or a concurrency.
pub(super) struct Naming<'w> {
    pub(super) what: &'static str,
    pub(super) name: &'w Lined<String>,
    pub(super) route: &'w written::Route,
    pub(super) auth: Auth,
    pub(super) patterns: &'w [Pattern],
}

impl Naming<'_> {
    /// Notes what the route cannot tell of its requests.
    pub(super) fn check(&self, by: &[Part], report: &Report) {
        for part in by {
            match part {
                Part::Session | Part::Claim(_) if !knows_users(self.auth) => {
                    self.note("tells users apart, and this route knows none; name another", report);
                }
                Part::Service if self.route.service.is_absent() => {
                    self.note("tells services apart, and this route has none; name another", report);
                }
                Part::Param(param) => self.check_param(param, report),
                _ => {}
            }
        }
        if is_open(self.auth) && is_made_up(by) {
            let fault = "is by what anyone writes into the path, so whoever makes it up gets a counter each; \
                         add \"caller\" to its `by`";
            self.note(fault, report);
        }
    }

    pub(super) fn note(&self, fault: &str, report: &Report) {
        report.add(self.name.line, format!("{} `{}` {fault}", self.what, self.name.value));
    }

    fn check_param(&self, param: &'static str, report: &Report) {
        let captures = [Segment::Param(param), Segment::Tail(param)];
        for (line, pattern, segments) in self.patterns {
            if !segments.iter().any(|segment| captures.contains(segment)) {
                let Self { what, name, .. } = self;
                let text = format!(
                    "path `{pattern}` has no `{{{param}}}`, by which {what} `{}` counts; name a capture so, or name \
                     another {what}",
                    name.value
                );
                report.add(*line, text);
            }
        }
    }
}

/// Whether its callers may show a user's token.
pub(super) fn knows_users(auth: Auth) -> bool {
    matches!(auth, Auth::SignIn(SignIn { user: true, .. }))
}

/// Whether callers need nothing to pass.
fn is_open(auth: Auth) -> bool {
    matches!(auth, Auth::Public | Auth::SignIn(SignIn { required: false, .. }))
}

/// Whether a caller gets another counter by writing another path.
fn is_made_up(by: &[Part]) -> bool {
    let of_caller =
        |part: &Part| matches!(part, Part::Caller | Part::Address | Part::Session | Part::Claim(_));
    by.iter().any(|part| matches!(part, Part::Param(_))) && !by.iter().any(of_caller)
}
