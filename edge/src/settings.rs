//! The Worker's variables and secrets, read once per event.

use edge_core::host::Settings;
use worker::Env;

/// The deployment's settings.
pub(crate) fn read(env: &Env) -> worker::Result<Settings> {
    let optional = |name| env.var(name).ok().map(|value| value.to_string());
    Ok(Settings {
        origin: env.var("ORIGIN")?.to_string(),
        issuer: env.var("ISSUER")?.to_string(),
        loopback_host: optional("LOOPBACK_HOST"),
        origin_lock: optional("ORIGIN_LOCK"),
        admin_key: optional("ADMIN_API_KEY"),
        hs256_secret: optional("JWT_HS256_SECRET"),
    })
}
