# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [environment.*] alarm_email: whom alarms reach, once the address has confirmed
resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = aws_kms_key.main.arn
}

resource "aws_sns_topic_subscription" "email" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsOfThisAccount"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values = [
        "arn:aws:cloudwatch:${var.region}:${data.aws_caller_identity.current.account_id}:alarm:*",
        "arn:aws:budgets::${data.aws_caller_identity.current.account_id}:*"
      ]
    }
  }

  statement {
    sid       = "TasksThatStopped"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.stopped.arn]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

# from he2.toml [service.*] with a port: requests, one alarm of each kind per target group
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each            = local.serving
  alarm_name          = "${local.name}-${each.key}-5xx"
  alarm_description   = "More than 5 % of the service's own answers are 5xx: see its log."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  datapoints_to_alarm = 3
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id = "errors"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HTTPCode_Target_5XX_Count"
      dimensions = {
        LoadBalancer = aws_lb.main.arn_suffix
        TargetGroup  = each.value.target_group
      }
      stat   = "Sum"
      period = 60
    }
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      dimensions = {
        LoadBalancer = aws_lb.main.arn_suffix
        TargetGroup  = each.value.target_group
      }
      stat   = "Sum"
      period = 60
    }
  }

  metric_query {
    id          = "result"
    label       = "5xx in %"
    expression  = "IF(errors > 5, 100 * errors / requests, 0)"
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  for_each            = local.serving
  alarm_name          = "${local.name}-${each.key}-latency"
  alarm_description   = "One request in ten waits longer than 5 s for the service to begin its answer."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  datapoints_to_alarm = 10
  evaluation_periods  = 15
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  dimensions = {
    LoadBalancer = aws_lb.main.arn_suffix
    TargetGroup  = each.value.target_group
  }
  extended_statistic                    = "p90"
  period                                = 60
  evaluate_low_sample_count_percentiles = "ignore"
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each            = local.serving
  alarm_name          = "${local.name}-${each.key}-unhealthy"
  alarm_description   = "A task fails the load balancer's health check for 5 minutes, and ECS has not replaced it."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  datapoints_to_alarm = 5
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  dimensions = {
    LoadBalancer = aws_lb.main.arn_suffix
    TargetGroup  = each.value.target_group
  }
  statistic = "Maximum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "unanswered" {
  alarm_name          = "${local.name}-unanswered"
  alarm_description   = "The load balancer itself answers 5xx: no healthy task, or tasks that close connections."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10
  datapoints_to_alarm = 3
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_ELB_5XX_Count"
  dimensions = {
    LoadBalancer = aws_lb.main.arn_suffix
  }
  statistic = "Sum"
  period    = 60
}

# from he2.toml [service.*]: tasks, one alarm of each kind per service
resource "aws_cloudwatch_metric_alarm" "cpu" {
  for_each            = var.services
  alarm_name          = "${local.name}-${each.key}-cpu"
  alarm_description   = "CPU above 85 % for 15 minutes: scaling is at its bound, or does not help."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  datapoints_to_alarm = 15
  evaluation_periods  = 15
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions = {
    ClusterName = aws_ecs_cluster.main.name
    ServiceName = each.key
  }
  statistic = "Average"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  for_each            = var.services
  alarm_name          = "${local.name}-${each.key}-memory"
  alarm_description   = "A task uses more than 85 % of its memory; at 100 % it is killed with all it does."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  datapoints_to_alarm = 5
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ECS"
  metric_name         = "MemoryUtilization"
  dimensions = {
    ClusterName = aws_ecs_cluster.main.name
    ServiceName = each.key
  }
  statistic = "Maximum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "missing" {
  for_each            = var.services
  alarm_name          = "${local.name}-${each.key}-missing"
  alarm_description   = "Fewer tasks run than should: they stop, or do not start. See the service's events in ECS."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  datapoints_to_alarm = 5
  evaluation_periods  = 15
  treat_missing_data  = "missing"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id = "desired"

    metric {
      namespace   = "ECS/ContainerInsights"
      metric_name = "DesiredTaskCount"
      dimensions = {
        ClusterName = aws_ecs_cluster.main.name
        ServiceName = each.key
      }
      stat   = "Maximum"
      period = 60
    }
  }

  metric_query {
    id = "running"

    metric {
      namespace   = "ECS/ContainerInsights"
      metric_name = "RunningTaskCount"
      dimensions = {
        ClusterName = aws_ecs_cluster.main.name
        ServiceName = each.key
      }
      stat   = "Minimum"
      period = 60
    }
  }

  metric_query {
    id          = "result"
    label       = "Tasks missing"
    expression  = "desired - running"
    return_data = true
  }
}

