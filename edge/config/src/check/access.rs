//! Who is kept out by where they come from.

use edge_core::plan::{Access, Network};

use super::text::{check_known, check_texts, check_twice, leaked};
use super::{admin, infra};
use crate::fault::Report;
use crate::leak;
use crate::read::{Given, Lined};
use crate::written::Written;
use crate::written::heads as written;

/// The rules, after the zone's own list of countries: what its firewall refuses does not pass here either, where the
/// firewall is not managed, or left out of an environment.
pub(crate) fn check(written: &Written, report: &Report) -> Vec<Access> {
    let rules = written.access.iter().flatten();
    let known: Vec<&str> = written
        .routes
        .iter()
        .flatten()
        .filter_map(|route| Some(route.name.as_ref()?.value.as_str()))
        .collect();
    let rules = rules.filter_map(|rule| checked(rule, &known, report));
    blocked(written).into_iter().chain(rules).collect()
}

fn blocked(written: &Written) -> Option<Access> {
    let countries = written.cloudflare.as_ref()?.blocked_countries.as_ref()?;
    (!countries.value.is_empty()).then(|| Access {
        allow: false,
        countries: leaked(&countries.value),
        asns: &[],
        networks: &[],
        routes: &[],
        line: countries.line,
    })
}

fn checked(rule: &written::Access, known: &[&str], report: &Report) -> Option<Access> {
    let routes = rule.routes.good();
    if let Some(routes) = routes {
        check_texts("routes", routes.line, &routes.value, report);
        check_known("route", &routes.value, known, report);
    }
    let (allow, places) = match (&rule.deny, &rule.allow) {
        (Given::Good(places), Given::Absent) => (false, places),
        (Given::Absent, Given::Good(places)) => (true, places),
        (Given::Faulty, _) | (_, Given::Faulty) => return None,
        _ => {
            report.add(rule.line, "[[access]] needs either `deny` or `allow`; give one of the two");
            return None;
        }
    };
    let written::Places { countries, asns, networks } = &places.value;
    if countries.is_absent() && asns.is_absent() && networks.is_absent() {
        report.add(places.line, "this rule names nobody; give it `countries`, `asns` or `networks`");
    }
    Some(Access {
        allow,
        countries: self::countries(countries, report),
        asns: self::asns(asns, report),
        networks: self::networks(networks, report),
        routes: routes.map_or(&[], |routes| leaked(&routes.value)),
        line: rule.line,
    })
}

fn countries(given: &Given<Vec<Lined<String>>>, report: &Report) -> &'static [&'static str] {
    let Some(countries) = given.good() else { return &[] };
    check_texts("countries", countries.line, &countries.value, report);
    infra::check_countries(&countries.value, report);
    leaked(&countries.value)
}

fn asns(given: &Given<crate::read::OneOrMore<u32>>, report: &Report) -> &'static [u32] {
    let Some(asns) = given.good() else { return &[] };
    let asns = &asns.value.0;
    let texts: Vec<Lined<String>> =
        asns.iter().map(|asn| Lined { line: asn.line, value: asn.value.to_string() }).collect();
    check_twice("asns", &texts, report);
    leak::list(asns.iter().map(|asn| asn.value).collect())
}

fn networks(given: &Given<Vec<Lined<String>>>, report: &Report) -> &'static [Network] {
    admin::networks(given, report)
}
