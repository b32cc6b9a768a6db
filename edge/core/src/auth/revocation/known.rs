//! What an isolate knows of the revocations.

use std::collections::HashMap;

use super::{Answer, Ask, Entry, Revocation};

/// A question that has no answer by now (ms) is given up: its request is gone.
const GIVEN_UP_MS: u64 = 5_000;
/// After a failure nobody asks again for this long (ms).
const FAILURE_PAUSE_MS: u64 = 1_000;

/// An isolate's copy of the revocations, and how old it is. Times are Unix milliseconds.
#[derive(Debug, Default)]
pub struct Known {
    version: u64,
    learned_at: Option<u64>,
    asking_until: u64,
    /// Until when nobody asks after a failure, and why it failed.
    failure: Option<(u64, String)>,
    sessions: HashMap<String, Mark>,
    users: HashMap<String, Mark>,
    keys: HashMap<String, Mark>,
}

#[derive(Debug)]
struct Mark {
    /// Tokens whose `iat` is before this (Unix seconds); none for all.
    issued_before: Option<u64>,
    /// Unix seconds.
    until: u64,
}

impl Known {
    /// How long ago it was right; `None` before the first answer.
    #[must_use]
    pub fn age_ms(&self, now_ms: u64) -> Option<u64> {
        self.learned_at.map(|at| now_ms.saturating_sub(at))
    }

    /// Whether somebody is asking already.
    #[must_use]
    pub fn is_asking(&self, now_ms: u64) -> bool {
        now_ms < self.asking_until
    }

    /// Why somebody has just failed, so that asking is for later.
    #[must_use]
    pub fn failure(&self, now_ms: u64) -> Option<&str> {
        self.failure.as_ref().filter(|(until, _)| now_ms < *until).map(|(_, error)| error.as_str())
    }

    /// What to ask.
    #[must_use]
    pub fn ask(&self) -> Ask {
        Ask::Since(self.version)
    }

    /// Somebody asks.
    pub fn begin(&mut self, now_ms: u64) {
        self.asking_until = now_ms.saturating_add(GIVEN_UP_MS);
    }

    /// There was no answer.
    pub fn fail(&mut self, error: String, now_ms: u64) {
        self.asking_until = 0;
        self.failure = Some((now_ms.saturating_add(FAILURE_PAUSE_MS), error));
    }

    /// Takes over an answer. What was added counts at once in the isolate that added it; the next answer to
    /// [`Known::ask`] still brings everything.
    pub fn learn(&mut self, answer: Answer, now_ms: u64) {
        match answer {
            Answer::Added(entry) => return self.insert(entry),
            Answer::Removed(_) | Answer::Full => return,
            Answer::Unchanged => {}
            Answer::All { version, entries } => {
                *self = Self { version, ..Self::default() };
                for entry in entries {
                    self.insert(entry);
                }
            }
        }
        self.learned_at = Some(now_ms);
        self.asking_until = 0;
        for marks in [&mut self.sessions, &mut self.users, &mut self.keys] {
            marks.retain(|_, mark| now_ms / 1_000 < mark.until);
        }
    }

    fn insert(&mut self, Entry { revocation, until }: Entry) {
        let (marks, id, issued_before) = match revocation {
            Revocation::Session(id) => (&mut self.sessions, id, None),
            Revocation::Subject { sub, issued_before } => (&mut self.users, sub, Some(issued_before)),
            Revocation::Key(kid) => (&mut self.keys, kid, None),
        };
        marks.insert(id, Mark { issued_before, until });
    }

    /// What of a token is revoked, if anything: its session, its user's tokens as of its `iat` (Unix seconds), or the
    /// key that signed it.
    #[must_use]
    pub fn revokes(
        &self,
        session: Option<&str>,
        user: &str,
        issued_at: u64,
        kid: Option<&str>,
    ) -> Option<&'static str> {
        let counts = |mark: &Mark| mark.issued_before.is_none_or(|before| issued_at < before);
        [("session", session, &self.sessions), ("user", Some(user), &self.users), ("key", kid, &self.keys)]
            .into_iter()
            .find(|(_, id, marks)| id.and_then(|id| marks.get(id)).is_some_and(counts))
            .map(|(kind, ..)| kind)
    }
}
