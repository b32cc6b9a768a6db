# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [service.*]: how many tasks each service may have
resource "aws_appautoscaling_target" "service" {
  for_each           = var.services
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.main.name}/${each.key}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
  depends_on         = [aws_ecs_service.frontend, aws_ecs_service.backend, aws_ecs_service.workers]
}

# from he2.toml [service.*] with a port: tasks follow requests, and CPU where requests are heavy
# Tasks go only when both agree that there are too many.
locals {
  # A service that may not run on Spot loses work with each task that stops: the backend ends
  # all running agents then. So it gives tasks back at most twice an hour.
  serving = {
    frontend = {
      target_group        = aws_lb_target_group.frontend.arn_suffix
      requests_per_minute = 600
      scale_in_cooldown   = 300
    }
    backend = {
      target_group        = aws_lb_target_group.backend.arn_suffix
      requests_per_minute = 600
      scale_in_cooldown   = 1800
    }
  }
}

resource "aws_appautoscaling_policy" "requests" {
  for_each           = local.serving
  name               = "${local.name}-${each.key}-requests"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.service[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.service[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.requests_per_minute
    scale_out_cooldown = 60
    scale_in_cooldown  = each.value.scale_in_cooldown

    predefined_metric_specification {
      predefined_metric_type = "ALBRequestCountPerTarget"
      resource_label         = "${aws_lb.main.arn_suffix}/${each.value.target_group}"
    }
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each           = local.serving
  name               = "${local.name}-${each.key}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.service[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.service[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = each.value.scale_in_cooldown

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# from he2.toml [service.workers]: tasks follow the queue, jobs waiting and running per task
# A task runs 16 jobs at once. Tasks are added, and not taken away.
resource "aws_appautoscaling_policy" "workers" {
  name               = "${local.name}-workers-backlog"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service["workers"].service_namespace
  scalable_dimension = aws_appautoscaling_target.service["workers"].scalable_dimension
  resource_id        = aws_appautoscaling_target.service["workers"].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 12
    scale_out_cooldown = 60
    # A run that is ended is not started again, so no task is taken away; when the queue is empty,
    # `aws ecs update-service --desired-count` lowers their number. This can go once the app protects its tasks
    # ($ECS_AGENT_URI/task-protection/v1/state).
    disable_scale_in = true

    customized_metric_specification {
      metrics {
        id          = "backlog"
        return_data = false

        metric_stat {
          stat = "Maximum"

          metric {
            namespace   = local.queue_namespace
            metric_name = "Backlog"

            dimensions {
              name  = "Queue"
              value = "default"
            }
          }
        }
      }

      metrics {
        id          = "tasks"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.main.name
            }

            dimensions {
              name  = "ServiceName"
              value = "workers"
            }
          }
        }
      }

      metrics {
        id          = "backlog_per_task"
        label       = "Jobs per task"
        expression  = "backlog / IF(tasks > 0, tasks, 1)"
        return_data = true
      }
    }
  }
}

# from origin-infra/lambda/queue_depth.py: publishes the queue's length each minute, zeros too
locals {
  queue_namespace = "${local.name}/queue"
}

data "archive_file" "queue_depth" {
  type        = "zip"
  source_file = "${path.module}/../lambda/queue_depth.py"
  output_path = "${path.module}/.terraform/queue_depth.zip"
}

resource "aws_lambda_function" "queue_depth" {
  # checkov:skip=CKV_AWS_50: one call a minute with one thing to do: its log and its errors say all
  # checkov:skip=CKV_AWS_115: a new account's whole quota is 10 at once, of which none can be reserved
  # checkov:skip=CKV_AWS_116: the next call comes within a minute and is as good: nothing is lost
  # checkov:skip=CKV_AWS_173: its variables are names; the password stays in Secrets Manager
  # checkov:skip=CKV_AWS_272: its code comes from this repository, with the same apply as everything else
  function_name    = "${local.name}-queue-depth"
  description      = "Publishes the length of the workers' queue"
  role             = aws_iam_role.queue_depth.arn
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "queue_depth.handler"
  filename         = data.archive_file.queue_depth.output_path
  source_code_hash = data.archive_file.queue_depth.output_base64sha256
  memory_size      = 256
  # All of its own time limits together.
  timeout = 45

  environment {
    variables = {
      REDIS_HOST            = module.redis.endpoint
      REDIS_PORT            = module.redis.port
      REDIS_AUTH_SECRET_ARN = aws_secretsmanager_secret.redis_auth.arn
      QUEUES                = "default"
      NAMESPACE             = local.queue_namespace
    }
  }

  vpc_config {
    subnet_ids         = module.vpc.private_subnets
    security_group_ids = [aws_security_group.publisher.id]
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.queue_depth.name
  }

  # Without its permissions it gets no network interface, and leaves one behind when it goes; without
  # its group's rules it reaches nobody.
  depends_on = [
    aws_iam_role_policy.queue_depth,
    aws_vpc_security_group_egress_rule.publisher_internet_443,
    aws_vpc_security_group_ingress_rule.redis_from_publisher,
    aws_vpc_security_group_egress_rule.publisher_to_redis
  ]
}

resource "aws_cloudwatch_log_group" "queue_depth" {
  name              = "/lambda/${local.name}-queue-depth"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_lambda_function_event_invoke_config" "queue_depth" {
  function_name = aws_lambda_function.queue_depth.function_name
  # A call that failed is not tried again: the next one is due.
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

# for queue_depth: its clock
resource "aws_cloudwatch_event_rule" "queue_depth" {
  name                = "${local.name}-queue-depth"
  description         = "The queue is measured each minute"
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "queue_depth" {
  rule = aws_cloudwatch_event_rule.queue_depth.name
  arn  = aws_lambda_function.queue_depth.arn
}

resource "aws_lambda_permission" "queue_depth" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.queue_depth.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.queue_depth.arn
}

# for queue_depth: what it may do
data "aws_iam_policy_document" "queue_depth_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "queue_depth" {
  name               = "${local.name}-queue-depth"
  assume_role_policy = data.aws_iam_policy_document.queue_depth_assume.json
}

data "aws_iam_policy_document" "queue_depth" {
  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.queue_depth.arn}:*"]
  }

  statement {
    sid       = "Password"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.redis_auth.arn]
  }

  statement {
    sid       = "PasswordKey"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }

  statement {
    # Metrics are no resources; the namespace is what narrows it.
    sid       = "Metrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [local.queue_namespace]
    }
  }

  statement {
    # Lambda makes and removes the interface: nobody knows its id before.
    sid = "NetworkInterfaces"
    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses"
    ]
    resources = ["arn:aws:ec2:${var.region}:${data.aws_caller_identity.current.account_id}:*/*"]
  }

  statement {
    # AWS has nothing narrower for reading.
    sid       = "NetworkInterfacesRead"
    actions   = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "queue_depth" {
  name   = "main"
  role   = aws_iam_role.queue_depth.id
  policy = data.aws_iam_policy_document.queue_depth.json
}
