//! Who is signed out before the token says so.
//!
//! One Durable Object holds all revocations; [`answer`] is all it decides, and [`State`] is what it stores. Each
//! isolate keeps a copy, [`Known`], and asks for a new one when its own is too old and the object's version is another.
//! [`parse`] reads what operators send. Left out: who may revoke, and how old a copy may be.
//!
//! A version is never used twice, or an isolate could take an old copy for the present one. So the version stays when
//! the last entry goes, and it grows with the clock: should the stored state be lost, the next change still gets a
//! version later than all before it. An isolate's copy is out of date when its version is *another*, not only a lower
//! one: a state that was lost has version 0, and everybody learns that.

mod known;

use serde::{Deserialize, Serialize};

pub use known::Known;

/// The Durable Object namespace's binding.
pub const BINDING: &str = "REVOCATIONS";
/// The name of the one object.
pub const OBJECT: &str = "all";

/// Longest id, in bytes.
const LONGEST_ID: usize = 256;
/// Longest request of an operator, in bytes.
const LONGEST_REQUEST: usize = 1_024;
/// How far ahead of the edge's clock an operator's may be, in seconds.
const AHEAD_SECONDS: u64 = 60;
/// Most that is stored, in bytes of JSON: some 12,000 ids of 36 bytes. The platform takes 2 MB under one key
/// (<https://developers.cloudflare.com/durable-objects/platform/limits/>).
const MOST_BYTES: usize = 1_900_000;
/// Versions in a second, so that counting changes never outruns the clock.
const VERSIONS_PER_SECOND: u64 = 1_000_000;

/// What no longer counts, whoever issued it. As JSON an object with these members: `{"session_id": …}`,
/// `{"sub": …, "issued_before": …}` or `{"kid": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Revocation {
    /// All tokens of this session.
    Session(String),
    /// A user's tokens up to a time.
    Subject {
        /// The user's id.
        sub: String,
        /// Tokens whose `iat` is before this, in Unix seconds.
        issued_before: u64,
    },
    /// All tokens signed by the key with this `kid`.
    Key(String),
}

/// A revocation and its end. As JSON the revocation's members and `until`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Entry {
    /// What is revoked.
    pub revocation: Revocation,
    /// From then on (Unix seconds) it says nothing more: the tokens it refuses have expired.
    pub until: u64,
}

/// A question to the Durable Object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// What holds, if it is not what held at this version.
    Since(u64),
    /// Revoke.
    Add(Entry),
    /// Take it back, whatever its time.
    Remove(Revocation),
    /// What holds.
    List,
}

/// The Durable Object's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing has changed but for entries that are over.
    Unchanged,
    /// Everything that holds.
    All {
        /// To ask with the next time.
        version: u64,
        /// In no order.
        entries: Vec<Entry>,
    },
    /// It holds, in this form.
    Added(Entry),
    /// Whether it held until now.
    Removed(bool),
    /// There is no room for more until some are over.
    Full,
}

/// What the Durable Object stores. Its JSON is the stored layout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Of the last change; 0 before the first.
    pub version: u64,
    /// No two of the same session, user or key.
    pub entries: Vec<Entry>,
}

/// What the Durable Object answers at `now` (Unix seconds), and what it stores where that changes. Entries that are
/// over go with the first question that looks at them; that is no change of version, for isolates end them too.
#[must_use]
pub fn answer(state: &State, ask: Ask, now: u64) -> (Option<State>, Answer) {
    if ask == Ask::Since(state.version) {
        return (None, Answer::Unchanged);
    }
    let mut next = state.clone();
    next.entries.retain(|entry| now < entry.until);
    let answer = match ask {
        Ask::Since(_) | Ask::List => Answer::All { version: next.version, entries: next.entries.clone() },
        Ask::Add(entry) => next.add(entry, now),
        Ask::Remove(revocation) => next.remove(&revocation, now),
    };
    ((next != *state).then_some(next), answer)
}

impl State {
    fn add(&mut self, entry: Entry, now: u64) -> Answer {
        let has_room = self.bytes().saturating_add(entry.bytes()) <= MOST_BYTES;
        let added = match self.entries.iter_mut().find(|held| held.revocation.is_about(&entry.revocation)) {
            Some(held) if held.covers(&entry) => return Answer::Added(held.clone()),
            Some(held) => {
                held.extend(&entry);
                held.clone()
            }
            None if !has_room => return Answer::Full,
            None => {
                self.entries.push(entry.clone());
                entry
            }
        };
        self.advance(now);
        Answer::Added(added)
    }

