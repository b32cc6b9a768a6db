# What the design promises, asked of an environment's plan: with -var-file=production.tfvars, or staging's.
# `module.redis.inputs` is an output of the tests' stub: what the module is given.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_acm_certificate" {
    defaults = {
      domain_validation_options = [{
        domain_name           = "origin.he2.ai"
        resource_record_name  = "_a.origin.he2.ai"
        resource_record_type  = "CNAME"
        resource_record_value = "_b.acm-validations.aws"
      }]
    }
  }
}

mock_provider "cloudflare" {
  override_during = plan
}

mock_provider "random" {
  override_during = plan

  mock_resource "random_password" {
    defaults = { result = "made-up" }
  }
}

mock_provider "archive" {
  override_during = plan
}

run "plan" {
  command = plan

  # Redis

  assert {
    condition     = module.redis.inputs.cluster_size == 3 && module.redis.inputs.cluster_mode_enabled == false
    error_message = "Redis is one primary and two replicas, not in cluster mode."
  }

  assert {
    condition     = module.redis.inputs.automatic_failover_enabled
    error_message = "A replica of Redis takes over by itself."
  }

  assert {
    condition     = module.redis.inputs.multi_az_enabled
    error_message = "The replicas of Redis are in other zones."
  }

  assert {
    condition     = module.redis.inputs.at_rest_encryption_enabled
    error_message = "Redis encrypts what it keeps."
  }

  assert {
    condition = alltrue([
      module.redis.inputs.transit_encryption_enabled,
      module.redis.inputs.transit_encryption_mode == "required",
    ])
    error_message = "Redis encrypts what it sends, for every client."
  }

  assert {
    condition     = nonsensitive(module.redis.inputs.auth_token != null)
    error_message = "Redis asks for a password."
  }

  assert {
    condition     = contains(module.redis.inputs.parameter, { name = "maxmemory-policy", value = "noeviction" })
    error_message = "A full Redis refuses; it does not drop jobs."
  }

  # Tasks

  assert {
    condition = alltrue([
      for service in [aws_ecs_service.frontend, aws_ecs_service.backend, aws_ecs_service.workers] :
      alltrue([for network in service.network_configuration : !network.assign_public_ip])
      && length(service.network_configuration) == 1
    ])
    error_message = "No task has a public address."
  }

  assert {
    condition = alltrue([
      for service in [aws_ecs_service.frontend, aws_ecs_service.backend, aws_ecs_service.workers] :
      anytrue([
        for on in service.capacity_provider_strategy :
        on.capacity_provider == "FARGATE" && coalesce(on.base, 0) >= 1
      ])
    ])
    error_message = "The first task of every service is on demand: Spot runs out."
  }

  assert {
    condition = alltrue([
      for service in [aws_ecs_service.backend, aws_ecs_service.workers] :
      alltrue([for on in service.capacity_provider_strategy : on.capacity_provider != "FARGATE_SPOT"])
    ])
    error_message = "No task of backend or workers is on Spot: their runs end with them."
  }

  assert {
    condition = var.services["frontend"].spot == anytrue([
      for on in aws_ecs_service.frontend.capacity_provider_strategy : on.capacity_provider == "FARGATE_SPOT"
    ])
    error_message = "The frontend is on Spot where its environment says so."
  }

  assert {
    condition     = length(aws_ecs_service.workers.load_balancer) == 0
    error_message = "Workers take no traffic."
  }

  # Origin lock

  assert {
    condition = alltrue([
      for rule in [
        aws_lb_listener_rule.backend_1,
        aws_lb_listener_rule.backend_2,
        aws_lb_listener_rule.backend_3,
        aws_lb_listener_rule.backend_4,
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
        ] : anytrue(flatten([
          for condition in nonsensitive(rule.condition) : [
            for header in condition.http_header :
            header.http_header_name == "x-he2-origin-lock" && header.values == nonsensitive(toset(var.origin_lock_secrets))
          ]
      ]))
    ])
    error_message = "Every rule of the load balancer asks for the origin lock."
  }

  assert {
    condition = alltrue([
      for action in aws_lb_listener.https.default_action :
      action.type == "fixed-response" && alltrue([for answer in action.fixed_response : answer.status_code == "403"])
    ])
    error_message = "What no rule takes is refused."
  }

  assert {
    condition     = aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.port == 443
    error_message = "The load balancer speaks TLS only."
  }

  # Environments

  assert {
    condition     = toset([aws_lb.main.name, aws_ecs_cluster.main.name]) == toset(["he2-${var.environment}"])
    error_message = "Environments share no names."
  }

  assert {
    condition     = aws_lb.main.enable_deletion_protection == (var.environment == "production")
    error_message = "Production refuses to be destroyed; staging can be."
  }

  assert {
    condition     = module.vpc.inputs.one_nat_gateway_per_az == (var.environment == "production")
    error_message = "Production leaves through each zone's own NAT; staging saves one."
  }
}
