//! A small valid file, and faults made in it.

/// Lines count: faults name them.
pub(crate) const VALID: &str = r#"domain = "he2.ai"
[[host]]
name = "he2.ai"
[[host]]
name = "www.he2.ai"
redirect = "he2.ai"
[service.backend]
port = 8000
health = "/api/health"
cpu = 1024
memory = 2048
[service.workers]
cpu = 256
memory = 512
[origin]
lock_header = "X-He2-Origin-Lock"
first_byte_seconds = 90
[auth]
leeway_seconds = 0
max_token_bytes = 8192
max_lifetime_seconds = 86400
forgeries = { quota = 30, seconds = 10 }
revocations_seconds = 5
[issuer.supabase]
variable = "ISSUER"
audiences = ["authenticated"]
algorithms = ["ES256"]
roles = ["authenticated"]
jwks_max_age_seconds = 600
jwks_stale_seconds = 86400
jwks_cooldown_seconds = 30
[cors]
origins = ["https://he2.ai", "http://localhost:3000"]
methods = ["GET"]
headers = ["Authorization"]
expose = ["RateLimit"]
max_age_seconds = 600
[limit.runs]
windows = [{ quota = 20, seconds = 60 }]
[cache.minute]
mode = "assign"
seconds = 60
[cache.users]
mode = "assign"
seconds = 60
shared = true
[[route]]
name = "health"
hosts = ["he2.ai"]
methods = ["GET"]
paths = ["/api/health"]
service = "backend"
auth = "public"
cache = "minute"
[[route]]
name = "runs"
hosts = ["he2.ai"]
methods = ["POST"]
paths = ["/api/runs/{run_id}"]
service = "backend"
auth = "user"
limit = "runs"
[infra]
name = "he2"
region = "us-east-1"
zones = ["us-east-1a", "us-east-1b"]
architecture = "x86_64"
retention_days = 365
github_repository = "he2/app"
[infra.network]
cidr = "10.0.0.0/16"
public = ["10.0.1.0/24", "10.0.2.0/24"]
private = ["10.0.10.0/24", "10.0.11.0/24"]
redis = ["10.0.20.0/24", "10.0.21.0/24"]
egress_ports = [443]
[infra.load_balancer]
mutual_tls = false
[infra.redis]
nodes = 3
snapshot_days = 7
cluster_mode = false
broker = "dramatiq"
[cloudflare]
manage = true
blocked_countries = ["KP"]
requests_per_10_seconds = 500
zone_id = "0123456789abcdef0123456789abcdef"
[environment.production]
state_bucket = "he2-state"
origin = "origin.he2.ai"
public_url = "https://public.he2.ai"
nat = "per-zone"
redis_node = "cache.t4g.small"
deletion_protection = true
zone_settings = true
budget_usd = 515
alarm_email = "ops@he2.ai"
[settings.app]
services = ["backend"]
environment = { ENV_MODE = "{environment}" }
secrets = ["STRIPE_SECRET_KEY"]
[[route]]
name = "models"
paths = ["/api/models"]
hosts = ["he2.ai"]
service = "backend"
auth = "user"
cache = "users"
"#;

/// All that it says of its limit.
pub(crate) const WINDOWS: &str = "windows = [{ quota = 20, seconds = 60 }]";

/// The valid file with one text replaced by another.
pub(crate) fn edited(from: &str, to: &str) -> String {
    assert_eq!(VALID.matches(from).count(), 1, "{from:?} is there once");
    VALID.replace(from, to)
}

/// What is wrong with `text`, line by line.
pub(crate) fn faults(text: &str) -> Vec<String> {
    let faults = he2_config::parse("he2.toml", text).expect_err("the file has a fault");
    faults.to_string().lines().map(str::to_owned).collect()
}

/// The one fault of the valid file with `from` replaced by `to`.
pub(crate) fn fault(from: &str, to: &str) -> String {
    let all = faults(&edited(from, to));
    assert_eq!(all.len(), 1, "{all:#?}");
    all.concat()
}

/// The valid file with another route after the others, whose first line is 63.
pub(crate) fn with_route(route: &str) -> String {
    let (routes, infra) = VALID.split_at(VALID.find("[infra]").unwrap());
    format!("{routes}[[route]]\n{route}\n{infra}")
}

/// The one fault of a file with such a route.
pub(crate) fn route_fault(route: &str) -> String {
    let all = faults(&with_route(route));
    assert_eq!(all.len(), 1, "{all:#?}");
    all.concat()
}

/// The line that a fault names.
pub(crate) fn line(fault: &str) -> u32 {
    fault.split(':').nth(1).unwrap().parse().unwrap()
}
