# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [infra], [service.*] and [environment.staging]
name                = "he2"
environment         = "staging"
region              = "us-east-1"
origin              = "origin-staging.he2.ai"
public_url          = "https://he2-edge-staging.account.workers.dev"
alarm_email         = "operations@he2.ai"
single_nat          = true
redis_node_type     = "cache.t4g.micro"
deletion_protection = false
zone_settings       = false
monthly_budget_usd  = 250
github_repository   = "neuralarc-ai/he2"
cloudflare_zone_id  = "00000000000000000000000000000000"
services = {
  frontend = {
    cpu    = 512
    memory = 1024
    min    = 1
    max    = 1
    spot   = true
  }
  backend = {
    cpu    = 1024
    memory = 2048
    min    = 1
    max    = 1
    spot   = false
  }
  workers = {
    cpu    = 1024
    memory = 2048
    min    = 1
    max    = 1
    spot   = false
  }
}
