# Written by `cargo infra write` from he2.toml: change that, then write again.

# for all of he2.toml [service.*]: the cluster
resource "aws_ecs_cluster" "main" {
  name = local.name

  # Container Insights counts running tasks, which scaling and alarms need.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "main" {
  cluster_name       = aws_ecs_cluster.main.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
    base              = 1
  }
}

# from he2.toml [service.frontend]: its container, its task, its service
locals {
  frontend_environment = {
    BACKEND_URL        = "${var.public_url}/api"
    HOSTNAME           = "0.0.0.0"
    KEEP_ALIVE_TIMEOUT = "1800000"
    NODE_ENV           = "production"
    PORT               = "3000"
  }
  frontend_secrets = {
    EDGE_CONFIG          = aws_secretsmanager_secret.app["EDGE_CONFIG"].arn
    KORTIX_ADMIN_API_KEY = aws_secretsmanager_secret.app["KORTIX_ADMIN_API_KEY"].arn
    OPENAI_API_KEY       = aws_secretsmanager_secret.app["OPENAI_API_KEY"].arn
    ORSHOT_API_KEY       = aws_secretsmanager_secret.app["ORSHOT_API_KEY"].arn
    TAVILY_API_KEY       = aws_secretsmanager_secret.app["TAVILY_API_KEY"].arn
  }
  # The container runs as a plain user and writes only to /tmp. Its image must declare VOLUME /tmp, which hands the
  # directory's permissions on: else the volume is root's alone (https://github.com/aws/containers-roadmap/issues/938).
  # On Fargate 120 s is the longest time to stop in.
  # The health check is slow to judge: who is stopped cuts streams, and the backend ends all running agents with it.
  # It asks with curl or with node, whichever the image has.
  frontend_container = {
    name                   = "frontend"
    image                  = "${module.ecr["frontend"].repository_url}:${var.image_tags["frontend"]}"
    essential              = true
    user                   = "1000:1000"
    readonlyRootFilesystem = true
    linuxParameters = {
      initProcessEnabled = true
      capabilities = {
        drop = [
          "ALL"
        ]
      }
    }
    mountPoints = [
      {
        sourceVolume  = "tmp"
        containerPath = "/tmp"
        readOnly      = false
      }
    ]
    stopTimeout = 120
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.frontend.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "frontend"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
    environment = [for name, value in local.frontend_environment : {
      name  = name
      value = value
    }]
    secrets = [for name, value in local.frontend_secrets : {
      name      = name
      valueFrom = value
    }]
    portMappings = [
      {
        containerPort = 3000
        protocol      = "tcp"
      }
    ]
    healthCheck = {
      command = [
        "CMD-SHELL",
        "curl -fsS -o /dev/null http://127.0.0.1:3000/auth || node -e 'fetch(`http://127.0.0.1:3000/auth`).then(a => process.exit(a.ok ? 0 : 1), () => process.exit(1))'"
      ]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 40
    }
  }
}

resource "aws_ecs_task_definition" "frontend" {
  family                   = "${local.name}-frontend"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.services["frontend"].cpu
  memory                   = var.services["frontend"].memory
  execution_role_arn       = aws_iam_role.frontend_execution.arn
  task_role_arn            = aws_iam_role.frontend_task.arn
  container_definitions    = jsonencode([local.frontend_container])
  # A deployment that fails rolls back to the revision before, which must still be there.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "tmp"
  }
}

