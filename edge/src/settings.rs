//! The Worker's variables and secrets, read once per event.

use edge_core::host::Settings;
use worker::Env;

/// The deployment's settings.
pub(crate) fn read(env: &Env) -> worker::Result<Settings> {
    let optional = |name| env.var(name).ok().map(|value| value.to_string());
    let address = |name| env.var(name).map(|value| value.to_string().trim_end_matches('/').to_owned());
    Ok(Settings {
        origin: address("ORIGIN")?,
        issuer: address("ISSUER")?,
        default_host: optional("DEFAULT_HOST"),
        origin_lock: optional("ORIGIN_LOCK"),
        admin_key: optional("ADMIN_API_KEY"),
        hs256_secret: optional("JWT_HS256_SECRET"),
    })
}
