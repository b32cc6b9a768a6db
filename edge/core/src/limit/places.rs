//! How many requests of one key are under way at once: what the Durable Object of the key decides about places.
//!
//! [`answer`] is the whole of it. Whoever enters holds a place until it leaves or its lease is over; entering again
//! under the same name renews the lease. So the places of an isolate that vanishes are free after a lease. By
//! the object's clock:
//!
//! - Nobody new is let in while as many are in as the question allows. Where that has become less meanwhile, who is in
//!   may stay and renew.
//! - A place is held for the whole of its lease, and not a moment longer. Where the clock goes back, leases go back
//!   with it: time stands still for a moment, and no lease grows.
//!
//! It rests on: one object per key; the state stored before the answer leaves (the platform's output gate); names that
//! are used once. Messages may be lost, late or doubled: a renewal that comes after its holder has left takes a place,
//! if there is one, until its lease is over.
//!
//! Left out: how keys and holders are named, when holders renew, storage and alarms, and what to do when nobody
//! answers.
//!
//! ```
//! use edge_core::limit::places::{Answer, Ask, State, answer};
//!
//! let enter = |name: &str| Ask::Enter { name: name.to_owned(), most: 1, lease_ms: 10_000 };
//! let (state, said) = answer(&State::default(), &enter("one"), 5_000);
//! assert_eq!(said, Answer::In);
//! assert_eq!(answer(&state, &enter("two"), 14_999).1, Answer::Full { retry_in_ms: 1 });
//! assert_eq!(answer(&state, &enter("two"), 15_000).1, Answer::In, "nobody renewed");
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The Durable Object namespace's binding.
pub const BINDING: &str = "PLACES";

/// A question about a key's places. `Look` and `Clear` are operators'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// May this holder come in, or stay? Answered with [`Answer::In`] or [`Answer::Full`].
    Enter {
        /// The holder's name.
        name: String,
        /// How many may be in.
        most: u32,
        /// For how long the place is held unless renewed, in milliseconds.
        lease_ms: u64,
    },
    /// This holder is out.
    Leave {
        /// The holder's name.
        name: String,
    },
    /// How many are in?
    Look,
    /// Nobody is in any more. Who holds a place comes in again when it renews, if there is room.
    Clear,
}

/// The answer to an [`Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The holder has a place, for a whole lease from now.
    In,
    /// It has none.
    Full {
        /// Until the first lease is over unless it is renewed, in milliseconds: 1 or more, and no more than the lease
        /// that was asked for.
        retry_in_ms: u64,
    },
    /// To all but [`Ask::Enter`]: how it stands.
    Standing {
        /// Places that are held.
        taken: u32,
    },
}

/// What the Durable Object keeps of its key. Its JSON is the stored layout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// When it last changed, in Unix milliseconds.
    at_ms: u64,
    /// Until when each holder is in unless it renews, in Unix milliseconds.
    holders: BTreeMap<String, u64>,
}

/// Answers an [`Ask`] at `now` (Unix milliseconds). A state that comes back equal need not be stored.
#[must_use]
pub fn answer(before: &State, ask: &Ask, now: u64) -> (State, Answer) {
    let mut state = before.as_of(now);
    let answer = match ask {
        Ask::Enter { name, most, lease_ms } => state.enter(name, *most, *lease_ms, now),
        Ask::Leave { name } => state.leave(name).look(),
        Ask::Look => state.look(),
        Ask::Clear => state.clear().look(),
    };
    let unchanged = answer != Answer::In && state.holders == before.holders;
    (if unchanged { before.clone() } else { state }, answer)
}

impl State {
    /// When the state says nothing any more and can be deleted, if nobody calls: Unix milliseconds.
    #[must_use]
    pub fn over_ms(&self) -> u64 {
        self.holders.values().copied().max().unwrap_or_default()
    }

    /// The state at `now`: the clock's going back undone, and leases that are over ended.
    fn as_of(&self, now: u64) -> Self {
        let back_ms = self.at_ms.saturating_sub(now);
        let today = self.holders.iter().map(|(name, until_ms)| (name, until_ms.saturating_sub(back_ms)));
        let held = today.filter(|(_, until_ms)| *until_ms > now);
        Self { at_ms: now, holders: held.map(|(name, until_ms)| (name.clone(), until_ms)).collect() }
    }

    fn enter(&mut self, name: &str, most: u32, lease_ms: u64, now: u64) -> Answer {
        if !self.holders.contains_key(name) && self.taken() >= most {
            return Answer::Full { retry_in_ms: self.retry_in(lease_ms, now) };
        }
        self.holders.insert(name.to_owned(), now.saturating_add(lease_ms));
        Answer::In
    }

    fn leave(&mut self, name: &str) -> &mut Self {
        self.holders.remove(name);
        self
    }

    fn clear(&mut self) -> &mut Self {
        self.holders.clear();
        self
    }

    fn look(&self) -> Answer {
        Answer::Standing { taken: self.taken() }
    }

    fn taken(&self) -> u32 {
        u32::try_from(self.holders.len()).unwrap_or(u32::MAX)
    }

    fn retry_in(&self, lease_ms: u64, now: u64) -> u64 {
        let first = self.holders.values().map(|until_ms| until_ms.saturating_sub(now)).min();
        first.unwrap_or(lease_ms).min(lease_ms).max(1)
    }
}

#[cfg(test)]
mod tests;
