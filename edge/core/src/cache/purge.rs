//! What operators have purged.
//!
//! One Durable Object holds the purges; [`answer`] is all it decides, and [`State`] is what it stores. Each isolate keeps
//! a copy, [`Known`], and judges by it what it finds in the storage: nothing is looked for and deleted, so a purge holds
//! wherever its time is known. Left out: who may purge, and how old a copy may be.
//!
//! A version is never used twice, for the reason that [`crate::auth::revocation`] gives; it grows with the clock.

use serde::{Deserialize, Serialize};

use super::index::{Index, Variant};
use crate::poll::{Poll, Polled};

/// The Durable Object namespace's binding.
pub const BINDING: &str = "PURGES";
/// The name of the one object.
pub const OBJECT: &str = "all";

/// Purges that are told apart. Of more, the oldest become one of everything before.
const MOST: usize = 500;
/// Longest URL, prefix or tag, in bytes. So that all of them fit under one key of the platform, which takes 2 MB.
const LONGEST: usize = 1_024;
/// What clocks may differ by (ms): what was asked for so shortly after a purge may be the old answer still.
const SLACK_MS: u64 = 1_000;

/// What is purged. As JSON one member: `{"url": …}`, `{"prefix": …}`, `{"tag": …}` or `{"everything": true}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The answers under one key.
    Url(String),
    /// Those whose key begins so.
    Prefix(String),
    /// Those with this tag, or of this group.
    Tag(String),
    /// All.
    Everything,
}

/// A purge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purge {
    /// What.
    pub scope: Scope,
    /// What is stored is only stale, and not gone.
    pub soft: bool,
    /// When, in Unix milliseconds: it is about what was asked for until then.
    pub at_ms: u64,
}

/// A question to the Durable Object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// All purges, if they are not those of this version.
    Since(u64),
    /// Purge.
    Add {
        /// What.
        scope: Scope,
        /// Only to stale.
        soft: bool,
    },
}

/// The Durable Object's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing has changed.
    Unchanged,
    /// All that holds.
    All(State),
    /// It holds, and this is when.
    Added(Purge),
}

/// What the Durable Object stores. Its JSON is the stored layout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The time of the last change (Unix ms), or one more than the version before; 0 before the first.
    pub version: u64,
    /// Everything that was asked for until then (Unix ms) is purged.
    pub before_ms: u64,
    /// No two of the same scope and kind; oldest first.
    pub purges: Vec<Purge>,
}

/// What the Durable Object answers at this time (Unix ms), and what it stores where that changes.
#[must_use]
pub fn answer(state: &State, ask: Ask, now_ms: u64) -> (Option<State>, Answer) {
    match ask {
        Ask::Since(version) if version == state.version => (None, Answer::Unchanged),
        Ask::Since(_) => (None, Answer::All(state.clone())),
        Ask::Add { scope, soft } => {
            let purge = Purge { scope, soft, at_ms: now_ms };
            let mut next = state.clone();
            next.version = next.version.saturating_add(1).max(now_ms);
            next.add(purge.clone());
            (Some(next), Answer::Added(purge))
        }
    }
}

impl State {
    fn add(&mut self, purge: Purge) {
        if purge.scope == Scope::Everything && !purge.soft {
            self.before_ms = purge.at_ms;
            self.purges.clear();
            return;
        }
        self.purges.retain(|held| held.scope != purge.scope || held.soft != purge.soft);
        self.purges.push(purge);
        while self.purges.len() > MOST {
            self.before_ms = self.before_ms.max(self.purges.remove(0).at_ms);
        }
    }
}

/// An isolate's copy, and how old it is.
#[derive(Debug, Default)]
pub struct Known {
    state: State,
    /// The time of the last purge.
    last_ms: u64,
    poll: Poll,
}

impl Known {
    /// What to ask.
    #[must_use]
    pub fn ask(&self) -> Ask {
        Ask::Since(self.state.version)
    }

