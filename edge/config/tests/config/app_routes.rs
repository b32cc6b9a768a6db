//! Every route of the app falls under a route of he2.toml with the class that the app itself gives it, except
//! where the gateway is stricter on purpose.

use edge_core::plan::{
    self, Auth, Condition, Edge, Plan, Route, SignIn, Source, Subject, Test, TierOf, Value, Window,
};
use edge_core::route::{Find, find};
use he2_config::{Config, Part};

struct Row {
    method: &'static str,
    pattern: &'static str,
    class: &'static str,
}

fn table(text: &'static str) -> Vec<Row> {
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let row = |line: &'static str| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().expect("method, path and class");
        Row { method: cell(), pattern: cell(), class: cell() }
    };
    lines.map(row).collect()
}

fn rows() -> Vec<Row> {
    table(include_str!("../app-routes.tsv"))
}

/// Where he2.toml differs from the app, with the reasons.
fn stricter() -> Vec<Row> {
    table(include_str!("../stricter-routes.tsv"))
}

fn config() -> Config {
    let text = include_str!("../../../../he2.toml");
    he2_config::parse("he2.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn plan() -> &'static Plan {
    Box::leak(Box::new(config().plan()))
}

fn route(plan: &'static Plan, host: &str, method: &str, path: &str) -> &'static Route {
    match find(plan, host, method, path) {
        Find::Route(route) => route,
        other => panic!("{method} {host}{path}: {other:?}"),
    }
}

/// A path of the pattern: captures filled with what the app's ids look like.
fn example(pattern: &str) -> String {
    let fill = |segment: &str| match (segment.starts_with('{'), segment.ends_with(":path}")) {
        (_, true) => "scope/name".to_owned(),
        (true, false) => "5f0c6f1e-7d0b-4c39-9d57-0c4f3f2f7a11".to_owned(),
        (false, false) => segment.to_owned(),
    };
    pattern.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// What the app calls it. Wherever the app takes a user it takes an API key too.
fn class(auth: Auth) -> &'static str {
    match auth {
        Auth::Public => "PUBLIC",
        Auth::SignIn(SignIn { required: false, user: true, api_key: false, sources: [], .. }) => "OPTIONAL",
        Auth::SignIn(SignIn { required: true, user: true, api_key: true, sources: [], .. }) => "USER",
        Auth::SignIn(SignIn {
            required: true, user: true, api_key: true, sources: [Source::Query], ..
        }) => "USER_OR_QUERY_TOKEN",
        Auth::SignIn(_) => "another",
        Auth::Admin(_) => "ADMIN_KEY",
        Auth::Webhook(_) => "SIGNED_WEBHOOK",
        Auth::Blocked => "BLOCKED",
    }
}

fn expected(row: &Row) -> &'static str {
    let same = |other: &Row| (other.method, other.pattern) == (row.method, row.pattern);
    stricter().into_iter().find(same).map_or(row.class, |stricter| stricter.class)
}

/// On the pages' host this one goes by Next.js, as it does today.
fn service(host: &str, row: &Row, class: &str) -> &'static str {
    match (host, row.pattern, class) {
        (_, _, "BLOCKED") => "",
        ("he2.ai", "/api/triggers/{trigger_id}/webhook", _) => "frontend",
        _ => "backend",
    }
}

#[test]
fn all_153_routes_of_the_app_have_its_class_and_service_on_both_hosts() {
    let (plan, rows) = (plan(), rows());
    assert_eq!(rows.len(), 153);
    for (row, host) in rows.iter().flat_map(|row| [(row, "api.he2.ai"), (row, "he2.ai")]) {
        let route = route(plan, host, row.method, &example(row.pattern));
        let found = (class(route.auth), route.service);
        let expected = expected(row);
        assert_eq!(found, (expected, service(host, row, expected)), "{} {host}{}", row.method, row.pattern);
    }
}

#[test]
fn every_stricter_rule_changes_a_route_of_the_app() {
    let rows = rows();
    for Row { method, pattern, class } in stricter() {
        let own = rows.iter().find(|row| (row.method, row.pattern) == (method, pattern)).map(|row| row.class);
        assert!(own.is_some_and(|own| own != class), "{method} {pattern}: {own:?}");
    }
}

#[test]
fn no_anonymous_caller_writes_to_a_sandbox() {
    let plan = plan();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in ["/api/sandboxes/5f0c", "/api/sandboxes/5f0c/files", "/api/sandboxes/5f0c/files/content"]
        {
            assert_eq!(class(route(plan, "api.he2.ai", method, path).auth), "USER", "{method} {path}");
        }
    }
}

#[test]
fn what_must_not_be_reached_from_outside_is_blocked() {
    let plan = plan();
    for path in
        ["/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json", "/api/admin/master-login/authenticate"]
    {
        assert_eq!(route(plan, "api.he2.ai", "GET", path).auth, Auth::Blocked, "{path}");
    }
    let admin = route(plan, "api.he2.ai", "POST", "/api/admin/anything/else").auth;
    assert_eq!(class(admin), "ADMIN_KEY");
    assert_eq!(find(plan, "api.he2.ai", "GET", "/"), Find::NotFound);
}

#[test]
fn an_unknown_route_of_the_api_needs_a_user() {
    let plan = plan();
    for host in ["he2.ai", "api.he2.ai"] {
        let route = route(plan, host, "PUT", "/api/not/yet/known");
        assert_eq!((class(route.auth), route.service), ("USER", "backend"));
    }
}