resource "aws_ecs_service" "frontend" {
  name                    = "frontend"
  cluster                 = aws_ecs_cluster.main.id
  task_definition         = aws_ecs_task_definition.frontend.arn
  desired_count           = var.services["frontend"].min
  platform_version        = "LATEST"
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true
  # No shell into a container: it would run as root and write where nothing else can.
  enable_execute_command = false
  # Rebalancing stops tasks that are well, and runs and streams with them.
  availability_zone_rebalancing = "DISABLED"
  # The load balancer's word on a task does not count while its server starts.
  health_check_grace_period_seconds = 90
  # New tasks are well before old ones stop; an apply that returns has deployed.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  wait_for_steady_state              = true
  # Lets the capacity providers change without the service being made anew.
  force_new_deployment = true

  network_configuration {
    subnets          = module.vpc.private_subnets
    security_groups  = [aws_security_group.frontend.id]
    assign_public_ip = false
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
    base              = 1
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.services["frontend"].spot ? ["FARGATE_SPOT"] : []

    content {
      capacity_provider = "FARGATE_SPOT"
      weight            = 3
    }
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.frontend.arn
    container_name   = "frontend"
    container_port   = 3000
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    # Scaling owns it after the first apply.
    ignore_changes = [desired_count]

    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.frontend.arn
      error_message = "The deployment of frontend failed and was rolled back."
    }
  }

  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.frontend_execution,
    aws_lb_listener_rule.frontend_1,
    aws_lb_listener_rule.frontend_2,
    aws_lb_listener_rule.frontend_3,
    aws_lb_listener_rule.frontend_4,
    aws_lb_listener_rule.frontend_5,
    aws_lb_listener_rule.frontend_6,
    aws_lb_listener_rule.frontend_7,
    aws_lb_listener_rule.frontend_8,
    aws_lb_listener_rule.frontend_9,
    aws_lb_listener_rule.frontend_10,
    aws_lb_listener_rule.frontend_11,
    aws_vpc_security_group_egress_rule.alb_to_frontend,
    aws_vpc_security_group_ingress_rule.frontend_from_alb,
    aws_vpc_security_group_egress_rule.frontend_internet_443,
    aws_vpc_security_group_egress_rule.frontend_internet_587
  ]
}

