use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{ISSUER, Signer, explained, file, step};

const HE2_TOML: &str = include_str!("../../../../he2.toml");

#[test]
fn how_a_limit_counts_is_said() {
    let original = include_str!("../../../../he2.toml");
    let windows = "windows = [{ quota = 300, seconds = 60 }]";
    assert_eq!(original.matches(windows).count(), 1);
    let strict = "mode = \"strict\"\nshadow = true\nwindows = [{ quota = 300, seconds = 60, burst = 50 }]";
    let config = file("counts.toml", &original.replace(windows, strict));
    let request = ["GET", "https://he2.ai/api/feature-flags", "--ip", "198.51.100.7"];
    let found = explained(&[&request[..], &["--config", config.to_str().unwrap()]].concat());
    let expected = "strict: 300 per 60 s (burst 50) by caller, counted for open/ip/198.51.100.7; \
        would be asked, and refuses nobody (shadow)";
    assert_eq!(step(&found, "limit"), expected);
}

/// he2.toml with other texts in the place of some, each of which is there.
fn changed(name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let change = |text: String, (from, to): &(&str, &str)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    file(name, &changes.iter().fold(HE2_TOML.to_owned(), change))
}

/// A user's call, with such claims.
fn called(test: &str, method: &str, url: &str, claims: &Value, options: &[&str]) -> Value {
    let signer = Signer::new();
    let (jwks, header) = (signer.key_set(test), format!("Authorization: Bearer {}", signer.sign(claims)));
    let request = [method, url, "-H", &header, "--jwks", jwks.to_str().unwrap(), "--issuer", ISSUER];
    explained(&[&request[..], options].concat())
}

#[test]
fn the_tier_of_a_caller_is_said_with_its_windows() {
    let on_plan = |plan: &str| {
        let claims = json!({"app_metadata": {"plan": plan}});
        let found = called(&format!("tier-{plan}"), "POST", "https://he2.ai/api/v1/public/x", &claims, &[]);
        step(&found, "limit").to_owned()
    };
    let counted = "by caller, counted for public-api/user/user-7; would be asked";
    assert_eq!(on_plan("free"), format!("lease: 100 per 3600 s (tier free) {counted}"));
    assert_eq!(on_plan("enterprise"), format!("lease: 100000 per 3600 s (tier enterprise) {counted}"));
    assert_eq!(on_plan("pro"), format!("lease: 10000 per 3600 s {counted}"));
    let key = format!("X-API-Key: pk_{}:sk_{}", "a".repeat(32), "b".repeat(32));
    let found = explained(&["POST", "https://he2.ai/api/v1/public/x", "-H", &key]);
    assert!(
        step(&found, "limit").starts_with("lease: 10000 per 3600 s by caller, counted for public-api/key/")
    );
}

#[test]
fn what_tells_counters_apart_and_what_a_request_costs_are_said() {
    let by =
        "by = [\"session\", { claim = \"org.id\" }, \"address\", \"service\", { param = \"thread_id\" }]";
    let windows = "windows = [{ quota = 20, seconds = 60 }, { quota = 100, seconds = 3600 }]";
    let paths = "paths = [\"/api/agent/initiate\", \"/api/thread/{thread_id}/agent/start\"]";
    let one = ("limit = \"runs\"", "limit = \"runs\"\ncost = 5");
    let path = (paths, "paths = [\"/api/thread/{thread_id}/agent/start\"]");
    let said = |name: &str, of_limit: &str| {
        let config = changed(name, &[(windows, of_limit), one, path]);
        let options = ["--ip", "198.51.100.7", "--config", config.to_str().unwrap()];
        let url = "https://he2.ai/api/thread/th-1/agent/start";
        let found = called(name, "POST", url, &json!({"org": {"id": 12}}), &options);
        step(&found, "limit").to_owned()
    };
    let windows_said = "lease: 20 per 60 s and 100 per 3600 s";
    let expected = format!(
        "{windows_said} by session and claim org.id and address and service and param thread_id, cost 5, counted for \
         runs/session/session-7/claim/12/ip/198.51.100.7/service/backend/path/th-1; would be asked"
    );
    assert_eq!(said("key-parts", &format!("{windows}\n{by}")), expected);
    let expected = format!(
        "{windows_said} by caller, cost 5 or what the origin says in x-request-cost, counted for runs/user/user-7; \
         would be asked"
    );
    assert_eq!(said("cost-header", &format!("{windows}\ncost_header = \"X-Request-Cost\"")), expected);
}

#[test]
fn an_event_stream_and_the_places_that_it_takes_are_said_with_their_line() {
    let url = "https://he2.ai/api/agent-run/7/stream";
    let found = called("stream", "GET", url, &json!({}), &[]);
    let route = "run-stream: GET /api/agent-run/{agent_run_id}/stream, to backend, as an event stream";
    assert_eq!(step(&found, "route"), route);
    let limit = step(&found, "limit");
    assert!(limit.starts_with("lease: 600 per 60 s"), "{limit}");
    let expected = "8 at once by caller, in streams/user/user-7 (lease 60 s); 120 at once by service, in \
                    backend-streams/service/backend (lease 60 s); would be asked";
    assert_eq!(step(&found, "places"), expected);
    let line = HE2_TOML.lines().position(|line| line.starts_with("[concurrency.streams]")).unwrap() + 1;
    let steps = found["steps"].as_array().unwrap();
    assert_eq!(steps.iter().find(|step| step["step"] == "places").unwrap()["line"], line);
}

#[test]
fn a_concurrency_in_shadow_is_said_to_refuse_nobody() {
    let config =
        changed("shadow-places.toml", &[("most = 4\n", "most = 4\nshadow = true\nlease_seconds = 30\n")]);
    let options = ["--config", config.to_str().unwrap()];
    let found = called("shadow-places", "POST", "https://he2.ai/api/transcription", &json!({}), &options);
    let expected = "4 at once by caller, in uploads/user/user-7 (lease 30 s), and refuses nobody (shadow); would be asked";
    assert_eq!(step(&found, "places"), expected);
    assert_eq!(step(&explained(&["GET", "https://he2.ai/dashboard"]), "places"), "none");
}
