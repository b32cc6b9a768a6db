# Written by `cargo infra write` from he2.toml: change that, then write again.

# for all of he2.toml: one key for logs, secrets, images, Redis and alarms
data "aws_iam_policy_document" "key" {
  # checkov:skip=CKV_AWS_109: in the policy of a key, `*` is that key
  # checkov:skip=CKV_AWS_111: in the policy of a key, `*` is that key
  # checkov:skip=CKV_AWS_356: in the policy of a key, `*` is that key
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  statement {
    sid = "LogGroupsOfThisAccount"
    actions = [
      "kms:Encrypt",
      "kms:Decrypt",
      "kms:ReEncrypt*",
      "kms:GenerateDataKey*",
      "kms:DescribeKey"
    ]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:aws:logs:${var.region}:${data.aws_caller_identity.current.account_id}:log-group:*"]
    }
  }

  statement {
    sid       = "MessagesToTheAlarmTopic"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:sns:topicArn"
      values = [
        "arn:aws:sns:${var.region}:${data.aws_caller_identity.current.account_id}:${local.name}-alarms"
      ]
    }
  }
}

resource "aws_kms_key" "main" {
  description             = "Data at rest of ${local.name}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_protection ? 30 : 7
  policy                  = data.aws_iam_policy_document.key.json
}

resource "aws_kms_alias" "main" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.main.key_id
}

# from he2.toml [service.*] and [settings.*], secrets: what the containers get as secret variables
# A task starts only when each of its secrets has a value. To put one, the first or the next:
#   read -rs value && printf %s "$value" | aws secretsmanager put-secret-value \
#     --secret-id he2-ENVIRONMENT/VARIABLE --secret-string file:///dev/stdin
# Running tasks keep what they started with; to give them the new one:
#   aws ecs update-service --cluster he2-ENVIRONMENT --service SERVICE --force-new-deployment
locals {
  secret_names = toset(["ANTHROPIC_API_KEY", "API_KEY_SECRET", "CLOUDFLARE_API_TOKEN", "COMPOSIO_API_KEY", "COMPOSIO_WEBHOOK_SECRET", "DAYTONA_API_KEY", "EDGE_CONFIG", "ENCRYPTION_KEY", "FIRECRAWL_API_KEY", "GEMINI_API_KEY", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "GROQ_API_KEY", "KORTIX_ADMIN_API_KEY", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "MAILTRAP_API_TOKEN", "MCP_CREDENTIAL_ENCRYPTION_KEY", "MOONSHOT_API_KEY", "MORPH_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "ORSHOT_API_KEY", "PIPEDREAM_CLIENT_ID", "PIPEDREAM_CLIENT_SECRET", "PIPEDREAM_PROJECT_ID", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY", "QSTASH_TOKEN", "RAPID_API_KEY", "SENTRY_DSN", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SMITHERY_API_KEY", "SMTP_PASS", "SMTP_USER", "STRIPE_DEFAULT_PLAN_ID", "STRIPE_DEFAULT_TRIAL_DAYS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_URL", "TAVILY_API_KEY", "TRIGGER_WEBHOOK_SECRET", "VERTEXAI_CREDENTIALS", "XAI_API_KEY", "ZAI_API_KEY", "ZHIPU_API_KEY"])
}

resource "aws_secretsmanager_secret" "app" {
  # checkov:skip=CKV2_AWS_57: third parties issue these values; AWS cannot make new ones
  for_each   = local.secret_names
  name       = "${local.name}/${each.key}"
  kms_key_id = aws_kms_key.main.arn
  # A deleted secret keeps its name for this long: an environment that is made again needs 0.
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}
