//! How tokens are checked, whoever issued them.

use std::ops::RangeInclusive;

use edge_core::plan::AuthPlan;

use super::limits::window;
use super::text::check_range;
use crate::fault::Report;
use crate::written::Auth;

/// Length of a token in bytes: a signed one with all claims is no shorter, and the origin's servers take heads of
/// 16 kB.
const TOKEN_BYTES: RangeInclusive<u32> = 512..=16384;
/// The longest life of a token: an hour by default at Supabase, a week at most (`jwt_expiry` of its command line's
/// config.toml). A day at most at Cognito.
const LIFETIME_SECONDS: RangeInclusive<u32> = 3600..=604_800;
/// Bad signatures of one address: more would let it use up the isolate's time.
const FORGERIES: RangeInclusive<u32> = 1..=1000;
/// A longer window would lock an office out for the mistake of one.
const FORGERIES_SECONDS: RangeInclusive<u32> = 1..=3600;
/// A revocation is to work within seconds.
const REVOCATIONS_SECONDS: RangeInclusive<u32> = 1..=60;

pub(crate) fn check(auth: &Auth, report: &Report) -> Option<AuthPlan> {
    let forgeries = auth.forgeries.as_ref().map(|forgeries| &forgeries.value);
    let (quota, seconds) =
        forgeries.map_or((&None, &None), |forgeries| (&forgeries.quota, &forgeries.seconds));
    for (key, number, range) in [
        ("max_token_bytes", &auth.max_token, TOKEN_BYTES),
        ("max_lifetime_seconds", &auth.max_lifetime, LIFETIME_SECONDS),
        ("forgeries: quota", quota, FORGERIES),
        ("forgeries: seconds", seconds, FORGERIES_SECONDS),
        ("revocations_seconds", &auth.revocations, REVOCATIONS_SECONDS),
    ] {
        check_range(key, number.as_ref(), &range, report);
    }
    if let Some(burst) = forgeries.and_then(|forgeries| forgeries.burst.good()) {
        report.add(burst.line, "forgeries: `burst` goes with limits only; remove it");
    }
    Some(AuthPlan {
        leeway_seconds: auth.leeway.as_ref()?.value.0,
        max_token_bytes: auth.max_token.as_ref()?.value,
        max_lifetime_seconds: auth.max_lifetime.as_ref()?.value,
        forgeries: window(forgeries?)?,
        revocations_seconds: auth.revocations.as_ref()?.value,
    })
}
