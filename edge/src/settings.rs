//! The Worker's variables and secrets, read once per isolate: a new value is a new version, in new isolates.

use std::cell::OnceCell;
use std::rc::Rc;

use edge_core::host::Settings;
use edge_core::maintenance;
use edge_core::telemetry::Telemetry;
use js_sys::Reflect;
use worker::Env;

use crate::plan::PLAN;

thread_local! {
    static SETTINGS: OnceCell<Rc<Settings>> = const { OnceCell::new() };
}

/// The deployment's settings; an error says what is missing of those without which nothing works.
pub(crate) fn get(env: &Env) -> Result<Rc<Settings>, String> {
    SETTINGS.with(|settings| match settings.get() {
        Some(settings) => Ok(Rc::clone(settings)),
        None => read(env).map(|read| Rc::clone(settings.get_or_init(|| Rc::new(read)))),
    })
}

fn read(env: &Env) -> Result<Settings, String> {
    let variable =
        |name: &str| env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty());
    let settings = Settings {
        maintenance: variable("MAINTENANCE").map(|seconds| maintenance::seconds(&seconds)),
        default_host: variable("DEFAULT_HOST"),
        origin_lock: variable("ORIGIN_LOCK"),
        identity_secret: variable("IDENTITY_SECRET"),
        telemetry: Telemetry::read(|name| if name == "VERSION" { version(env) } else { variable(name) }),
        variables: PLAN.variables.iter().filter_map(|&name| Some((name, variable(name)?))).collect(),
    };
    if let Some(service) = upstreamless(&settings) {
        return Err(format!("no upstream's variable of service {service} is set"));
    }
    match PLAN.issuers.iter().any(|issuer| settings.get(issuer.variable).is_some()) {
        true => Ok(settings),
        false => Err("no issuer's variable is set".to_owned()),
    }
}

/// A service that routes lead to, and nowhere from there.
fn upstreamless(settings: &Settings) -> Option<&'static str> {
    let services = PLAN.routes.iter().map(|route| route.service).filter(|service| !service.is_empty());
    services.into_iter().find(|service| settings.origins(&PLAN, service).is_empty())
}

/// The deployment's version (<https://developers.cloudflare.com/workers/runtime-apis/bindings/version-metadata/>).
fn version(env: &Env) -> Option<String> {
    let metadata = Reflect::get(env, &"VERSION".into()).ok()?;
    Reflect::get(&metadata, &"id".into()).ok()?.as_string()
}
