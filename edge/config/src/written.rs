//! What he2.toml says, word for word.
//!
//! A value is here when it is of the right kind; whether it makes sense is for `check`. A missing or mistyped
//! one is `None` and already reported.

pub(crate) mod condition;
pub(crate) mod heads;
pub(crate) mod infra;
pub(crate) mod issuer;
pub(crate) mod limit;
pub(crate) mod previews;
pub(crate) mod route_auth;
pub(crate) mod wait;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::Report;
use crate::read::{Given, Leeway, Lined, Read, Section};
use infra::{Cloudflare, Environment, Infra, Settings, Variable};
use issuer::Issuer;
use limit::{Concurrency, Limit, Window};
use previews::Previews;
use route_auth::RouteAuth;
use wait::Wait;

pub(crate) type Texts = Option<Lined<Vec<Lined<String>>>>;

pub(crate) struct Written {
    pub(crate) domain: Option<Lined<String>>,
    pub(crate) hosts: Option<Vec<Host>>,
    pub(crate) services: Vec<Service>,
    pub(crate) auth: Option<Auth>,
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) cors: Option<Cors>,
    pub(crate) origin: Option<Origin>,
    pub(crate) streams: Option<Streams>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) concurrencies: Vec<Concurrency>,
    pub(crate) rate_limit_fields: Given<String>,
    pub(crate) caches: Vec<Cache>,
    pub(crate) log: Option<Log>,
    pub(crate) routes: Option<Vec<Route>>,
    pub(crate) previews: Option<Previews>,
    pub(crate) request: heads::Request,
    pub(crate) access: Option<Vec<heads::Access>>,
    pub(crate) securities: Vec<heads::Security>,
    pub(crate) infra: Option<Infra>,
    pub(crate) cloudflare: Option<Cloudflare>,
    pub(crate) settings: Vec<Settings>,
    pub(crate) environments: Vec<Environment>,
}

pub(crate) struct Host {
    pub(crate) name: Option<Lined<String>>,
    pub(crate) redirect: Given<String>,
}

pub(crate) struct Service {
    pub(crate) name: Lined<String>,
    pub(crate) port: Given<u16>,
    pub(crate) health: Given<String>,
    pub(crate) cpu: Option<Lined<u32>>,
    pub(crate) memory: Option<Lined<u32>>,
    pub(crate) min_tasks: Given<u32>,
    pub(crate) max_tasks: Given<u32>,
    pub(crate) spot: Given<bool>,
    pub(crate) keep_alive: Given<u32>,
    pub(crate) variables: Given<Vec<Variable>>,
    pub(crate) secrets: Given<Vec<Lined<String>>>,
}

pub(crate) struct Auth {
    pub(crate) leeway: Option<Lined<Leeway>>,
    pub(crate) max_token: Option<Lined<u32>>,
    pub(crate) max_lifetime: Option<Lined<u32>>,
    pub(crate) forgeries: Option<Lined<Window>>,
    pub(crate) revocations: Option<Lined<u32>>,
}

pub(crate) struct Cors {
    pub(crate) origins: Texts,
    pub(crate) methods: Texts,
    pub(crate) headers: Texts,
    pub(crate) expose: Texts,
    pub(crate) max_age: Option<Lined<u32>>,
}

pub(crate) struct Origin {
    pub(crate) lock_header: Option<Lined<String>>,
    pub(crate) first_byte: Option<Lined<u32>>,
    pub(crate) try_seconds: Given<u32>,
    pub(crate) upstreams: Option<Vec<Upstream>>,
}

pub(crate) struct Upstream {
    pub(crate) name: Option<Lined<String>>,
    pub(crate) variable: Option<Lined<String>>,
    pub(crate) weight: Given<u32>,
    pub(crate) services: Given<Vec<Lined<String>>>,
}

pub(crate) struct Streams {
    pub(crate) heartbeat: Given<u32>,
}

pub(crate) struct Cache {
    pub(crate) name: Lined<String>,
    pub(crate) mode: Option<Lined<String>>,
    pub(crate) seconds: Given<u32>,
    pub(crate) stale_while_revalidate: Given<u32>,
    pub(crate) stale_if_error: Given<u32>,
    pub(crate) shared: Given<bool>,
    pub(crate) heuristic: Given<bool>,
    pub(crate) set_cookie: Given<String>,
    pub(crate) authorization: Given<String>,
    pub(crate) query: Given<Query>,
    pub(crate) errors: Given<u32>,
    pub(crate) collapse: Given<String>,
}

pub(crate) struct Query {
    pub(crate) only: Given<Vec<Lined<String>>>,
    pub(crate) except: Given<Vec<Lined<String>>>,
}

pub(crate) struct Log {
    pub(crate) sample: Given<Sample>,
}

