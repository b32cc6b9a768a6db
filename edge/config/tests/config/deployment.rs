//! wrangler.toml deploys what he2.toml describes: the same hosts, and the binding that limits need.

use edge_core::limit;
use he2_config::Config;
use toml::{Table, Value};

fn config() -> Config {
    he2_config::parse("he2.toml", include_str!("../../../../he2.toml"))
        .unwrap_or_else(|faults| panic!("{faults}"))
}

fn wrangler() -> Table {
    include_str!("../../../../wrangler.toml").parse().unwrap()
}

fn environment<'a>(wrangler: &'a Table, name: &str) -> &'a Value {
    &wrangler["env"][name]
}

fn texts<'a>(tables: &'a Value, key: &str) -> Vec<&'a str> {
    tables.as_array().unwrap().iter().map(|table| table[key].as_str().unwrap()).collect()
}

#[test]
fn production_routes_are_the_hosts_redirected_ones_too() {
    let (wrangler, config) = (wrangler(), config());
    let routes = &environment(&wrangler, "production")["routes"];
    let mut patterns = texts(routes, "pattern");
    let mut expected: Vec<String> =
        config.plan().hosts.iter().map(|host| format!("{}/*", host.name)).collect();
    patterns.sort_unstable();
    expected.sort_unstable();
    assert_eq!(patterns, expected);
    assert!(texts(routes, "zone_name").iter().all(|zone| *zone == config.domain()));
}

#[test]
fn every_environment_binds_the_limiter_to_a_class_that_is_migrated() {
    let wrangler = wrangler();
    let migrated: Vec<&str> = wrangler["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|migration| migration["new_sqlite_classes"].as_array().unwrap())
        .map(|class| class.as_str().unwrap())
        .collect();
    for name in ["production", "staging"] {
        let bindings = &environment(&wrangler, name)["durable_objects"]["bindings"];
        assert_eq!(texts(bindings, "name"), [limit::BINDING], "{name}");
        assert!(texts(bindings, "class_name").iter().all(|class| migrated.contains(class)), "{name}");
    }
}

#[test]
fn the_addresses_that_the_gateway_needs_are_set_in_every_environment() {
    let wrangler = wrangler();
    for (name, variable) in
        [("production", "ORIGIN"), ("production", "ISSUER"), ("staging", "ORIGIN"), ("staging", "ISSUER")]
    {
        let value = environment(&wrangler, name)["vars"][variable].as_str().unwrap();
        assert!(value.starts_with("https://") && !value.ends_with('/'), "{name} {variable} = {value}");
    }
}
