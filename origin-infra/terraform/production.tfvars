# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [infra], [service.*] and [environment.production]
name                = "he2"
environment         = "production"
region              = "us-east-1"
origin              = "origin.he2.ai"
public_url          = "https://he2.ai"
alarm_email         = "operations@he2.ai"
single_nat          = false
redis_node_type     = "cache.t4g.small"
deletion_protection = true
zone_settings       = true
monthly_budget_usd  = 515
github_repository   = "neuralarc-ai/he2"
cloudflare_zone_id  = "00000000000000000000000000000000"
services = {
  frontend = {
    cpu    = 512
    memory = 1024
    min    = 2
    max    = 4
    spot   = true
  }
  backend = {
    cpu    = 1024
    memory = 2048
    min    = 2
    max    = 4
    spot   = false
  }
  workers = {
    cpu    = 1024
    memory = 2048
    min    = 2
    max    = 6
    spot   = false
  }
}