# from he2.toml [service.backend]: its container, its task, its service
locals {
  backend_environment = {
    AWS_REGION              = var.region
    AWS_REGION_NAME         = var.region
    DAYTONA_SERVER_URL      = "https://app.daytona.io/api"
    DAYTONA_TARGET          = "us"
    ENV_MODE                = var.environment
    FIRECRAWL_URL           = "https://api.firecrawl.dev"
    LANGFUSE_HOST           = "https://cloud.langfuse.com"
    LOGGING_LEVEL           = "INFO"
    MAX_PARALLEL_AGENT_RUNS = "3"
    MODEL_TO_USE            = "claude-sonnet-4"
    NEXT_PUBLIC_URL         = var.public_url
    PIPEDREAM_ENVIRONMENT   = var.environment
    QSTASH_URL              = "https://qstash.upstash.io"
    REDIS_HOST              = module.redis.endpoint
    REDIS_PORT              = "6379"
    REDIS_SSL               = "true"
    SLACK_REDIRECT_URI      = "${var.public_url}/api/integrations/slack/callback"
    SMTP_HOST               = "live.smtp.mailtrap.io"
    SMTP_PORT               = "587"
    THREADS                 = "2"
    WEBHOOK_BASE_URL        = var.public_url
    WORKERS                 = "2"
    WORKER_CONNECTIONS      = "1000"
  }
  backend_secrets = {
    ANTHROPIC_API_KEY             = aws_secretsmanager_secret.app["ANTHROPIC_API_KEY"].arn
    API_KEY_SECRET                = aws_secretsmanager_secret.app["API_KEY_SECRET"].arn
    CLOUDFLARE_API_TOKEN          = aws_secretsmanager_secret.app["CLOUDFLARE_API_TOKEN"].arn
    COMPOSIO_API_KEY              = aws_secretsmanager_secret.app["COMPOSIO_API_KEY"].arn
    COMPOSIO_WEBHOOK_SECRET       = aws_secretsmanager_secret.app["COMPOSIO_WEBHOOK_SECRET"].arn
    DAYTONA_API_KEY               = aws_secretsmanager_secret.app["DAYTONA_API_KEY"].arn
    ENCRYPTION_KEY                = aws_secretsmanager_secret.app["ENCRYPTION_KEY"].arn
    FIRECRAWL_API_KEY             = aws_secretsmanager_secret.app["FIRECRAWL_API_KEY"].arn
    GEMINI_API_KEY                = aws_secretsmanager_secret.app["GEMINI_API_KEY"].arn
    GOOGLE_CLIENT_ID              = aws_secretsmanager_secret.app["GOOGLE_CLIENT_ID"].arn
    GOOGLE_CLIENT_SECRET          = aws_secretsmanager_secret.app["GOOGLE_CLIENT_SECRET"].arn
    GROQ_API_KEY                  = aws_secretsmanager_secret.app["GROQ_API_KEY"].arn
    KORTIX_ADMIN_API_KEY          = aws_secretsmanager_secret.app["KORTIX_ADMIN_API_KEY"].arn
    LANGFUSE_PUBLIC_KEY           = aws_secretsmanager_secret.app["LANGFUSE_PUBLIC_KEY"].arn
    LANGFUSE_SECRET_KEY           = aws_secretsmanager_secret.app["LANGFUSE_SECRET_KEY"].arn
    MAILTRAP_API_TOKEN            = aws_secretsmanager_secret.app["MAILTRAP_API_TOKEN"].arn
    MCP_CREDENTIAL_ENCRYPTION_KEY = aws_secretsmanager_secret.app["MCP_CREDENTIAL_ENCRYPTION_KEY"].arn
    MOONSHOT_API_KEY              = aws_secretsmanager_secret.app["MOONSHOT_API_KEY"].arn
    MORPH_API_KEY                 = aws_secretsmanager_secret.app["MORPH_API_KEY"].arn
    OPENAI_API_KEY                = aws_secretsmanager_secret.app["OPENAI_API_KEY"].arn
    OPENROUTER_API_KEY            = aws_secretsmanager_secret.app["OPENROUTER_API_KEY"].arn
    PIPEDREAM_CLIENT_ID           = aws_secretsmanager_secret.app["PIPEDREAM_CLIENT_ID"].arn
    PIPEDREAM_CLIENT_SECRET       = aws_secretsmanager_secret.app["PIPEDREAM_CLIENT_SECRET"].arn
    PIPEDREAM_PROJECT_ID          = aws_secretsmanager_secret.app["PIPEDREAM_PROJECT_ID"].arn
    QSTASH_CURRENT_SIGNING_KEY    = aws_secretsmanager_secret.app["QSTASH_CURRENT_SIGNING_KEY"].arn
    QSTASH_NEXT_SIGNING_KEY       = aws_secretsmanager_secret.app["QSTASH_NEXT_SIGNING_KEY"].arn
    QSTASH_TOKEN                  = aws_secretsmanager_secret.app["QSTASH_TOKEN"].arn
    RAPID_API_KEY                 = aws_secretsmanager_secret.app["RAPID_API_KEY"].arn
    REDIS_PASSWORD                = aws_secretsmanager_secret.redis_auth.arn
    SENTRY_DSN                    = aws_secretsmanager_secret.app["SENTRY_DSN"].arn
    SLACK_CLIENT_ID               = aws_secretsmanager_secret.app["SLACK_CLIENT_ID"].arn
    SLACK_CLIENT_SECRET           = aws_secretsmanager_secret.app["SLACK_CLIENT_SECRET"].arn
    SMITHERY_API_KEY              = aws_secretsmanager_secret.app["SMITHERY_API_KEY"].arn
    SMTP_PASS                     = aws_secretsmanager_secret.app["SMTP_PASS"].arn
    SMTP_USER                     = aws_secretsmanager_secret.app["SMTP_USER"].arn
    STRIPE_DEFAULT_PLAN_ID        = aws_secretsmanager_secret.app["STRIPE_DEFAULT_PLAN_ID"].arn
    STRIPE_DEFAULT_TRIAL_DAYS     = aws_secretsmanager_secret.app["STRIPE_DEFAULT_TRIAL_DAYS"].arn
    STRIPE_SECRET_KEY             = aws_secretsmanager_secret.app["STRIPE_SECRET_KEY"].arn
    STRIPE_WEBHOOK_SECRET         = aws_secretsmanager_secret.app["STRIPE_WEBHOOK_SECRET"].arn
    SUPABASE_ANON_KEY             = aws_secretsmanager_secret.app["SUPABASE_ANON_KEY"].arn
    SUPABASE_SERVICE_ROLE_KEY     = aws_secretsmanager_secret.app["SUPABASE_SERVICE_ROLE_KEY"].arn
    SUPABASE_URL                  = aws_secretsmanager_secret.app["SUPABASE_URL"].arn
    TAVILY_API_KEY                = aws_secretsmanager_secret.app["TAVILY_API_KEY"].arn
    TRIGGER_WEBHOOK_SECRET        = aws_secretsmanager_secret.app["TRIGGER_WEBHOOK_SECRET"].arn
    VERTEXAI_CREDENTIALS          = aws_secretsmanager_secret.app["VERTEXAI_CREDENTIALS"].arn
    XAI_API_KEY                   = aws_secretsmanager_secret.app["XAI_API_KEY"].arn
    ZAI_API_KEY                   = aws_secretsmanager_secret.app["ZAI_API_KEY"].arn
    ZHIPU_API_KEY                 = aws_secretsmanager_secret.app["ZHIPU_API_KEY"].arn
  }
  # The container runs as a plain user and writes only to /tmp. Its image must declare VOLUME /tmp, which hands the
  # directory's permissions on: else the volume is root's alone (https://github.com/aws/containers-roadmap/issues/938).
  # On Fargate 120 s is the longest time to stop in.
  # The health check is slow to judge: who is stopped cuts streams, and the backend ends all running agents with it.
  # It asks with curl or with node, whichever the image has.
  backend_container = {
    name                   = "backend"
    image                  = "${module.ecr["backend"].repository_url}:${var.image_tags["backend"]}"
    essential              = true
    user                   = "1000:1000"
    readonlyRootFilesystem = true
    linuxParameters = {
      initProcessEnabled = true
      capabilities = {
        drop = [
          "ALL"
        ]
      }
    }
    mountPoints = [
      {
        sourceVolume  = "tmp"
        containerPath = "/tmp"
        readOnly      = false
      }
    ]
    stopTimeout = 120
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.backend.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "backend"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
    environment = [for name, value in local.backend_environment : {
      name  = name
      value = value
    }]
    secrets = [for name, value in local.backend_secrets : {
      name      = name
      valueFrom = value
    }]
    portMappings = [
      {
        containerPort = 8000
        protocol      = "tcp"
      }
    ]
    healthCheck = {
      command = [
        "CMD-SHELL",
        "curl -fsS -o /dev/null http://127.0.0.1:8000/api/health || node -e 'fetch(`http://127.0.0.1:8000/api/health`).then(a => process.exit(a.ok ? 0 : 1), () => process.exit(1))'"
      ]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 40
    }
  }
}

