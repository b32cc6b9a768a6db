//! Whether a try that failed is repeated, when, and where.
//!
//! A gateway may repeat what is idempotent (RFC 9110 §9.2.2), by its method: it cannot know what a POST has
//! done before its connection broke. Content that went out is gone; and a response head is the answer: what
//! breaks after it is not asked for again. Of what remains, tries are few (Google SRE book, "Handling Overload": three),
//! within the request's time, and within the service's [`Budget`].
//!
//! Waits have full jitter: any time up to a ceiling that doubles with each try (Brooker, "Exponential Backoff
//! And Jitter", AWS Architecture Blog, 2015). Who asked to be left alone (`Retry-After`) is, but another
//! upstream did not ask.

use http::Method;
use serde::Serialize;

use super::backoff::{ceiling, part};
use super::budget::Budget;
use super::outcome::Outcome;
use crate::plan::Route;

/// What a route allows. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Tries of one request, the first one too; 1 for no retries.
    pub most_tries: u32,
    /// One try, until the response head, where another can follow.
    pub try_ms: u32,
    /// All tries and the waits between them, until the response head.
    pub total_ms: u32,
    /// The first wait's ceiling.
    pub wait_ms: u32,
    /// The longest wait's.
    pub longest_wait_ms: u32,
}

impl Policy {
    /// What holds for a route. Waits are short: there is another upstream, or another task behind the same one.
    #[must_use]
    pub fn of(route: &Route) -> Self {
        let Route { tries: most_tries, try_ms, first_byte_ms: total_ms, .. } = *route;
        Self { most_tries, try_ms, total_ms, wait_ms: 50, longest_wait_ms: 400 }
    }

    /// When a request that came at `started_ms` must have its response head (Unix ms).
    #[must_use]
    pub fn deadline_ms(&self, started_ms: u64) -> u64 {
        started_ms.saturating_add(self.total_ms.into())
    }

    /// How long a try that is sent now may take until its head (ms): all that is left, where no other can follow.
    #[must_use]
    pub fn within_ms(&self, started_ms: u64, another: bool, now_ms: u64) -> u32 {
        let left = self.deadline_ms(started_ms).saturating_sub(now_ms);
        let most = if another { self.try_ms } else { u32::MAX };
        u32::try_from(left).unwrap_or(u32::MAX).min(most)
    }
}

/// A try that has come to something.
#[derive(Debug, Clone, Copy)]
pub struct Tried<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// Whether its content, if it has any, can be sent again.
    pub replayable: bool,
    /// When the request came (Unix ms).
    pub started_ms: u64,
    /// How many tries there were, this one too.
    pub tries: u32,
    /// What this one came to.
    pub outcome: Outcome,
    /// Where it would go next, if it may ([`super::pick`]).
    pub next: Upstream,
}

/// Where a retry would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream {
    /// Its place among the service's origins.
    pub at: usize,
    /// Whether it is the one that has just failed.
    pub same: bool,
    /// Whether it has room for the request.
    pub has_room: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Pass the response on.
    Answer,
    /// Drop what came of this try, wait, and try again.
    Retry {
        /// How long to wait (ms).
        wait_ms: u32,
        /// Whom to ask: its place among the service's origins.
        upstream: usize,
    },
    /// It failed, and stays so: pass on its response, if there is one.
    GiveUp(Reason),
}

/// Why there is no other try: for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The method is not idempotent.
    Method,
    /// The content cannot be sent again.
    Content,
    /// There were as many tries as may be.
    Tries,
    /// No upstream has room.
    Room,
    /// The next try would start too late.
    Deadline,
    /// There were as many retries as the service's budget allows.
    Budget,
}

