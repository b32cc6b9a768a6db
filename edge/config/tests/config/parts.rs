//! By what limits and concurrencies count, and which routes can tell.

use edge_core::plan::{Part, Plan};

use crate::support::{WINDOWS, edited, faults};

/// The valid file, whose limit and a concurrency of the same route are by this.
fn by(written: &str) -> String {
    edited(WINDOWS, &format!("{WINDOWS}\nby = {written}\n[concurrency.places]\nmost = 2\nby = {written}"))
        .replace("limit = \"runs\"", "limit = \"runs\"\nconcurrency = [\"places\"]")
}

/// The same with another class, and another path, of that route.
fn on(auth: &str, path: &str, written: &str) -> Vec<String> {
    let route = format!("\"{path}\"]\nservice = \"backend\"\nauth = {auth}\nlimit");
    let old = "\"/api/runs/{run_id}\"]\nservice = \"backend\"\nauth = \"user\"\nlimit";
    let text = by(written);
    assert!(text.contains(old));
    faults(&text.replace(old, &route))
}

fn plan(text: &str) -> Plan {
    he2_config::parse("he2.toml", text).unwrap().plan()
}

#[test]
fn every_form_of_a_part_has_its_meaning_for_limits_and_for_places() {
    for (written, expected) in [
        ("[\"caller\"]", &[Part::Caller][..]),
        ("[\"address\"]", &[Part::Address]),
        ("[\"session\"]", &[Part::Session]),
        ("[\"service\"]", &[Part::Service]),
        ("[{ claim = \"app_metadata.org\" }]", &[Part::Claim(&["app_metadata", "org"])]),
        ("[\"caller\", { param = \"run_id\" }]", &[Part::Caller, Part::Param("run_id")]),
        ("[{ claim = \"org\" }, { claim = \"team\" }]", &[Part::Claim(&["org"]), Part::Claim(&["team"])]),
        ("[{ param = \"run_id\" }]", &[Part::Param("run_id")]),
    ] {
        let routes = plan(&by(written)).routes;
        let route = routes.iter().find(|route| route.name == "runs").unwrap();
        assert_eq!((route.limit.unwrap().by, route.concurrency[0].by), (expected, expected), "{written}");
    }
}

#[test]
fn a_part_that_there_is_not_is_refused() {
    let known = "known are `caller`, `address`, `session`, `service`, `{ claim = … }`, `{ param = … }`";
    let either = "a part of `by` is either a `claim` or a `param`; give one";
    let user_metadata =
        "claim `user_metadata.org` is written by its user and proves nothing; use `app_metadata`";
    let array = "`by` must be an array of parts, as [\"caller\", { param = \"thread_id\" }]";
    for (written, expected) in [
        ("[\"caler\"]", "unknown part `caler` of `by`; did you mean `caller`?".to_owned()),
        ("[\"claim\"]", format!("unknown part `claim` of `by`; {known}")),
        ("[]", "`by` is empty; name at least one, or leave it out to count by caller".to_owned()),
        ("[{ claim = \"org\", param = \"run_id\" }]", either.to_owned()),
        ("[{}]", either.to_owned()),
        ("[{ claim = \"user_metadata.org\" }]", user_metadata.to_owned()),
        (
            "[{ claim = \"a..b\" }]",
            "claim `a..b` has an empty name; write it as `app_metadata.plan`".to_owned(),
        ),
        ("[{ claim = 1 }]", "`claim` must be a string in quotes, not the number 1".to_owned()),
        (
            "[{ claim = \"org\", param = 1 }]",
            "`param` must be a string in quotes, not the number 1".to_owned(),
        ),
        ("\"caller\"", format!("{array}, not a string")),
        ("[1]", format!("{array}, not an array")),
    ] {
        assert_eq!(faults(&by(written)), [40, 43].map(|line| format!("he2.toml:{line}: {expected}")));
    }
    let found = faults(&by("[{ claims = \"org\" }]"));
    let unknown = "unknown key `claims` in a part of `by`; did you mean `claim`?";
    assert_eq!(found[0], format!("he2.toml:40: {either}"));
    assert_eq!(found[1], format!("he2.toml:40: {unknown}"));
}