resource "aws_ecs_task_definition" "backend" {
  family                   = "${local.name}-backend"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.services["backend"].cpu
  memory                   = var.services["backend"].memory
  execution_role_arn       = aws_iam_role.backend_execution.arn
  task_role_arn            = aws_iam_role.backend_task.arn
  container_definitions    = jsonencode([local.backend_container])
  # A deployment that fails rolls back to the revision before, which must still be there.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "tmp"
  }
}

resource "aws_ecs_service" "backend" {
  name                    = "backend"
  cluster                 = aws_ecs_cluster.main.id
  task_definition         = aws_ecs_task_definition.backend.arn
  desired_count           = var.services["backend"].min
  platform_version        = "LATEST"
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true
  # No shell into a container: it would run as root and write where nothing else can.
  enable_execute_command = false
  # Rebalancing stops tasks that are well, and runs and streams with them.
  availability_zone_rebalancing = "DISABLED"
  # The load balancer's word on a task does not count while its server starts.
  health_check_grace_period_seconds = 90
  # New tasks are well before old ones stop; an apply that returns has deployed.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  wait_for_steady_state              = true
  # Lets the capacity providers change without the service being made anew.
  force_new_deployment = true

  network_configuration {
    subnets          = module.vpc.private_subnets
    security_groups  = [aws_security_group.backend.id]
    assign_public_ip = false
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
    base              = 1
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.backend.arn
    container_name   = "backend"
    container_port   = 8000
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    # Scaling owns it after the first apply.
    ignore_changes = [desired_count]

    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.backend.arn
      error_message = "The deployment of backend failed and was rolled back."
    }
  }

  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.backend_execution,
    aws_secretsmanager_secret_version.redis_auth,
    aws_lb_listener_rule.backend_1,
    aws_lb_listener_rule.backend_2,
    aws_lb_listener_rule.backend_3,
    aws_lb_listener_rule.backend_4,
    aws_vpc_security_group_egress_rule.alb_to_backend,
    aws_vpc_security_group_ingress_rule.backend_from_alb,
    aws_vpc_security_group_egress_rule.backend_internet_443,
    aws_vpc_security_group_egress_rule.backend_internet_587,
    aws_vpc_security_group_ingress_rule.redis_from_backend,
    aws_vpc_security_group_egress_rule.backend_to_redis
  ]
}

