//! How tokens are checked.

use edge_core::plan::AuthPlan;

use super::text::{check_known, check_list, leaked};
use crate::fault::Report;
use crate::written::Auth;

/// What edge-core can verify.
const ALGORITHMS: [&str; 4] = ["ES256", "RS256", "EdDSA", "HS256"];

pub(crate) fn check(auth: &Auth, report: &Report) -> Option<AuthPlan> {
    let lists = [("audiences", &auth.audiences), ("algorithms", &auth.algorithms), ("roles", &auth.roles)];
    for (key, list) in lists {
        check_list(key, list, report);
    }
    if let Some(algorithms) = &auth.algorithms {
        check_known("algorithm", &algorithms.value, &ALGORITHMS, report);
    }
    check_roles(auth, report);
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

/// `anon` is everyone and `service_role` a machine with all rights: neither is a user.
fn check_roles(auth: &Auth, report: &Report) {
    let roles = auth.roles.iter().flat_map(|roles| &roles.value);
    for role in roles.filter(|role| matches!(role.value.as_str(), "anon" | "service_role")) {
        report.add(role.line, format!("role `{}` is never a signed-in user; remove it", role.value));
    }
}
