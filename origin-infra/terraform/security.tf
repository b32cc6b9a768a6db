# Written by `cargo infra write` from he2.toml: change that, then write again.

# from origin-infra/data/cloudflare-ips.json: where requests of the edge come from
locals {
  cloudflare_ips = {
    source = "https://api.cloudflare.com/client/v4/ips"
    date   = "2026-02-11"
    ipv4 = [
      "173.245.48.0/20",
      "103.21.244.0/22",
      "103.22.200.0/22",
      "103.31.4.0/22",
      "141.101.64.0/18",
      "108.162.192.0/18",
      "190.93.240.0/20",
      "188.114.96.0/20",
      "197.234.240.0/22",
      "198.41.128.0/17",
      "162.158.0.0/15",
      "104.16.0.0/13",
      "104.24.0.0/14",
      "172.64.0.0/13",
      "131.0.72.0/22"
    ]
    ipv6 = [
      "2400:cb00::/32",
      "2606:4700::/32",
      "2803:f800::/32",
      "2405:b500::/32",
      "2405:8100::/32",
      "2a06:98c0::/29",
      "2c0f:f248::/32"
    ]
  }
}

resource "aws_ec2_managed_prefix_list" "cloudflare_ipv4" {
  name           = "${local.name}-cloudflare-ipv4"
  address_family = "IPv4"
  max_entries    = 20

  dynamic "entry" {
    for_each = local.cloudflare_ips.ipv4

    content {
      cidr = entry.value
    }
  }
}

resource "aws_ec2_managed_prefix_list" "cloudflare_ipv6" {
  name           = "${local.name}-cloudflare-ipv6"
  address_family = "IPv6"
  max_entries    = 10

  dynamic "entry" {
    for_each = local.cloudflare_ips.ipv6

    content {
      cidr = entry.value
    }
  }
}

# from he2.toml [service.*] with a port: the edge to the load balancer, and on to tasks
resource "aws_security_group" "alb" {
  name_prefix = "${local.name}-alb-"
  description = "Load balancer: hears Cloudflare, asks tasks"
  vpc_id      = module.vpc.vpc_id
  tags = {
    Name = "${local.name}-alb"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "alb_cloudflare_ipv4" {
  security_group_id = aws_security_group.alb.id
  description       = "Cloudflare"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_ec2_managed_prefix_list.cloudflare_ipv4.id
}

resource "aws_vpc_security_group_ingress_rule" "alb_cloudflare_ipv6" {
  security_group_id = aws_security_group.alb.id
  description       = "Cloudflare"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_ec2_managed_prefix_list.cloudflare_ipv6.id
}

resource "aws_vpc_security_group_egress_rule" "alb_to_frontend" {
  security_group_id            = aws_security_group.alb.id
  description                  = "Requests and health checks to frontend"
  ip_protocol                  = "tcp"
  from_port                    = 3000
  to_port                      = 3000
  referenced_security_group_id = aws_security_group.frontend.id
}

resource "aws_vpc_security_group_egress_rule" "alb_to_backend" {
  security_group_id            = aws_security_group.alb.id
  description                  = "Requests and health checks to backend"
  ip_protocol                  = "tcp"
  from_port                    = 8000
  to_port                      = 8000
  referenced_security_group_id = aws_security_group.backend.id
}

# from he2.toml [service.*]: tasks ask Redis and the internet; nobody but the load balancer asks them
resource "aws_security_group" "frontend" {
  name_prefix = "${local.name}-frontend-"
  description = "Tasks of frontend"
  vpc_id      = module.vpc.vpc_id
  tags = {
    Name = "${local.name}-frontend"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "frontend_from_alb" {
  security_group_id            = aws_security_group.frontend.id
  description                  = "From alb"
  ip_protocol                  = "tcp"
  from_port                    = 3000
  to_port                      = 3000
  referenced_security_group_id = aws_security_group.alb.id
}

resource "aws_vpc_security_group_egress_rule" "frontend_internet_443" {
  security_group_id = aws_security_group.frontend.id
  description       = "Parties outside"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "frontend_internet_587" {
  security_group_id = aws_security_group.frontend.id
  description       = "Parties outside"
  ip_protocol       = "tcp"
  from_port         = 587
  to_port           = 587
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "backend" {
  name_prefix = "${local.name}-backend-"
  description = "Tasks of backend"
  vpc_id      = module.vpc.vpc_id
  tags = {
    Name = "${local.name}-backend"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "backend_from_alb" {
  security_group_id            = aws_security_group.backend.id
  description                  = "From alb"
  ip_protocol                  = "tcp"
  from_port                    = 8000
  to_port                      = 8000
  referenced_security_group_id = aws_security_group.alb.id
}

resource "aws_vpc_security_group_egress_rule" "backend_internet_443" {
  security_group_id = aws_security_group.backend.id
  description       = "Parties outside"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "backend_internet_587" {
  security_group_id = aws_security_group.backend.id
  description       = "Parties outside"
  ip_protocol       = "tcp"
  from_port         = 587
  to_port           = 587
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "workers" {
  name_prefix = "${local.name}-workers-"
  description = "Tasks of workers"
  vpc_id      = module.vpc.vpc_id
  tags = {
    Name = "${local.name}-workers"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "workers_internet_443" {
  security_group_id = aws_security_group.workers.id
  description       = "Parties outside"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "workers_internet_587" {
  security_group_id = aws_security_group.workers.id
  description       = "Parties outside"
  ip_protocol       = "tcp"
  from_port         = 587
  to_port           = 587
  cidr_ipv4         = "0.0.0.0/0"
}

# from he2.toml {redis_host}: who is told where Redis is may ask it, and who measures its queue
resource "aws_security_group" "redis" {
  name_prefix = "${local.name}-redis-"
  description = "Redis: hears those that are told where it is"
  vpc_id      = module.vpc.vpc_id
  tags = {
    Name = "${local.name}-redis"
  }

  lifecycle {
    create_before_destroy = true
  }

  # checkov:skip=CKV2_AWS_5: module.redis attaches it, where a scan of this file cannot see it
}

resource "aws_security_group" "publisher" {
  name_prefix = "${local.name}-publisher-"
  description = "What measures the queue: asks Redis and CloudWatch"
  vpc_id      = module.vpc.vpc_id
  tags = {
    Name = "${local.name}-publisher"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "publisher_internet_443" {
  security_group_id = aws_security_group.publisher.id
  description       = "Parties outside"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "redis_from_backend" {
  security_group_id            = aws_security_group.redis.id
  description                  = "From backend"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.backend.id
}

resource "aws_vpc_security_group_egress_rule" "backend_to_redis" {
  security_group_id            = aws_security_group.backend.id
  description                  = "Redis"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.redis.id
}

resource "aws_vpc_security_group_ingress_rule" "redis_from_workers" {
  security_group_id            = aws_security_group.redis.id
  description                  = "From workers"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.workers.id
}

resource "aws_vpc_security_group_egress_rule" "workers_to_redis" {
  security_group_id            = aws_security_group.workers.id
  description                  = "Redis"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.redis.id
}

resource "aws_vpc_security_group_ingress_rule" "redis_from_publisher" {
  security_group_id            = aws_security_group.redis.id
  description                  = "From publisher"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.publisher.id
}

resource "aws_vpc_security_group_egress_rule" "publisher_to_redis" {
  security_group_id            = aws_security_group.publisher.id
  description                  = "Redis"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
  referenced_security_group_id = aws_security_group.redis.id
}
