//! Which isolate of a data centre asks the origin for a key: the one that holds its lease, a key of
//! [`crate::limit::places`] with one place.
//!
//! The lease is never renewed: who holds it longer has taken too long for the others to wait. Left out: who asks for it,
//! and what the others do meanwhile ([`crate::gateway`]).

use crate::limit::places::Ask;
use crate::trace::hex;

/// What the keys of leases begin with; no concurrency of he2.toml has such a name.
const PREFIX: &str = "fetch:";

/// An isolate's claim to be the one that asks.
#[derive(Debug)]
pub struct Lease {
    /// The key of its place.
    pub key: String,
    /// How long it is held at most, in milliseconds.
    pub ms: u64,
    name: String,
}

impl Lease {
    /// For a cache key in this data centre. `random` tells those who ask for it apart.
    #[must_use]
    pub fn new(colo: &str, key: &str, ms: u64, random: [u8; 24]) -> Self {
        let digest = hmac_sha256::Hash::hash(key.as_bytes());
        let name = hex(random.first_chunk::<8>().unwrap_or(&[0; 8]));
        Self { key: format!("{PREFIX}{colo}/{}", hex(&digest)), ms, name }
    }

    /// Takes it, if nobody has it.
    #[must_use]
    pub fn enter(&self) -> Ask {
        Ask::Enter { name: self.name.clone(), most: 1, lease_ms: self.ms }
    }

    /// Lets it go.
    #[must_use]
    pub fn leave(&self) -> Ask {
        Ask::Leave { name: self.name.clone() }
    }
}

/// The part of a lease's key that its data centre's keys have in common; none of another key.
#[must_use]
pub(crate) fn data_centre(key: &str) -> Option<&str> {
    let (place, _) = key.split_once('/')?;
    place.starts_with(PREFIX).then_some(place)
}
