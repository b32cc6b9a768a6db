# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [infra.load_balancer]: the load balancer that the edge forwards to
resource "aws_lb" "main" {
  # checkov:skip=CKV2_AWS_76: the rules against Log4j are there; the list it also wants would judge Cloudflare's address
  name               = local.name
  load_balancer_type = "application"
  security_groups    = [aws_security_group.alb.id]
  subnets            = module.vpc.public_subnets
  # Above the longest wait of any route, below the keep-alive of every server: the edge gives up first,
  # and no server closes a connection that the load balancer is about to use.
  idle_timeout      = 330
  client_keep_alive = 3600
  # Header names with other than letters, digits and `-` are read differently by different servers.
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
  enable_deletion_protection = var.deletion_protection

  access_logs {
    bucket  = aws_s3_bucket.lb_logs.id
    prefix  = "access"
    enabled = true
  }

  # The load balancer tries to write when logs are switched on.
  depends_on = [aws_s3_bucket_policy.lb_logs]
}

resource "aws_lb_listener" "https" {
  load_balancer_arn                    = aws_lb.main.arn
  port                                 = 443
  protocol                             = "HTTPS"
  ssl_policy                           = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn                      = aws_acm_certificate_validation.main.certificate_arn
  routing_http_response_server_enabled = false

  # What comes past the edge has no lock, so no rule takes it.
  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "Forbidden"
      status_code  = "403"
    }
  }

  # Without them it hears nobody and reaches no task.
  depends_on = [
    aws_vpc_security_group_ingress_rule.alb_cloudflare_ipv4,
    aws_vpc_security_group_ingress_rule.alb_cloudflare_ipv6,
    aws_vpc_security_group_egress_rule.alb_to_frontend,
    aws_vpc_security_group_egress_rule.alb_to_backend,
    aws_vpc_security_group_ingress_rule.frontend_from_alb,
    aws_vpc_security_group_ingress_rule.backend_from_alb
  ]
}

# from he2.toml [environment.*] origin: the certificate that Cloudflare checks
resource "aws_acm_certificate" "main" {
  domain_name       = var.origin
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate_validation" "main" {
  certificate_arn         = aws_acm_certificate.main.arn
  validation_record_fqdns = [for record in cloudflare_dns_record.certificate : record.name]
}

# from he2.toml [service.*], port and health: where requests are sent
resource "aws_lb_target_group" "frontend" {
  # checkov:skip=CKV_AWS_378: TLS ends at the load balancer; the containers speak HTTP, in private subnets
  # A prefix: a group that must be replaced is made anew before the old one goes.
  name_prefix = "front-"
  vpc_id      = module.vpc.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 3000
  # Requests last from milliseconds to minutes: the task with the fewest open ones is the free one.
  load_balancing_algorithm_type = "least_outstanding_requests"
  # As long as a stopping task lives, so that open event streams may end on their own.
  deregistration_delay = 120

  health_check {
    path                = "/auth"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group" "backend" {
  # checkov:skip=CKV_AWS_378: TLS ends at the load balancer; the containers speak HTTP, in private subnets
  # A prefix: a group that must be replaced is made anew before the old one goes.
  name_prefix = "backe-"
  vpc_id      = module.vpc.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = 8000
  # Requests last from milliseconds to minutes: the task with the fewest open ones is the free one.
  load_balancing_algorithm_type = "least_outstanding_requests"
  # As long as a stopping task lives, so that open event streams may end on their own.
  deregistration_delay = 120

  health_check {
    path                = "/api/health"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

# from he2.toml [[route]] with hosts api.he2.ai: all of them go to backend
resource "aws_lb_listener_rule" "backend_1" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 10

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["api.he2.ai"]
    }
  }

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.backend.arn
  }
}

# from he2.toml [[route]] next-api, next-triggers: what their `*` takes beyond one segment belongs to backend
resource "aws_lb_listener_rule" "backend_2" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 20

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/integrations/*/*/callback", "/api/triggers/*/*/webhook"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.backend.arn
  }
}

