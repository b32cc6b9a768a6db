# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [infra] and [environment.*]: NAME.tfvars has the values
variable "environment" {
  type        = string
  description = "Which environment this is"

  validation {
    condition     = contains(["production", "staging"], var.environment)
    error_message = "The environment must be one of he2.toml."
  }
}

variable "name" {
  type        = string
  description = "First part of every resource's name"
}

variable "region" {
  type        = string
  description = "AWS region"
}

variable "origin" {
  type        = string
  description = "Host name of the load balancer, which the gateway forwards to"
}

variable "public_url" {
  type        = string
  description = "Where users find the gateway"
}

variable "alarm_email" {
  type        = string
  description = "Where alarms go; the address has to confirm"
}

variable "single_nat" {
  type        = bool
  description = "One NAT gateway for all zones instead of one in each"
}

variable "redis_node_type" {
  type        = string
  description = "Node type of Redis"
}

variable "deletion_protection" {
  type        = bool
  description = "Whether what holds data, and the load balancer, refuse to be destroyed"
}

variable "zone_settings" {
  type        = bool
  description = "Whether this environment sets what holds for the whole Cloudflare zone"
}

variable "monthly_budget_usd" {
  type        = number
  description = "Monthly costs above which an alarm is sent"
}

variable "github_repository" {
  type        = string
  description = "OWNER/NAME, whose workflows may release"
}

variable "cloudflare_zone_id" {
  type        = string
  description = "The zone"
}

# from he2.toml [service.*]: sizes and scaling, within each environment's bounds
variable "services" {
  type        = map(object({ cpu = number, memory = number, min = number, max = number, spot = bool }))
  description = "CPU units, MiB and tasks of each service"
}

# per deployment: given when Terraform is run, as TF_VAR_name or in a file that is not committed
variable "image_tags" {
  type        = map(string)
  description = "Tag of each service's image"

  validation {
    condition     = length(setsubtract(["frontend", "backend", "workers"], keys(var.image_tags))) == 0
    error_message = "Every service needs the tag of its image."
  }
}

variable "origin_lock_secrets" {
  type        = list(string)
  description = "What the origin-lock header may hold: one value, or two while it is rotated"
  sensitive   = true

  validation {
    condition     = length(var.origin_lock_secrets) >= 1 && length(var.origin_lock_secrets) <= 2
    error_message = "Give one value, or two while it is rotated."
  }

  validation {
    condition     = alltrue([for secret in var.origin_lock_secrets : can(regex("^[0-9A-Za-z]{32,128}$", secret))])
    error_message = "Use 32 to 128 letters and digits: the load balancer reads * and ? as wildcards."
  }
}

variable "github_oidc_provider_arn" {
  type        = string
  description = "GitHub's OIDC provider, where the account has one already"
  default     = null
}
