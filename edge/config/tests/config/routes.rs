//! Routes that name what is not there, are unsafe, or can never be reached do not pass.

use edge_core::plan::Edge;

use crate::support::{edited, fault, faults, line, route_fault, with_route};

/// A route on line 63 with this text for its path and class; faults of the path are on line 66.
fn route(path: &str, rest: &str) -> String {
    format!("name = \"more\"\nhosts = [\"he2.ai\"]\npaths = [\"{path}\"]\n{rest}")
}

const STREAM: &str = r#"{ class = "any_of", sources = ["query"] }"#;
const ADMIN: &str = r#"{ class = "admin", secret = "ADMIN_API_KEY" }"#;
const STRIPE: &str = concat!(
    r#"{ class = "webhook", scheme = "stripe", secret = "STRIPE", "#,
    "tolerance_seconds = 300, max_body_bytes = 9 }"
);
const OPEN: &str = "service = \"backend\"\nauth = \"public\"";

#[test]
fn a_reference_to_nothing_is_refused_with_the_nearest_name() {
    let to_service = route_fault(&route("/x", "service = \"bakend\"\nauth = \"user\""));
    assert_eq!(to_service, "he2.toml:67: unknown service `bakend`; did you mean `backend`?");
    let to_limit = fault("limit = \"runs\"", "limit = \"rans\"");
    assert_eq!(to_limit, "he2.toml:62: unknown limit `rans`; did you mean `runs`?");
    let to_cache = fault("cache = \"minute\"", "cache = \"hour\"");
    assert_eq!(to_cache, "he2.toml:54: unknown cache `hour`; known are `minute`, `users`");
    let to_host =
        fault("hosts = [\"he2.ai\"]\nmethods = [\"POST\"]", "hosts = [\"he2.a\"]\nmethods = [\"POST\"]");
    assert_eq!(to_host, "he2.toml:57: unknown host `he2.a`; did you mean `he2.ai`?");
    let to_class = route_fault(&route("/x", "service = \"backend\"\nauth = \"usr\""));
    assert_eq!(to_class, "he2.toml:68: unknown auth `usr`; did you mean `user`?");
    let to_method = fault("methods = [\"POST\"]", "methods = [\"post\"]");
    assert_eq!(
        to_method,
        "he2.toml:58: unknown method `post`; known are `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS`"
    );
}

#[test]
fn a_route_to_a_service_without_a_port_is_refused() {
    let expected =
        "he2.toml:67: service `workers` has no port and takes no traffic; name another or give it a port";
    assert_eq!(route_fault(&route("/x", "service = \"workers\"\nauth = \"user\"")), expected);
}

#[test]
fn a_route_without_a_service_is_refused_unless_it_is_blocked() {
    let expected = "he2.toml:63: [[route]] needs `service`; name what answers it";
    assert_eq!(route_fault(&route("/x", "auth = \"user\"")), expected);
    assert!(he2_config::parse("he2.toml", &with_route(&route("/x", "auth = \"blocked\""))).is_ok());
    let expected = "he2.toml:67: a blocked route goes to no service; remove `service`";
    assert_eq!(route_fault(&route("/x", "service = \"backend\"\nauth = \"blocked\"")), expected);
}

#[test]
fn a_route_that_the_edge_answers_goes_to_no_service_and_is_for_operators() {
    let at_edge = |rest: &str| route("/x", &format!("edge = \"revocations\"\n{rest}"));
    let text = with_route(&at_edge(&format!("auth = {ADMIN}")));
    let plan = he2_config::parse("he2.toml", &text).unwrap().plan();
    let found = plan.routes.iter().find(|route| route.name == "more").unwrap();
    assert_eq!((found.edge, found.service), (Some(Edge::Revocations), ""));

    let expected = "he2.toml:67: `edge` answers in place of a service; remove one of the two";
    assert_eq!(route_fault(&at_edge(&format!("service = \"backend\"\nauth = {ADMIN}"))), expected);
    let expected = "he2.toml:67: a blocked route has no answer; remove `edge`";
    assert_eq!(route_fault(&at_edge("auth = \"blocked\"")), expected);
    let expected = "he2.toml:67: edge `revocations` is for operators; give the route auth `admin`";
    assert_eq!(route_fault(&at_edge("auth = \"user\"")), expected);
    let expected = "he2.toml:67: unknown edge `revocation`; did you mean `revocations`?";
    assert_eq!(route_fault(&route("/x", &format!("edge = \"revocation\"\nauth = {ADMIN}"))), expected);
    let expected = "he2.toml:69: cache `users`: the edge's own answers are live; remove `cache`";
    assert_eq!(route_fault(&at_edge(&format!("auth = {ADMIN}\ncache = \"users\""))), expected);
}

