# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [service.*] and [infra] retention_days: what the containers print
resource "aws_cloudwatch_log_group" "frontend" {
  name              = "/ecs/${local.name}/frontend"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_cloudwatch_log_group" "backend" {
  name              = "/ecs/${local.name}/backend"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_cloudwatch_log_group" "workers" {
  name              = "/ecs/${local.name}/workers"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}
