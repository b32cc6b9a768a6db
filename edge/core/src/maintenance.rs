//! The maintenance switch: while it is on, callers are told when to come again; what watches the service goes on, and
//! operators pass.
//!
//! It is a variable of the Worker, not of he2.toml: a deployment with it is at work within seconds, and the plan is the
//! same before and after.

use std::net::IpAddr;

use http::HeaderMap;

use crate::auth::operator;
use crate::host::Settings;
use crate::plan::{Auth, Plan, Priority, Route};

/// How long callers stay away where the variable does not say (s).
const SECONDS: u32 = 300;

/// The seconds that the variable says; a usual time where it says anything else.
#[must_use]
pub fn seconds(variable: &str) -> u32 {
    variable.trim().parse().ok().filter(|seconds| *seconds > 0).unwrap_or(SECONDS)
}

/// How many seconds the caller of a route is to stay away; none for who passes.
#[must_use]
pub fn away(
    plan: &Plan,
    settings: &Settings,
    route: &Route,
    headers: &HeaderMap,
    ip: Option<IpAddr>,
) -> Option<u32> {
    let goes_on = route.edge.is_some() || route.priority == Some(Priority::Vital);
    settings.maintenance.filter(|_| !goes_on && !is_operator(plan, settings, headers, ip))
}

/// Whether the request bears the key of some admin route, from where it may be used.
fn is_operator(plan: &Plan, settings: &Settings, headers: &HeaderMap, ip: Option<IpAddr>) -> bool {
    plan.routes.iter().any(|route| match route.auth {
        Auth::Admin(policy) => operator::admin(&policy, headers, ip, settings.get(policy.secret)).is_ok(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_may_say_how_long() {
        assert_eq!(["90", " 90 ", "on", "0", "-1"].map(seconds), [90, 90, 300, 300, 300]);
    }
}
