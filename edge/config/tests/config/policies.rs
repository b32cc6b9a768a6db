//! Hosts, services, origins and cache policies that make no sense, or are not safe, do not pass.

use crate::support::{edited, fault, faults};

#[test]
fn a_host_in_another_form_than_the_compared_one_is_refused() {
    let form = "write the bare name in lower case, without scheme or port";
    let second = "name = \"www.he2.ai\"";
    assert_eq!(fault(second, "name = \"WWW.he2.ai\""), format!("he2.toml:5: host `WWW.he2.ai`: {form}"));
    assert_eq!(
        fault(second, "name = \"www.he2.ai:80\""),
        format!("he2.toml:5: host `www.he2.ai:80`: {form}")
    );
    assert_eq!(
        fault(second, "name = \"https://he2.ai\""),
        format!("he2.toml:5: host `https://he2.ai`: {form}")
    );
}

#[test]
fn a_host_outside_the_domain_is_refused() {
    let expected = "he2.toml:5: host `www.xhe2.ai` is outside the domain `he2.ai`; use a name inside it";
    assert_eq!(fault("name = \"www.he2.ai\"", "name = \"www.xhe2.ai\""), expected);
}

#[test]
fn a_domain_in_another_form_is_refused() {
    let expected = "he2.toml:1: domain `He2.ai`: write it as `he2.ai`, in lower case";
    assert_eq!(fault("domain = \"he2.ai\"", "domain = \"He2.ai\""), expected);
}

#[test]
fn a_host_twice_is_refused() {
    let text = edited("name = \"www.he2.ai\"\nredirect = \"he2.ai\"", "name = \"he2.ai\"");
    assert_eq!(faults(&text), ["he2.toml:5: host `he2.ai` is already on line 3; remove one"]);
}

#[test]
fn a_redirect_to_an_unknown_or_redirected_host_is_refused() {
    let to = |target: &str| fault("redirect = \"he2.ai\"", &format!("redirect = \"{target}\""));
    let expected = "he2.toml:6: redirect to `he3.ai`, which is no host that answers; did you mean `he2.ai`?";
    assert_eq!(to("he3.ai"), expected);
    let expected =
        "he2.toml:6: redirect to `www.he2.ai`, which is no host that answers; did you mean `he2.ai`?";
    assert_eq!(to("www.he2.ai"), expected);
}

#[test]
fn a_port_twice_is_refused() {
    let text = edited("cpu = 256", "port = 8000\nhealth = \"/api/health\"\ncpu = 256");
    assert_eq!(
        faults(&text)[0],
        "he2.toml:13: port 8000 is already that of service `backend`; choose another"
    );
}

#[test]
fn a_health_check_that_no_route_serves_is_refused() {
    let expected =
        "he2.toml:9: no route sends GET `/health` to service `backend`; name a path that it serves";
    assert_eq!(fault("health = \"/api/health\"", "health = \"/health\""), expected);
}

#[test]
fn a_health_check_goes_with_a_port() {
    let expected = "he2.toml:8: service `backend` has a port but no `health`; give the path to ask";
    assert_eq!(fault("health = \"/api/health\"\n", ""), expected);
    let expected = "he2.toml:13: service `workers` has no port to ask `health` on; remove it";
    assert_eq!(faults(&edited("cpu = 256", "health = \"/api/health\"\ncpu = 256"))[0], expected);
    let expected = "he2.toml:9: health `api/health` must begin with `/`";
    assert_eq!(fault("health = \"/api/health\"", "health = \"api/health\""), expected);
}

#[test]
fn a_size_that_fargate_does_not_offer_is_refused() {
    let expected = "he2.toml:10: cpu 1000: Fargate offers 256, 512, 1024, 2048, 4096, 8192, 16384";
    assert_eq!(fault("cpu = 1024", "cpu = 1000"), expected);
    let expected =
        "he2.toml:11: memory 1024 does not go with cpu 1024: Fargate offers 2048 to 8192 in steps of 1024";
    assert_eq!(fault("memory = 2048", "memory = 1024"), expected);
}

#[test]
fn a_name_that_fits_no_header_or_resource_is_refused() {
    let expected = "he2.toml:12: name `Workers`: use lower-case letters, digits and `-`";
    assert_eq!(fault("[service.workers]", "[service.Workers]"), expected);
}

#[test]
fn a_lock_header_that_clients_could_send_is_refused() {
    let expected = "he2.toml:16: lock_header `X-Lock` must be a header name that begins with `x-he2-`";
    assert_eq!(fault("X-He2-Origin-Lock", "X-Lock"), expected);
}

