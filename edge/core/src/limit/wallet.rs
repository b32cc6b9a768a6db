//! What an isolate does with leases: it spends permits without asking, remembers refusals, and returns what is left.
//!
//! [`Wallet::spend`] answers for itself or says what to ask; [`Wallet::learn`] takes the answer in. Now and then
//! [`Wallet::farewells`] says which leases to return: those of idle keys, and those that are about to be over and that
//! some window outlives. How much to ask for follows from use: as much as the key used here in about the last minute,
//! and nothing ahead for a key that is rarely used, so that a single request costs a single question.
//!
//! What the origin says afterwards that a request cost besides is a late charge: [`Wallet::charge`] pays it from
//! leases, and says what to ask for the rest. The request has passed, so nothing comes of the answer.
//!
//! Safe in the sense of [`super::ledger`], whatever the rim does, if `now` is always a fresh reading: a lease lives
//! from before it was asked for; it leaves the wallet with the question that returns it; once the clock is seen to go
//! back, all leases are returned and answers to earlier questions lend nothing. A wallet holds so many keys and forgets
//! those that were not used lately, returning their leases; a wallet that is lost with its isolate only costs
//! permits. Any number of questions about a key can be under way at once.

use std::collections::BTreeMap;
use std::mem;

use super::ledger::{Ask, LIFE_MS, Returned, Take, Verdict};
use super::window::{Standing, Window};
use purse::Purse;

mod purse;

/// Keys get permits ahead once they have used so many in about the last minute.
const OFTEN: u32 = 4;

/// How a limit is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The windows of its keys.
    pub windows: Vec<Window>,
    /// Asks for every request.
    pub strict: bool,
}

/// Whether a request may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It may, and is charged.
    Spent {
        /// How its key stands, as far as the isolate knows: as at the last answer, with what the isolate still holds.
        windows: Vec<Standing>,
    },
    /// It may not.
    Refused {
        /// Milliseconds until it can; 1 or more.
        retry_in_ms: u64,
        /// How its key stood when it was refused.
        windows: Vec<Standing>,
    },
}

/// What [`Wallet::spend`] says.
#[derive(Debug, PartialEq, Eq)]
pub enum Spend {
    /// The isolate knows by itself.
    Known(Outcome),
    /// The key's object is to be asked, and its answer learned.
    Ask(Ask, Asked),
}

/// A question under way. It is learned from once.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    at_ms: u64,
    cost: u32,
    /// [`Wallet::era`] then.
    era: u64,
}

/// The leases and refusals that an isolate knows of, by key.
#[derive(Debug)]
pub struct Wallet {
    /// Keys used since the last change of generations.
    young: BTreeMap<String, Purse>,
    /// Keys used in the generation before, and not since.
    old: BTreeMap<String, Purse>,
    /// Leases of keys that were forgotten, not returned yet.
    parting: Vec<(String, Returned)>,
    /// Keys in a generation, at most.
    keys: usize,
    /// The latest reading of the clock.
    seen_ms: u64,
    /// How often the clock was seen to go back.
    era: u64,
}

impl Wallet {
    /// An empty wallet for up to twice so many keys.
    #[must_use]
    pub fn new(keys: usize) -> Self {
        Self { young: BTreeMap::new(), old: BTreeMap::new(), parting: Vec::new(), keys, seen_ms: 0, era: 0 }
    }

    /// Charges a request's cost (1 or more) to what the wallet holds, or refuses it from memory, or says what to ask.
    /// `now` in Unix milliseconds.
    pub fn spend(&mut self, key: &str, policy: &Policy, cost: u32, now: u64) -> Spend {
        self.see(now);
        let (cost, era) = (cost.max(1), self.era);
        let purse = self.purse(key);
        let known = if policy.strict { None } else { purse.pay(cost, now) };
        if let Some(outcome) = known.or_else(|| purse.refusal(cost, now)) {
            return Spend::Known(outcome);
        }
        let used = purse.count(cost, now);
        let want = if policy.strict || used < OFTEN { cost } else { used };
        let take = Take { windows: policy.windows.clone(), cost, want, returned: purse.empty() };
        Spend::Ask(Ask::Take(take), Asked { at_ms: now, cost, era })
    }

    /// Takes in the answer to a question about this key, and says what it means for the request that asked.
    #[expect(clippy::needless_pass_by_value, reason = "what was learned once is not learned again")]
    pub fn learn(&mut self, key: &str, asked: Asked, verdict: &Verdict, now: u64) -> Outcome {
        self.see(now);
        let Asked { at_ms, cost, era } = asked;
        let in_time = era == self.era;
        let purse = self.purse(key);
        match verdict {
            Verdict::Granted { lease, windows } => {
                let spendable_from = in_time.then_some(at_ms);
                purse.grant(*lease, windows, spendable_from, now)
            }
            Verdict::Refused { retry_in_ms, recheck_in_ms, windows } => {
                let refused = purse.refuse(cost, (*retry_in_ms, *recheck_in_ms), windows, now);
                // Another question may have brought a lease meanwhile.
                purse.pay(cost, now).unwrap_or(refused)
            }
        }
    }

    /// Charges what a request that has passed cost besides to what the wallet holds, and says what to ask for the rest.
    /// The answer is not learned from. None: all is paid, or nothing more is to be had, as its object said just now.
    pub fn charge(&mut self, key: &str, policy: &Policy, permits: u32, now: u64) -> Option<Ask> {
        self.see(now);
        let purse = self.purse(key);
        let permits = purse.pay_part(permits, now);
        if permits == 0 || purse.refusal(1, now).is_some() {
            return None;
        }
        Some(Ask::Charge { windows: policy.windows.clone(), permits, returned: purse.empty() })
    }

    /// What to tell which key's object now; each is told once, and what gets lost is lost to the caller alone.
    pub fn farewells(&mut self, now: u64) -> Vec<(String, Ask)> {
        self.see(now);
        let mut farewells: BTreeMap<String, Vec<Returned>> = BTreeMap::new();
        for (key, returned) in mem::take(&mut self.parting) {
            farewells.entry(key).or_default().push(returned);
        }
        for (key, purse) in self.young.iter_mut().chain(&mut self.old) {
            let due = purse.part(now);
            if !due.is_empty() {
                farewells.entry(key.clone()).or_default().extend(due);
            }
        }
        farewells.into_iter().map(|(key, returned)| (key, Ask::Return(returned))).collect()
    }

    /// Forgets everything once the clock is seen to go back.
    fn see(&mut self, now: u64) {
        if now < self.seen_ms {
            self.era = self.era.saturating_add(1);
            self.turn();
            self.turn();
        }
        self.seen_ms = now;
    }

    /// A key's purse, among the young from now on.
    fn purse(&mut self, key: &str) -> &mut Purse {
        if !self.young.contains_key(key) && self.young.len() >= self.keys {
            self.turn();
        }
        let old = self.old.remove(key);
        self.young.entry(key.to_owned()).or_insert_with(|| old.unwrap_or_default())
    }

    /// The young become the old, and the old are forgotten.
    fn turn(&mut self) {
        for (key, mut purse) in mem::replace(&mut self.old, mem::take(&mut self.young)) {
            let left = purse.empty_unspent();
            self.parting.extend(left.into_iter().map(|returned| (key.clone(), returned)));
        }
        // What nobody fetches must not grow for ever: the object charges it in full.
        self.parting.truncate(self.keys.saturating_mul(2));
    }
}

#[cfg(test)]
mod tests;