/// Decides after a try; a retry is taken from the budget. `now_ms` is Unix time.
pub fn next(policy: &Policy, tried: &Tried<'_>, budget: &mut Budget, random: u16, now_ms: u64) -> Next {
    if tried.outcome.is_good() {
        return Next::Answer;
    }
    let wait_ms = wait_ms(policy, tried, random);
    let late = now_ms.saturating_add(wait_ms) >= policy.deadline_ms(tried.started_ms);
    if let Some(reason) = bar(policy, tried).or(late.then_some(Reason::Deadline)) {
        return Next::GiveUp(reason);
    }
    match budget.take(now_ms) {
        // What starts before the deadline is a wait that fits.
        true => Next::Retry { wait_ms: u32::try_from(wait_ms).unwrap_or(u32::MAX), upstream: tried.next.at },
        false => Next::GiveUp(Reason::Budget),
    }
}

/// What stands against any other try.
fn bar(policy: &Policy, tried: &Tried<'_>) -> Option<Reason> {
    [
        (!tried.method.is_idempotent(), Reason::Method),
        (!tried.replayable, Reason::Content),
        (tried.tries >= policy.most_tries, Reason::Tries),
        (!tried.next.has_room, Reason::Room),
    ]
    .into_iter()
    .find_map(|(stands, reason)| stands.then_some(reason))
}

