# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [infra.redis]: one primary, which all clients use, and its replicas
module "redis" {
  source         = "cloudposse/elasticache-redis/aws"
  version        = "1.10.0"
  name           = local.name
  description    = "Broker of the workers, cache of the app"
  engine_version = "7.1"
  family         = "redis7"
  instance_type  = var.redis_node_type
  # A broker may lose nothing: when it is full it refuses, and does not evict jobs that wait.
  parameter = [
    {
      name  = "maxmemory-policy"
      value = "noeviction"
    }
  ]
  # Dramatiq's scripts use keys that they do not declare, which more than one shard refuses.
  cluster_mode_enabled          = false
  cluster_size                  = 3
  multi_az_enabled              = true
  automatic_failover_enabled    = true
  vpc_id                        = module.vpc.vpc_id
  elasticache_subnet_group_name = module.vpc.elasticache_subnet_group_name
  port                          = 6379
  create_security_group         = false
  associated_security_group_ids = [aws_security_group.redis.id]
  at_rest_encryption_enabled    = true
  kms_key_id                    = aws_kms_key.main.arn
  transit_encryption_enabled    = true
  transit_encryption_mode       = "required"
  auth_token                    = random_password.redis_auth.result
  auth_token_update_strategy    = "ROTATE"
  # Hours of UTC in which few work; nodes are patched one by one, replicas first.
  snapshot_window            = "06:30-07:30"
  snapshot_retention_limit   = 7
  final_snapshot_identifier  = var.deletion_protection ? "${local.name}-final" : null
  maintenance_window         = "tue:08:00-tue:09:00"
  auto_minor_version_upgrade = true
  # Not in the maintenance window: clients would have a new password before Redis does.
  apply_immediately = true
  log_delivery_configuration = [
    {
      destination      = aws_cloudwatch_log_group.redis_slow.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
      log_type         = "slow-log"
    }
  ]
}

resource "aws_cloudwatch_log_group" "redis_slow" {
  name              = "/aws/vendedlogs/${local.name}/redis-slow"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}

# from he2.toml [settings.*] REDIS_PASSWORD: what clients show Redis
# To change it: terraform apply -replace=random_password.redis_auth
# then start the services anew. The value before stays valid until the next change, so that nobody is cut off, and
# stays the secret's current one until the new one is put: AWS never takes that label from the last version.
# It is in the state, because the module takes it as an ordinary argument: who reads the state may use Redis.
resource "random_password" "redis_auth" {
  # Letters and digits: it is part of URLs, and Redis takes few other signs.
  length  = 64
  special = false
}

resource "aws_secretsmanager_secret" "redis_auth" {
  # checkov:skip=CKV2_AWS_57: it changes together with Redis, by the command above, not by a rotation function
  name                    = "${local.name}/REDIS_PASSWORD"
  kms_key_id              = aws_kms_key.main.arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "redis_auth" {
  secret_id                = aws_secretsmanager_secret.redis_auth.id
  secret_string_wo         = random_password.redis_auth.result
  secret_string_wo_version = 1

  lifecycle {
    # Not made before it is destroyed: module.redis, on which it depends, would have to be so too, and two
    # groups cannot have one name.
    replace_triggered_by = [random_password.redis_auth]
  }

  # Redis knows it before clients read it.
  depends_on = [module.redis]
}
