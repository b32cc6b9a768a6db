//! wrangler.toml deploys what he2.toml describes: the same hosts, and the bindings, variables and secrets that the
//! gateway needs.

use std::collections::BTreeSet;

use edge_core::auth::revocation;
use edge_core::cache::purge;
use edge_core::limit::{self, places};
use edge_core::plan::Auth;
use he2_config::Config;
use toml::{Table, Value};

const ENVIRONMENTS: [&str; 2] = ["production", "staging"];

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
    let previews = config.plan().previews.map(|previews| format!("*.{}/*", previews.domain));
    let mut patterns = texts(routes, "pattern");
    // Those of previews are there once they have a domain.
    patterns.retain(|pattern| previews.as_deref() != Some(*pattern));
    let mut expected: Vec<String> =
        config.plan().hosts.iter().map(|host| format!("{}/*", host.name)).collect();
    patterns.sort_unstable();
    expected.sort_unstable();
    assert_eq!(patterns, expected);
    let zones = routes
        .as_array()
        .unwrap()
        .iter()
        .filter(|route| expected.contains(&route["pattern"].as_str().unwrap().to_owned()));
    assert!(zones.into_iter().all(|route| route["zone_name"].as_str() == Some(config.domain())));
}

#[test]
fn every_environment_binds_the_durable_objects_to_classes_that_are_migrated() {
    let wrangler = wrangler();
    let migrated: Vec<&str> = wrangler["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|migration| migration["new_sqlite_classes"].as_array().unwrap())
        .map(|class| class.as_str().unwrap())
        .collect();
    for name in ENVIRONMENTS {
        let bindings = &environment(&wrangler, name)["durable_objects"]["bindings"];
        let expected = [limit::BINDING, revocation::BINDING, "DELIVERIES", places::BINDING, purge::BINDING];
        assert_eq!(texts(bindings, "name"), expected, "{name}");
        assert!(texts(bindings, "class_name").iter().all(|class| migrated.contains(class)), "{name}");
    }
}

#[test]
fn the_addresses_that_the_gateway_needs_are_set_in_every_environment() {
    let wrangler = wrangler();
    for (name, variable) in ENVIRONMENTS.iter().flat_map(|name| [(name, "ORIGIN"), (name, "ISSUER")]) {
        let value = environment(&wrangler, name)["vars"][variable].as_str().unwrap();
        assert!(value.starts_with("https://") && !value.ends_with('/'), "{name} {variable} = {value}");
    }
}

#[test]
fn no_environment_is_deployed_without_a_secret_that_its_routes_need() {
    let (wrangler, config) = (wrangler(), config());
    let needed: BTreeSet<&str> = config.plan().routes.iter().filter_map(|route| secret(route.auth)).collect();
    let needed: BTreeSet<&str> = needed.into_iter().chain(["ORIGIN_LOCK", "IDENTITY_SECRET"]).collect();
    for name in ENVIRONMENTS {
        let required = environment(&wrangler, name)["secrets"]["required"].as_array().unwrap();
        let required: BTreeSet<&str> = required.iter().map(|secret| secret.as_str().unwrap()).collect();
        assert_eq!(required, needed, "{name}");
    }
}

fn secret(auth: Auth) -> Option<&'static str> {
    match auth {
        Auth::Admin(admin) => Some(admin.secret),
        Auth::Webhook(webhook) => Some(webhook.secret),
        Auth::Public | Auth::SignIn(_) | Auth::Blocked => None,
    }
}

#[test]
fn every_variable_that_is_set_is_one_that_the_gateway_reads() {
    let (wrangler, config) = (wrangler(), config());
    let plan = config.plan();
    let known = [plan.variables, &["MAINTENANCE", "DEFAULT_HOST", "ENVIRONMENT"]].concat();
    for name in ENVIRONMENTS {
        let variables = environment(&wrangler, name)["vars"].as_table().unwrap();
        assert!(variables.keys().all(|variable| known.contains(&variable.as_str())), "{name}: {variables:?}");
    }
}

#[test]
fn every_environment_counts_requests_in_a_data_set_of_its_own() {
    let wrangler = wrangler();
    for (name, set) in [("production", "he2_edge"), ("staging", "he2_edge_staging")] {
        let sets = &environment(&wrangler, name)["analytics_engine_datasets"];
        assert_eq!((texts(sets, "binding"), texts(sets, "dataset")), (vec!["METRICS"], vec![set]));
        assert_eq!(environment(&wrangler, name)["version_metadata"]["binding"].as_str(), Some("VERSION"));
    }
}