    fn remove(&mut self, revocation: &Revocation, now: u64) -> Answer {
        let before = self.entries.len();
        self.entries.retain(|held| !held.revocation.is_about(revocation));
        let held = self.entries.len() < before;
        if held {
            self.advance(now);
        }
        Answer::Removed(held)
    }

    fn advance(&mut self, now: u64) {
        self.version = self.version.saturating_add(1).max(now.saturating_mul(VERSIONS_PER_SECOND));
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(Entry::bytes).sum()
    }
}

impl Entry {
    /// Makes it refuse what the other does, too.
    fn extend(&mut self, other: &Self) {
        self.until = self.until.max(other.until);
        if let (Revocation::Subject { issued_before, .. }, Revocation::Subject { issued_before: later, .. }) =
            (&mut self.revocation, &other.revocation)
        {
            *issued_before = (*issued_before).max(*later);
        }
    }

    /// Whether it refuses all that the other does.
    fn covers(&self, other: &Self) -> bool {
        let mut both = self.clone();
        both.extend(other);
        both == *self
    }

    /// Its JSON is no longer than this: names, numbers and signs, and each byte of the id as an escape of two.
    fn bytes(&self) -> usize {
        self.revocation.id().len().saturating_mul(2).saturating_add(80)
    }
}

impl Revocation {
    fn id(&self) -> &str {
        let (Self::Session(id) | Self::Subject { sub: id, .. } | Self::Key(id)) = self;
        id
    }

    /// Whether both are about the same session, user or key.
    fn is_about(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.id() == other.id()
    }
}

/// The members that a revocation may have.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

const FORM: &str =
    "the body must be {\"session_id\"}, {\"sub\"} with or without \"issued_before\", or {\"kid\"}";

impl TryFrom<Written> for Revocation {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { session_id, sub, issued_before, kid, until: None } = written else { return Err(FORM) };
        match (session_id, sub, issued_before, kid) {
            (Some(id), None, None, None) => Ok(Self::Session(id)),
            (None, Some(sub), Some(issued_before), None) => Ok(Self::Subject { sub, issued_before }),
            (None, None, None, Some(kid)) => Ok(Self::Key(kid)),
            _ => Err(FORM),
        }
    }
}

impl From<Revocation> for Written {
    fn from(revocation: Revocation) -> Self {
        match revocation {
            Revocation::Session(id) => Self { session_id: Some(id), ..Self::default() },
            Revocation::Subject { sub, issued_before } => {
                Self { sub: Some(sub), issued_before: Some(issued_before), ..Self::default() }
            }
            Revocation::Key(kid) => Self { kid: Some(kid), ..Self::default() },
        }
    }
}

impl TryFrom<Written> for Entry {
    type Error = &'static str;

    fn try_from(mut written: Written) -> Result<Self, Self::Error> {
        let until = written.until.take().ok_or(FORM)?;
        Ok(Self { revocation: written.try_into()?, until })
    }
}

impl From<Entry> for Written {
    fn from(entry: Entry) -> Self {
        Self { until: Some(entry.until), ..entry.revocation.into() }
    }
}

/// What an operator's request revokes, received at `now` (Unix seconds), or what is wrong with it. Where `issued_before`
/// is left out, that is every token issued until now, this second's too.
pub fn parse(body: &[u8], now: u64) -> Result<Revocation, &'static str> {
    // The derived reader takes an array for an object, too.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if body.len() > LONGEST_REQUEST || !is_object {
        return Err(FORM);
    }
    let mut written: Written = serde_json::from_slice(body).map_err(|_| FORM)?;
    if written.sub.is_some() {
        written.issued_before.get_or_insert(now.saturating_add(1));
    }
    let revocation = Revocation::try_from(written)?;
    match revocation {
        _ if !is_id(revocation.id()) => Err("the id must be 1 to 256 printable ASCII characters"),
        // It would also sign out tokens that outlive the entry. Milliseconds are caught here.
        Revocation::Subject { issued_before, .. } if issued_before > now.saturating_add(AHEAD_SECONDS) => {
            Err("issued_before must be in Unix seconds, and not in the future")
        }
        revocation => Ok(revocation),
    }
}

fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests;
