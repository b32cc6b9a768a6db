//! A file whose values are of the wrong kind, misspelt or missing does not pass.

use crate::support::{VALID, edited, fault, faults, line};

#[test]
fn the_valid_file_is_valid() {
    let config = he2_config::parse("he2.toml", VALID).unwrap();
    assert_eq!(config.domain(), "he2.ai");
    assert_eq!(config.plan().lock_header, "x-he2-origin-lock");
    assert_eq!(config.services().len(), 2);
}

#[test]
fn a_syntax_error_is_named_with_its_line() {
    let found = faults(&edited("port = 8000", "port = ")).concat();
    assert!(found.starts_with("he2.toml:8: not valid TOML: string values must be quoted"), "{found}");
}

#[test]
fn every_syntax_error_is_reported() {
    let text = edited("port = 8000", "port = ").replace("cpu = 256", "cpu 256");
    let lines: Vec<u32> = faults(&text).iter().map(|fault| line(fault)).collect();
    assert!(lines.contains(&8) && lines.contains(&13), "{lines:?}");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known() {
    let expected = "he2.toml:50: unknown key `metods` in [[route]]; did you mean `methods`?";
    assert_eq!(fault("methods = [\"GET\"]\npaths", "metods = [\"GET\"]\npaths"), expected);
}

#[test]
fn unknown_keys_are_found_in_every_section() {
    for (after, title) in [
        ("redirect = \"he2.ai\"\n", "[[host]]"),
        ("port = 8000\n", "[service.backend]"),
        ("first_byte_seconds = 90\n", "[origin]"),
        ("leeway_seconds = 0\n", "[auth]"),
        ("variable = \"ISSUER\"\n", "[issuer.supabase]"),
        ("max_age_seconds = 600\n[limit", "[cors]"),
        ("windows = [{ quota = 20, seconds = 60 }]\n", "[limit.runs]"),
        ("seconds = 60\nshared = true\n", "[cache.users]"),
        ("limit = \"runs\"\n", "[[route]]"),
        ("retention_days = 365\n", "[infra]"),
        ("cidr = \"10.0.0.0/16\"\n", "[infra.network]"),
        ("mutual_tls = false\n", "[infra.load_balancer]"),
        ("snapshot_days = 7\n", "[infra.redis]"),
        ("manage = true\n", "[cloudflare]"),
        ("nat = \"per-zone\"\n", "[environment.production]"),
        ("secrets = [\"STRIPE_SECRET_KEY\"]\n", "[settings.app]"),
    ] {
        let at = after.find('\n').unwrap() + 1;
        let (head, tail) = after.split_at(at);
        let found = fault(after, &format!("{head}zzzzzzzzz = 1\n{tail}"));
        assert!(found.contains(&format!("unknown key `zzzzzzzzz` in {title}; known are ")), "{found}");
    }
}

#[test]
fn an_unknown_section_is_named() {
    let expected = "he2.toml:38: unknown key `limits` in he2.toml; did you mean `limit`?";
    assert_eq!(faults(&edited("[limit.runs]", "[limits.runs]"))[0], expected);
}

#[test]
fn an_unknown_key_of_a_window_is_named() {
    let expected = "he2.toml:39: unknown key `size` in a window; known are `quota`, `seconds`, `burst`";
    assert_eq!(fault("quota = 20,", "quota = 20, size = 5,"), expected);
}

#[test]
fn a_missing_key_is_named_with_its_kind() {
    let expected = "he2.toml:7: [service.backend] needs `cpu`; give it a whole number from 1 to 4294967295";
    assert_eq!(fault("cpu = 1024\n", ""), expected);
}

#[test]
fn a_missing_section_is_named() {
    let without =
        VALID.replace("[origin]\nlock_header = \"X-He2-Origin-Lock\"\nfirst_byte_seconds = 90\n", "");
    assert_eq!(faults(&without), ["he2.toml:1: the section [origin] is missing; add it"]);
}

#[test]
fn a_file_with_nothing_says_what_it_needs() {
    assert_eq!(
        faults(""),
        [
            "he2.toml:1: he2.toml needs `domain`; give it a string in quotes",
            "he2.toml:1: no [[host]]; add one with the name that the gateway answers for",
            "he2.toml:1: no [environment.NAME]; add one, as [environment.production]",
            "he2.toml:1: no [issuer.NAME]; add one for who signs users in",
            "he2.toml:1: no [service.NAME]; add one for what answers behind the gateway",
            "he2.toml:1: the section [auth] is missing; add it",
            "he2.toml:1: the section [cloudflare] is missing; add it",
            "he2.toml:1: the section [cors] is missing; add it",
            "he2.toml:1: the section [infra] is missing; add it",
            "he2.toml:1: the section [origin] is missing; add it",
        ]
    );
}

#[test]
fn a_value_of_another_kind_is_refused() {
    for (from, to, expected) in [
        ("domain = \"he2.ai\"", "domain = 1", "1: `domain` must be a string in quotes, not the number 1"),
        ("port = 8000", "port = \"8000\"", "8: `port` must be a port from 1 to 65535, not a string"),
        ("port = 8000", "port = 65536", "8: `port` must be a port from 1 to 65535, not the number 65536"),
        ("port = 8000", "port = 0", "8: `port` must be a port from 1 to 65535, not the number 0"),
        (
            "[limit.runs]",
            "[limit.runs]\nshadow = \"yes\"",
            "39: `shadow` must be true or false, not a string",
        ),
        (
            "[limit.runs]",
            "[limit.runs]\nmode = true",
            "39: `mode` must be a string in quotes, not true or false",
        ),
        ("shared = true", "shared = \"yes\"", "46: `shared` must be true or false, not a string"),
        (
            "methods = [\"GET\"]\nh",
            "methods = \"GET\"\nh",
            "34: `methods` must be an array of strings, not a string",
        ),
        (
            "expose = [\"RateLimit\"]",
            "expose = [1]",
            "36: `expose` must be an array of strings, not an array",
        ),
    ] {
        assert_eq!(fault(from, to), format!("he2.toml:{expected}"));
    }
}

#[test]
fn zero_quotas_zero_seconds_and_zero_bursts_are_refused() {
    let whole = "must be a whole number from 1 to 4294967295, not the number";
    assert_eq!(fault("quota = 20", "quota = 0"), format!("he2.toml:39: `quota` {whole} 0"));
    assert_eq!(fault("seconds = 60 }", "seconds = 0 }"), format!("he2.toml:39: `seconds` {whole} 0"));
    assert_eq!(
        fault("seconds = 60 }", "seconds = 60, burst = 0 }"),
        format!("he2.toml:39: `burst` {whole} 0")
    );
    assert_eq!(fault("quota = 20", "quota = -1"), format!("he2.toml:39: `quota` {whole} -1"));
    let none = fault("first_byte_seconds = 90", "first_byte_seconds = 0");
    assert_eq!(none, format!("he2.toml:17: `first_byte_seconds` {whole} 0"));
}

#[test]
fn rfc7519_4_1_4_leeway_is_at_most_a_minute() {
    let expected =
        "he2.toml:19: `leeway_seconds` must be a whole number of seconds from 0 to 60, not the number 61";
    assert_eq!(fault("leeway_seconds = 0", "leeway_seconds = 61"), expected);
}

#[test]
fn one_table_where_several_can_be_is_refused() {
    let text = VALID
        .replace("[[host]]\nname = \"www.he2.ai\"\nredirect = \"he2.ai\"\n", "")
        .replace("[[host]]", "[host]");
    assert_eq!(faults(&text)[0], "he2.toml:2: write `[[host]]`: there can be several");
}
