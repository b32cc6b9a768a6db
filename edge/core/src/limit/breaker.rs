//! Whether to ask a part that keeps failing: after some failures in a row it is left alone for a while, and then asked
//! by one request at a time.

/// Failures in a row after which it is left alone.
const FAILURES: u32 = 3;
/// For how long (ms).
const REST_MS: u64 = 5_000;

/// What an isolate has seen of it.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    rests_until: u64,
}

impl Breaker {
    /// Whether it may be asked now (Unix ms). Whoever is told so after a rest asks for all: until its answer nobody else
    /// is told so.
    pub fn may_ask(&mut self, now: u64) -> bool {
        if self.failures < FAILURES {
            return true;
        }
        let rested = now >= self.rests_until;
        if rested {
            self.rests_until = now.saturating_add(REST_MS);
        }
        rested
    }

    /// It answered.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// It did not.
    pub fn failed(&mut self, now: u64) {
        self.failures = self.failures.saturating_add(1);
        self.rests_until = now.saturating_add(REST_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_failing_is_left_alone_and_then_asked_once() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            assert!(breaker.may_ask(0));
            breaker.failed(0);
        }
        assert!(!breaker.may_ask(4_999));
        assert!(breaker.may_ask(5_000) && !breaker.may_ask(5_000));
        breaker.failed(5_100);
        assert!(!breaker.may_ask(10_099) && breaker.may_ask(10_100));
        breaker.succeeded();
        assert!(breaker.may_ask(10_100) && breaker.may_ask(10_100));
    }
}
