//! How often a caller may call: any number of windows at once, all of which must have room before any is charged.
//!
//! A Durable Object per shard of keys decides ([`ledger`]) and lends permits to isolates, which spend them without a
//! round trip and remember refusals ([`wallet`]); the counts are exact all the same. How many may be under way at once is
//! counted apart ([`places`]). Whose counter a request falls on is in [`asking`], what a caller is told in [`told`].

pub mod asking;
pub mod ledger;
#[cfg(test)]
mod load;
#[cfg(test)]
mod model;
pub mod operator;
pub mod places;
pub mod told;
pub mod wallet;
pub mod window;

use std::net::IpAddr;

use crate::cache::lease;
use crate::plan::{self, Limit};
use wallet::Policy;
use window::Window;

/// The Durable Object namespace's binding.
pub const BINDING: &str = "LIMITER";
/// Objects that share the keys of a limit. One takes some 500 requests a second, of which leases leave one in twenty.
/// Source: <https://developers.cloudflare.com/durable-objects/best-practices/rules-of-durable-objects/>.
const SHARDS: u8 = 64;

/// How a limit of the plan is kept, with these windows.
#[must_use]
pub fn policy(limit: &Limit, windows: &[plan::Window]) -> Policy {
    let window =
        |window: &plan::Window| Window { quota: window.quota, seconds: window.seconds, burst: window.burst };
    Policy { windows: windows.iter().map(window).collect(), strict: limit.strict }
}

/// Objects that share the keys of one data centre.
const DATA_CENTRE_SHARDS: u8 = 4;

/// The name of the Durable Object that a key belongs to. What a data centre decides for itself has objects of its own:
/// an object is made near who first asks for it, and stays there.
/// Source: <https://developers.cloudflare.com/durable-objects/reference/data-location/>.
#[must_use]
pub fn shard(key: &str) -> String {
    let [first, ..] = hmac_sha256::Hash::hash(key.as_bytes());
    let shard = |shards: u8| first.checked_rem(shards).unwrap_or_default();
    match lease::data_centre(key) {
        Some(place) => format!("{place}/{}", shard(DATA_CENTRE_SHARDS)),
        None => shard(SHARDS).to_string(),
    }
}

/// An IPv4 address, or the /64 that an IPv6 subscriber has all to itself.
pub(crate) fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests;
