//! What Cloudflare refuses before the Worker runs: countries, known attacks, floods from one address.
//!
//! Only on the public hosts: the Worker's own requests to the origin pass through the zone as well, and must not be
//! counted a second time.

use he2_config::{Cloudflare, Config};

use super::once;
use crate::tf::{Block, Section, resource};

/// Cloudflare's id of its managed ruleset.
const MANAGED: &str = "efb7b8c949ac4650a09736fc376e9aee";

pub(super) fn sections(config: &Config, settings: &Cloudflare) -> Vec<Section> {
    let hosts = quoted(config.plan().hosts.iter().map(|host| host.name));
    let public = format!("http.host in {{{hosts}}}");
    let countries = (!settings.blocked_countries.is_empty()).then(|| {
        let rules = vec![countries(&public, settings)];
        Section::new("from he2.toml [cloudflare] blocked_countries", rules)
    });
    let managed = Section::new(
        "from he2.toml [cloudflare] manage: Cloudflare's rules against known attacks (plan Pro or higher)",
        vec![managed(&public)],
    );
    let rate = Section::new(
        "from he2.toml [cloudflare] requests_per_10_seconds: before the gateway's own limits, which know callers",
        vec![rate(&public, settings.requests_per_10_seconds)],
    );
    countries.into_iter().chain([managed, rate]).collect()
}

fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")
}

/// The entry point of a phase: all rules of the zone in this phase.
fn ruleset(name: &str, phase: &str, rule: &str) -> Block {
    once(resource("cloudflare_ruleset", name))
        .expr("zone_id", "var.cloudflare_zone_id")
        .text("name", name)
        .text("kind", "zone")
        .text("phase", phase)
        .expr("rules", &format!("[{rule}]"))
}

/// A string as HCL writes it.
fn literal(text: &str) -> String {
    hcl::Expression::from(text).to_string()
}

fn countries(public: &str, settings: &Cloudflare) -> Block {
    let countries = quoted(settings.blocked_countries.iter().copied());
    let expression = literal(&format!("{public} and ip.src.country in {{{countries}}}"));
    let rule = format!(
        "{{
  ref         = \"countries\"
  description = \"Countries that are not served\"
  expression  = {expression}
  action      = \"block\"
}}"
    );
    ruleset("countries", "http_request_firewall_custom", &rule)
}

fn managed(public: &str) -> Block {
    let expression = literal(public);
    let rule = format!(
        "{{
  ref         = \"managed\"
  description = \"Cloudflare Managed Ruleset\"
  expression  = {expression}
  action      = \"execute\"
  action_parameters = {{
    id = \"{MANAGED}\"
  }}
}}"
    );
    ruleset("managed", "http_request_firewall_managed", &rule)
}

fn rate(public: &str, requests: u32) -> Block {
    let expression = literal(public);
    let rule = format!(
        "{{
  ref         = \"rate\"
  description = \"Floods from one address\"
  expression  = {expression}
  action      = \"block\"
  ratelimit = {{
    characteristics     = [\"cf.colo.id\", \"ip.src\"]
    period              = 10
    requests_per_period = {requests}
    mitigation_timeout  = 10
  }}
}}"
    );
    ruleset("rate", "http_ratelimit", &rule)
}
