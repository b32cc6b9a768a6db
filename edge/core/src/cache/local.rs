//! What an isolate knows of the cache by itself: the first level, in front of the platform's storage.
//!
//! Records and short content are held in memory, so that what is asked for again and again costs no look into the
//! storage. A record is believed for [`LOOK_AGAIN_MS`]; then the storage is asked, which hears of what other isolates of
//! the data centre store and make invalid. What this isolate makes invalid is so at once.

use std::cell::RefCell;
use std::rc::Rc;

use super::flight::Flights;
use super::index::{Index, Variant};
use super::purge::Known;
use super::weighted::Weighted;
use crate::auth::bounded::Bounded;
use crate::upstream::breaker::{self, Breaker};

/// How long a record is believed (ms): so long other isolates may serve what one of them has made invalid.
pub const LOOK_AGAIN_MS: u64 = 1_000;
/// Content of more bytes is not held in memory.
pub const SHORT: u32 = 64 << 10;
/// Bytes of content that are held; twice as many at most. An isolate has 128 MB for everything.
const CONTENT: usize = 4 << 20;
/// Bytes of records likewise.
const RECORDS: usize = 1 << 20;
/// Keys remembered at least.
const KEYS: usize = 1_024;
/// How long an origin that has just failed is not asked again for what can be served stale (ms).
const FAILED_MS: u64 = 2_000;

/// What an isolate knows by itself. Times are Unix milliseconds.
#[derive(Debug)]
pub struct Local {
    /// Requests under way.
    pub flights: RefCell<Flights>,
    /// What operators have purged.
    pub purges: RefCell<Known>,
    /// Whether the objects of leases answer ([`super::lease`]).
    pub leases: RefCell<Breaker>,
    records: RefCell<Weighted<(Rc<Index>, u64)>>,
    contents: RefCell<Weighted<Rc<[u8]>>>,
    /// When a key was made invalid by a request of this isolate: the storage hears of it later.
    invalid: RefCell<Bounded<String, u64>>,
    /// Until when the origin is not asked, because it has failed.
    failed: RefCell<Bounded<String, u64>>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            flights: RefCell::default(),
            purges: RefCell::default(),
            leases: RefCell::new(Breaker::new(breaker::OBJECT)),
            records: RefCell::new(Weighted::new(RECORDS)),
            contents: RefCell::new(Weighted::new(CONTENT)),
            invalid: RefCell::new(Bounded::new(KEYS)),
            failed: RefCell::new(Bounded::new(KEYS)),
        }
    }
}

impl Local {
    /// The record under a key, if it was looked at just now.
    #[must_use]
    pub fn record(&self, key: &str, now_ms: u64) -> Option<Rc<Index>> {
        let (index, looked_ms) = self.records.borrow_mut().get(key)?;
        (now_ms.saturating_sub(looked_ms) < LOOK_AGAIN_MS).then_some(index)
    }

    /// Takes over the record that the storage has, without what was made invalid here since.
    pub fn learn(&self, key: &str, mut index: Index, now_ms: u64) -> Rc<Index> {
        index.invalid_ms = index.invalid_ms.max(self.invalid_ms(key));
        let invalid_ms = index.invalid_ms;
        index.variants.retain(|variant| variant.requested_ms > invalid_ms);
        let weight = index.variants.iter().map(weight).fold(key.len(), usize::saturating_add);
        let holds = !index.variants.is_empty();
        let index = Rc::new(index);
        if holds {
            self.records.borrow_mut().insert(key.to_owned(), (Rc::clone(&index), now_ms), weight);
        }
        index
    }

    /// The storage is asked again for the record, which another isolate may have changed.
    pub fn doubt(&self, key: &str) {
        self.records.borrow_mut().remove(key);
    }

    /// What was asked for up to now is invalid.
    pub fn invalidate(&self, key: &str, now_ms: u64) {
        self.records.borrow_mut().remove(key);
        self.invalid.borrow_mut().insert(key.to_owned(), now_ms);
    }

    /// Until when what was asked for is invalid; 0 where nothing is.
    #[must_use]
    pub fn invalid_ms(&self, key: &str) -> u64 {
        self.invalid.borrow().get(&key.to_owned()).copied().unwrap_or(0)
    }

    /// Content that is held.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Rc<[u8]>> {
        self.contents.borrow_mut().get(name)
    }

    /// Holds content.
    pub fn hold(&self, name: &str, content: &Rc<[u8]>) {
        self.contents.borrow_mut().insert(name.to_owned(), Rc::clone(content), content.len());
    }

    /// The origin has failed to answer for a key.
    pub fn note_failure(&self, key: &str, now_ms: u64) {
        self.failed.borrow_mut().insert(key.to_owned(), now_ms.saturating_add(FAILED_MS));
    }

    /// Whether it has just failed.
    #[must_use]
    pub fn has_failed(&self, key: &str, now_ms: u64) -> bool {
        self.failed.borrow().get(&key.to_owned()).is_some_and(|until| now_ms < *until)
    }
}

/// About the bytes that a response's record takes in memory.
fn weight(variant: &Variant) -> usize {
    let fields = variant.headers.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len()));
    let selecting = variant.selecting.iter();
    let selecting =
        selecting.map(|(name, value)| name.len().saturating_add(value.as_ref().map_or(0, String::len)));
    let tags = variant.tags.iter().map(String::len);
    let parts = fields.chain(selecting).chain(tags);
    parts.map(|bytes| bytes.saturating_add(64)).fold(512, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::storable::{Exchange, storable};
    use crate::testing::CACHE;

    #[test]
    fn a_records_weight_counts_its_selecting_fields_and_its_tags() {
        let of = |vary: &str, asked: &str, tags: &str| {
            let field = |name: &'static str, value: &str| {
                (http::HeaderName::from_static(name), value.parse().unwrap())
            };
            let asked = [field("x-a", asked)].into_iter().collect();
            let headers =
                [field("cache-control", "max-age=60"), field("vary", vary), field("cache-tag", tags)];
            let exchange = Exchange {
                policy: &CACHE,
                method: &http::Method::GET,
                asked: &asked,
                status: http::StatusCode::OK,
                headers: &headers.into_iter().collect(),
                requested_ms: 1,
                received_ms: 1,
            };
            weight(&storable(&exchange, String::new()).unwrap())
        };
        let long = "x".repeat(10_000);
        assert!(of("x-a", &long, "a") >= of("x-a", "b", "a") + 9_000);
        assert!(of("x-a", "b", &long) >= of("x-a", "b", "a") + 18_000, "as a field, and as tags");
    }
}