    /// Takes over an answer. What was added counts at once in the isolate that added it; the next answer to
    /// [`Known::ask`] still brings everything.
    pub fn learn(&mut self, answer: Answer, now_ms: u64) {
        match answer {
            Answer::Unchanged => self.poll.learned(now_ms),
            Answer::All(state) => {
                self.state = state;
                self.poll.learned(now_ms);
            }
            Answer::Added(purge) => self.state.add(purge),
        }
        let times = self.state.purges.iter().map(|purge| purge.at_ms);
        self.last_ms = times.max().unwrap_or(0).max(self.state.before_ms);
    }

    /// What is left of the record under a key; none where that is all of it.
    #[must_use]
    pub fn left(&self, key: &str, index: &Index) -> Option<Index> {
        let is_newer = |variant: &Variant| variant.content_ms > self.last_ms.saturating_add(SLACK_MS);
        if index.variants.iter().all(is_newer) {
            return None;
        }
        let variants = index.variants.iter().filter_map(|variant| self.judge(key, variant)).collect();
        Some(Index { invalid_ms: index.invalid_ms, variants })
    }

    /// The response, stale from the time of a soft purge on; none where it is purged.
    fn judge(&self, key: &str, variant: &Variant) -> Option<Variant> {
        // A hard purge is about the content, and the origin's word that it has not changed does not bring it back.
        let until = |at_ms: u64| variant.content_ms <= at_ms.saturating_add(SLACK_MS);
        let confirmed =
            |purge: &Purge| purge.soft && variant.requested_ms > purge.at_ms.saturating_add(SLACK_MS);
        let about =
            |purge: &&Purge| until(purge.at_ms) && !confirmed(purge) && purge.scope.holds(key, variant);
        let mut about = self.state.purges.iter().filter(about);
        if until(self.state.before_ms) && self.state.before_ms > 0 || about.clone().any(|purge| !purge.soft) {
            return None;
        }
        let mut variant = variant.clone();
        if let Some(first) = about.next() {
            variant.terms.life = variant.terms.life.min(variant.age(first.at_ms));
        }
        Some(variant)
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

impl Scope {
    fn holds(&self, key: &str, variant: &Variant) -> bool {
        match self {
            Self::Everything => true,
            Self::Url(url) => key == url,
            Self::Prefix(prefix) => key.starts_with(prefix),
            Self::Tag(tag) => variant.tags.contains(tag),
        }
    }
}

/// What an operator's request asks for: the members that it may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    url: Option<String>,
    prefix: Option<String>,
    tag: Option<String>,
    everything: Option<bool>,
    #[serde(default)]
    soft: bool,
}

const FORM: &str =
    "the body must be {\"url\"}, {\"prefix\"}, {\"tag\"} or {\"everything\": true}, with or without \"soft\"";

/// What an operator's request purges, and whether only to stale; or what is wrong with it. Addresses are as they were
/// sent.
pub fn parse(body: &[u8]) -> Result<(Scope, bool), &'static str> {
    // The derived reader takes an array for an object, too.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(FORM);
    }
    let Written { url, prefix, tag, everything, soft } = serde_json::from_slice(body).map_err(|_| FORM)?;
    let scope = match (url, prefix, tag, everything) {
        (Some(url), None, None, None) => Scope::Url(url),
        (None, Some(prefix), None, None) => Scope::Prefix(prefix),
        (None, None, Some(tag), None) => Scope::Tag(tag),
        (None, None, None, Some(true)) => Scope::Everything,
        _ => return Err(FORM),
    };
    match &scope {
        Scope::Url(text) | Scope::Prefix(text) | Scope::Tag(text) if !(1..=LONGEST).contains(&text.len()) => {
            Err("it must be 1 to 1024 bytes")
        }
        _ => Ok((scope, soft)),
    }
}

#[cfg(test)]
mod tests;
