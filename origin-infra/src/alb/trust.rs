//! Mutual TLS: the edge shows a certificate of our own, the load balancer checks it (authenticated origin pulls).
//!
//! Cloudflare's common certificate would prove only that some zone asks; so the zone has one of its own.

use he2_config::Config;

use crate::tf::{Block, Section, block, resource, variable};

pub(super) fn section() -> Section {
    let blocks = vec![bucket(), public_access(), encryption(), versioning(), bundle(), store()];
    Section::new("from he2.toml [infra.load_balancer] mutual_tls: whose certificates are accepted", blocks)
}

pub(super) fn authentication() -> Block {
    block("mutual_authentication")
        .text("mode", "verify")
        .expr("trust_store_arn", "aws_lb_trust_store.edge.arn")
}

/// Only the environment that has the zone's settings gives the zone its certificate.
pub(super) fn variables(config: &Config) -> Vec<Block> {
    let authority = text("edge_ca", "PEM of the authority that signs the edge's client certificate");
    let certificate =
        text("edge_certificate", "PEM of the edge's client certificate, where `zone_settings` is true")
            .expr("default", "null");
    let key = text("edge_certificate_key", "PEM of its private key")
        .expr("default", "null")
        .flag("sensitive", true);
    match config.infra().cloudflare {
        Some(_) => vec![authority, certificate, key],
        None => vec![authority],
    }
}

fn text(name: &str, description: &str) -> Block {
    variable(name).expr("type", "string").text("description", description)
}

fn bucket() -> Block {
    resource("aws_s3_bucket", "trust")
        .skip("CKV_AWS_18", "one public certificate, read once by the load balancer")
        .skip("CKV_AWS_144", "one public certificate, which Terraform can write again")
        .skip("CKV_AWS_145", "a public certificate is no secret")
        .skip("CKV2_AWS_61", "one object that stays")
        .skip("CKV2_AWS_62", "nothing acts on a new certificate")
        .expr("bucket_prefix", "\"${local.name}-trust-\"")
        .flag("force_destroy", true)
}

fn public_access() -> Block {
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
        .iter()
        .fold(of("aws_s3_bucket_public_access_block"), |block, name| block.flag(name, true))
}

fn encryption() -> Block {
    let default = block("apply_server_side_encryption_by_default").text("sse_algorithm", "AES256");
    of("aws_s3_bucket_server_side_encryption_configuration").nest(block("rule").nest(default))
}

fn versioning() -> Block {
    of("aws_s3_bucket_versioning").nest(block("versioning_configuration").text("status", "Enabled"))
}

/// The key holds the content's hash, so that another authority is another object and the trust store reads it.
fn bundle() -> Block {
    resource("aws_s3_object", "trust")
        .expr("bucket", "aws_s3_bucket.trust.id")
        .expr("key", "\"edge-${substr(sha256(var.edge_ca), 0, 16)}.pem\"")
        .expr("content", "var.edge_ca")
        .nest(block("lifecycle").flag("create_before_destroy", true))
}

fn store() -> Block {
    resource("aws_lb_trust_store", "edge")
        .expr("name", "\"${local.name}-edge\"")
        .expr("ca_certificates_bundle_s3_bucket", "aws_s3_bucket.trust.id")
        .expr("ca_certificates_bundle_s3_key", "aws_s3_object.trust.key")
}

fn of(kind: &str) -> Block {
    resource(kind, "trust").expr("bucket", "aws_s3_bucket.trust.id")
}
