//! Where the load balancer writes its logs, and for how long they stay.

use he2_config::Config;

use crate::tf::{Block, Section, block, data, resource};

const ID: &str = "aws_s3_bucket.lb_logs.id";

pub(super) fn section(config: &Config) -> Section {
    let blocks = vec![
        bucket(),
        public_access(),
        encryption(),
        versioning(),
        lifecycle(config.infra().retention_days),
        policy_document(),
        policy(),
    ];
    Section::new("from he2.toml [infra] retention_days: the load balancer's logs", blocks)
}

fn bucket() -> Block {
    resource("aws_s3_bucket", "lb_logs")
        .skip("CKV_AWS_18", "this is where logs end; logging its own access would never stop")
        .skip("CKV_AWS_144", "logs are kept in one region, as everything is")
        .skip("CKV_AWS_145", "the load balancer writes only with keys of S3 itself")
        .skip("CKV2_AWS_62", "nothing acts on a new log file")
        .expr("bucket_prefix", "\"${local.name}-lb-logs-\"")
        .expr("force_destroy", "!var.deletion_protection")
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

/// Who deletes a log by mistake, or to hide something, has not deleted it.
fn versioning() -> Block {
    of("aws_s3_bucket_versioning").nest(block("versioning_configuration").text("status", "Enabled"))
}

fn lifecycle(days: u32) -> Block {
    let rule = block("rule")
        .text("id", "retention")
        .text("status", "Enabled")
        .nest(block("filter"))
        .nest(block("expiration").number("days", days))
        .nest(block("noncurrent_version_expiration").number("noncurrent_days", 30_u64))
        .nest(block("abort_incomplete_multipart_upload").number("days_after_initiation", 1_u64));
    of("aws_s3_bucket_lifecycle_configuration").nest(rule)
}

fn policy() -> Block {
    of("aws_s3_bucket_policy")
        .expr("policy", "data.aws_iam_policy_document.lb_logs.json")
        .note("The public access block must not be put in place while a policy is being changed.")
        .exprs("depends_on", ["aws_s3_bucket_public_access_block.lb_logs"])
}

fn policy_document() -> Block {
    data("aws_iam_policy_document", "lb_logs").nest(write()).nest(tls_only())
}

fn write() -> Block {
    let account = "data.aws_caller_identity.current.account_id";
    block("statement")
        .text("sid", "LoadBalancerWrites")
        .texts("actions", ["s3:PutObject"])
        .expr("resources", &format!("[\"${{aws_s3_bucket.lb_logs.arn}}/*/AWSLogs/${{{account}}}/*\"]"))
        .nest(
            block("principals")
                .text("type", "Service")
                .texts("identifiers", ["logdelivery.elasticloadbalancing.amazonaws.com"]),
        )
}

fn tls_only() -> Block {
    block("statement")
        .text("sid", "OnlyByTls")
        .text("effect", "Deny")
        .texts("actions", ["s3:*"])
        .expr("resources", "[aws_s3_bucket.lb_logs.arn, \"${aws_s3_bucket.lb_logs.arn}/*\"]")
        .nest(block("principals").text("type", "*").texts("identifiers", ["*"]))
        .nest(
            block("condition")
                .text("test", "Bool")
                .text("variable", "aws:SecureTransport")
                .texts("values", ["false"]),
        )
}

fn of(kind: &str) -> Block {
    resource(kind, "lb_logs").expr("bucket", ID)
}
