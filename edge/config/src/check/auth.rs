//! How tokens are checked.

use edge_core::plan::AuthPlan;

use super::text::{check_known, check_list, leaked};
use crate::fault::Report;
use crate::read::Lined;
use crate::written::{Auth, Texts};

/// What edge-core can verify.
const ALGORITHMS: [&str; 4] = ["ES256", "RS256", "EdDSA", "HS256"];
/// Least and greatest length of a token in bytes: a signed one with all claims is no shorter, and the origin's
/// servers take heads of 16 kB.
const TOKEN_BYTES: (u32, u32) = (512, 16384);
/// Least time between two fetches for an unknown key: one may take 5 s.
const LEAST_COOLDOWN_SECONDS: u32 = 6;

pub(crate) fn check(auth: &Auth, report: &Report) -> Option<AuthPlan> {
    let lists = [("audiences", &auth.audiences), ("algorithms", &auth.algorithms), ("roles", &auth.roles)];
    for (key, list) in lists {
        check_list(key, list, report);
    }
    if let Some(algorithms) = &auth.algorithms {
        check_known("algorithm", &algorithms.value, &ALGORITHMS, report);
    }
    check_filled("audiences", &auth.audiences, report);
    check_filled("roles", &auth.roles, report);
    check_roles(auth, report);
    auth.max_token.iter().for_each(|bytes| check_token(bytes, report));
    check_keys(auth, report);
    Some(AuthPlan {
        audiences: leaked(&auth.audiences.as_ref()?.value),
        algorithms: leaked(&auth.algorithms.as_ref()?.value),
        roles: leaked(&auth.roles.as_ref()?.value),
        leeway_seconds: auth.leeway.as_ref()?.value.0,
        max_token_bytes: auth.max_token.as_ref()?.value,
        jwks_max_age_seconds: auth.jwks_max_age.as_ref()?.value,
        jwks_stale_seconds: auth.jwks_stale.as_ref()?.value,
        jwks_cooldown_seconds: auth.jwks_cooldown.as_ref()?.value,
    })
}

/// A token could say nothing, and would be taken for good.
fn check_filled(key: &str, list: &Texts, report: &Report) {
    let items = list.iter().flat_map(|list| &list.value);
    for item in items.filter(|item| item.value.is_empty()) {
        report.add(item.line, format!("`{key}` holds an empty string; remove it"));
    }
}

/// `anon` is everyone and `service_role` a machine with all rights: neither is a user.
fn check_roles(auth: &Auth, report: &Report) {
    let roles = auth.roles.iter().flat_map(|roles| &roles.value);
    for role in roles.filter(|role| matches!(role.value.as_str(), "anon" | "service_role")) {
        report.add(role.line, format!("role `{}` is never a signed-in user; remove it", role.value));
    }
}

fn check_token(bytes: &Lined<u32>, report: &Report) {
    let (least, most) = TOKEN_BYTES;
    if !(least..=most).contains(&bytes.value) {
        report.add(bytes.line, format!("max_token_bytes {}: give {least} to {most}", bytes.value));
    }
}

fn check_keys(auth: &Auth, report: &Report) {
    let max_age = auth.jwks_max_age.as_ref().map_or(0, |max_age| max_age.value);
    if let Some(stale) = auth.jwks_stale.as_ref().filter(|stale| stale.value < max_age) {
        let text = format!(
            "jwks_stale_seconds {} is less than jwks_max_age_seconds {max_age}; give at least {max_age}",
            stale.value
        );
        report.add(stale.line, text);
    }
    let cooldown = auth.jwks_cooldown.as_ref();
    if let Some(cooldown) = cooldown.filter(|cooldown| cooldown.value < LEAST_COOLDOWN_SECONDS) {
        let text = format!(
            "jwks_cooldown_seconds {}: one fetch of the keys may take 5 s; give at least {LEAST_COOLDOWN_SECONDS}",
            cooldown.value
        );
        report.add(cooldown.line, text);
    }
}