#[test]
fn revocations_are_the_edges_own_and_for_operators() {
    let plan = plan();
    for method in ["GET", "POST", "DELETE"] {
        let route = route(plan, "api.he2.ai", method, "/.edge/revocations");
        assert_eq!((route.edge, route.service), (Some(Edge::Revocations), ""), "{method}");
        assert_eq!(class(route.auth), "ADMIN_KEY", "{method}");
    }
    assert_eq!(route(plan, "he2.ai", "PUT", "/.edge/revocations").auth, Auth::Blocked);
    assert_eq!(route(plan, "he2.ai", "GET", "/.edge/anything").auth, Auth::Blocked, "never a page");
}

#[test]
fn a_session_cookie_signs_in_where_next_reads_it_and_nowhere_else() {
    let takes_cookie = |route: &&Route| matches!(route.auth, Auth::SignIn(SignIn { sources, .. }) if sources.contains(&Source::Cookie));
    let names: Vec<_> = plan().routes.iter().filter(takes_cookie).map(|route| route.name).collect();
    assert_eq!(names, ["next-api"; 3]);
}

#[test]
fn next_keeps_its_own_api_routes_on_the_pages_host_only() {
    let plan = plan();
    for (method, path) in [
        ("GET", "/api/edge-flags"),
        ("POST", "/api/generate-prompts"),
        ("GET", "/api/integrations/slack/callback"),
        ("GET", "/api/og/template"),
        ("GET", "/api/share-page/og-image"),
        ("GET", "/api/token-usage"),
        ("POST", "/api/triggers/7/webhook"),
        ("POST", "/api/webhooks/trigger/7"),
    ] {
        assert_eq!(route(plan, "he2.ai", method, path).service, "frontend", "{path}");
        assert_eq!(route(plan, "api.he2.ai", method, path).service, "backend", "{path}");
    }
}

#[test]
fn pages_are_never_stored_and_nothing_that_browsers_poll_is_limited() {
    let plan = plan();
    for path in ["/", "/dashboard", "/share/5f0c"] {
        assert_eq!(route(plan, "he2.ai", "GET", path).cache, None, "{path}");
    }
    for path in ["/", "/_next/static/chunks/a.js", "/api/health"] {
        assert_eq!(route(plan, "he2.ai", "GET", path).limit, None, "{path}");
    }
}

#[test]
fn the_public_api_has_its_published_limits() {
    let route = route(plan(), "api.he2.ai", "POST", "/api/v1/public/quick-action");
    let limit = route.limit.unwrap();
    let hourly = |quota| [Window { quota, seconds: 3600, burst: None }];
    assert_eq!(limit.windows, hourly(10_000));
    let free = limit.tiers.iter().find(|tier| tier.name == "free").unwrap();
    assert_eq!(free.windows, hourly(100));
    let claim = Subject::Claim(&["app_metadata", "plan"]);
    assert_eq!(
        free.of,
        TierOf::User(Condition { subject: claim, test: Test::OneOf(&[Value::Text("free")]) })
    );
}

/// Streams that fail one API process of the backend: its Redis pool has 128 connections, and each stream takes 2.
const STREAMS_THAT_FAIL: u32 = 64;

#[test]
fn the_backend_gets_at_most_half_of_the_streams_that_its_fewest_processes_hold() {
    let config = config();
    let backend = config.services().iter().find(|service| service.name == "backend").unwrap();
    let workers = backend.variables.iter().find(|variable| variable.name == "WORKERS").unwrap();
    let [Part::Text(workers)] = workers.value[..] else { panic!("{workers:?}") };
    let streams = backend.min_tasks * workers.parse::<u32>().unwrap() * STREAMS_THAT_FAIL;
    let route = route(plan(), "he2.ai", "GET", "/api/agent-run/5f0c/stream");
    let ceiling = route.concurrency.iter().find(|places| places.by == [plan::Part::Service]).unwrap();
    assert!(ceiling.most <= streams / 2, "{} of {streams}", ceiling.most);
}

#[test]
fn what_lasts_holds_places_and_event_streams_come_back_after_a_refusal() {
    let plan = plan();
    for (method, path, expected) in [
        ("GET", "/api/agent-run/5f0c/stream", &["streams", "backend-streams"][..]),
        ("POST", "/api/sandboxes/5f0c/files", &["uploads"]),
        ("POST", "/api/v1/public/quick-action", &["uploads"]),
        ("GET", "/api/v1/public/threads/5f0c/response", &["waits"]),
        ("GET", "/api/agents", &[]),
    ] {
        let route = route(plan, "api.he2.ai", method, path);
        let names: Vec<_> = route.concurrency.iter().map(|places| places.name).collect();
        assert_eq!(names, expected, "{path}");
        assert_eq!(route.event_stream, names.contains(&"streams"), "{path}");
    }
}

#[test]
fn file_ids_and_qualified_names_keep_their_slashes() {
    let plan = plan();
    for path in [
        "/api/v1/public/files/thread_456:/workspace/index.html",
        "/api/secure-mcp/credential-profiles/@scope%2Fname",
        "/api/secure-mcp/credentials/@scope/name",
    ] {
        assert!(route(plan, "api.he2.ai", "GET", path).raw_path, "{path}");
    }
    assert!(!route(plan, "api.he2.ai", "GET", "/api/agents/a%2Fb").raw_path);
}
