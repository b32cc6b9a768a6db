# Written by `cargo infra write` from he2.toml: change that, then write again.

# from he2.toml [[host]]: the public names, all answered by the Worker
resource "cloudflare_dns_record" "host" {
  for_each = var.zone_settings ? toset(["he2.ai", "api.he2.ai", "www.he2.ai"]) : toset([])
  zone_id  = var.cloudflare_zone_id
  name     = each.key
  # The Worker answers; this address leads nowhere, so nothing gets past it.
  type    = "AAAA"
  content = "100::"
  proxied = true
  # 1: automatic, as proxied records must have it.
  ttl = 1
}

# from he2.toml [environment.*] origin: where the Worker finds the load balancer
resource "cloudflare_dns_record" "origin" {
  zone_id = var.cloudflare_zone_id
  name    = var.origin
  type    = "CNAME"
  content = aws_lb.main.dns_name
  # The load balancer lets in Cloudflare's addresses only.
  proxied = true
  ttl     = 1
}

# from he2.toml [environment.*] origin: proof to AWS that the name is ours
resource "cloudflare_dns_record" "certificate" {
  for_each = { for option in aws_acm_certificate.main.domain_validation_options : option.domain_name => option }
  zone_id  = var.cloudflare_zone_id
  # AWS writes a dot at the end, Cloudflare none.
  name    = trimsuffix(each.value.resource_record_name, ".")
  type    = each.value.resource_record_type
  content = trimsuffix(each.value.resource_record_value, ".")
  proxied = false
  ttl     = 60
}

# from he2.toml [cloudflare] manage: TLS, from visitors and to the load balancer
resource "cloudflare_zone_setting" "ssl" {
  count      = var.zone_settings ? 1 : 0
  zone_id    = var.cloudflare_zone_id
  setting_id = "ssl"
  value      = "strict"
}

resource "cloudflare_zone_setting" "always_use_https" {
  count      = var.zone_settings ? 1 : 0
  zone_id    = var.cloudflare_zone_id
  setting_id = "always_use_https"
  value      = "on"
}

resource "cloudflare_zone_setting" "min_tls_version" {
  count      = var.zone_settings ? 1 : 0
  zone_id    = var.cloudflare_zone_id
  setting_id = "min_tls_version"
  value      = "1.2"
}

resource "cloudflare_zone_setting" "tls_1_3" {
  count      = var.zone_settings ? 1 : 0
  zone_id    = var.cloudflare_zone_id
  setting_id = "tls_1_3"
  value      = "on"
}

resource "cloudflare_zone_setting" "hsts" {
  count      = var.zone_settings ? 1 : 0
  zone_id    = var.cloudflare_zone_id
  setting_id = "security_header"
  value = {
    strict_transport_security = {
      enabled            = true
      max_age            = 31536000
      include_subdomains = false
      preload            = false
      nosniff            = true
    }
  }
}

# from he2.toml [cloudflare] blocked_countries
resource "cloudflare_ruleset" "countries" {
  count   = var.zone_settings ? 1 : 0
  zone_id = var.cloudflare_zone_id
  name    = "countries"
  kind    = "zone"
  phase   = "http_request_firewall_custom"
  rules = [
    {
      ref         = "countries"
      description = "Countries that are not served"
      expression  = "http.host in {\"he2.ai\" \"api.he2.ai\" \"www.he2.ai\"} and ip.src.country in {\"CU\" \"IR\" \"KP\" \"SY\"}"
      action      = "block"
    }
  ]
}

# from he2.toml [cloudflare] manage: Cloudflare's rules against known attacks (plan Pro or higher)
resource "cloudflare_ruleset" "managed" {
  count   = var.zone_settings ? 1 : 0
  zone_id = var.cloudflare_zone_id
  name    = "managed"
  kind    = "zone"
  phase   = "http_request_firewall_managed"
  rules = [
    {
      ref         = "managed"
      description = "Cloudflare Managed Ruleset"
      expression  = "http.host in {\"he2.ai\" \"api.he2.ai\" \"www.he2.ai\"}"
      action      = "execute"
      action_parameters = {
        id = "efb7b8c949ac4650a09736fc376e9aee"
      }
    }
  ]
}

# from he2.toml [cloudflare] requests_per_10_seconds: before the gateway's own limits, which know callers
resource "cloudflare_ruleset" "rate" {
  count   = var.zone_settings ? 1 : 0
  zone_id = var.cloudflare_zone_id
  name    = "rate"
  kind    = "zone"
  phase   = "http_ratelimit"
  rules = [
    {
      ref         = "rate"
      description = "Floods from one address"
      expression  = "http.host in {\"he2.ai\" \"api.he2.ai\" \"www.he2.ai\"}"
      action      = "block"
      ratelimit = {
        characteristics = [
          "cf.colo.id",
          "ip.src"
        ]
        period              = 10
        requests_per_period = 500
        mitigation_timeout  = 10
      }
    }
  ]
}