pub(crate) struct Sample {
    pub(crate) ok: Given<u32>,
    pub(crate) cached: Given<u32>,
    pub(crate) preflight: Given<u32>,
}

pub(crate) struct Route {
    pub(crate) line: u32,
    pub(crate) name: Option<Lined<String>>,
    pub(crate) hosts: Texts,
    pub(crate) methods: Given<Vec<Lined<String>>>,
    pub(crate) paths: Texts,
    pub(crate) service: Given<String>,
    pub(crate) edge: Given<String>,
    pub(crate) proxy: Given<String>,
    pub(crate) auth: Option<Lined<RouteAuth>>,
    pub(crate) limit: Given<String>,
    pub(crate) cost: Given<u32>,
    pub(crate) concurrency: Given<Vec<Lined<String>>>,
    pub(crate) event_stream: Given<bool>,
    pub(crate) heartbeat: Given<bool>,
    pub(crate) wait: Given<Wait>,
    pub(crate) max_body: Given<u32>,
    pub(crate) cache: Given<String>,
    pub(crate) raw_path: Given<bool>,
    pub(crate) cors: Given<bool>,
    pub(crate) first_byte: Given<u32>,
    pub(crate) try_seconds: Given<u32>,
    pub(crate) tries: Given<u32>,
    pub(crate) hedge: Given<u32>,
    pub(crate) idle: Given<u32>,
    pub(crate) total: Given<u32>,
    pub(crate) priority: Given<String>,
    pub(crate) security: Given<String>,
    pub(crate) retirement: Given<heads::Retirement>,
}

/// `None` when the text is no TOML at all.
pub(crate) fn read(text: &str, report: &Report) -> Option<Written> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = report.line(&error.span().unwrap_or_default());
        report.add(line, format!("not valid TOML: {}", error.message().trim()));
    }
    errors.is_empty().then(|| root(Section::new("he2.toml", 1, document.get_ref(), report), report))
}

fn root<'d>(mut top: Section<'d>, report: &'d Report) -> Written {
    let written = Written {
        domain: top.required("domain"),
        hosts: each(top.repeated("host"), host, report),
        services: all(top.named("service"), service, report),
        auth: single(&mut top, "auth", report).map(auth),
        issuers: all(top.named("issuer"), issuer::issuer, report),
        cors: single(&mut top, "cors", report).map(cors),
        origin: single(&mut top, "origin", report).map(|section| origin(section, report)),
        streams: section(&mut top, "streams", report).map(streams),
        limits: all(top.named("limit"), limit::limit, report),
        concurrencies: all(top.named("concurrency"), limit::concurrency, report),
        rate_limit_fields: top.optional("rate_limit_fields"),
        caches: all(top.named("cache"), cache, report),
        log: top.table("log").map(|(line, table)| log(Section::new("[log]", line, table, report))),
        routes: each(top.repeated("route"), route, report),
        previews: previews::previews(&mut top, report),
        request: heads::request(&mut top, report),
        access: each(top.repeated("access"), heads::access, report),
        securities: all(top.named("security"), heads::security, report),
        infra: infra::infra(&mut top, report),
        cloudflare: infra::cloudflare(&mut top, report),
        settings: infra::all_settings(top.named("settings"), report),
        environments: infra::environments(top.named("environment"), report),
    };
    top.finish();
    written
}

type Tables<'d, K> = Vec<(K, &'d DeTable<'d>)>;

fn all<K, T>(tables: Tables<'_, K>, read: fn(K, &DeTable<'_>, &Report) -> T, report: &Report) -> Vec<T> {
    tables.into_iter().map(|(key, table)| read(key, table, report)).collect()
}

fn each<T>(
    tables: Option<Tables<'_, u32>>,
    read: fn(u32, &DeTable<'_>, &Report) -> T,
    report: &Report,
) -> Option<Vec<T>> {
    tables.map(|tables| all(tables, read, report))
}

/// The section `[key]`, which must be there.
fn single<'d>(top: &mut Section<'d>, key: &'static str, report: &'d Report) -> Option<Section<'d>> {
    if !top.has(key) {
        report.add(1, format!("the section [{key}] is missing; add it"));
    }
    section(top, key, report)
}

/// The section `[key]`, which may be left out.
fn section<'d>(top: &mut Section<'d>, key: &'static str, report: &'d Report) -> Option<Section<'d>> {
    top.table(key).map(|(line, table)| Section::new(format!("[{key}]"), line, table, report))
}

fn host(line: u32, table: &DeTable<'_>, report: &Report) -> Host {
    let mut section = Section::new("[[host]]", line, table, report);
    let host = Host { name: section.required("name"), redirect: section.optional("redirect") };
    section.finish();
    host
}

