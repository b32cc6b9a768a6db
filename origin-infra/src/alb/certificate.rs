//! The load balancer's certificate, for its own host name only.
//!
//! Certificates are public: one with a public host's name would lead past the edge to the load balancer.

use he2_config::Config;

use crate::tf::{Block, Section, block, resource};

pub(super) fn section(config: &Config) -> Section {
    let managed = config.infra().cloudflare.is_some();
    Section::new(
        "from he2.toml [environment.*] origin: the certificate that Cloudflare checks",
        vec![certificate(), validation(managed)],
    )
}

fn certificate() -> Block {
    resource("aws_acm_certificate", "main")
        .expr("domain_name", "var.origin")
        .text("validation_method", "DNS")
        .nest(block("lifecycle").flag("create_before_destroy", true))
}

/// Waits until the certificate is there. A zone that is managed by hand gets the records by hand meanwhile.
fn validation(managed: bool) -> Block {
    let validation = resource("aws_acm_certificate_validation", "main")
        .expr("certificate_arn", "aws_acm_certificate.main.arn");
    match managed {
        true => validation.expr(
            "validation_record_fqdns",
            "[for record in cloudflare_dns_record.certificate : record.name]",
        ),
        false => validation,
    }
}
