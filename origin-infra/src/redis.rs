//! Redis: the workers' broker and the app's cache, one replication group.
//!
//! Decides the engine, what it does when it is full, how it is encrypted, backed up and opened. Leaves out
//! its security group ([`crate::security`]) and its alarms ([`crate::alarms`]).

use he2_config::{Config, Redis};

use crate::redis_users::REDIS_PORT;
use crate::tf::{Block, Section, block, module, resource};

pub(crate) fn sections(config: &Config) -> Vec<Section> {
    let infra = config.infra();
    vec![
        Section::new(
            "from he2.toml [infra.redis]: one primary, which all clients use, and its replicas",
            vec![group(infra.redis), slow_log(infra.retention_days)],
        ),
        Section::new(ROTATION, vec![password(), secret(), secret_version()]),
    ]
}

const ROTATION: &str = "\
from he2.toml [settings.*] REDIS_PASSWORD: what clients show Redis
To change it: terraform apply -replace=random_password.redis_auth
then start the services anew. The value before stays valid until the next change, so that nobody is cut off, and
stays the secret's current one until the new one is put: AWS never takes that label from the last version.
It is in the state, because the module takes it as an ordinary argument: who reads the state may use Redis.";

fn group(redis: Redis) -> Block {
    let group = module("redis")
        .text("source", "cloudposse/elasticache-redis/aws")
        .text("version", "1.10.0")
        .expr("name", "local.name")
        .text("description", "Broker of the workers, cache of the app")
        .text("engine_version", "7.1")
        .text("family", "redis7")
        .expr("instance_type", "var.redis_node_type")
        .note("A broker may lose nothing: when it is full it refuses, and does not evict jobs that wait.")
        .expr("parameter", "[{ name = \"maxmemory-policy\", value = \"noeviction\" }]");
    kept(secured(connected(sized(group, redis))), redis)
}

fn sized(block: Block, redis: Redis) -> Block {
    let block = match redis.shards {
        Some(shards) => block
            .flag("cluster_mode_enabled", true)
            .number("cluster_mode_num_node_groups", shards)
            .number("cluster_mode_replicas_per_node_group", redis.nodes.saturating_sub(1)),
        None => block
            .note("Dramatiq's scripts use keys that they do not declare, which more than one shard refuses.")
            .flag("cluster_mode_enabled", false)
            .number("cluster_size", redis.nodes),
    };
    block.flag("multi_az_enabled", true).flag("automatic_failover_enabled", true)
}

fn connected(block: Block) -> Block {
    block
        .expr("vpc_id", "module.vpc.vpc_id")
        .expr("elasticache_subnet_group_name", "module.vpc.elasticache_subnet_group_name")
        .number("port", REDIS_PORT)
        .flag("create_security_group", false)
        .exprs("associated_security_group_ids", ["aws_security_group.redis.id"])
}

fn secured(block: Block) -> Block {
    block
        .flag("at_rest_encryption_enabled", true)
        .expr("kms_key_id", "aws_kms_key.main.arn")
        .flag("transit_encryption_enabled", true)
        .text("transit_encryption_mode", "required")
        .expr("auth_token", "random_password.redis_auth.result")
        .text("auth_token_update_strategy", "ROTATE")
}

fn kept(block: Block, redis: Redis) -> Block {
    block
        .note("Hours of UTC in which few work; nodes are patched one by one, replicas first.")
        .text("snapshot_window", "06:30-07:30")
        .number("snapshot_retention_limit", redis.snapshot_days)
        .expr("final_snapshot_identifier", "var.deletion_protection ? \"${local.name}-final\" : null")
        .text("maintenance_window", "tue:08:00-tue:09:00")
        .flag("auto_minor_version_upgrade", true)
        .note("Not in the maintenance window: clients would have a new password before Redis does.")
        .flag("apply_immediately", true)
        .expr("log_delivery_configuration", SLOW_LOG)
}

const SLOW_LOG: &str = "[{
  destination      = aws_cloudwatch_log_group.redis_slow.name
  destination_type = \"cloudwatch-logs\"
  log_format       = \"json\"
  log_type         = \"slow-log\"
}]";

/// Under `/aws/vendedlogs/` one resource policy serves all groups; elsewhere each needs an entry, of which an
/// account has room for few.
fn slow_log(retention_days: u32) -> Block {
    resource("aws_cloudwatch_log_group", "redis_slow")
        .expr("name", "\"/aws/vendedlogs/${local.name}/redis-slow\"")
        .number("retention_in_days", retention_days)
        .expr("kms_key_id", "aws_kms_key.main.arn")
}

fn password() -> Block {
    resource("random_password", "redis_auth")
        .note("Letters and digits: it is part of URLs, and Redis takes few other signs.")
        .number("length", 64_u32)
        .flag("special", false)
}

fn secret() -> Block {
    resource("aws_secretsmanager_secret", "redis_auth")
        .skip(
            "CKV2_AWS_57",
            "it changes together with Redis, by the command above, not by a rotation function",
        )
        .expr("name", "\"${local.name}/REDIS_PASSWORD\"")
        .expr("kms_key_id", "aws_kms_key.main.arn")
        .expr("recovery_window_in_days", "var.deletion_protection ? 30 : 0")
}

fn secret_version() -> Block {
    let lifecycle = block("lifecycle")
        .note("Not made before it is destroyed: module.redis, on which it depends, would have to be so too, and two")
        .note("groups cannot have one name.")
        .exprs("replace_triggered_by", ["random_password.redis_auth"]);
    resource("aws_secretsmanager_secret_version", "redis_auth")
        .expr("secret_id", "aws_secretsmanager_secret.redis_auth.id")
        .expr("secret_string_wo", "random_password.redis_auth.result")
        .number("secret_string_wo_version", 1_u32)
        .nest(lifecycle)
        .note("Redis knows it before clients read it.")
        .exprs("depends_on", ["module.redis"])
}
