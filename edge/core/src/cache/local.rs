//! What an isolate knows of the cache by itself.

use std::cell::RefCell;

use super::flight::Flights;
use crate::auth::bounded::Bounded;

/// Keys made invalid that are remembered at least.
const KEYS: usize = 1_024;

/// What an isolate knows by itself: who asks for what, and what was made invalid here.
#[derive(Debug)]
pub struct Local {
    /// Requests under way.
    pub flights: RefCell<Flights>,
    /// When (Unix ms) a key was made invalid by a request of this isolate: the storage hears of it later.
    invalid: RefCell<Bounded<String, u64>>,
}

impl Default for Local {
    fn default() -> Self {
        Self { flights: RefCell::default(), invalid: RefCell::new(Bounded::new(KEYS)) }
    }
}

impl Local {
    /// What was asked for up to now (Unix ms) is invalid.
    pub fn invalidate(&self, key: &str, now_ms: u64) {
        self.invalid.borrow_mut().insert(key.to_owned(), now_ms);
    }

    /// Until when (Unix ms) what was asked for is invalid; 0 where nothing is.
    #[must_use]
    pub fn invalid_ms(&self, key: &str) -> u64 {
        self.invalid.borrow().get(&key.to_owned()).copied().unwrap_or(0)
    }
}
