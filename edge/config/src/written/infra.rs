//! The sections of the infrastructure, word for word.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Tables, Texts, all, single};
use crate::fault::Report;
use crate::read::{Given, Lined, Read, Section};

pub(crate) struct Infra {
    pub(crate) name: Option<Lined<String>>,
    pub(crate) region: Option<Lined<String>>,
    pub(crate) zones: Texts,
    pub(crate) architecture: Option<Lined<String>>,
    pub(crate) retention_days: Option<Lined<u32>>,
    pub(crate) github_repository: Option<Lined<String>>,
    pub(crate) network: Option<Network>,
    pub(crate) load_balancer: Option<LoadBalancer>,
    pub(crate) redis: Option<Redis>,
}

pub(crate) struct Network {
    pub(crate) cidr: Option<Lined<String>>,
    pub(crate) public: Texts,
    pub(crate) private: Texts,
    pub(crate) redis: Texts,
    pub(crate) egress_ports: Option<Lined<Vec<u16>>>,
}

pub(crate) struct LoadBalancer {
    pub(crate) idle_timeout: Given<u32>,
    pub(crate) mutual_tls: Option<Lined<bool>>,
}

pub(crate) struct Redis {
    pub(crate) nodes: Option<Lined<u32>>,
    pub(crate) snapshot_days: Option<Lined<u32>>,
    pub(crate) cluster_mode: Option<Lined<bool>>,
    pub(crate) shards: Given<u32>,
    pub(crate) broker: Option<Lined<String>>,
}

pub(crate) struct Cloudflare {
    pub(crate) manage: Option<Lined<bool>>,
    pub(crate) zone_id: Option<Lined<String>>,
    pub(crate) blocked_countries: Texts,
    pub(crate) rate: Option<Lined<u32>>,
}

pub(crate) struct Settings {
    pub(crate) name: Lined<String>,
    pub(crate) party: Given<String>,
    pub(crate) services: Texts,
    pub(crate) variables: Given<Vec<Variable>>,
    pub(crate) secrets: Given<Vec<Lined<String>>>,
}

pub(crate) struct Environment {
    pub(crate) name: Lined<String>,
    pub(crate) state_bucket: Option<Lined<String>>,
    pub(crate) origin: Option<Lined<String>>,
    pub(crate) public_url: Option<Lined<String>>,
    pub(crate) nat: Option<Lined<String>>,
    pub(crate) redis_node: Option<Lined<String>>,
    pub(crate) max_tasks: Given<u32>,
    pub(crate) deletion_protection: Option<Lined<bool>>,
    pub(crate) zone_settings: Option<Lined<bool>>,
    pub(crate) budget: Option<Lined<u32>>,
    pub(crate) alarm_email: Option<Lined<String>>,
}

/// `NAME = "value"`; the line is that of the name.
pub(crate) struct Variable {
    pub(crate) name: Lined<String>,
    pub(crate) value: String,
}

pub(super) fn infra<'d>(top: &mut Section<'d>, report: &'d Report) -> Option<Infra> {
    let mut section = single(top, "infra", report)?;
    let infra = Infra {
        name: section.required("name"),
        region: section.required("region"),
        zones: section.required("zones"),
        architecture: section.required("architecture"),
        retention_days: section.required("retention_days"),
        github_repository: section.required("github_repository"),
        network: nested(&mut section, "network", report).map(network),
        load_balancer: nested(&mut section, "load_balancer", report).map(load_balancer),
        redis: nested(&mut section, "redis", report).map(redis),
    };
    section.finish();
    Some(infra)
}

pub(super) fn cloudflare<'d>(top: &mut Section<'d>, report: &'d Report) -> Option<Cloudflare> {
    let mut section = single(top, "cloudflare", report)?;
    let cloudflare = Cloudflare {
        manage: section.required("manage"),
        zone_id: section.required("zone_id"),
        blocked_countries: section.required("blocked_countries"),
        rate: section.required("requests_per_10_seconds"),
    };
    section.finish();
    Some(cloudflare)
}

pub(super) fn all_settings(tables: Tables<'_, Lined<String>>, report: &Report) -> Vec<Settings> {
    all(tables, settings, report)
}

pub(super) fn environments(tables: Tables<'_, Lined<String>>, report: &Report) -> Vec<Environment> {
    all(tables, environment, report)
}

/// The section `[infra.key]`, which must be there.
fn nested<'d>(infra: &mut Section<'d>, key: &'static str, report: &'d Report) -> Option<Section<'d>> {
    let found = infra.table(key);
    if !infra.has(key) {
        report.add(infra.line, format!("the section [infra.{key}] is missing; add it"));
    }
    found.map(|(line, table)| Section::new(format!("[infra.{key}]"), line, table, report))
}

fn network(mut section: Section<'_>) -> Network {
    let network = Network {
        cidr: section.required("cidr"),
        public: section.required("public"),
        private: section.required("private"),
        redis: section.required("redis"),
        egress_ports: section.required("egress_ports"),
    };
    section.finish();
    network
}

fn load_balancer(mut section: Section<'_>) -> LoadBalancer {
    let load_balancer = LoadBalancer {
        idle_timeout: section.optional("idle_timeout_seconds"),
        mutual_tls: section.required("mutual_tls"),
    };
    section.finish();
    load_balancer
}

fn redis(mut section: Section<'_>) -> Redis {
    let redis = Redis {
        nodes: section.required("nodes"),
        snapshot_days: section.required("snapshot_days"),
        cluster_mode: section.required("cluster_mode"),
        shards: section.optional("shards"),
        broker: section.required("broker"),
    };
    section.finish();
    redis
}

fn settings(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Settings {
    let mut section = Section::new(format!("[settings.{}]", name.value), name.line, table, report);
    let settings = Settings {
        party: section.optional("party"),
        services: section.required("services"),
        variables: section.optional("environment"),
        secrets: section.optional("secrets"),
        name,
    };
    section.finish();
    settings
}

fn environment(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Environment {
    let mut section = Section::new(format!("[environment.{}]", name.value), name.line, table, report);
    let environment = Environment {
        state_bucket: section.required("state_bucket"),
        origin: section.required("origin"),
        public_url: section.required("public_url"),
        nat: section.required("nat"),
        redis_node: section.required("redis_node"),
        max_tasks: section.optional("max_tasks"),
        deletion_protection: section.required("deletion_protection"),
        zone_settings: section.required("zone_settings"),
        budget: section.required("budget_usd"),
        alarm_email: section.required("alarm_email"),
        name,
    };
    section.finish();
    environment
}

impl Read for Vec<Variable> {
    const WANTED: &'static str = "a table of strings, as { NAME = \"value\" }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let items = value.get_ref().as_table()?.iter().map(|(name, value)| {
            let line = report.line(&name.span());
            let name = Lined { line, value: name.get_ref().to_string() };
            Some(Variable { name, value: value.get_ref().as_str()?.to_owned() })
        });
        items.collect()
    }
}