#[test]
fn a_lock_header_in_the_place_of_the_identity_is_refused() {
    for name in ["X-He2-User", "x-he2-role", "X-He2-Session", "x-he2-aal", "x-he2-identity"] {
        let expected =
            format!("he2.toml:16: lock_header `{name}` tells the app who calls; choose another name");
        assert_eq!(fault("X-He2-Origin-Lock", name), expected);
    }
}

#[test]
fn a_host_that_no_route_serves_is_refused() {
    let text = edited("name = \"www.he2.ai\"\nredirect = \"he2.ai\"", "name = \"www.he2.ai\"");
    let expected = "he2.toml:5: host `www.he2.ai` is served by no route; add it to one, or remove it";
    assert_eq!(faults(&text), [expected]);
}

#[test]
fn a_policy_that_no_route_uses_is_refused() {
    let unused = "is used by no route; name it in one, or remove it";
    assert_eq!(fault("limit = \"runs\"\n", ""), format!("he2.toml:38: limit `runs` {unused}"));
    assert_eq!(fault("cache = \"minute\"\n", ""), format!("he2.toml:40: cache `minute` {unused}"));
}

#[test]
fn an_origin_that_no_browser_sends_is_refused() {
    for (origin, fault_text) in [
        ("*", "goes with no credentials; name each origin"),
        ("https://app.he2.ai/", "has a trailing slash, which browsers never send; remove it"),
        ("http://app.he2.ai", "is not encrypted; use https (http is for localhost only)"),
        (
            "https://App.he2.ai",
            "is not as browsers send it; write `https://host` or `https://host:port` in lower case",
        ),
        (
            "https://he2.ai:443",
            "is not as browsers send it; write `https://host` or `https://host:port` in lower case",
        ),
        (
            "app.he2.ai",
            "is not as browsers send it; write `https://host` or `https://host:port` in lower case",
        ),
    ] {
        let found = fault("\"https://he2.ai\"", &format!("\"{origin}\""));
        assert_eq!(found, format!("he2.toml:33: origin `{origin}` {fault_text}"));
    }
}

#[test]
fn a_wildcard_header_is_refused() {
    assert_eq!(fault("\"Authorization\"", "\"*\""), "he2.toml:35: `*` is no header name; name each header");
}

#[test]
fn an_unknown_cache_mode_is_refused() {
    let off = edited("mode = \"assign\"\nseconds = 60\nshared", "mode = \"off\"\nseconds = 60\nshared");
    assert_eq!(faults(&off), ["he2.toml:44: unknown cache mode `off`; known are `obey`, `assign`"]);
    let text = edited("mode = \"assign\"\nseconds = 60\nshared", "mode = \"asign\"\nseconds = 60\nshared");
    assert_eq!(faults(&text), ["he2.toml:44: unknown cache mode `asign`; did you mean `assign`?"]);
}

#[test]
fn words_and_times_of_a_cache_policy_that_mean_nothing_are_refused() {
    let with = |line: &str| fault("seconds = 60\nshared", &format!("seconds = 60\n{line}\nshared"));
    for (line, expected) in [
        ("set_cookie = \"yes\"", "unknown set_cookie `yes`; known are `never`, `store`"),
        ("collapse = \"data-center\"", "unknown collapse `data-center`; did you mean `data-centre`?"),
        ("authorization = \"keep\"", "unknown authorization `keep`; known are `drop`, `origin`"),
        ("errors_seconds = 40000000", "errors_seconds 40000000: give 1 to 31536000"),
        ("stale_if_error_seconds = 40000000", "stale_if_error_seconds 40000000: give 1 to 31536000"),
        ("query = {}", "query: give either `only` or `except`"),
        ("query = { only = [\"a\"], except = [\"b\"] }", "query: give either `only` or `except`"),
        ("query = { except = [] }", "`except` is empty; name at least one"),
        (
            "query = { but = [\"a\"], only = [\"b\"] }",
            "unknown key `but` in a query; known are `only`, `except`",
        ),
    ] {
        assert_eq!(with(line), format!("he2.toml:46: {expected}"), "{line}");
    }
}

#[test]
fn a_lifetime_goes_with_assign_only() {
    let text = edited(
        "mode = \"assign\"\nseconds = 60\nshared = true",
        "mode = \"obey\"\nseconds = 60\nshared = true",
    );
    let only = "goes with mode \"assign\" only; remove it or change the mode";
    assert_eq!(
        faults(&text),
        [format!("he2.toml:45: `seconds` {only}"), format!("he2.toml:46: `shared` {only}")]
    );
    let expected = "he2.toml:44: cache `users` assigns no `seconds`; give the lifetime";
    assert_eq!(fault("seconds = 60\nshared", "shared"), expected);
}
