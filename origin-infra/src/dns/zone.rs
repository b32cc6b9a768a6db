//! TLS of the zone, towards visitors and towards the load balancer.

use super::once;
use crate::tf::{Block, Section, resource};

/// One year. Other names of the zone decide for themselves, and a browser's preload list is hard to leave.
const HSTS: &str = "{
  strict_transport_security = {
    enabled            = true
    max_age            = 31536000
    include_subdomains = false
    preload            = false
    nosniff            = true
  }
}";

pub(super) fn section() -> Section {
    let blocks = vec![
        setting("ssl", "ssl", "\"strict\""),
        setting("always_use_https", "always_use_https", "\"on\""),
        setting("min_tls_version", "min_tls_version", "\"1.2\""),
        setting("tls_1_3", "tls_1_3", "\"on\""),
        setting("hsts", "security_header", HSTS),
    ];
    Section::new("from he2.toml [cloudflare] manage: TLS, from visitors and to the load balancer", blocks)
}

fn setting(name: &str, id: &str, value: &str) -> Block {
    once(resource("cloudflare_zone_setting", name))
        .expr("zone_id", "var.cloudflare_zone_id")
        .text("setting_id", id)
        .expr("value", value)
}

/// A certificate of the zone's own: Cloudflare's common one would prove only that some zone asks.
pub(super) fn origin_pulls() -> Section {
    let certificate = once(resource("cloudflare_authenticated_origin_pulls_certificate", "edge"))
        .expr("zone_id", "var.cloudflare_zone_id")
        .expr("certificate", "var.edge_certificate")
        .expr("private_key", "var.edge_certificate_key");
    let on = once(resource("cloudflare_authenticated_origin_pulls_settings", "edge"))
        .expr("zone_id", "var.cloudflare_zone_id")
        .flag("enabled", true)
        .exprs("depends_on", ["cloudflare_authenticated_origin_pulls_certificate.edge"]);
    Section::new(
        "from he2.toml [infra.load_balancer] mutual_tls: what the edge shows to the load balancer",
        vec![certificate, on],
    )
}