#[test]
fn a_route_on_a_host_that_only_redirects_is_refused() {
    let text = route("/x", OPEN).replace("[\"he2.ai\"]", "[\"www.he2.ai\"]");
    assert_eq!(
        route_fault(&text),
        "he2.toml:65: host `www.he2.ai` only redirects; put the route on `he2.ai`"
    );
}

#[test]
fn a_route_name_twice_is_refused() {
    let text = route("/x", OPEN).replace("more", "runs");
    assert_eq!(route_fault(&text), "he2.toml:64: route `runs` is already on line 56; remove one");
}

#[test]
fn a_path_that_could_never_match_or_is_misspelt_is_refused() {
    for (path, expected) in [
        ("x", "path `x` must begin with `/`"),
        ("/x/", "path `/x/`: it has an empty segment; remove the extra `/`"),
        ("/x//y", "path `/x//y`: it has an empty segment; remove the extra `/`"),
        ("/x/../y", "path `/x/../y`: the dot segment `..` never arrives; write the path without it"),
        ("/{*a}/x", "path `/{*a}/x`: a `{*tail}` takes all that follows; it must come last"),
        ("/{}", "path `/{}`: `{}` needs a name of letters, digits and `_`, as `{id}` or `{*rest}`"),
        ("/{*}", "path `/{*}`: `{*}` needs a name of letters, digits and `_`, as `{id}` or `{*rest}`"),
        ("/{a}/{a}", "path `/{a}/{a}`: the name `a` is used twice; rename one"),
        ("/x{a}", "path `/x{a}`: `x{a}` mixes text and braces; a capture is a whole segment"),
        ("/x{", "path `/x{`: `x{` mixes text and braces; a capture is a whole segment"),
    ] {
        assert_eq!(route_fault(&route(path, OPEN)), format!("he2.toml:66: {expected}"));
    }
}

#[test]
fn text_that_has_two_spellings_is_refused() {
    for text in ["a%20b", "a:b", "é", "a b", "a?b"] {
        let expected = format!(
            "he2.toml:66: path `/{text}`: `{text}` may hold letters, digits and `-._~` only; use a {{capture}} for the rest"
        );
        assert_eq!(route_fault(&route(&format!("/{text}"), OPEN)), expected);
    }
}

#[test]
fn a_limit_is_refused_where_it_would_break_the_caller() {
    let limited = |auth: &str| {
        route_fault(&route("/x", &format!("service = \"backend\"\nauth = {auth}\nlimit = \"runs\"")))
    };
    let expected =
        "he2.toml:69: no limit on a webhook: its sender gives up on one that is refused; remove `limit`";
    assert_eq!(limited(STRIPE), expected);
    let expected = "he2.toml:69: no limit on a stream: browsers never reconnect after a refusal; say `event_stream = true`, or \
         remove `limit`";
    assert_eq!(limited(STREAM), expected);
}

