//! Operators: the deployment's shared key, from where it may be used.

use std::net::IpAddr;

use http::HeaderMap;

use super::{ADMIN_KEY, Refusal};
use crate::headers;
use crate::plan::{Admin, Network};

/// Whether these are operators: the key of the deployment, from an address that may use it.
pub fn admin(
    policy: &Admin,
    headers: &HeaderMap,
    ip: Option<IpAddr>,
    expected: Option<&str>,
) -> Result<(), Refusal> {
    let given = headers::single(headers, ADMIN_KEY).ok_or(Refusal::Missing)?;
    let right = expected.is_some_and(|expected| !expected.is_empty() && same(given, expected));
    let near =
        policy.networks.is_empty() || ip.is_some_and(|ip| policy.networks.iter().any(|net| net.has(ip)));
    match (right, near) {
        (true, true) => Ok(()),
        (true, false) => Err(Refusal::AdminAddress),
        (false, _) => Err(Refusal::AdminKey),
    }
}

impl Network {
    /// Whether the address is in it.
    #[must_use]
    pub fn has(&self, ip: IpAddr) -> bool {
        let address = match ip {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let beyond = u32::from(128_u8.saturating_sub(self.prefix));
        let shared = |bits: u128| bits.checked_shr(beyond).unwrap_or_default();
        shared(address.to_bits()) == shared(self.address)
    }
}

/// Compares secrets by their digests, so that time tells nothing about where they differ.
pub(super) fn same(left: &str, right: &str) -> bool {
    hmac_sha256::Hash::hash(left.as_bytes()) == hmac_sha256::Hash::hash(right.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: Network = Network { address: 0xffff_cb00_7100, prefix: 120 };

    fn judged(
        given: &str,
        expected: Option<&str>,
        ip: &str,
        networks: &'static [Network],
    ) -> Result<(), Refusal> {
        let headers = [(http::HeaderName::from_static(ADMIN_KEY), given.parse().unwrap())];
        let policy = Admin { secret: "ADMIN_API_KEY", networks };
        admin(&policy, &headers.into_iter().collect(), ip.parse().ok(), expected)
    }

    #[test]
    fn an_admin_route_is_closed_without_a_configured_key() {
        assert_eq!(judged("k", Some("k"), "192.0.2.1", &[]), Ok(()));
        assert_eq!(judged("k", Some("other"), "192.0.2.1", &[]), Err(Refusal::AdminKey));
        assert_eq!(judged("", Some(""), "192.0.2.1", &[]), Err(Refusal::AdminKey));
        assert_eq!(judged("k", None, "192.0.2.1", &[]), Err(Refusal::AdminKey));
        let policy = Admin { secret: "ADMIN_API_KEY", networks: &[] };
        assert_eq!(admin(&policy, &HeaderMap::new(), None, Some("k")), Err(Refusal::Missing));
    }

    #[test]
    fn a_right_key_counts_only_from_the_networks_that_may_use_it() {
        assert_eq!(judged("k", Some("k"), "203.0.113.255", &[OFFICE]), Ok(()));
        assert_eq!(judged("k", Some("k"), "::ffff:203.0.113.1", &[OFFICE]), Ok(()));
        for ip in ["203.0.114.1", "2001:db8::1", "nobody"] {
            assert_eq!(judged("k", Some("k"), ip, &[OFFICE]), Err(Refusal::AdminAddress), "{ip}");
        }
        assert_eq!(judged("x", Some("k"), "203.0.114.1", &[OFFICE]), Err(Refusal::AdminKey), "no hint");
        assert!(Network { address: 0, prefix: 0 }.has("2001:db8::1".parse().unwrap()), "all addresses");
    }
}
