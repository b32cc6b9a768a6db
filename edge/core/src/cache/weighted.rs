//! A map that holds so many bytes and no more: what it forgets first is what was used longest ago, about.

use std::collections::HashMap;
use std::mem;

/// Two generations, as [`crate::auth::bounded::Bounded`], but by weight, and what is used is young again.
#[derive(Debug)]
pub(super) struct Weighted<V> {
    young: HashMap<String, (V, usize)>,
    old: HashMap<String, (V, usize)>,
    weight: usize,
    most: usize,
}

impl<V: Clone> Weighted<V> {
    /// Empty, for twice so many bytes at most.
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), weight: 0, most }
    }

    /// What is held under a key.
    pub(super) fn get(&mut self, key: &str) -> Option<V> {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (value, weight) = self.old.remove(key)?;
        self.insert(key.to_owned(), value.clone(), weight);
        Some(value)
    }

    /// Holds a value of so many bytes, in place of the key's last one; one that is too heavy is not held.
    pub(super) fn insert(&mut self, key: String, value: V, weight: usize) {
        self.remove(&key);
        if weight > self.most {
            return;
        }
        if self.weight.saturating_add(weight) > self.most {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight = self.weight.saturating_add(weight);
        self.young.insert(key, (value, weight));
    }

    /// Forgets what is held under a key.
    pub(super) fn remove(&mut self, key: &str) {
        self.old.remove(key);
        if let Some((_, weight)) = self.young.remove(key) {
            self.weight = self.weight.saturating_sub(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl<V> Weighted<V> {
        fn total(&self) -> usize {
            self.young.values().chain(self.old.values()).map(|(_, weight)| weight).sum()
        }
    }

    proptest! {
        #[test]
        fn the_last_value_of_a_key_or_none_and_never_more_than_twice_the_weight(
            steps in prop::collection::vec((0_u8..20, 0_usize..40), 0..300), most in 1_usize..100
        ) {
            let mut map = Weighted::new(most);
            let mut last = HashMap::new();
            for (at, (key, weight)) in steps.into_iter().enumerate() {
                let key = key.to_string();
                if at % 3 == 0 {
                    let held = map.get(&key);
                    prop_assert!(held.is_none() || held == last.get(&key).copied());
                } else {
                    map.insert(key.clone(), at, weight);
                    last.insert(key, at);
                }
                prop_assert!(map.total() <= 2 * most);
            }
        }
    }
}