#[test]
fn a_cache_is_refused_where_one_callers_answer_would_reach_another() {
    let cached = |auth: &str, cache: &str| {
        route_fault(&route("/x", &format!("service = \"backend\"\nauth = {auth}\ncache = \"{cache}\"")))
    };
    let off = "remove `cache`";
    assert_eq!(
        cached(STREAM, "users"),
        format!("he2.toml:69: cache `users`: a stream is one caller's; {off}")
    );
    let expected = format!("he2.toml:69: cache `minute`: a webhook's answer is its sender's; {off}");
    assert_eq!(cached(STRIPE, "minute"), expected);
    let expected = format!("he2.toml:69: cache `minute`: operators see live answers only; {off}");
    assert_eq!(cached(ADMIN, "minute"), expected);
    let expected =
        "he2.toml:69: cache `users`: `shared` is for routes that check the caller; use a policy without it";
    assert_eq!(cached("\"public\"", "users"), expected);
}

#[test]
fn credentials_pass_unchecked_only_on_public_routes() {
    let text =
        edited("seconds = 60\nshared = true", "seconds = 60\nshared = true\nauthorization = \"origin\"");
    let expected = "he2.toml:109: cache `users`: `authorization` is for public routes: here the gateway checks it; use a \
                    policy without it";
    assert_eq!(faults(&text), [expected]);
}

#[test]
fn a_cache_that_would_store_nothing_is_refused() {
    let expected = "he2.toml:69: cache `minute`: every caller here is known, so it stores nothing; use one with \
                    `shared = true`, or remove `cache`";
    let text = route("/x", "service = \"backend\"\nauth = \"user\"\ncache = \"minute\"");
    assert_eq!(route_fault(&text), expected);
}

#[test]
fn two_routes_for_the_same_requests_are_ambiguous() {
    let text = route("/api/runs/{id}", OPEN).replace("paths", "methods = [\"GET\", \"POST\"]\npaths");
    let expected = "he2.toml:67: path `/api/runs/{id}` of route `more` takes the same requests as `/api/runs/{run_id}` \
                    of route `runs` on line 59; give them different hosts or methods, or remove one";
    assert_eq!(route_fault(&text), expected);
}

#[test]
fn rfc9110_9_3_2_a_route_for_head_alone_is_refused() {
    let text = route("/x", OPEN).replace("paths", "methods = [\"HEAD\"]\npaths");
    assert_eq!(route_fault(&text), "he2.toml:66: HEAD is wherever GET is; name GET instead");
}

#[test]
fn a_route_with_methods_goes_before_one_for_all() {
    let text = with_route(&route("/api/runs/{id}", OPEN));
    let routes = he2_config::parse("he2.toml", &text).unwrap().plan().routes;
    let names: Vec<_> = routes.iter().map(|route| route.name).collect();
    assert_eq!(names, ["health", "models", "runs", "more"]);
}

#[test]
fn a_route_that_others_cover_together_is_shadowed() {
    let text = route("/a/{*rest}", OPEN)
        .replace("[\"/a/{*rest}\"]", "[\"/a/{b}\", \"/a/{b}/{*c}\", \"/a/{*rest}\"]");
    let expected = "he2.toml:66: path `/a/{*rest}` of route `more` is never reached on he2.ai: more specific routes \
                    take all of it; remove it there";
    assert_eq!(route_fault(&text), expected);
}

#[test]
fn a_raw_path_reaches_its_tail_by_empty_segments() {
    let text = route("/a/{*rest}", OPEN)
        .replace("[\"/a/{*rest}\"]", "[\"/a/{b}\", \"/a/{b}/{*c}\", \"/a/{*rest}\"]");
    assert!(he2_config::parse("he2.toml", &with_route(&format!("{text}\nraw_path = true"))).is_ok());
}

#[test]
fn all_faults_come_at_once_by_line() {
    let text = with_route(&route("x", "service = \"bakend\"\nauth = \"usr\"\nlimit = \"no\"\ncolour = 1"))
        .replace("port = 8000", "port = 0")
        .replace("quota = 20", "quota = 0")
        .replace("leeway_seconds = 0", "leeway_seconds = 99")
        .replace("methods = [\"POST\"]", "metods = [\"POST\"]")
        .replace("\"https://he2.ai\"", "\"*\"");
    let lines: Vec<u32> = faults(&text).iter().map(|fault| line(fault)).collect();
    assert_eq!(lines, [8, 19, 33, 39, 58, 66, 67, 68, 69, 70]);
}
