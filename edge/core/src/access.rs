//! Who is kept out by where they come from: country, autonomous system, block of addresses.
//!
//! Every rule that holds for a route must let the caller pass; their order means nothing. That a caller is refused does not
//! depend on credentials, so it is decided before them. Left out: what Cloudflare's firewall refuses before, by the
//! same list of countries.

use std::net::IpAddr;

use crate::host::Cf;
use crate::plan::Access;

/// What Cloudflare calls the country of an address of which it knows none.
const UNKNOWN: &str = "XX";

/// The first rule that keeps this caller out of a route.
#[must_use]
pub fn refusing<'r>(rules: &'r [Access], route: &str, ip: Option<IpAddr>, cf: &Cf) -> Option<&'r Access> {
    let holds = |rule: &&Access| rule.routes.is_empty() || rule.routes.contains(&route);
    rules.iter().filter(holds).find(|rule| is_listed(rule, ip, cf) != rule.allow)
}

fn is_listed(rule: &Access, ip: Option<IpAddr>, cf: &Cf) -> bool {
    rule.countries.contains(&cf.country.as_deref().unwrap_or(UNKNOWN))
        || cf.asn.is_some_and(|asn| rule.asns.contains(&asn))
        || ip.is_some_and(|ip| rule.networks.iter().any(|network| network.has(ip)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Network;

    const DENY: Access =
        Access { allow: false, countries: &[], asns: &[], networks: &[], routes: &[], line: 1 };
    const OFFICE: Network = Network { address: 0xffff_cb00_7100, prefix: 120 };

    fn passes(rule: Access, route: &str, ip: &str, country: &str, asn: Option<u32>) -> bool {
        let cf = Cf { country: Some(country.to_owned()), asn, ..Cf::default() };
        refusing(&[rule], route, ip.parse().ok(), &cf).is_none()
    }

    #[test]
    fn a_rule_that_denies_keeps_out_whoever_is_in_one_of_its_lists() {
        let rule = Access { countries: &["KP", "T1"], asns: &[64_500], networks: &[OFFICE], ..DENY };
        assert!(passes(rule, "r", "192.0.2.1", "DE", Some(64_501)));
        assert!(!passes(rule, "r", "192.0.2.1", "KP", None));
        assert!(!passes(rule, "r", "192.0.2.1", "T1", None), "Tor");
        assert!(!passes(rule, "r", "192.0.2.1", "DE", Some(64_500)));
        assert!(!passes(rule, "r", "203.0.113.7", "DE", None));
    }

    #[test]
    fn a_rule_that_allows_keeps_out_whoever_is_in_none_of_its_lists() {
        let rule = Access { allow: true, countries: &["DE"], networks: &[OFFICE], ..DENY };
        assert!(passes(rule, "r", "192.0.2.1", "DE", None));
        assert!(passes(rule, "r", "203.0.113.7", "FR", None));
        assert!(!passes(rule, "r", "192.0.2.1", "FR", None));
        let nobody = Cf::default();
        assert_eq!(refusing(&[rule], "r", None, &nobody).map(|rule| rule.line), Some(1));
    }

    #[test]
    fn a_country_that_nobody_knows_is_listed_as_xx() {
        let rule = Access { countries: &["XX"], ..DENY };
        assert!(refusing(&[rule], "r", None, &Cf::default()).is_some());
        assert!(refusing(&[Access { countries: &["KP"], ..DENY }], "r", None, &Cf::default()).is_none());
    }

    #[test]
    fn a_rule_holds_for_its_routes_and_all_rules_must_let_a_caller_pass() {
        let of = |routes| Access { countries: &["KP"], routes, ..DENY };
        assert!(passes(of(&["other"]), "r", "192.0.2.1", "KP", None));
        assert!(!passes(of(&["other", "r"]), "r", "192.0.2.1", "KP", None));
        let cf = Cf { country: Some("KP".to_owned()), ..Cf::default() };
        let allowed = Access { allow: true, line: 2, ..of(&[]) };
        assert!(refusing(&[allowed], "r", None, &cf).is_none());
        assert!(refusing(&[allowed, of(&[])], "r", None, &cf).is_some());
    }
}
