# Written by `cargo infra write` from he2.toml: change that, then write again.

# 1.11 is the first with S3's own lock file and with write-only arguments, which keep secrets out of the
# state. `null` is there for a module alone: no module bounds its providers from above.
terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.8.0, < 7.0.0"
    }
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = ">= 5.14.0, < 6.0.0"
    }
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.7.0, < 3.0.0"
    }
    random = {
      source  = "hashicorp/random"
      version = ">= 3.7.0, < 4.0.0"
    }
    null = {
      source  = "hashicorp/null"
      version = ">= 3.2.0, < 4.0.0"
    }
  }

  backend "s3" {
    use_lockfile = true
    encrypt      = true
  }
}

# from he2.toml [infra]: region, and what every resource is named and tagged
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = var.name
      Environment = var.environment
      ManagedBy   = "terraform"
    }
  }
}

provider "cloudflare" {
  # The token is in CLOUDFLARE_API_TOKEN.
}

locals {
  name = "${var.name}-${var.environment}"
}