# from he2.toml [service.*]: tasks whose container exits or does not start, each as it happens
locals {
  stopped = {
    source = [
      "aws.ecs"
    ]
    detail-type = [
      "ECS Task State Change"
    ]
    detail = {
      clusterArn = [
        aws_ecs_cluster.main.arn
      ]
      lastStatus = [
        "STOPPED"
      ]
      stopCode = [
        "EssentialContainerExited",
        "TaskFailedToStart"
      ]
    }
  }
}

resource "aws_cloudwatch_event_rule" "stopped" {
  name          = "${local.name}-stopped"
  description   = "A task's container exited, or the task did not start"
  event_pattern = jsonencode(local.stopped)
}

resource "aws_cloudwatch_event_target" "stopped" {
  rule = aws_cloudwatch_event_rule.stopped.name
  arn  = aws_sns_topic.alarms.arn

  input_transformer {
    input_paths = {
      cluster = "$.detail.clusterArn"
      code    = "$.detail.stopCode"
      group   = "$.detail.group"
      task    = "$.detail.taskArn"
      time    = "$.time"
    }
    input_template = "\"<code> at <time> in <group>: see the service's log, and for the reason `aws ecs describe-tasks --cluster <cluster> --tasks <task>`.\""
  }

  # Who may publish is said first: a mail that is refused is lost.
  depends_on = [aws_sns_topic_policy.alarms]
}

# from he2.toml [infra.redis]: one alarm of each kind per node
locals {
  redis_nodes = toset(["001", "002", "003"])
}

resource "aws_cloudwatch_metric_alarm" "redis_memory" {
  for_each            = local.redis_nodes
  alarm_name          = "${local.name}-redis-${each.key}-memory"
  alarm_description   = "Redis is three quarters full; when it is full it refuses new jobs. Take a larger node."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 75
  datapoints_to_alarm = 5
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ElastiCache"
  metric_name         = "DatabaseMemoryUsagePercentage"
  dimensions = {
    CacheClusterId = "${module.redis.id}-${each.key}"
  }
  statistic = "Maximum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "redis_evictions" {
  for_each            = local.redis_nodes
  alarm_name          = "${local.name}-redis-${each.key}-evictions"
  alarm_description   = "Redis evicts keys, jobs among them: its maxmemory-policy is not noeviction any more."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  datapoints_to_alarm = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ElastiCache"
  metric_name         = "Evictions"
  dimensions = {
    CacheClusterId = "${module.redis.id}-${each.key}"
  }
  statistic = "Sum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "redis_cpu" {
  for_each            = local.redis_nodes
  alarm_name          = "${local.name}-redis-${each.key}-cpu"
  alarm_description   = "The one thread of Redis that runs commands is busy for more than 80 %: see its slow log."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  datapoints_to_alarm = 10
  evaluation_periods  = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ElastiCache"
  metric_name         = "EngineCPUUtilization"
  dimensions = {
    CacheClusterId = "${module.redis.id}-${each.key}"
  }
  statistic = "Maximum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "redis_lag" {
  for_each            = local.redis_nodes
  alarm_name          = "${local.name}-redis-${each.key}-lag"
  alarm_description   = "A replica is more than 5 s behind: what was written since is lost in a failover."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  datapoints_to_alarm = 5
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/ElastiCache"
  metric_name         = "ReplicationLag"
  dimensions = {
    CacheClusterId = "${module.redis.id}-${each.key}"
  }
  statistic = "Maximum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "redis_failover" {
  for_each            = local.redis_nodes
  alarm_name          = "${local.name}-redis-${each.key}-failover"
  alarm_description   = "A node of Redis became primary, or ceased to be: clients reconnect, the last writes may be lost."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  datapoints_to_alarm = 1
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id = "primary"

    metric {
      namespace   = "AWS/ElastiCache"
      metric_name = "IsMaster"
      dimensions = {
        CacheClusterId = "${module.redis.id}-${each.key}"
      }
      stat   = "Maximum"
      period = 60
    }
  }

  metric_query {
    id          = "result"
    label       = "Role changed"
    expression  = "ABS(DIFF(primary))"
    return_data = true
  }
}