fn wait_ms(policy: &Policy, tried: &Tried<'_>, random: u16) -> u64 {
    let ceiling = ceiling(policy.wait_ms, tried.tries.saturating_sub(1), policy.longest_wait_ms);
    let jitter = u64::from(part(ceiling, random));
    match tried.outcome {
        // Later by the jitter too: others were asked to come back at that time as well.
        Outcome::Unavailable { retry_after_ms: Some(asked), .. } if tried.next.same => {
            asked.saturating_add(jitter)
        }
        _ => jitter,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::super::budget;
    use super::*;

    const POLICY: Policy =
        Policy { most_tries: 3, try_ms: 2_000, total_ms: 5_000, wait_ms: 50, longest_wait_ms: 400 };
    const GET: Tried<'_> = Tried {
        method: &Method::GET,
        replayable: true,
        started_ms: 1_000,
        tries: 1,
        outcome: Outcome::Failed,
        next: Upstream { at: 1, same: false, has_room: true },
    };
    const ALONE: Upstream = Upstream { at: 0, same: true, has_room: true };

    fn plenty() -> Budget {
        Budget::new(budget::Policy { percent: 0, floor_per_second: 100 })
    }

    fn unavailable(status: StatusCode, retry_after_ms: Option<u64>) -> Outcome {
        Outcome::Unavailable { status, retry_after_ms }
    }

    fn decide(tried: &Tried<'_>) -> Next {
        next(&POLICY, tried, &mut plenty(), 32_768, 1_500)
    }

    #[test]
    fn rfc9110_9_2_2_only_idempotent_methods_are_repeated() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE] {
            assert_eq!(decide(&Tried { method: &method, ..GET }), Next::Retry { wait_ms: 25, upstream: 1 });
        }
        for method in [Method::POST, Method::PATCH, Method::CONNECT, Method::from_bytes(b"MERGE").unwrap()] {
            assert_eq!(decide(&Tried { method: &method, ..GET }), Next::GiveUp(Reason::Method), "{method}");
        }
    }

    #[test]
    fn what_cannot_be_repeated_is_not() {
        assert_eq!(decide(&Tried { replayable: false, ..GET }), Next::GiveUp(Reason::Content));
        assert_eq!(decide(&Tried { tries: 3, ..GET }), Next::GiveUp(Reason::Tries));
        let full = Upstream { has_room: false, ..GET.next };
        assert_eq!(decide(&Tried { next: full, ..GET }), Next::GiveUp(Reason::Room));
    }

    #[test]
    fn an_answer_is_an_answer() {
        for method in [Method::GET, Method::POST] {
            let tried =
                Tried { outcome: Outcome::Answered, method: &method, replayable: false, tries: 9, ..GET };
            assert_eq!(decide(&tried), Next::Answer);
        }
    }

    #[test]
    fn every_kind_of_failure_is_repeated() {
        let statuses =
            [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
        let statuses = statuses.map(|status| unavailable(status, None));
        for outcome in [Outcome::Failed, Outcome::TimedOut].into_iter().chain(statuses) {
            assert_eq!(
                decide(&Tried { outcome, ..GET }),
                Next::Retry { wait_ms: 25, upstream: 1 },
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn rfc9110_10_2_3_who_asked_to_be_left_alone_is_unless_that_is_too_long() {
        let asked = |ms| Tried { outcome: unavailable(StatusCode::SERVICE_UNAVAILABLE, Some(ms)), ..GET };
        assert_eq!(decide(&asked(120_000)), Next::Retry { wait_ms: 25, upstream: 1 }, "another did not ask");
        assert_eq!(
            decide(&Tried { next: ALONE, ..asked(1_000) }),
            Next::Retry { wait_ms: 1_025, upstream: 0 }
        );
        assert_eq!(decide(&Tried { next: ALONE, ..asked(120_000) }), Next::GiveUp(Reason::Deadline));
        assert_eq!(decide(&Tried { next: ALONE, ..asked(u64::MAX) }), Next::GiveUp(Reason::Deadline));
    }

    #[test]
    fn waits_grow_to_their_bound() {
        let long = Policy { most_tries: 9, ..POLICY };
        let waits = [1, 2, 3, 4, 5, 6].map(|tries| {
            let Next::Retry { wait_ms, .. } =
                next(&long, &Tried { tries, ..GET }, &mut plenty(), u16::MAX, 1_500)
            else {
                panic!()
            };
            wait_ms
        });
        assert_eq!(waits, [49, 99, 199, 399, 399, 399]);
    }

    #[test]
    fn a_try_has_its_own_time_or_what_is_left_of_the_requests() {
        assert_eq!(POLICY.within_ms(1_000, true, 1_000), 2_000);
        assert_eq!(POLICY.within_ms(1_000, false, 1_000), 5_000, "the last one has all of it");
        assert_eq!(POLICY.within_ms(1_000, true, 5_500), 500);
        assert_eq!(POLICY.within_ms(1_000, true, 9_000), 0);
        assert_eq!(next(&POLICY, &GET, &mut plenty(), 0, 5_999), Next::Retry { wait_ms: 0, upstream: 1 });
        assert_eq!(next(&POLICY, &GET, &mut plenty(), 0, 6_000), Next::GiveUp(Reason::Deadline));
    }

    #[test]
    fn the_budget_is_asked_last_and_only_then_spent() {
        let mut budget = Budget::new(budget::Policy { percent: 100, floor_per_second: 0 });
        budget.request(1_500);
        for tried in [Tried { replayable: false, ..GET }, Tried { outcome: Outcome::Answered, ..GET }] {
            let _ = next(&POLICY, &tried, &mut budget, 0, 1_500);
        }
        let _ = next(&POLICY, &GET, &mut budget, 0, 9_000);
        assert!(matches!(next(&POLICY, &GET, &mut budget, 0, 1_500), Next::Retry { .. }));
        assert_eq!(next(&POLICY, &GET, &mut budget, 0, 1_500), Next::GiveUp(Reason::Budget));
    }

    proptest! {
        #[test]
        fn a_retry_always_starts_before_the_deadline_and_has_time(
            tries in 1_u32..5,
            retry_after_ms in prop::option::of(0_u64..9_000),
            same: bool,
            random: u16,
            now in 1_000_u64..9_000,
        ) {
            let outcome = unavailable(StatusCode::SERVICE_UNAVAILABLE, retry_after_ms);
            let tried = Tried { tries, outcome, next: Upstream { same, ..GET.next }, ..GET };
            if let Next::Retry { wait_ms, .. } = next(&POLICY, &tried, &mut plenty(), random, now) {
                prop_assert!(tries < 3);
                prop_assert!(POLICY.within_ms(1_000, true, now + u64::from(wait_ms)) > 0);
            }
        }
    }
}
