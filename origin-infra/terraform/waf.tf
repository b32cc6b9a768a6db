# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [origin] lock_header: requests that know the lock, marked; all others blocked
resource "aws_wafv2_rule_group" "origin_lock" {
  name  = "${local.name}-origin-lock"
  scope = "REGIONAL"
  # Cannot be changed later: room for longer conditions.
  capacity = 50

  rule {
    name     = "known"
    priority = 0

    action {
      count {}
    }

    statement {
      or_statement {
        statement {
          byte_match_statement {
            positional_constraint = "EXACTLY"
            search_string         = var.origin_lock_secrets[0]

            field_to_match {
              single_header {
                name = "x-he2-origin-lock"
              }
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }

        statement {
          byte_match_statement {
            positional_constraint = "EXACTLY"
            search_string         = var.origin_lock_secrets[length(var.origin_lock_secrets) - 1]

            field_to_match {
              single_header {
                name = "x-he2-origin-lock"
              }
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }
      }
    }

    visibility_config {
      metric_name                = "known"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }

    rule_label {
      name = "edge"
    }
  }

  rule {
    name     = "unknown"
    priority = 1

    action {
      block {}
    }

    statement {
      not_statement {
        statement {
          label_match_statement {
            scope = "LABEL"
            key   = "edge"
          }
        }
      }
    }

    visibility_config {
      metric_name                = "unknown"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    metric_name                = "origin-lock"
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }
}

# from he2.toml [limit.*]: what is refused before it reaches a task
resource "aws_wafv2_web_acl" "main" {
  name  = local.name
  scope = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "origin-lock"
    priority = 0

    override_action {
      none {}
    }

    statement {
      rule_group_reference_statement {
        arn = aws_wafv2_rule_group.origin_lock.arn
      }
    }

    visibility_config {
      metric_name                = "origin-lock"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "ip-reputation"
    priority = 1

    override_action {
      # The group sees the connection's address, which is Cloudflare's: to block it would shut out everyone
      # who comes that way. Its count still tells when somebody does.
      count {}
    }

    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesAmazonIpReputationList"
      }
    }

    visibility_config {
      metric_name                = "ip-reputation"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "rate"
    priority = 2

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = 83340
        evaluation_window_sec = 300
        aggregate_key_type    = "FORWARDED_IP"

        forwarded_ip_config {
          header_name       = "X-Forwarded-For"
          fallback_behavior = "NO_MATCH"
        }

        scope_down_statement {
          label_match_statement {
            scope = "LABEL"
            key   = "awswaf:${data.aws_caller_identity.current.account_id}:rulegroup:${aws_wafv2_rule_group.origin_lock.name}:edge"
          }
        }
      }
    }

    visibility_config {
      metric_name                = "rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "known-bad-inputs"
    priority = 3

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }

    visibility_config {
      metric_name                = "known-bad-inputs"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "common"
    priority = 4

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesCommonRuleSet"

        rule_action_override {
          # Uploads and long prompts are larger than 8 kB.
          name = "SizeRestrictions_BODY"

          action_to_use {
            count {}
          }
        }

        rule_action_override {
          # Prompts and files hold web pages.
          name = "CrossSiteScripting_BODY"

          action_to_use {
            count {}
          }
        }

        rule_action_override {
          # Prompts and files hold paths as `../src`.
          name = "GenericLFI_BODY"

          action_to_use {
            count {}
          }
        }

        rule_action_override {
          # Prompts and agents' tools hold addresses of servers.
          name = "GenericRFI_BODY"

          action_to_use {
            count {}
          }
        }

        rule_action_override {
          # Prompts ask about clouds; the tasks' metadata needs a token anyway.
          name = "EC2MetaDataSSRF_BODY"

          action_to_use {
            count {}
          }
        }

        rule_action_override {
          # Sandboxes hold files as `app.log`, named in the path.
          name = "RestrictedExtensions_URIPATH"

          action_to_use {
            count {}
          }
        }

        rule_action_override {
          # The same, named in the query.
          name = "RestrictedExtensions_QUERYARGUMENTS"

          action_to_use {
            count {}
          }
        }

        rule_action_override {
          # Webhooks come from programs.
          name = "NoUserAgent_HEADER"

          action_to_use {
            count {}
          }
        }
      }
    }

    visibility_config {
      metric_name                = "common"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    metric_name                = "all"
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "main" {
  resource_arn = aws_lb.main.arn
  web_acl_arn  = aws_wafv2_web_acl.main.arn
}

# from he2.toml [infra] retention_days: what the firewall has refused or counted
resource "aws_cloudwatch_log_group" "waf" {
  # AWS WAF writes only to groups with this prefix.
  name              = "aws-waf-logs-${local.name}"
  retention_in_days = 365
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_wafv2_web_acl_logging_configuration" "main" {
  resource_arn            = aws_wafv2_web_acl.main.arn
  log_destination_configs = [aws_cloudwatch_log_group.waf.arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  redacted_fields {
    single_header {
      name = "x-api-key"
    }
  }

  redacted_fields {
    single_header {
      name = "x-admin-api-key"
    }
  }

  redacted_fields {
    single_header {
      name = "x-he2-origin-lock"
    }
  }

  redacted_fields {
    query_string {}
  }

  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      # Counted only: whoever wants to enforce one of these sees here what it would have refused.
      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:GenericLFI_Body"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:GenericRFI_Body"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:EC2MetaDataSSRF_Body"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:RestrictedExtensions_URIPath"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:RestrictedExtensions_QueryArguments"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:core-rule-set:NoUserAgent_Header"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:amazon-ip-list:AWSManagedIPReputationList"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:amazon-ip-list:AWSManagedReconnaissanceList"
        }
      }

      condition {
        label_name_condition {
          label_name = "awswaf:managed:aws:amazon-ip-list:AWSManagedIPDDoSList"
        }
      }
    }
  }
}
