//! Requests of one isolate for the same key: one of them asks the origin, the others wait for what it stores.
//!
//! Nobody waits for a leader that may be gone, nor where the last answer was not stored: such a key is remembered for
//! a moment, so that the next requests do not queue one behind the other.

use crate::auth::bounded::Bounded;

/// How long a key whose answer was not stored goes without waiting (ms).
const FREE_MS: u64 = 5_000;
/// Keys remembered at least.
const KEYS: usize = 1_024;

/// The requests under way, and the keys for which nobody waits. Times are Unix milliseconds.
#[derive(Debug)]
pub struct Flights {
    until: Bounded<String, u64>,
    free_until: Bounded<String, u64>,
}

impl Default for Flights {
    fn default() -> Self {
        Self { until: Bounded::new(KEYS), free_until: Bounded::new(KEYS) }
    }
}

impl Flights {
    /// Takes the lead, to be waited for until then; false where somebody has it.
    pub fn lead(&mut self, key: &str, now_ms: u64, until_ms: u64) -> bool {
        if self.is_led(key, now_ms) {
            return false;
        }
        self.until.insert(key.to_owned(), until_ms);
        true
    }

    /// Whether somebody is asking, and is to be waited for.
    #[must_use]
    pub fn is_led(&self, key: &str, now_ms: u64) -> bool {
        self.until.get(&key.to_owned()).is_some_and(|until| now_ms < *until)
    }

    /// Whether an answer may be stored, so that waiting for it makes sense.
    #[must_use]
    pub fn is_worth_waiting(&self, key: &str, now_ms: u64) -> bool {
        self.free_until.get(&key.to_owned()).is_none_or(|until| now_ms >= *until)
    }

    /// Whoever waits for the leader waits no longer than until then.
    pub fn shorten(&mut self, key: &str, until_ms: u64) {
        if let Some(until) = self.until.get(&key.to_owned()).copied() {
            self.until.insert(key.to_owned(), until.min(until_ms));
        }
    }

    /// The leader is done: what it got is stored.
    pub fn land(&mut self, key: &str) {
        self.until.insert(key.to_owned(), 0);
    }

    /// The leader is done, and nothing is stored.
    pub fn give_up(&mut self, key: &str, now_ms: u64) {
        self.land(key);
        self.free_until.insert(key.to_owned(), now_ms.saturating_add(FREE_MS));
    }
}
