//! A map that cannot grow without bound: what it forgets first is what was put in longest ago, about.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// Two generations: when the young one is full it becomes the old one, and the old one is forgotten. So at least the
/// last `most` entries are there, and never more than twice as many, without any bookkeeping per entry.
#[derive(Debug)]
pub struct Bounded<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    most: usize,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    /// Empty, for so many entries.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), most }
    }

    /// What is remembered under a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// Remembers a value, in place of the key's last one.
    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.most && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_entries_are_there_and_never_more_than_twice_as_many(
            keys in prop::collection::vec(0_u8..40, 0..200), most in 1_usize..10
        ) {
            let mut map = Bounded::new(most);
            for (at, key) in keys.iter().enumerate() {
                map.insert(*key, at);
                prop_assert!(map.young.len() + map.old.len() <= 2 * most);
            }
            let mut last: Vec<u8> = Vec::new();
            for key in keys.iter().rev() {
                if !last.contains(key) {
                    last.push(*key);
                }
            }
            for key in last.iter().take(most) {
                let newest = keys.iter().rposition(|other| other == key);
                prop_assert_eq!(map.get(key).copied(), newest);
            }
        }
    }
}
