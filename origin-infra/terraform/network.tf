# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [infra.network]: one VPC, three tiers of subnets over all zones, NAT as the environment says
module "vpc" {
  source                 = "terraform-aws-modules/vpc/aws"
  version                = "6.0.1"
  name                   = local.name
  cidr                   = "10.0.0.0/16"
  azs                    = ["us-east-1a", "us-east-1b"]
  public_subnets         = ["10.0.1.0/24", "10.0.2.0/24"]
  private_subnets        = ["10.0.10.0/24", "10.0.11.0/24"]
  elasticache_subnets    = ["10.0.20.0/24", "10.0.21.0/24"]
  enable_nat_gateway     = true
  single_nat_gateway     = var.single_nat
  one_nat_gateway_per_az = !var.single_nat
  # What is in no tier gets nothing: the default ACL and the default group let nobody through.
  default_network_acl_ingress = []
  default_network_acl_egress  = []
  # Clients to the load balancer, whose group narrows them to Cloudflare; tasks to NAT; answers to NAT, which may
  #          arrive on any port that it asked from.
  public_dedicated_network_acl = true
  public_inbound_acl_rules = [
    {
      rule_number = 100
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 443
      to_port     = 443
      cidr_block  = "0.0.0.0/0"
    },
    {
      rule_number = 110
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "0.0.0.0/0"
    },
    {
      rule_number = 120
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 587
      to_port     = 587
      cidr_block  = "10.0.10.0/24"
    },
    {
      rule_number = 130
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 587
      to_port     = 587
      cidr_block  = "10.0.11.0/24"
    }
  ]
  public_outbound_acl_rules = [
    {
      rule_number = 100
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 443
      to_port     = 443
      cidr_block  = "0.0.0.0/0"
    },
    {
      rule_number = 110
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 587
      to_port     = 587
      cidr_block  = "0.0.0.0/0"
    },
    {
      rule_number = 120
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "0.0.0.0/0"
    }
  ]
  # The load balancer to the services, and answers to tasks, which keep the address of whoever answers: one rule is
  #          both. The tasks' groups tell them apart.
  private_dedicated_network_acl = true
  private_inbound_acl_rules = [
    {
      rule_number = 100
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "0.0.0.0/0"
    }
  ]
  private_outbound_acl_rules = [
    {
      rule_number = 100
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 443
      to_port     = 443
      cidr_block  = "0.0.0.0/0"
    },
    {
      rule_number = 110
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 587
      to_port     = 587
      cidr_block  = "0.0.0.0/0"
    },
    {
      rule_number = 120
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 6379
      to_port     = 6379
      cidr_block  = "10.0.20.0/24"
    },
    {
      rule_number = 130
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 6379
      to_port     = 6379
      cidr_block  = "10.0.21.0/24"
    },
    {
      rule_number = 140
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.1.0/24"
    },
    {
      rule_number = 150
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.2.0/24"
    }
  ]
  # Tasks to Redis, and its nodes to one another.
  elasticache_dedicated_network_acl = true
  elasticache_inbound_acl_rules = [
    {
      rule_number = 100
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 6379
      to_port     = 6379
      cidr_block  = "10.0.10.0/24"
    },
    {
      rule_number = 110
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 6379
      to_port     = 6379
      cidr_block  = "10.0.11.0/24"
    },
    {
      rule_number = 120
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.20.0/24"
    },
    {
      rule_number = 130
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.21.0/24"
    }
  ]
  elasticache_outbound_acl_rules = [
    {
      rule_number = 100
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.10.0/24"
    },
    {
      rule_number = 110
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.11.0/24"
    },
    {
      rule_number = 120
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.20.0/24"
    },
    {
      rule_number = 130
      rule_action = "allow"
      protocol    = "tcp"
      from_port   = 1024
      to_port     = 65535
      cidr_block  = "10.0.21.0/24"
    }
  ]
  # Who talked to whom, for as long as all logs are kept.
  enable_flow_log                                 = true
  create_flow_log_cloudwatch_log_group            = true
  create_flow_log_cloudwatch_iam_role             = true
  flow_log_cloudwatch_log_group_retention_in_days = 365
  flow_log_cloudwatch_log_group_kms_key_id        = aws_kms_key.main.arn
}

# from he2.toml [infra.network]: layers of images come from S3, past the NAT and its price
# Open to all buckets: agents also fetch files of others from S3, and all of S3 in the region goes this way.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = module.vpc.vpc_id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = module.vpc.private_route_table_ids
  tags = {
    Name = "${local.name}-s3"
  }
}
