//! What an isolate knows of sandboxes, for how long it believes it, and which of its requests asks.

use std::rc::Rc;

use super::api::{Door, Sandbox};
use super::name::Name;
use crate::auth::bounded::Bounded;
use crate::cache::flight::Flights;
use crate::upstream::breaker::{self, Breaker};

/// Previews remembered at least.
const PREVIEWS: usize = 1_024;
/// How long a door is good without asking (ms): as long as Daytona's own proxy believes such things.
const OPEN_MS: u64 = 120_000;
/// How long a sandbox that is not there is taken not to be (ms): whoever makes up ids asks Daytona little.
const HIDDEN_MS: u64 = 30_000;
/// How long one that sleeps or is on its way is taken to (ms): whoever waits for it comes back after seconds.
const ASLEEP_MS: u64 = 2_000;
/// What is no older than this (ms) is not doubted: a sandbox whose every answer is an error asks Daytona little.
const CERTAIN_MS: u64 = 5_000;
/// One that was told to start is not told again for so long (ms).
const START_MS: u64 = 15_000;
/// Who asks is waited for no longer (ms): a client that leaves may take its question along.
pub const FLIGHT_MS: u64 = 3_000;

/// What was found of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It can be seen there.
    Open(Rc<Door>),
    /// It cannot: how its sandbox stands.
    Shut(Sandbox),
}

impl State {
    fn life_ms(&self) -> u64 {
        match self {
            Self::Open(_) => OPEN_MS,
            Self::Shut(Sandbox::Hidden(_)) => HIDDEN_MS,
            Self::Shut(_) => ASLEEP_MS,
        }
    }
}

/// A state, and when it was found (Unix ms).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub state: State,
    /// When.
    pub at_ms: u64,
}

impl Found {
    /// Whether an answer that speaks against it is worth another question.
    #[must_use]
    pub fn is_doubtful(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.at_ms) >= CERTAIN_MS
    }
}

/// What is known. Times are Unix milliseconds.
#[derive(Debug)]
pub struct Known {
    found: Bounded<String, Found>,
    started: Bounded<String, u64>,
    /// Who is asking, by the preview's label.
    pub flights: Flights,
    /// Whether Daytona's API answers.
    pub api: Breaker,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            found: Bounded::new(PREVIEWS),
            started: Bounded::new(PREVIEWS),
            flights: Flights::default(),
            api: Breaker::new(breaker::OBJECT),
        }
    }
}

impl Known {
    /// What holds of a preview, if that was found after `after_ms` and is still to be believed.
    #[must_use]
    pub fn get(&self, name: &Name, after_ms: u64, now_ms: u64) -> Option<Found> {
        let found = self.found.get(&name.label())?;
        let age = now_ms.saturating_sub(found.at_ms);
        (found.at_ms > after_ms && age < found.state.life_ms()).then(|| found.clone())
    }

    /// The last door of a preview, however old: it is good while nobody says otherwise.
    #[must_use]
    pub fn last_door(&self, name: &Name) -> Option<Found> {
        self.found.get(&name.label()).filter(|found| matches!(found.state, State::Open(_))).cloned()
    }

    /// This was found.
    pub fn learn(&mut self, name: &Name, state: State, now_ms: u64) -> Found {
        let found = Found { state, at_ms: now_ms };
        self.found.insert(name.label(), found.clone());
        found
    }

    /// Whether a sandbox is to be told to start, which is then taken to be done.
    pub fn may_start(&mut self, sandbox: &str, now_ms: u64) -> bool {
        let last = self.started.get(&sandbox.to_owned());
        let may = last.is_none_or(|last| now_ms.saturating_sub(*last) >= START_MS);
        if may {
            self.started.insert(sandbox.to_owned(), now_ms);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Name {
        Name { port: 80, sandbox: "s".into() }
    }

    fn open() -> State {
        State::Open(Rc::new(Door { url: "https://x".into(), token: "t".into() }))
    }

    #[test]
    fn each_state_is_believed_for_its_time() {
        for (state, life) in [
            (open(), 120_000),
            (State::Shut(Sandbox::Hidden("")), 30_000),
            (State::Shut(Sandbox::Asleep), 2_000),
            (State::Shut(Sandbox::Changing), 2_000),
        ] {
            let mut known = Known::default();
            known.learn(&name(), state, 1_000);
            assert!(known.get(&name(), 0, 1_000 + life - 1).is_some());
            assert!(known.get(&name(), 0, 1_000 + life).is_none());
            assert!(known.get(&name(), 1_000, 1_001).is_none(), "it is no newer than what is doubted");
            assert!(known.get(&Name { port: 81, ..name() }, 0, 1_001).is_none());
        }
    }

    #[test]
    fn an_old_door_is_remembered_and_an_old_sleep_is_not() {
        let mut known = Known::default();
        known.learn(&name(), open(), 0);
        assert_eq!(known.last_door(&name()).map(|found| found.state), Some(open()));
        known.learn(&name(), State::Shut(Sandbox::Asleep), 0);
        assert_eq!(known.last_door(&name()), None);
    }

    #[test]
    fn a_sandbox_is_not_told_to_start_by_everybody_who_comes() {
        let mut known = Known::default();
        assert!(known.may_start("a", 0) && !known.may_start("a", 14_999) && known.may_start("b", 0));
        assert!(known.may_start("a", 15_000));
    }
}