# from he2.toml [service.workers]: its container, its task, its service
locals {
  workers_environment = {
    AWS_REGION              = var.region
    AWS_REGION_NAME         = var.region
    DAYTONA_SERVER_URL      = "https://app.daytona.io/api"
    DAYTONA_TARGET          = "us"
    ENV_MODE                = var.environment
    FIRECRAWL_URL           = "https://api.firecrawl.dev"
    LANGFUSE_HOST           = "https://cloud.langfuse.com"
    LOGGING_LEVEL           = "INFO"
    MAX_PARALLEL_AGENT_RUNS = "3"
    MODEL_TO_USE            = "claude-sonnet-4"
    NEXT_PUBLIC_URL         = var.public_url
    PIPEDREAM_ENVIRONMENT   = var.environment
    QSTASH_URL              = "https://qstash.upstash.io"
    REDIS_HOST              = module.redis.endpoint
    REDIS_PORT              = "6379"
    REDIS_SSL               = "true"
    SLACK_REDIRECT_URI      = "${var.public_url}/api/integrations/slack/callback"
    SMTP_HOST               = "live.smtp.mailtrap.io"
    SMTP_PORT               = "587"
    WEBHOOK_BASE_URL        = var.public_url
  }
  workers_secrets = {
    ANTHROPIC_API_KEY             = aws_secretsmanager_secret.app["ANTHROPIC_API_KEY"].arn
    API_KEY_SECRET                = aws_secretsmanager_secret.app["API_KEY_SECRET"].arn
    CLOUDFLARE_API_TOKEN          = aws_secretsmanager_secret.app["CLOUDFLARE_API_TOKEN"].arn
    COMPOSIO_API_KEY              = aws_secretsmanager_secret.app["COMPOSIO_API_KEY"].arn
    COMPOSIO_WEBHOOK_SECRET       = aws_secretsmanager_secret.app["COMPOSIO_WEBHOOK_SECRET"].arn
    DAYTONA_API_KEY               = aws_secretsmanager_secret.app["DAYTONA_API_KEY"].arn
    ENCRYPTION_KEY                = aws_secretsmanager_secret.app["ENCRYPTION_KEY"].arn
    FIRECRAWL_API_KEY             = aws_secretsmanager_secret.app["FIRECRAWL_API_KEY"].arn
    GEMINI_API_KEY                = aws_secretsmanager_secret.app["GEMINI_API_KEY"].arn
    GOOGLE_CLIENT_ID              = aws_secretsmanager_secret.app["GOOGLE_CLIENT_ID"].arn
    GOOGLE_CLIENT_SECRET          = aws_secretsmanager_secret.app["GOOGLE_CLIENT_SECRET"].arn
    GROQ_API_KEY                  = aws_secretsmanager_secret.app["GROQ_API_KEY"].arn
    KORTIX_ADMIN_API_KEY          = aws_secretsmanager_secret.app["KORTIX_ADMIN_API_KEY"].arn
    LANGFUSE_PUBLIC_KEY           = aws_secretsmanager_secret.app["LANGFUSE_PUBLIC_KEY"].arn
    LANGFUSE_SECRET_KEY           = aws_secretsmanager_secret.app["LANGFUSE_SECRET_KEY"].arn
    MAILTRAP_API_TOKEN            = aws_secretsmanager_secret.app["MAILTRAP_API_TOKEN"].arn
    MCP_CREDENTIAL_ENCRYPTION_KEY = aws_secretsmanager_secret.app["MCP_CREDENTIAL_ENCRYPTION_KEY"].arn
    MOONSHOT_API_KEY              = aws_secretsmanager_secret.app["MOONSHOT_API_KEY"].arn
    MORPH_API_KEY                 = aws_secretsmanager_secret.app["MORPH_API_KEY"].arn
    OPENAI_API_KEY                = aws_secretsmanager_secret.app["OPENAI_API_KEY"].arn
    OPENROUTER_API_KEY            = aws_secretsmanager_secret.app["OPENROUTER_API_KEY"].arn
    PIPEDREAM_CLIENT_ID           = aws_secretsmanager_secret.app["PIPEDREAM_CLIENT_ID"].arn
    PIPEDREAM_CLIENT_SECRET       = aws_secretsmanager_secret.app["PIPEDREAM_CLIENT_SECRET"].arn
    PIPEDREAM_PROJECT_ID          = aws_secretsmanager_secret.app["PIPEDREAM_PROJECT_ID"].arn
    QSTASH_CURRENT_SIGNING_KEY    = aws_secretsmanager_secret.app["QSTASH_CURRENT_SIGNING_KEY"].arn
    QSTASH_NEXT_SIGNING_KEY       = aws_secretsmanager_secret.app["QSTASH_NEXT_SIGNING_KEY"].arn
    QSTASH_TOKEN                  = aws_secretsmanager_secret.app["QSTASH_TOKEN"].arn
    RAPID_API_KEY                 = aws_secretsmanager_secret.app["RAPID_API_KEY"].arn
    REDIS_PASSWORD                = aws_secretsmanager_secret.redis_auth.arn
    SENTRY_DSN                    = aws_secretsmanager_secret.app["SENTRY_DSN"].arn
    SLACK_CLIENT_ID               = aws_secretsmanager_secret.app["SLACK_CLIENT_ID"].arn
    SLACK_CLIENT_SECRET           = aws_secretsmanager_secret.app["SLACK_CLIENT_SECRET"].arn
    SMITHERY_API_KEY              = aws_secretsmanager_secret.app["SMITHERY_API_KEY"].arn
    SMTP_PASS                     = aws_secretsmanager_secret.app["SMTP_PASS"].arn
    SMTP_USER                     = aws_secretsmanager_secret.app["SMTP_USER"].arn
    STRIPE_SECRET_KEY             = aws_secretsmanager_secret.app["STRIPE_SECRET_KEY"].arn
    SUPABASE_ANON_KEY             = aws_secretsmanager_secret.app["SUPABASE_ANON_KEY"].arn
    SUPABASE_SERVICE_ROLE_KEY     = aws_secretsmanager_secret.app["SUPABASE_SERVICE_ROLE_KEY"].arn
    SUPABASE_URL                  = aws_secretsmanager_secret.app["SUPABASE_URL"].arn
    TAVILY_API_KEY                = aws_secretsmanager_secret.app["TAVILY_API_KEY"].arn
    TRIGGER_WEBHOOK_SECRET        = aws_secretsmanager_secret.app["TRIGGER_WEBHOOK_SECRET"].arn
    VERTEXAI_CREDENTIALS          = aws_secretsmanager_secret.app["VERTEXAI_CREDENTIALS"].arn
    XAI_API_KEY                   = aws_secretsmanager_secret.app["XAI_API_KEY"].arn
    ZAI_API_KEY                   = aws_secretsmanager_secret.app["ZAI_API_KEY"].arn
    ZHIPU_API_KEY                 = aws_secretsmanager_secret.app["ZHIPU_API_KEY"].arn
  }
  # The container runs as a plain user and writes only to /tmp. Its image must declare VOLUME /tmp, which hands the
  # directory's permissions on: else the volume is root's alone (https://github.com/aws/containers-roadmap/issues/938).
  # On Fargate 120 s is the longest time to stop in.
  # No health check: the app's own for workers puts a job into the queue and waits 20 s for it. With all threads busy
  # it fails, and ECS would stop tasks in the middle of their work. A worker that dies ends its task, which is enough.
  workers_container = {
    name                   = "workers"
    image                  = "${module.ecr["workers"].repository_url}:${var.image_tags["workers"]}"
    essential              = true
    user                   = "1000:1000"
    readonlyRootFilesystem = true
    linuxParameters = {
      initProcessEnabled = true
      capabilities = {
        drop = [
          "ALL"
        ]
      }
    }
    mountPoints = [
      {
        sourceVolume  = "tmp"
        containerPath = "/tmp"
        readOnly      = false
      }
    ]
    stopTimeout = 120
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.workers.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "workers"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
    environment = [for name, value in local.workers_environment : {
      name  = name
      value = value
    }]
    secrets = [for name, value in local.workers_secrets : {
      name      = name
      valueFrom = value
    }]
  }
}

