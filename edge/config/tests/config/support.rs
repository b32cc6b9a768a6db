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
audiences = ["authenticated"]
algorithms = ["ES256"]
roles = ["authenticated"]
leeway_seconds = 0
max_token_bytes = 8192
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
"#;

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

/// The valid file with another route at its end, whose first line is 58.
pub(crate) fn with_route(route: &str) -> String {
    format!("{VALID}[[route]]\n{route}")
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
