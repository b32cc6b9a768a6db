//! What an isolate knows of the revocations.

use std::collections::HashMap;

use super::{Answer, Ask, Entry, Revocation};
use crate::poll::{Poll, Polled};

/// An isolate's copy of the revocations, and how old it is.
#[derive(Debug, Default)]
pub struct Known {
    version: u64,
    poll: Poll,
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
    /// What to ask.
    #[must_use]
    pub fn ask(&self) -> Ask {
        Ask::Since(self.version)
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
        self.poll.learned(now_ms);
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

impl Polled for Known {
    fn poll(&self) -> &Poll {
        &self.poll
    }

    fn poll_mut(&mut self) -> &mut Poll {
        &mut self.poll
    }
}