resource "aws_ecs_task_definition" "workers" {
  family                   = "${local.name}-workers"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.services["workers"].cpu
  memory                   = var.services["workers"].memory
  execution_role_arn       = aws_iam_role.workers_execution.arn
  task_role_arn            = aws_iam_role.workers_task.arn
  container_definitions    = jsonencode([local.workers_container])
  # A deployment that fails rolls back to the revision before, which must still be there.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  volume {
    name = "tmp"
  }
}

resource "aws_ecs_service" "workers" {
  name                    = "workers"
  cluster                 = aws_ecs_cluster.main.id
  task_definition         = aws_ecs_task_definition.workers.arn
  desired_count           = var.services["workers"].min
  platform_version        = "LATEST"
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true
  # No shell into a container: it would run as root and write where nothing else can.
  enable_execute_command = false
  # Rebalancing stops tasks that are well, and runs and streams with them.
  availability_zone_rebalancing = "DISABLED"
  # New tasks are well before old ones stop; an apply that returns has deployed.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  wait_for_steady_state              = true
  # Lets the capacity providers change without the service being made anew.
  force_new_deployment = true

  network_configuration {
    subnets          = module.vpc.private_subnets
    security_groups  = [aws_security_group.workers.id]
    assign_public_ip = false
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
    base              = 1
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  timeouts {
    create = "60m"
    update = "60m"
  }

  lifecycle {
    # Scaling owns it after the first apply.
    ignore_changes = [desired_count]

    postcondition {
      condition     = self.task_definition == aws_ecs_task_definition.workers.arn
      error_message = "The deployment of workers failed and was rolled back."
    }
  }

  depends_on = [
    aws_ecs_cluster_capacity_providers.main,
    aws_iam_role_policy.workers_execution,
    aws_iam_role_policy.workers_task,
    aws_secretsmanager_secret_version.redis_auth,
    aws_vpc_security_group_egress_rule.workers_internet_443,
    aws_vpc_security_group_egress_rule.workers_internet_587,
    aws_vpc_security_group_ingress_rule.redis_from_workers,
    aws_vpc_security_group_egress_rule.workers_to_redis
  ]
}
