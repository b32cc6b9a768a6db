//! The sections of the infrastructure, each by its own rules and AWS's.

use edge_core::plan::Route;

use super::text::{check_list, check_name, leaked};
use super::{environments, load_balancer, network, redis};
use crate::fault::Report;
use crate::infra::{Architecture, Cloudflare, Infra, Party};
use crate::read::Lined;
use crate::written::{self, Written};
use crate::{leak, suggest};

/// Regions that AWS names, beside those for governments and China.
const REGIONS: [&str; 31] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
];

/// Periods that `PutRetentionPolicy` of `CloudWatch` Logs takes, in days.
const RETENTIONS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(super) fn check(
    written: &Written,
    parties: Vec<Party>,
    domain: Option<&str>,
    routes: &[Route],
    report: &Report,
) -> Option<Infra> {
    let infra = written.infra.as_ref();
    let cloudflare = written.cloudflare.as_ref().and_then(|cloudflare| self::cloudflare(cloudflare, report));
    let environments = environments::check(&written.environments, domain, report);
    let infra = infra?;
    let zones = zones(infra, report);
    let network = infra
        .network
        .as_ref()
        .and_then(|network| network::check(network, zones.as_ref().map(Vec::len), report));
    let load_balancer =
        infra.load_balancer.as_ref().and_then(|written| load_balancer::check(written, routes, report));
    if let Some(load_balancer) = load_balancer {
        load_balancer::keep_alives(&written.services, load_balancer, report);
    }
    let redis = infra.redis.as_ref().and_then(|written| redis::check(written, report));
    let architecture = infra.architecture.as_ref().and_then(|name| architecture(name, report));
    retention(infra.retention_days.as_ref(), report);
    Some(Infra {
        name: name(infra.name.as_ref()?, report),
        region: leak::text(&infra.region.as_ref()?.value),
        zones: zones?,
        architecture: architecture?,
        retention_days: infra.retention_days.as_ref()?.value,
        github_repository: repository(infra.github_repository.as_ref()?, report),
        network: network?,
        load_balancer: load_balancer?,
        redis: redis?,
        cloudflare,
        parties,
        environments: environments?,
    })
}

/// With the environment's name it must stay within the 32 characters of a load balancer's name.
fn name(name: &Lined<String>, report: &Report) -> &'static str {
    check_name(name, report);
    if name.value.len() > 12 {
        report.add(
            name.line,
            format!("name `{}` is too long for resources; use at most 12 letters", name.value),
        );
    }
    leak::text(&name.value)
}

/// `None` when there is no list, or no good region to compare it with.
fn zones(infra: &written::infra::Infra, report: &Report) -> Option<Vec<&'static str>> {
    let (region, zones) = (infra.region.as_ref()?, infra.zones.as_ref()?);
    check_list("zones", &infra.zones, report);
    if !REGIONS.contains(&region.value.as_str()) {
        let hint = suggest::hint(&region.value, REGIONS);
        report.add(region.line, format!("unknown region `{}`; {hint}", region.value));
        return None;
    }
    for zone in zones.value.iter().filter(|zone| !is_zone_of(&zone.value, &region.value)) {
        let text = format!("zone `{}` is not in region `{1}`; write `{1}a`", zone.value, region.value);
        report.add(zone.line, text);
    }
    if zones.value.len() == 1 {
        report.add(zones.line, "a load balancer needs two zones; name another");
    }
    Some(leaked(&zones.value).to_vec())
}

fn is_zone_of(zone: &str, region: &str) -> bool {
    zone.strip_prefix(region).is_some_and(|letter| matches!(letter.as_bytes(), [b'a'..=b'f']))
}

fn architecture(name: &Lined<String>, report: &Report) -> Option<Architecture> {
    match name.value.as_str() {
        "x86_64" => Some(Architecture::X86_64),
        "arm64" => Some(Architecture::Arm64),
        other => {
            let hint = suggest::hint(other, ["x86_64", "arm64"]);
            report.add(name.line, format!("unknown architecture `{other}`; {hint}"));
            None
        }
    }
}

fn retention(days: Option<&Lined<u32>>, report: &Report) {
    let Some(days) = days.filter(|days| !RETENTIONS.contains(&days.value)) else { return };
    let longer = RETENTIONS.iter().find(|period| **period > days.value).unwrap_or(&3653);
    let text = format!("CloudWatch keeps no logs for {} days; the next period is {longer}", days.value);
    report.add(days.line, text);
}

/// `None` when the zone is managed by hand, and when something is missing, which is reported.
fn cloudflare(written: &written::infra::Cloudflare, report: &Report) -> Option<Cloudflare> {
    let (manage, countries) = (written.manage.as_ref()?, written.blocked_countries.as_ref()?);
    super::text::check_twice("country", &countries.value, report);
    check_countries(&countries.value, report);
    let cloudflare = Cloudflare {
        zone_id: zone_id(written.zone_id.as_ref()?, report),
        blocked_countries: leaked(&countries.value).to_vec(),
        requests_per_10_seconds: written.rate.as_ref()?.value,
    };
    manage.value.then_some(cloudflare)
}

/// Notes every country that Cloudflare has no word for; `T1` is Tor.
pub(super) fn check_countries(countries: &[Lined<String>], report: &Report) {
    for country in countries {
        if !matches!(country.value.as_bytes(), [b'A'..=b'Z', b'A'..=b'Z'] | b"T1") {
            let text = format!("country `{}`: write the two letters of ISO 3166-1, as `KP`", country.value);
            report.add(country.line, text);
        }
    }
}

fn zone_id(id: &Lined<String>, report: &Report) -> &'static str {
    let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    if id.value.len() != 32 || !id.value.bytes().all(is_digit) {
        report
            .add(id.line, format!("zone_id `{}`: copy the 32 digits of the zone's overview page", id.value));
    }
    leak::text(&id.value)
}

fn repository(name: &Lined<String>, report: &Report) -> &'static str {
    let is_part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        !part.is_empty() && part.bytes().all(inner)
    };
    if !name.value.split_once('/').is_some_and(|(owner, repository)| is_part(owner) && is_part(repository)) {
        report.add(name.line, format!("github_repository `{}`: write it as `owner/name`", name.value));
    }
    leak::text(&name.value)
}