#[test]
fn a_part_twice_is_refused_and_every_fault_comes_at_once() {
    let text =
        by("[\"caller\",\n\"caller\",\n{ claim = \"a\" }, { claim = \"b\" },\n{ claim = \"a\" }, \"x\"]");
    let found = faults(&text);
    let twice = "`by` names the same twice; remove one";
    assert_eq!(found[..2], [41, 43].map(|line| format!("he2.toml:{line}: {twice}")));
    assert!(found[2].starts_with("he2.toml:43: unknown part `x`"), "{found:#?}");
    assert_eq!(found.len(), 6, "{found:#?}");
    assert_eq!(faults(&by("[\"x\", \"y\"]")).len(), 4, "each unknown one is named");
}

#[test]
fn a_session_or_a_claim_is_of_no_use_where_no_route_knows_users() {
    let path = "/api/runs/{run_id}";
    for auth in ["\"public\"", "\"api_key\"", "{ class = \"admin\", secret = \"KEY\" }"] {
        for part in ["[\"session\"]", "[{ claim = \"org\" }]"] {
            let fault = "tells users apart, and this route knows none; name another";
            let expected = [
                format!("he2.toml:66: limit `runs` {fault}"),
                format!("he2.toml:67: concurrency `places` {fault}"),
            ];
            assert_eq!(on(auth, path, part), expected, "{auth} {part}");
        }
    }
    for auth in ["\"optional\"", "\"any_of\""] {
        let text = by("[\"session\", { claim = \"org\" }]")
            .replace("auth = \"user\"\nlimit", &format!("auth = {auth}\nlimit"));
        assert!(he2_config::parse("he2.toml", &text).is_ok(), "{auth}");
    }
}

#[test]
fn a_parameter_must_be_in_every_path_of_the_route() {
    let has = "has no `{run_id}`, by which";
    let expected = [
        format!(
            "he2.toml:63: path `/api/runs/{{id}}` {has} concurrency `places` counts; name a capture so, or name another \
             concurrency"
        ),
        format!(
            "he2.toml:63: path `/api/runs/{{id}}` {has} limit `runs` counts; name a capture so, or name another limit"
        ),
    ];
    assert_eq!(on("\"user\"", "/api/runs/{id}", "[{ param = \"run_id\" }]"), expected);
    assert_eq!(
        on("\"user\"", "/api/runs/{run_id}\", \"/api/runs/{id}/x", "[{ param = \"run_id\" }]").len(),
        2
    );
    let tail = by("[{ param = \"run_id\" }]").replace("/api/runs/{run_id}", "/api/runs/{*run_id}");
    assert!(he2_config::parse("he2.toml", &tail).is_ok());
}

#[test]
fn a_service_must_be_behind_the_route() {
    let text = by("[\"service\"]").replace(
        "service = \"backend\"\nauth = \"user\"\nlimit = \"runs\"\nconcurrency = [\"places\"]",
        "service = \"backend\"\nauth = \"user\"\nconcurrency = [\"places\"]\n[[route]]\nname = \"mine\"\n\
         hosts = [\"he2.ai\"]\npaths = [\"/.edge/limits/me\"]\nedge = \"my-limits\"\nauth = \"user\"\nlimit = \"runs\"",
    );
    let expected = "he2.toml:73: limit `runs` tells services apart, and this route has none; name another";
    assert_eq!(faults(&text), [expected]);
}

#[test]
fn nobody_who_may_call_without_a_credential_makes_up_counters() {
    let path = "/api/runs/{run_id}";
    let fault = "is by what anyone writes into the path, so whoever makes it up gets a counter each; add \"caller\" to \
                 its `by`";
    let expected =
        [format!("he2.toml:66: limit `runs` {fault}"), format!("he2.toml:67: concurrency `places` {fault}")];
    for auth in ["\"public\"", "\"optional\""] {
        for made_up in ["[{ param = \"run_id\" }]", "[{ param = \"run_id\" }, \"service\"]"] {
            assert_eq!(on(auth, path, made_up), expected, "{auth} {made_up}");
        }
        for good in
            ["[\"service\"]", "[{ param = \"run_id\" }, \"address\"]", "[\"caller\", { param = \"run_id\" }]"]
        {
            let text = by(good).replace("auth = \"user\"\nlimit", &format!("auth = {auth}\nlimit"));
            assert!(he2_config::parse("he2.toml", &text).is_ok(), "{auth} {good}");
        }
    }
}
