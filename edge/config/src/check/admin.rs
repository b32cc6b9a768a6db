//! Routes of operators: the key, and where it may be used.

use std::net::{IpAddr, Ipv6Addr};

use edge_core::plan::{Admin, Network};

use super::text::check_texts;
use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined};
use crate::written::route_auth as written;

/// Bits of an IPv6 address before an IPv4 one that is mapped into it (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

pub(super) fn check(admin: &written::Admin, report: &Report) -> Option<Admin> {
    let networks = networks(&admin.networks, report);
    Some(Admin { secret: leak::text(&admin.secret.as_ref()?.value), networks })
}

/// Blocks of addresses; none where none are given.
pub(super) fn networks(given: &Given<Vec<Lined<String>>>, report: &Report) -> &'static [Network] {
    let Some(list) = given.good() else { return &[] };
    check_texts("networks", list.line, &list.value, report);
    leak::list(list.value.iter().filter_map(|text| network(text, report)).collect())
}

fn network(text: &Lined<String>, report: &Report) -> Option<Network> {
    let parsed = parsed(&text.value);
    if let Err(fault) = &parsed {
        report.add(text.line, format!("network `{}`: {fault}", text.value));
    }
    parsed.ok()
}

fn parsed(text: &str) -> Result<Network, String> {
    let read = |(address, prefix): (&str, &str)| Some((address.parse().ok()?, prefix.parse().ok()?));
    let found: Option<(IpAddr, u8)> = text.split_once('/').and_then(read);
    let (written, length) = found.ok_or("write it as `203.0.113.0/24` or `2001:db8::/32`")?;
    let (address, prefix) = match written {
        IpAddr::V4(address) => (address.to_ipv6_mapped(), MAPPED_BITS.saturating_add(length)),
        IpAddr::V6(address) => (address, length),
    };
    let first = first(address, prefix).ok_or("its prefix is longer than an address")?;
    match () {
        () if length == 0 => Err("it holds every address; leave `networks` out for that".into()),
        () if first != address => {
            let first = if written.is_ipv4() { first.to_canonical() } else { first.into() };
            Err(format!("it begins at {first}; write `{first}/{length}`"))
        }
        () => Ok(Network { address: address.into(), prefix }),
    }
}

/// The first address of the network that an address is in; `None` for a prefix of more bits than there are.
fn first(address: Ipv6Addr, prefix: u8) -> Option<Ipv6Addr> {
    let rest = u128::BITS.checked_sub(prefix.into())?;
    let mask = u128::MAX.checked_shl(rest).unwrap_or_default();
    Some(Ipv6Addr::from_bits(address.to_bits() & mask))
}
