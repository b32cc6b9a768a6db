//! How an isolate keeps a copy of what a Durable Object holds: when it asks, and what it makes of no answer.

/// A question that has no answer by now (ms) is given up: its request is gone.
const GIVEN_UP_MS: u64 = 5_000;
/// After a failure nobody asks again for this long (ms).
const FAILURE_PAUSE_MS: u64 = 1_000;

/// How old a copy is, and who is getting a new one. Times are Unix milliseconds.
#[derive(Debug, Default)]
pub struct Poll {
    learned_at: Option<u64>,
    asking_until: u64,
    /// Until when nobody asks after a failure, and why it failed.
    failure: Option<(u64, String)>,
}

impl Poll {
    /// How long ago the copy was right; `None` before the first answer.
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

    /// Somebody asks; false where another does, or has just failed.
    pub fn begin(&mut self, now_ms: u64) -> bool {
        if self.is_asking(now_ms) || self.failure(now_ms).is_some() {
            return false;
        }
        self.asking_until = now_ms.saturating_add(GIVEN_UP_MS);
        true
    }

    /// There was no answer.
    pub fn fail(&mut self, error: String, now_ms: u64) {
        self.asking_until = 0;
        self.failure = Some((now_ms.saturating_add(FAILURE_PAUSE_MS), error));
    }

    /// There was one, and the copy is right.
    pub fn learned(&mut self, now_ms: u64) {
        *self = Self { learned_at: Some(now_ms), ..Self::default() };
    }
}

/// A copy that is kept so.
pub trait Polled {
    /// How old it is.
    fn poll(&self) -> &Poll;
    /// The same, to be changed.
    fn poll_mut(&mut self) -> &mut Poll;
}