fn service(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Service {
    let mut section = Section::new(format!("[service.{}]", name.value), name.line, table, report);
    let service = Service {
        port: section.optional("port"),
        health: section.optional("health"),
        cpu: section.required("cpu"),
        memory: section.required("memory"),
        min_tasks: section.optional("min_tasks"),
        max_tasks: section.optional("max_tasks"),
        spot: section.optional("spot"),
        keep_alive: section.optional("keep_alive_seconds"),
        variables: section.optional("environment"),
        secrets: section.optional("secrets"),
        name,
    };
    section.finish();
    service
}

fn auth(mut section: Section<'_>) -> Auth {
    let auth = Auth {
        leeway: section.required("leeway_seconds"),
        max_token: section.required("max_token_bytes"),
        max_lifetime: section.required("max_lifetime_seconds"),
        forgeries: section.required("forgeries"),
        revocations: section.required("revocations_seconds"),
    };
    section.finish();
    auth
}

fn cors(mut section: Section<'_>) -> Cors {
    let cors = Cors {
        origins: section.required("origins"),
        methods: section.required("methods"),
        headers: section.required("headers"),
        expose: section.required("expose"),
        max_age: section.required("max_age_seconds"),
    };
    section.finish();
    cors
}

fn origin(mut section: Section<'_>, report: &Report) -> Origin {
    let origin = Origin {
        lock_header: section.required("lock_header"),
        first_byte: section.required("first_byte_seconds"),
        try_seconds: section.optional("try_seconds"),
        upstreams: each(section.repeated("upstream"), upstream, report),
    };
    section.finish();
    origin
}

fn streams(mut section: Section<'_>) -> Streams {
    let streams = Streams { heartbeat: section.optional("heartbeat_seconds") };
    section.finish();
    streams
}

fn upstream(line: u32, table: &DeTable<'_>, report: &Report) -> Upstream {
    let mut section = Section::new("[[origin.upstream]]", line, table, report);
    let upstream = Upstream {
        name: section.required("name"),
        variable: section.required("variable"),
        weight: section.optional("weight"),
        services: section.optional("services"),
    };
    section.finish();
    upstream
}

fn log(mut section: Section<'_>) -> Log {
    let log = Log { sample: section.optional("sample") };
    section.finish();
    log
}

impl Read for Sample {
    const WANTED: &'static str = "a table, as { cached = 10 }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let mut section =
            Section::new("a sample", report.line(&value.span()), value.get_ref().as_table()?, report);
        let sample = Self {
            ok: section.optional("ok"),
            cached: section.optional("cached"),
            preflight: section.optional("preflight"),
        };
        section.finish();
        Some(sample)
    }
}

fn cache(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Cache {
    let mut section = Section::new(format!("[cache.{}]", name.value), name.line, table, report);
    let cache = Cache {
        mode: section.required("mode"),
        seconds: section.optional("seconds"),
        stale_while_revalidate: section.optional("stale_while_revalidate_seconds"),
        stale_if_error: section.optional("stale_if_error_seconds"),
        shared: section.optional("shared"),
        heuristic: section.optional("heuristic"),
        set_cookie: section.optional("set_cookie"),
        authorization: section.optional("authorization"),
        query: section.optional("query"),
        errors: section.optional("errors_seconds"),
        collapse: section.optional("collapse"),
        name,
    };
    section.finish();
    cache
}

fn route(line: u32, table: &DeTable<'_>, report: &Report) -> Route {
    let mut section = Section::new("[[route]]", line, table, report);
    let route = Route {
        line,
        name: section.required("name"),
        hosts: section.required("hosts"),
        methods: section.optional("methods"),
        paths: section.required("paths"),
        service: section.optional("service"),
        edge: section.optional("edge"),
        proxy: section.optional("proxy"),
        auth: section.required("auth"),
        limit: section.optional("limit"),
        cost: section.optional("cost"),
        concurrency: section.optional("concurrency"),
        event_stream: section.optional("event_stream"),
        heartbeat: section.optional("heartbeat"),
        wait: section.optional("wait"),
        max_body: section.optional("max_body_bytes"),
        cache: section.optional("cache"),
        raw_path: section.optional("raw_path"),
        cors: section.optional("cors"),
        first_byte: section.optional("first_byte_seconds"),
        try_seconds: section.optional("try_seconds"),
        tries: section.optional("tries"),
        hedge: section.optional("hedge_ms"),
        idle: section.optional("idle_seconds"),
        total: section.optional("total_seconds"),
        priority: section.optional("priority"),
        security: section.optional("security"),
        retirement: section.optional("retirement"),
    };
    section.finish();
    route
}

impl Read for Query {
    const WANTED: &'static str = "a table, as { only = [\"page\"] }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let mut section =
            Section::new("a query", report.line(&value.span()), value.get_ref().as_table()?, report);
        let query = Self { only: section.optional("only"), except: section.optional("except") };
        section.finish();
        Some(query)
    }
}