# from he2.toml [service.*] without a port: the queue that they work off
resource "aws_cloudwatch_metric_alarm" "queue_depth" {
  alarm_name          = "${local.name}-queue-depth"
  alarm_description   = "More jobs wait than all workers could take at once, or the queue is not measured any more."
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.services["workers"].max * 16
  datapoints_to_alarm = 10
  evaluation_periods  = 10
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = local.queue_namespace
  metric_name         = "Waiting"
  dimensions = {
    Queue = "default"
  }
  statistic = "Maximum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  alarm_name          = "${local.name}-queue-age"
  alarm_description   = "The next job waits for more than 5 minutes: workers are too few, or they hang."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 300
  datapoints_to_alarm = 5
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = local.queue_namespace
  metric_name         = "OldestAge"
  dimensions = {
    Queue = "default"
  }
  statistic = "Maximum"
  period    = 60
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${local.name}-dead-letters"
  alarm_description   = "Workers gave up on a job: it is a dead letter in Redis, kept for 7 days."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  datapoints_to_alarm = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id = "dead"

    metric {
      namespace   = local.queue_namespace
      metric_name = "Dead"
      dimensions = {
        Queue = "default"
      }
      stat   = "Maximum"
      period = 60
    }
  }

  metric_query {
    id          = "result"
    label       = "New dead letters"
    expression  = "DIFF(dead)"
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "publisher_errors" {
  alarm_name          = "${local.name}-queue-depth-errors"
  alarm_description   = "The queue cannot be measured, so workers are not scaled: see the log of queue-depth."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  datapoints_to_alarm = 3
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions = {
    FunctionName = aws_lambda_function.queue_depth.function_name
  }
  statistic = "Sum"
  period    = 60
}

# for all of he2.toml: one dashboard, two graphs a row, from requests to jobs
locals {
  line_per_target = [for name, service in local.serving : {
    label = name
    dimensions = [
      "LoadBalancer",
      aws_lb.main.arn_suffix,
      "TargetGroup",
      service.target_group
    ]
  }]
  line_per_service = [for name in keys(var.services) : {
    label = name
    dimensions = [
      "ClusterName",
      aws_ecs_cluster.main.name,
      "ServiceName",
      name
    ]
  }]
  line_per_node = [for number in local.redis_nodes : {
    label = number
    dimensions = [
      "CacheClusterId",
      "${module.redis.id}-${number}"
    ]
  }]
  line_of_queue = [
    {
      label = "default"
      dimensions = [
        "Queue",
        "default"
      ]
    }
  ]
}

locals {
  graphs = [
    {
      title     = "Requests per minute"
      stat      = "Sum"
      namespace = "AWS/ApplicationELB"
      metrics = [
        "RequestCount"
      ]
      lines = local.line_per_target
    },
    {
      title     = "Answers 5xx"
      stat      = "Sum"
      namespace = "AWS/ApplicationELB"
      metrics = [
        "HTTPCode_Target_5XX_Count"
      ]
      lines = local.line_per_target
    },
    {
      title     = "Seconds to the first byte"
      stat      = "p90"
      namespace = "AWS/ApplicationELB"
      metrics = [
        "TargetResponseTime"
      ]
      lines = local.line_per_target
    },
    {
      title     = "Tasks"
      stat      = "Average"
      namespace = "ECS/ContainerInsights"
      metrics = [
        "DesiredTaskCount",
        "RunningTaskCount"
      ]
      lines = local.line_per_service
    },
    {
      title     = "CPU in %"
      stat      = "Average"
      namespace = "AWS/ECS"
      metrics = [
        "CPUUtilization"
      ]
      lines = local.line_per_service
    },
    {
      title     = "Memory in %"
      stat      = "Maximum"
      namespace = "AWS/ECS"
      metrics = [
        "MemoryUtilization"
      ]
      lines = local.line_per_service
    },
    {
      title     = "Jobs"
      stat      = "Maximum"
      namespace = local.queue_namespace
      metrics = [
        "Waiting",
        "InFlight",
        "Delayed",
        "Dead"
      ]
      lines = local.line_of_queue
    },
    {
      title     = "Seconds that the next job waits"
      stat      = "Maximum"
      namespace = local.queue_namespace
      metrics = [
        "OldestAge"
      ]
      lines = local.line_of_queue
    },
    {
      title     = "Memory of Redis in %"
      stat      = "Maximum"
      namespace = "AWS/ElastiCache"
      metrics = [
        "DatabaseMemoryUsagePercentage"
      ]
      lines = local.line_per_node
    },
    {
      title     = "Seconds that replicas are behind"
      stat      = "Maximum"
      namespace = "AWS/ElastiCache"
      metrics = [
        "ReplicationLag"
      ]
      lines = local.line_per_node
    }
  ]
  dashboard = {
    widgets = [for place, graph in local.graphs : {
      type   = "metric"
      x      = place % 2 * 12
      y      = floor(place / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = graph.title
        region  = var.region
        view    = "timeSeries"
        period  = 60
        stat    = graph.stat
        metrics = [for line in setproduct(graph.metrics, graph.lines) : flatten([graph.namespace, line[0], line[1].dimensions, { label = "${line[1].label} ${line[0]}" }])]
      }
    }]
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.name
  dashboard_body = jsonencode(local.dashboard)
}

# from he2.toml [environment.*] budget_usd: monthly costs
resource "aws_budgets_budget" "monthly" {
  name        = "${local.name}-monthly"
  budget_type = "COST"
  # Of the whole account: a filter by tag counts nothing until the tag is activated for billing.
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  notification {
    notification_type         = "ACTUAL"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 80
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }

  notification {
    notification_type         = "FORECASTED"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }
}
