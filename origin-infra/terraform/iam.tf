# Written by `cargo infra write` from he2.toml: change that, then write again.

# for all of he2.toml [service.*]: the roles of tasks are for tasks of this account alone
data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "tasks_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:aws:ecs:${var.region}:${data.aws_caller_identity.current.account_id}:*"]
    }
  }
}

# from he2.toml [service.frontend]: what ECS, and the app itself, may do
# The app asks nothing of AWS in its own name: its role has no policy.
resource "aws_iam_role" "frontend_execution" {
  name               = "${local.name}-frontend-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
}

data "aws_iam_policy_document" "frontend_execution" {
  statement {
    # This action knows no resource; its token opens only the repositories that are allowed below.
    sid       = "RegistryLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [module.ecr["frontend"].repository_arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.frontend.arn}:*"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = values(local.frontend_secrets)
  }

  statement {
    sid       = "SecretsKey"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "frontend_execution" {
  name   = "main"
  role   = aws_iam_role.frontend_execution.id
  policy = data.aws_iam_policy_document.frontend_execution.json
}

resource "aws_iam_role" "frontend_task" {
  name               = "${local.name}-frontend-task"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
}

# from he2.toml [service.backend]: what ECS, and the app itself, may do
# The app asks nothing of AWS in its own name: its role has no policy.
resource "aws_iam_role" "backend_execution" {
  name               = "${local.name}-backend-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
}

data "aws_iam_policy_document" "backend_execution" {
  statement {
    # This action knows no resource; its token opens only the repositories that are allowed below.
    sid       = "RegistryLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [module.ecr["backend"].repository_arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.backend.arn}:*"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = values(local.backend_secrets)
  }

  statement {
    sid       = "SecretsKey"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "backend_execution" {
  name   = "main"
  role   = aws_iam_role.backend_execution.id
  policy = data.aws_iam_policy_document.backend_execution.json
}

resource "aws_iam_role" "backend_task" {
  name               = "${local.name}-backend-task"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
}

# from he2.toml [service.workers]: what ECS, and the app itself, may do
# The app is not known to ask anything of AWS; it may ask to be let finish its run.
resource "aws_iam_role" "workers_execution" {
  name               = "${local.name}-workers-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
}

data "aws_iam_policy_document" "workers_execution" {
  statement {
    # This action knows no resource; its token opens only the repositories that are allowed below.
    sid       = "RegistryLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [module.ecr["workers"].repository_arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.workers.arn}:*"]
  }

  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = values(local.workers_secrets)
  }

  statement {
    sid       = "SecretsKey"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "workers_execution" {
  name   = "main"
  role   = aws_iam_role.workers_execution.id
  policy = data.aws_iam_policy_document.workers_execution.json
}

resource "aws_iam_role" "workers_task" {
  name               = "${local.name}-workers-task"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
}

data "aws_iam_policy_document" "workers_task" {
  statement {
    # A worker with a run in hand may ask not to be scaled in. The names of tasks are not known before.
    sid       = "ScaleInProtection"
    actions   = ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"]
    resources = ["${replace(aws_ecs_cluster.main.arn, ":cluster/", ":task/")}/*"]
  }
}

resource "aws_iam_role_policy" "workers_task" {
  name   = "main"
  role   = aws_iam_role.workers_task.id
  policy = data.aws_iam_policy_document.workers_task.json
}

# from he2.toml [service.*]: what a release from GitHub Actions may do
# `image_tags` must name what was released, or the next apply takes it back.
resource "aws_iam_openid_connect_provider" "github" {
  # An account can have only one for this address; a second environment in it is told of the first's.
  count          = var.github_oidc_provider_arn == null ? 1 : 0
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "deploy_assume" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type = "Federated"
      identifiers = [
        coalesce(var.github_oidc_provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    # Jobs of this environment only, which GitHub guards by its rules: no branch, no fork.
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.github_repository}:environment:${var.environment}"]
    }
  }
}

resource "aws_iam_role" "deploy" {
  name               = "${local.name}-deploy"
  assume_role_policy = data.aws_iam_policy_document.deploy_assume.json
}

data "aws_iam_policy_document" "deploy" {
  statement {
    # This action knows no resource; its token opens only the repositories that are allowed below.
    sid       = "RegistryLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "Images"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart"
    ]
    resources = [for repository in module.ecr : repository.repository_arn]
  }

  statement {
    # This action knows no resource. It shows the names of variables and secrets, no secret's value.
    sid       = "ReadTasks"
    actions   = ["ecs:DescribeTaskDefinition"]
    resources = ["*"]
  }

  statement {
    sid     = "Tasks"
    actions = ["ecs:RegisterTaskDefinition", "ecs:TagResource"]
    resources = [
      "${aws_ecs_task_definition.frontend.arn_without_revision}:*",
      "${aws_ecs_task_definition.backend.arn_without_revision}:*",
      "${aws_ecs_task_definition.workers.arn_without_revision}:*"
    ]
  }

  statement {
    sid       = "Services"
    actions   = ["ecs:DescribeServices", "ecs:UpdateService"]
    resources = [aws_ecs_service.frontend.id, aws_ecs_service.backend.id, aws_ecs_service.workers.id]
  }

  statement {
    sid     = "RolesOfTasks"
    actions = ["iam:PassRole"]
    resources = [
      aws_iam_role.frontend_execution.arn,
      aws_iam_role.frontend_task.arn,
      aws_iam_role.backend_execution.arn,
      aws_iam_role.backend_task.arn,
      aws_iam_role.workers_execution.arn,
      aws_iam_role.workers_task.arn
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "deploy" {
  name   = "main"
  role   = aws_iam_role.deploy.id
  policy = data.aws_iam_policy_document.deploy.json
}
