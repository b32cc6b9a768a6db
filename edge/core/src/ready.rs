//! Whether the gateway can do its work, part by part. Left out: asking the parts, which [`crate::gateway`] does.

use crate::host::Settings;
use crate::plan::{Auth, Plan, Route};

/// What was found is good for so long (ms): whoever asks all the time asks an isolate, and not what is behind it.
pub const GOOD_MS: u64 = 5_000;
/// An origin that answered so lately (ms) need not be asked whether it is well.
pub const LATELY_MS: u64 = 10_000;

/// What it needs, and whether that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Every variable and secret that requests need.
    pub settings: bool,
    /// Keys of every issuer.
    pub keys: bool,
    /// The origin.
    pub origin: bool,
}

impl Parts {
    /// Whether all is there.
    #[must_use]
    pub fn are_there(self) -> bool {
        self.settings && self.keys && self.origin
    }
}

/// Names of the variables and secrets that requests need and that are not set, or cannot be read.
#[must_use]
pub fn missing(plan: &Plan, settings: &Settings) -> Vec<&'static str> {
    let own = [("ORIGIN_LOCK", &settings.origin_lock), ("IDENTITY_SECRET", &settings.identity_secret)];
    let own = own.into_iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name);
    let secrets = plan.routes.iter().filter_map(secret).filter(|name| settings.get(name).is_none());
    let mut names: Vec<_> = own.chain(secrets).chain(settings.telemetry.faulty.iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn secret(route: &Route) -> Option<&'static str> {
    match route.auth {
        Auth::Admin(admin) => Some(admin.secret),
        Auth::Webhook(webhook) => Some(webhook.secret),
        _ => None,
    }
}
