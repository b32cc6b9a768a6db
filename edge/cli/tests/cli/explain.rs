use serde_json::{Value, json};

use crate::support::{ISSUER, NOW, explained, he2, said, signed_in, step};

#[test]
fn a_signed_in_call_is_followed_to_the_origin() {
    let (token, jwks) = signed_in("signed-in-call");
    let found = explained(&[
        "GET",
        "https://api.he2.ai/api/agents?limit=5",
        "-H",
        &format!("Authorization: Bearer {token}"),
        "--jwks",
        jwks.to_str().unwrap(),
        "--issuer",
        ISSUER,
        "--ip",
        "198.51.100.7",
    ]);
    assert_eq!(step(&found, "auth"), "any_of: user user-7 (ES256 by supabase, key set of 0 s ago)");
    assert_eq!(
        step(&found, "limit"),
        "lease: 600 per 60 s and 10000 per 3600 s by caller, counted for api/user/user-7; would be asked"
    );
    let forward = &found["forward"];
    assert_eq!(forward["url"], "ORIGIN/api/agents?limit=5");
    let headers = forward["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-he2-user", "user-7"])));
    assert!(headers.contains(&json!(["x-forwarded-for", "198.51.100.7"])));
    assert!(headers.contains(&json!(["authorization", "Bearer (hidden)"])));
}

#[test]
fn a_refusal_names_its_step_its_reason_and_the_line_of_the_route() {
    let found = explained(&["GET", "https://he2.ai/api/agents"]);
    assert_eq!(step(&found, "auth"), "any_of: refused with 401: No valid authentication credentials found");
    assert_eq!(found["steps"].as_array().unwrap().last().unwrap()["step"], "auth");
    assert_eq!((&found["answer"]["status"], &found["forward"]), (&json!(401), &json!(null)));
    let line =
        include_str!("../../../../he2.toml").lines().position(|line| line.contains("\"/api/{*rest}\""));
    assert_eq!(found["route"]["line"], line.unwrap() + 1);
}

#[test]
fn an_expired_token_is_explained_as_expired() {
    let (token, jwks) = signed_in("expired-token");
    let header = format!("Authorization: Bearer {token}");
    let later = (NOW + 3600 + 31).to_string();
    let jwks = jwks.to_str().unwrap();
    let request = [
        "GET",
        "https://he2.ai/api/agents",
        "-H",
        &header,
        "--jwks",
        jwks,
        "--issuer",
        ISSUER,
        "--now",
        &later,
    ];
    let found = explained(&request);
    assert_eq!(step(&found, "auth"), "any_of: refused with 401: token: the token has expired");
}

#[test]
fn a_token_without_a_key_set_says_which_option_is_missing() {
    let (token, _) = signed_in("no-key-set");
    let header = format!("Authorization: Bearer {token}");
    let found = explained(&["GET", "https://he2.ai/api/agents", "-H", &header, "--issuer", ISSUER]);
    let expected = "any_of: refused with 503: sign-in cannot be checked right now (no key set here; name one by --jwks FILE)";
    assert_eq!(step(&found, "auth"), expected);
}

