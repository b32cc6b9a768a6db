use edge_core::plan::{Auth, Edge, Host, Segment};
use edge_core::route::{Find, find};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const HOSTS: [&str; 3] = ["one.dev", "three.dev", "two.dev"];
const METHODS: [&str; 3] = ["GET", "POST", "PUT"];

/// What the load balancer does with a path pattern.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), next) => fits(rest, path) || next.is_some_and(|(_, path)| fits(pattern, path)),
        (Some((one, pattern)), Some((other, path))) => one == other && fits(pattern, path),
        _ => false,
    }
}

fn picked(rules: &[Rule], host: &str, method: &str, path: &str) -> Option<&'static str> {
    let or_any = |values: &[&str], value: &str| values.is_empty() || values.contains(&value);
    let takes = |rule: &&Rule| {
        or_any(&rule.hosts, host)
            && or_any(&rule.methods, method)
            && (rule.paths.is_empty() || rule.paths.iter().any(|glob| fits(glob.as_bytes(), path.as_bytes())))
    };
    rules.iter().find(takes).map(|rule| rule.service)
}

fn base() -> Plan {
    let text = include_str!("../../../he2.toml");
    he2_config::parse("he2.toml", text).unwrap_or_else(|faults| panic!("{faults}")).plan()
}

fn plan(mut routes: Vec<Route>) -> &'static Plan {
    routes.sort_by_key(|route| (route.segments, route.methods.is_empty(), route.methods, route.hosts));
    let host = |name| Host { name, redirect: None, line: 1 };
    let hosts = HOSTS.map(host).to_vec().leak();
    Box::leak(Box::new(Plan { hosts, routes: routes.leak(), ..base() }))
}

/// Stands for no service: the gateway answers.
const EDGE: &str = "edge";

