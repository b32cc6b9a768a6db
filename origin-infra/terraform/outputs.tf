# Written by `cargo infra write` from he2.toml: change that, then write again.

# for the operator and for releases: where images go, where the edge finds the load balancer
output "image_repositories" {
  description = "Where each image is pushed"
  value       = zipmap(keys(module.ecr), values(module.ecr)[*].repository_url)
}

output "load_balancer" {
  description = "What the origin's host name points to"
  value       = aws_lb.main.dns_name
}

output "cluster" {
  description = "Of the services"
  value       = aws_ecs_cluster.main.name
}

output "redis_host" {
  description = "Primary of Redis"
  value       = module.redis.endpoint
}

output "nat_addresses" {
  description = "Whence parties outside see the tasks"
  value       = module.vpc.nat_public_ips
}
