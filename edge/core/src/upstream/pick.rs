//! Which of a service's origins a request goes to.
//!
//! By weighted rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates",
//! 1998, with the weights of Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005): each
//! origin draws a number for the caller, and the lowest one by its weight wins. So a caller stays where it
//! is, in every isolate, without anything remembered; a weight that changes moves only callers from or to
//! that origin; and callers of an origin that is out spread over the others by their weights. A canary is an
//! origin with a small weight.
//!
//! An origin that should not be asked is left out, unless none should: then it is the one that has failed
//! least.

use std::cmp::Ordering;

/// One origin of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its name, by which callers fall to it: callers move when it changes.
    pub name: &'static str,
    /// Its part of the callers, by the sum of all weights; at least 1.
    pub weight: u32,
    /// Scheme and authority, without a trailing slash.
    pub address: String,
}

/// Whether an origin should be asked. The first is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Yes.
    Good,
    /// Not while there is another; the number says how bad it is.
    Bad(u32),
}

/// The place in `origins` of the one to ask; `None` only where there are none.
///
/// `sticky` is what callers are told apart by: a user, a session, an address, or something random. `tried`
/// are those that the request has been to: they come after others of the same standing.
#[must_use]
pub fn pick(
    origins: &[Origin],
    sticky: &str,
    tried: &[usize],
    standing: impl Fn(usize) -> Standing,
) -> Option<usize> {
    let times = |at| tried.iter().filter(|tried| **tried == at).count();
    let rank = |at: usize| match standing(at) {
        Standing::Good => (Standing::Good, times(at), 0),
        // Of the bad ones, first another one than before, then the least bad.
        Standing::Bad(how) => (Standing::Bad(0), times(at), how),
    };
    let best = origins.iter().enumerate().min_by(|(one, origin), (other, another)| {
        rank(*one).cmp(&rank(*other)).then_with(|| draw_order(origin, another, sticky))
    });
    best.map(|(at, _)| at)
}

fn draw_order(one: &Origin, other: &Origin, sticky: &str) -> Ordering {
    draw(one, sticky).total_cmp(&draw(other, sticky))
}

/// Exponentially distributed with the weight as its rate: of several such numbers each is the lowest with a
/// probability of its weight by their sum.
fn draw(origin: &Origin, sticky: &str) -> f64 {
    let mut hash = hmac_sha256::Hash::new();
    // A zero byte ends the name: no two pairs hash the same bytes.
    hash.update(origin.name);
    hash.update([0]);
    hash.update(sticky);
    let [a, b, c, d, ..] = hash.finalize();
    let even = (f64::from(u32::from_be_bytes([a, b, c, d])) + 0.5) / 4_294_967_296.0;
    -even.ln() / f64::from(origin.weight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 4] = ["blue", "green", "canary", "spare"];

    fn origins(weights: &[u32]) -> Vec<Origin> {
        let origin =
            |(name, weight): (&&'static str, &u32)| Origin { name, weight: *weight, address: String::new() };
        NAMES.iter().zip(weights).map(origin).collect()
    }

    fn home(weights: &[u32], sticky: &str) -> usize {
        pick(&origins(weights), sticky, &[], |_| Standing::Good).unwrap()
    }

    fn users() -> impl Iterator<Item = String> {
        (0..20_000).map(|user| format!("user/{user}"))
    }

    #[test]
    fn callers_spread_by_weight() {
        let mut counts = [0.0_f64; 3];
        users().for_each(|user| counts[home(&[70, 25, 5], &user)] += 1.0 / 20_000.0);
        for (share, expected) in counts.iter().zip([0.70, 0.25, 0.05]) {
            // Four standard deviations of the binomial distribution.
            let error = 4.0 * f64::sqrt(expected * (1.0 - expected) / 20_000.0);
            assert!((share - expected).abs() < error, "{share} for {expected}");
        }
    }

    #[test]
    fn a_growing_canary_takes_its_difference_and_nobody_else_moves() {
        let moved = users().filter(|user| {
            let (before, after) = (home(&[95, 5], user), home(&[90, 10], user));
            assert!(before == after || (before, after) == (0, 1), "{user}: {before} to {after}");
            before != after
        });
        let moved = f64::from(u32::try_from(moved.count()).unwrap()) / 20_000.0;
        assert!((moved - 0.05).abs() < 4.0 * f64::sqrt(0.05 * 0.95 / 20_000.0), "{moved} moved");
    }

    #[test]
    fn callers_of_an_origin_that_is_out_spread_over_the_others_by_weight() {
        let out = |at| if at == 0 { Standing::Bad(1) } else { Standing::Good };
        let origins = origins(&[50, 30, 20]);
        let mut counts = [0.0_f64; 3];
        for user in users().filter(|user| home(&[50, 30, 20], user) == 0) {
            counts[pick(&origins, &user, &[], out).unwrap()] += 1.0;
        }
        let share = counts[1] / (counts[1] + counts[2]);
        assert!(counts[0] == 0.0 && (share - 0.6).abs() < 0.02, "{counts:?}");
    }

    #[test]
    fn a_retry_goes_to_another_good_origin_then_to_the_same_and_only_then_to_a_bad_one() {
        let origins = origins(&[1, 1, 1]);
        let one_bad = |at| if at == 2 { Standing::Bad(1) } else { Standing::Good };
        let mut tried = Vec::new();
        for _ in 0..4 {
            tried.push(pick(&origins, "user/1", &tried, one_bad).unwrap());
        }
        assert_ne!(tried[0], tried[1]);
        assert!(!tried.contains(&2) && tried[..2] == tried[2..], "{tried:?}");
    }

    #[test]
    fn where_all_are_bad_the_least_bad_one_is_asked_and_then_another_one() {
        let (origins, bad) = (origins(&[1, 1]), |at| Standing::Bad([700, 500][at]));
        assert_eq!(pick(&origins, "u", &[], bad), Some(1));
        assert_eq!(pick(&origins, "u", &[1], bad), Some(0));
    }

    proptest! {
        #[test]
        fn a_weight_that_changes_moves_callers_only_from_or_to_that_origin(
            weights in prop::collection::vec(1_u32..1_000, 2..=4),
            changed in 0_usize..4,
            weight in 1_u32..1_000,
            user: u64,
        ) {
            let changed = changed % weights.len();
            let mut other = weights.clone();
            other[changed] = weight;
            let (before, after) = (home(&weights, &user.to_string()), home(&other, &user.to_string()));
            let moved_by_it = if weight > weights[changed] { after == changed } else { before == changed };
            prop_assert!(before == after || moved_by_it);
        }

        #[test]
        fn a_good_one_is_asked_before_a_bad_one(
            good in prop::collection::vec(any::<bool>(), 1..=4),
            tried in prop::collection::vec(0_usize..4, 0..5),
            user: u64,
        ) {
            let standing = |at: usize| if good[at] { Standing::Good } else { Standing::Bad(1) };
            let picked = pick(&origins(&[1; 4][..good.len()]), &user.to_string(), &tried, standing).unwrap();
            prop_assert!(good[picked] || !good.contains(&true));
            let untried = |at: &usize| !tried.contains(at);
            let better = (0..good.len()).filter(|at| good[*at] == good[picked]).any(|at| untried(&at));
            prop_assert!(untried(&picked) || !better);
        }
    }
}