/// No service: blocked.
fn route(
    hosts: &[&'static str],
    methods: &[&'static str],
    pattern: &'static str,
    service: &'static str,
) -> Route {
    let segment = |text: &'static str| match text {
        "{x}" => Segment::Param("x"),
        "{*x}" => Segment::Tail("x"),
        text => Segment::Literal(text),
    };
    let segments: Vec<Segment> =
        pattern.split('/').skip(1).filter(|text| !text.is_empty()).map(segment).collect();
    Route {
        name: pattern,
        line: 7,
        hosts: hosts.to_vec().leak(),
        methods: methods.to_vec().leak(),
        pattern,
        segments: segments.leak(),
        service: if service == EDGE { "" } else { service },
        edge: (service == EDGE).then_some(Edge::Revocations),
        auth: if service.is_empty() { Auth::Blocked } else { Auth::Public },
        limit: None,
        cost: 1,
        concurrency: &[],
        event_stream: false,
        cache: None,
        raw_path: false,
        cors: true,
        first_byte_ms: 1000,
        try_ms: 1000,
        tries: 3,
        hedge_ms: None,
        timeouts: None,
        priority: None,
        heartbeat_ms: None,
        max_body_bytes: 1000,
        wait: None,
        security: None,
        retirement: None,
    }
}

/// Every path of up to five segments, empty ones among them.
fn paths() -> Vec<String> {
    let mut longest = vec![String::new()];
    let mut all = vec!["/".to_owned()];
    for _ in 0..5 {
        longest = longest
            .iter()
            .flat_map(|path| ["a", "b", "c", ""].map(|next| format!("{path}/{next}")))
            .collect();
        all.extend(longest.iter().cloned());
    }
    all
}

/// Compares both sides on every request that the gateway would send.
fn compare(plan: &'static Plan, rules: &[Rule], paths: &[String]) {
    for (host, path) in HOSTS.iter().flat_map(|host| paths.iter().map(move |path| (*host, path))) {
        for method in ["GET", "HEAD", "POST", "PUT", "PROPFIND"] {
            let Find::Route(route) = find(plan, host, method, path) else { continue };
            if route.service.is_empty() || (path.contains("//") && !route.raw_path) {
                continue;
            }
            let found = picked(rules, host, method, path);
            assert_eq!(found, Some(route.service), "{method} {host}{path} by {}: {rules:#?}", route.pattern);
        }
    }
}

fn any_route() -> impl Strategy<Value = Route> {
    let parts = prop::collection::vec(select(vec!["a", "b", "{x}"]), 0..4);
    let tail = prop::option::weighted(0.4, Just("{*x}"));
    let hosts = subsequence(HOSTS.to_vec(), 1..=3);
    let methods = prop_oneof![3 => Just(Vec::new()), 2 => subsequence(METHODS.to_vec(), 1..=2)];
    let service = select(vec!["web", "web", "api", "api", "", EDGE]);
    (parts, tail, hosts, methods, service, any::<bool>()).prop_map(
        |(parts, tail, hosts, methods, service, raw)| {
            let parts: Vec<&str> = parts.into_iter().chain(tail).collect();
            let pattern: &'static str = format!("/{}", parts.join("/")).leak();
            Route { raw_path: raw, ..route(&hosts, &methods, pattern, service) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_global_rejects: 1280, ..ProptestConfig::default() })]
    #[test]
    fn the_rules_agree_with_the_gateway_on_any_routes(routes in prop::collection::vec(any_route(), 1..7)) {
        let plan = plan(routes);
        let rules = rules(plan);
        prop_assume!(rules.is_ok());
        compare(plan, &rules.unwrap(), &paths());
    }
}

const ONE: &[&str] = &["one.dev"];
const TWO: &[&str] = &["two.dev"];

#[test]
fn what_a_capture_would_take_beyond_its_segment_is_given_back_first() {
    let routes = vec![route(ONE, &["POST"], "/hooks/{x}/run", "web"), route(ONE, &[], "/{*x}", "api")];
    let plan = plan(routes);
    let rules = rules(plan).unwrap();
    let paths: Vec<_> = rules.iter().flat_map(|rule| &rule.paths).collect();
    assert_eq!(paths, ["/hooks/*/*/run", "/hooks/*/run", "/*"]);
    assert_eq!(rules[1].methods, ["POST"]);
}

#[test]
fn a_host_of_one_service_is_one_rule_and_every_rule_names_host_and_path() {
    let routes = vec![
        route(ONE, &[], "/a", "web"),
        route(ONE, &[], "/{*x}", "api"),
        route(TWO, &[], "/a", "api"),
        route(TWO, &[], "/b/{*x}", "api"),
    ];
    let rules = rules(plan(routes)).unwrap();
    let told: Vec<_> =
        rules.iter().map(|rule| (rule.hosts[0], rule.paths[0].as_str(), rule.service)).collect();
    assert_eq!(told, [("two.dev", "/*", "api"), ("one.dev", "/a", "web"), ("one.dev", "/*", "api")]);
}

#[test]
fn routes_of_one_service_are_one_rule() {
    let routes = vec![
        route(ONE, &[], "/a", "api"),
        route(ONE, &["GET"], "/a/{x}", "api"),
        route(TWO, &[], "/{*x}", "api"),
        route(TWO, &[], "/a/{*x}", ""),
    ];
    let rules = rules(plan(routes)).unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(
        (rules[0].hosts.as_slice(), rules[0].paths.as_slice()),
        (&["one.dev", "two.dev"][..], &["/*".to_owned()][..])
    );
}

#[test]
fn what_the_gateway_answers_itself_has_no_rule() {
    let routes = vec![
        route(ONE, &[], "/own/{x}", EDGE),
        route(ONE, &[], "/{*x}", "api"),
        route(TWO, &[], "/{*x}", EDGE),
    ];
    let rules = rules(plan(routes)).unwrap();
    assert_eq!((rules.len(), rules[0].hosts.as_slice()), (1, ONE));
    assert_eq!(rules[0].paths, ["/*"]);
}

#[test]
fn head_goes_where_get_goes() {
    let routes = vec![route(ONE, &["GET"], "/a", "web"), route(ONE, &[], "/{*x}", "api")];
    let rules = rules(plan(routes)).unwrap();
    let methods: Vec<_> = rules.iter().map(|rule| rule.methods.as_slice()).collect();
    assert_eq!(methods, [&["GET"][..], &["HEAD"], &[]]);
}

#[test]
fn what_the_load_balancer_cannot_tell_apart_is_a_fault_with_line_and_repair() {
    // `/a/*/*/b/*` would take `/a/x/b/b/y` from the first route itself.
    let routes = vec![route(ONE, &[], "/a/{x}/b/{*x}", "web"), route(ONE, &[], "/{*x}", "api")];
    let faults = rules(plan(routes)).unwrap_err();
    assert_eq!((faults.len(), faults[0].line), (1, 7));
    assert!(faults[0].text.contains("`/a/{x}/b/{*x}`") && faults[0].text.contains("beginning of its own"));
}

#[test]
fn more_rules_than_a_load_balancer_takes_are_a_fault() {
    let literal = |at: usize| format!("/{at}").leak() as &'static str;
    let exceptions = (0..350).map(|at| route(ONE, &[], literal(at), "web"));
    let routes = exceptions.chain([route(ONE, &[], "/{*x}", "api")]).collect();
    let faults = rules(plan(routes)).unwrap_err();
    assert!(faults[0].text.starts_with("the routes make 176 listener rules"), "{}", faults[0].text);
}

#[test]
fn every_rule_keeps_within_what_one_rule_may_hold() {
    for rule in rules(&base()).unwrap() {
        let parts = [rule.hosts.len(), rule.methods.len(), rule.paths.len()];
        assert!(parts.iter().sum::<usize>() + 2 <= 5, "{rule:?}");
        assert!(parts.iter().all(|values| *values <= 3), "{rule:?}");
        assert!(rule.paths.iter().map(|path| path.matches('*').count()).sum::<usize>() <= 5, "{rule:?}");
    }
}