# from he2.toml [[route]] next-triggers: what their `*` takes beyond one segment belongs to backend
resource "aws_lb_listener_rule" "backend_3" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 30

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/webhooks/trigger/*/*", "/api/webhooks/trigger/"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.backend.arn
  }
}

# from he2.toml [[route]] next-flags: to frontend
resource "aws_lb_listener_rule" "frontend_1" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 40

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["GET"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/edge-flags"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-images: to frontend
resource "aws_lb_listener_rule" "frontend_2" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 50

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["GET"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/og/template"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-images: to frontend
resource "aws_lb_listener_rule" "frontend_3" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 60

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["GET"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/share-page/og-image"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-flags: to frontend
resource "aws_lb_listener_rule" "frontend_4" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 70

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["HEAD"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/edge-flags"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-images: to frontend
resource "aws_lb_listener_rule" "frontend_5" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 80

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["HEAD"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/og/template"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-images: to frontend
resource "aws_lb_listener_rule" "frontend_6" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 90

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["HEAD"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/share-page/og-image"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-api: to frontend
resource "aws_lb_listener_rule" "frontend_7" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 100

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/generate-prompts", "/api/integrations/*/callback"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-api: to frontend
resource "aws_lb_listener_rule" "frontend_8" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 110

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/token-usage"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-triggers: to frontend
resource "aws_lb_listener_rule" "frontend_9" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 120

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["POST"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/triggers/*/webhook"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] next-triggers: to frontend
resource "aws_lb_listener_rule" "frontend_10" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 130

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    http_request_method {
      values = ["POST"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/webhooks/trigger/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [[route]] api: to backend
resource "aws_lb_listener_rule" "backend_4" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 140

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    path_pattern {
      values = ["/api/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.backend.arn
  }
}

# from he2.toml [[route]] pages: to frontend
resource "aws_lb_listener_rule" "frontend_11" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 150

  condition {
    http_header {
      http_header_name = "x-he2-origin-lock"
      values           = var.origin_lock_secrets
    }
  }

  condition {
    http_header {
      http_header_name = "x-forwarded-host"
      values           = ["he2.ai"]
    }
  }

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend.arn
  }
}

# from he2.toml [infra] retention_days: the load balancer's logs
resource "aws_s3_bucket" "lb_logs" {
  # checkov:skip=CKV_AWS_18: this is where logs end; logging its own access would never stop
  # checkov:skip=CKV_AWS_144: logs are kept in one region, as everything is
  # checkov:skip=CKV_AWS_145: the load balancer writes only with keys of S3 itself
  # checkov:skip=CKV2_AWS_62: nothing acts on a new log file
  bucket_prefix = "${local.name}-lb-logs-"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "lb_logs" {
  bucket                  = aws_s3_bucket.lb_logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lb_logs" {
  bucket = aws_s3_bucket.lb_logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "lb_logs" {
  bucket = aws_s3_bucket.lb_logs.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "lb_logs" {
  bucket = aws_s3_bucket.lb_logs.id

  rule {
    id     = "retention"
    status = "Enabled"

    filter {}

    expiration {
      days = 365
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

data "aws_iam_policy_document" "lb_logs" {
  statement {
    sid     = "LoadBalancerWrites"
    actions = ["s3:PutObject"]
    resources = [
      "${aws_s3_bucket.lb_logs.arn}/*/AWSLogs/${data.aws_caller_identity.current.account_id}/*"
    ]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }

  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.lb_logs.arn, "${aws_s3_bucket.lb_logs.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "lb_logs" {
  bucket = aws_s3_bucket.lb_logs.id
  policy = data.aws_iam_policy_document.lb_logs.json
  # The public access block must not be put in place while a policy is being changed.
  depends_on = [aws_s3_bucket_public_access_block.lb_logs]
}
