//! The Worker's variables and secrets, read once per isolate: a new value is a new version, in new isolates.

use std::cell::OnceCell;
use std::rc::Rc;

use edge_core::host::Settings;
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
    let variable = |name| env.var(name).ok().map(|value| value.to_string()).filter(|value| !value.is_empty());
    let origin = variable("ORIGIN").ok_or("ORIGIN is not set")?;
    let settings = Settings {
        origin: origin.trim_end_matches('/').to_owned(),
        default_host: variable("DEFAULT_HOST"),
        origin_lock: variable("ORIGIN_LOCK"),
        identity_secret: variable("IDENTITY_SECRET"),
        variables: PLAN.variables.iter().filter_map(|&name| Some((name, variable(name)?))).collect(),
    };
    match PLAN.issuers.iter().any(|issuer| settings.get(issuer.variable).is_some()) {
        true => Ok(settings),
        false => Err("no issuer's variable is set".to_owned()),
    }
}