#[test]
fn no_secret_is_printed() {
    let (token, jwks) = signed_in("no-secret");
    let jwks = jwks.to_str().unwrap();
    let key = format!("pk_{}:sk_{}", "a".repeat(32), "b".repeat(32));
    for (url, header) in [
        (format!("https://he2.ai/api/agent-run/7/stream?token={token}"), "Cookie: sb=hush".to_owned()),
        ("https://he2.ai/api/agents".to_owned(), format!("X-API-Key: {key}")),
        ("https://he2.ai/api/agents".to_owned(), format!("Authorization: Bearer {token}")),
        ("https://he2.ai/api/send-welcome-email".to_owned(), "X-Admin-Api-Key: hush".to_owned()),
        ("https://api.he2.ai/api/triggers/7/webhook".to_owned(), "X-Trigger-Secret: hush".to_owned()),
    ] {
        for form in [&["--json"][..], &[]] {
            let method = if url.ends_with("webhook") { "POST" } else { "GET" };
            let now = NOW.to_string();
            let request =
                ["explain", method, &url, "-H", &header, "--jwks", jwks, "--issuer", ISSUER, "--now", &now];
            let (code, text) = said(&he2(&[&request, form].concat()));
            assert_eq!(code, 0);
            assert!(text.contains("ORIGIN/"), "forwarded: {text}");
            for secret in [token.as_str(), &key, "hush"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[test]
fn a_preflight_ends_at_cors() {
    let preflight = |origin: &str| {
        explained(&[
            "OPTIONS",
            "https://api.he2.ai/api/agents",
            "-H",
            &format!("Origin: {origin}"),
            "-H",
            "Access-Control-Request-Method: POST",
        ])
    };
    assert_eq!(
        step(&preflight("https://he2.ai"), "cors"),
        "preflight of https://he2.ai, answered here with 204"
    );
    let foreign = preflight("https://evil.example");
    assert!(step(&foreign, "cors").starts_with("preflight, refused with 403: "), "{foreign:#}");
    assert_eq!(foreign["steps"].as_array().unwrap().last().unwrap()["step"], "cors");
}

#[test]
fn a_request_that_no_route_takes_ends_where_it_fails() {
    for (method, url, last, says) in [
        ("GET", "https://he3.ai/", "host", "refused with 421: this host is not served here"),
        ("GET", "https://www.he2.ai/a?b", "path", "/a, redirected to he2.ai with 308"),
        (
            "GET",
            "https://he2.ai/a/%2e%2e/b",
            "path",
            "refused with 400: the path contains a `.` or `..` segment",
        ),
        ("GET", "https://api.he2.ai/", "route", "refused with 404: Not Found"),
        (
            "GET",
            "https://api.he2.ai/docs",
            "route",
            "blocked-docs: any method /docs, refused with 404: blocked",
        ),
        ("POST", "https://he2.ai/favicon.ico", "limit", "none"),
    ] {
        let found = explained(&[method, url]);
        assert_eq!(step(&found, last), says, "{url}");
        let ended = found["steps"].as_array().unwrap().last().unwrap()["step"] == last;
        assert_eq!(ended, last != "limit", "{url}");
    }
}

#[test]
fn what_is_cached_and_for_whom_is_said() {
    let found = explained(&["GET", "https://he2.ai/api/health"]);
    let expected =
        "health: 5 s where the origin says nothing; with nothing stored: he2; fwd=uri-miss; stored";
    assert_eq!(step(&found, "cache"), expected);
    let found = explained(&["GET", "https://he2.ai/api/pipedream/apps"]);
    let expected = "catalogue: 300 s where the origin says nothing, fetched once for a data centre; with nothing stored: \
                    he2; fwd=uri-miss; stored";
    assert_eq!(step(&found, "cache"), expected);
    assert_eq!(
        step(&explained(&["GET", "https://he2.ai/dashboard"]), "cache"),
        "off; with nothing stored: he2; fwd=bypass; detail=route"
    );
}

#[test]
fn every_step_that_the_file_decides_names_its_line() {
    let text = include_str!("../../../../he2.toml");
    let line = |part: &str| json!(text.lines().position(|line| line.starts_with(part)).unwrap() + 1);
    let of = |found: &Value, name: &str| {
        let steps = found["steps"].as_array().unwrap();
        steps.iter().find(|step| step["step"] == name).unwrap()["line"].clone()
    };
    let found = explained(&["GET", "https://he2.ai/api/feature-flags", "-H", "Origin: https://he2.ai"]);
    let route = text.lines().position(|line| line == "name = \"feature-flags\"").unwrap();
    let auth = text.lines().skip(route).position(|line| line == "auth = \"public\"").unwrap();
    assert_eq!(of(&found, "host"), line("name = \"he2.ai\""));
    assert_eq!(of(&found, "path"), json!(null));
    assert_eq!(of(&found, "cors"), line("origins = ["));
    assert_eq!(of(&found, "auth"), json!(route + auth + 1));
    assert_eq!(of(&found, "limit"), line("[limit.open]"));
    assert_eq!(of(&found, "cache"), line("[cache.minute]"));

    let page = explained(&["GET", "https://he2.ai/dashboard"]);
    assert_eq!(of(&page, "limit"), page["route"]["line"]);
    assert_eq!(of(&page, "places"), page["route"]["line"]);
    assert_eq!(of(&page, "cache"), page["route"]["line"]);
    let moved = explained(&["GET", "https://www.he2.ai/"]);
    assert_eq!(of(&moved, "path"), line("name = \"www.he2.ai\""));
}

#[test]
fn a_secret_in_the_query_is_hidden_however_its_name_is_written() {
    for url in ["https://he2.ai/dashboard?%74oken=abcsecret", "https://www.he2.ai/?a=b&API%5Fkey=abcsecret"] {
        let referer = format!("Referer: {url}");
        for form in [&["--json"][..], &[]] {
            let (code, text) = said(&he2(&[&["explain", "GET", url, "-H", &referer], form].concat()));
            assert_eq!(code, 0);
            assert!(text.contains("(hidden)") && !text.contains("abcsecret"), "{text}");
        }
    }
}

#[test]
fn a_path_that_no_route_may_carry_is_refused_where_it_is_found() {
    let found = explained(&["GET", "https://he2.ai/api//agents"]);
    let expected = "api: any method /api/{*rest}, refused with 400: the path contains an empty segment";
    assert_eq!(step(&found, "route"), expected);
    let found = explained(&["GET", "https://api.he2.ai/a//b"]);
    assert_eq!(step(&found, "path"), "refused with 400: the path contains an empty segment");
}

#[test]
fn a_path_with_needless_escapes_is_shown_as_what_it_means() {
    let found = explained(&["GET", "https://he2.ai/api/%61gents"]);
    assert_eq!(step(&found, "path"), "/api/agents, which is what /api/%61gents means");
}

#[test]
fn people_get_one_line_for_each_step() {
    let (code, text) =
        said(&he2(&["explain", "GET", "https://he2.ai/api/health", "--now", &NOW.to_string()]));
    assert_eq!(code, 0);
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let steps: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(steps, ["host", "path", "route", "cors", "auth", "limit", "places", "cache", "forward"]);
    assert!(text.starts_with("GET https://he2.ai/api/health\n"), "{text}");
    assert!(text.contains("forward  GET ORIGIN/api/health, answer within 5 s"), "{text}");
}
