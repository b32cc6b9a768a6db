//! Infrastructure that AWS would refuse, or that would break in use, does not pass.

use he2_config::{Architecture, Nat, Part};

use crate::support::{VALID, edited, fault, faults};

fn config(text: &str) -> he2_config::Config {
    he2_config::parse("he2.toml", text).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn what_the_file_says_of_the_infrastructure_is_there() {
    let config = config(VALID);
    let infra = config.infra();
    assert_eq!((infra.name, infra.region, infra.zones.len()), ("he2", "us-east-1", 2));
    assert_eq!((infra.architecture, infra.redis.shards), (Architecture::X86_64, None));
    assert_eq!(infra.subnets().map(|cidr| cidr.to_string()).collect::<Vec<_>>().len(), 6);
    let production = &infra.environments[0];
    assert_eq!((production.name, production.nat, production.budget_usd), ("production", Nat::PerZone, 515));
}

#[test]
fn a_service_without_bounds_is_one_task() {
    let config = config(&edited("cpu = 256", "min_tasks = 2\ncpu = 256"));
    let bounds: Vec<_> =
        config.services().iter().map(|service| (service.min_tasks, service.max_tasks)).collect();
    assert_eq!(bounds, [(1, 1), (2, 2)]);
}

#[test]
fn fewer_tasks_at_most_than_at_least_are_refused() {
    let expected = "he2.toml:14: max_tasks 2 is less than min_tasks 3; give at least 3";
    assert_eq!(fault("cpu = 256", "min_tasks = 3\nmax_tasks = 2\ncpu = 256"), expected);
}

#[test]
fn jobs_on_spot_are_refused() {
    let found = fault("cpu = 256", "spot = true\ncpu = 256");
    assert!(
        found.starts_with("he2.toml:13: service `workers` takes jobs, not requests: Spot would"),
        "{found}"
    );
    assert!(config(&edited("cpu = 1024", "spot = true\ncpu = 1024")).services()[0].spot);
}

#[test]
fn a_zone_of_another_region_is_refused() {
    let expected = "he2.toml:66: zone `us-east-2b` is not in region `us-east-1`; write `us-east-1a`";
    assert_eq!(fault("\"us-east-1b\"", "\"us-east-2b\""), expected);
    let expected = "he2.toml:65: unknown region `us-est-1`; did you mean `us-east-1`?";
    assert_eq!(fault("region = \"us-east-1\"", "region = \"us-est-1\""), expected);
}

#[test]
fn one_zone_is_refused() {
    let expected = "he2.toml:66: a load balancer needs two zones; name another";
    assert!(faults(&edited(", \"us-east-1b\"", "")).contains(&expected.to_owned()));
}

#[test]
fn every_tier_has_a_network_per_zone() {
    let expected = "he2.toml:72: `public` has 1 networks for 2 zones; give one per zone";
    assert_eq!(fault(", \"10.0.2.0/24\"", ""), expected);
}

#[test]
fn overlapping_networks_are_refused() {
    let expected = "he2.toml:73: network 10.0.0.0/22 overlaps 10.0.1.0/24 on line 72; choose another";
    assert_eq!(fault("\"10.0.10.0/24\"", "\"10.0.0.0/22\""), expected);
}

#[test]
fn a_network_outside_the_vpc_is_refused() {
    let expected = "he2.toml:74: network 10.1.20.0/24 is outside the VPC's 10.0.0.0/16; choose one inside";
    assert_eq!(fault("\"10.0.20.0/24\"", "\"10.1.20.0/24\""), expected);
}

#[test]
fn a_network_that_aws_would_not_take_is_refused() {
    for (written, expected) in [
        ("10.0.20.5/24", "it begins at 10.0.20.0; write `10.0.20.0/24`"),
        ("10.0.20.0/29", "AWS takes /16 to /28"),
        ("10.0.20.0", "write it as `10.0.0.0/16`"),
    ] {
        let found = fault("\"10.0.20.0/24\"", &format!("\"{written}\""));
        assert_eq!(found, format!("he2.toml:74: network `{written}`: {expected}"));
    }
    let found = faults(&edited("cidr = \"10.0.0.0/16\"", "cidr = \"11.0.0.0/16\""));
    assert!(
        found[0].starts_with("he2.toml:71: network `11.0.0.0/16`: these are public addresses"),
        "{found:?}"
    );
}

#[test]
fn a_retention_that_cloudwatch_does_not_know_is_refused() {
    let expected = "he2.toml:68: CloudWatch keeps no logs for 366 days; the next period is 400";
    assert_eq!(fault("retention_days = 365", "retention_days = 366"), expected);
}

#[test]
fn a_repository_without_its_owner_is_refused() {
    let expected = "he2.toml:69: github_repository `app`: write it as `owner/name`";
    assert_eq!(fault("he2/app", "app"), expected);
}

#[test]
fn the_idle_timeout_is_above_every_route_and_an_agents_silence() {
    let of = |text: &str| config(text).infra().load_balancer.idle_timeout_seconds;
    assert_eq!(of(VALID), 330);
    assert_eq!(of(&edited("limit = \"runs\"\n", "limit = \"runs\"\nfirst_byte_seconds = 620\n")), 650);
    assert_eq!(of(&edited("mutual_tls", "idle_timeout_seconds = 91\nmutual_tls")), 91);
}

#[test]
fn an_idle_timeout_that_cuts_a_route_is_refused() {
    let text = edited("mutual_tls", "idle_timeout_seconds = 120\nmutual_tls")
        .replace("limit = \"runs\"\n", "limit = \"runs\"\nfirst_byte_seconds = 120\n");
    let expected = "he2.toml:78: idle_timeout_seconds 120 cuts route `runs`, which waits 120 s for its first byte; \
                    give more, or leave it out";
    assert_eq!(faults(&text), [expected]);
    let expected = "he2.toml:77: idle_timeout_seconds: a load balancer takes at most 4000";
    assert_eq!(fault("mutual_tls", "idle_timeout_seconds = 4001\nmutual_tls"), expected);
}

#[test]
fn a_wait_of_more_than_an_hour_is_refused() {
    let expected = "he2.toml:63: first_byte_seconds 3601: give at most 3600";
    assert_eq!(fault("limit = \"runs\"\n", "limit = \"runs\"\nfirst_byte_seconds = 3601\n"), expected);
    let expected = "he2.toml:17: first_byte_seconds 3601: give at most 3600";
    assert_eq!(fault("first_byte_seconds = 90", "first_byte_seconds = 3601"), expected);
    let longest = config(&edited("first_byte_seconds = 90", "first_byte_seconds = 3600"));
    assert_eq!(longest.infra().load_balancer.idle_timeout_seconds, 3630);
}

#[test]
fn a_server_that_closes_before_the_load_balancer_is_refused() {
    let expected = "he2.toml:10: keep_alive_seconds 330 of service `backend` is not above the load balancer's idle \
                    timeout of 330 s; give more";
    assert_eq!(fault("cpu = 1024", "keep_alive_seconds = 330\ncpu = 1024"), expected);
}

#[test]
fn cluster_mode_with_dramatiq_is_refused_with_the_reason() {
    let found = fault("cluster_mode = false", "cluster_mode = true\nshards = 2");
    assert!(
        found.starts_with("he2.toml:81: cluster_mode does not go with Dramatiq: its Lua script"),
        "{found}"
    );
}

#[test]
fn cluster_mode_with_an_app_made_for_it_passes() {
    let text = edited(
        "cluster_mode = false\nbroker = \"dramatiq\"",
        "cluster_mode = true\nshards = 2\nbroker = \"cluster-aware\"",
    );
    assert_eq!(config(&text).infra().redis.shards, Some(2));
}

#[test]
fn shards_go_with_cluster_mode() {
    let expected = "he2.toml:82: `shards` goes with cluster_mode only; remove it or set cluster_mode = true";
    assert_eq!(fault("cluster_mode = false", "cluster_mode = false\nshards = 2"), expected);
    let expected = "he2.toml:81: cluster_mode needs `shards`; give their number";
    let text = edited(
        "cluster_mode = false\nbroker = \"dramatiq\"",
        "cluster_mode = true\nbroker = \"cluster-aware\"",
    );
    assert_eq!(faults(&text), [expected]);
}

#[test]
fn a_redis_that_cannot_fail_over_is_refused() {
    let expected = "he2.toml:79: 1 Redis nodes: failover needs 2, and one primary takes at most 5 replicas";
    assert_eq!(fault("nodes = 3", "nodes = 1"), expected);
}

#[test]
fn a_zone_kept_by_hand_is_left_alone() {
    assert!(config(VALID).infra().cloudflare.is_some());
    assert!(config(&edited("manage = true", "manage = false")).infra().cloudflare.is_none());
    let expected = "he2.toml:85: country `Korea`: write the two letters of ISO 3166-1, as `KP`";
    assert_eq!(fault("\"KP\"", "\"Korea\""), expected);
    let expected = "he2.toml:87: zone_id `0123`: copy the 32 digits of the zone's overview page";
    assert_eq!(fault("0123456789abcdef0123456789abcdef", "0123"), expected);
}

#[test]
fn two_environments_share_neither_state_nor_origin_nor_the_zones_settings() {
    let (_, production) = VALID.split_once("[environment.production]").unwrap();
    let (body, _) = production.split_once("[settings").unwrap();
    let text = format!("{VALID}[environment.staging]{body}max_tasks = 1\n");
    assert_eq!(
        faults(&text),
        [
            "he2.toml:110: state_bucket `he2-state` is already on line 89; remove one",
            "he2.toml:111: origin `origin.he2.ai` is already on line 90; remove one",
            "he2.toml:116: zone_settings: the zone already has those of `production`; say false here",
        ]
    );
}

#[test]
fn what_differs_between_environments_is_checked() {
    for (from, to, expected) in [
        (
            "\"origin.he2.ai\"",
            "\"origin.he3.ai\"",
            "90: origin `origin.he3.ai`: write a bare host name inside the domain, as `origin.he2.ai`",
        ),
        (
            "\"https://public.he2.ai\"",
            "\"https://public.he2.ai/\"",
            "91: public_url `https://public.he2.ai/`: write it as `https://he2.ai`",
        ),
        (
            "\"he2-state\"",
            "\"he2.state\"",
            "89: state_bucket `he2.state`: use 3 to 63 lower-case letters, digits and `-`",
        ),
        ("\"per-zone\"", "\"per-zon\"", "92: unknown nat `per-zon`; did you mean `per-zone`?"),
        (
            "\"cache.t4g.small\"",
            "\"t4g.small\"",
            "93: redis_node `t4g.small`: write a node type, as `cache.t4g.small`",
        ),
        ("\"ops@he2.ai\"", "\"ops\"", "97: alarm_email `ops`: write an address, as `ops@he2.ai`"),
        (
            "[environment.production]",
            "[environment.productionandmore]",
            "88: name `productionandmore` is too long for resources; use at most 12 letters",
        ),
    ] {
        assert_eq!(fault(from, to), format!("he2.toml:{expected}"));
    }
}

#[test]
fn a_group_of_settings_reaches_the_services_it_names() {
    let config =
        config(&edited("cpu = 1024", "secrets = [\"A_KEY\"]\nenvironment = { B = \"b\" }\ncpu = 1024"));
    let [backend, workers] = config.services() else { panic!("two services") };
    let names: Vec<_> = backend.variables.iter().map(|variable| variable.name).collect();
    assert_eq!((names, &backend.secrets[..]), (vec!["B", "ENV_MODE"], &["A_KEY", "STRIPE_SECRET_KEY"][..]));
    assert!(workers.variables.is_empty() && workers.secrets.is_empty());
}

#[test]
fn placeholders_are_told_from_text() {
    let value = |text: &str| {
        let config = config(&edited("\"{environment}\"", &format!("\"{text}\"")));
        config.services()[0].variables[0].value.clone()
    };
    let url = [Part::Text("redis://"), Part::RedisHost, Part::Text(":6379/"), Part::Environment];
    assert_eq!(value("redis://{redis_host}:6379/{environment}"), url);
    assert_eq!(value("plain"), [Part::Text("plain")]);
    let expected = "he2.toml:100: unknown placeholder `{regio}`; did you mean `region`?";
    assert_eq!(fault("\"{environment}\"", "\"{regio}\""), expected);
}

#[test]
fn a_servers_own_keep_alive_can_be_told_to_it() {
    let text = edited("\"{environment}\"", "\"{keep_alive_ms}\"");
    let expected = "he2.toml:100: `{keep_alive_ms}` is of a service with `keep_alive_seconds`; give it there";
    assert_eq!(faults(&text), [expected]);
    let text = text.replace("cpu = 1024", "keep_alive_seconds = 400\ncpu = 1024");
    assert_eq!(config(&text).services()[0].variables[0].value, [Part::Text("400000")]);
}

#[test]
fn a_secret_among_the_plain_variables_is_refused() {
    let expected = "he2.toml:100: variable `API_KEY` is a secret by its name; list it under `secrets`";
    assert_eq!(fault("ENV_MODE =", "API_KEY ="), expected);
}

#[test]
fn a_variable_twice_on_one_service_is_refused() {
    let expected = "he2.toml:101: variable `ENV_MODE` is already on line 10; remove one";
    assert_eq!(fault("cpu = 1024", "secrets = [\"ENV_MODE\"]\ncpu = 1024"), expected);
    let expected = "he2.toml:100: variable `mode`: use capital letters, digits and `_`";
    assert_eq!(fault("ENV_MODE =", "mode ="), expected);
}

#[test]
fn a_group_for_an_unknown_service_is_refused() {
    let expected = "he2.toml:99: unknown service `bakend`; did you mean `backend`?";
    assert_eq!(fault("services = [\"backend\"]", "services = [\"bakend\"]"), expected);
}
