//! Who may pass a route.

use edge_core::plan::Auth;

use super::{admin, sign_in, webhook};
use crate::fault::Report;
use crate::suggest;
use crate::written::Written;
use crate::written::route_auth::{Class, RouteAuth};

/// `None` when it has a fault that leaves nothing to compare.
pub(super) fn check(auth: &RouteAuth, written: &Written, report: &Report) -> Option<Auth> {
    match auth {
        RouteAuth::Callers(callers) => Some(sign_in::check(callers, &written.issuers, report)),
        RouteAuth::Admin(admin) => admin::check(admin, report).map(Auth::Admin),
        RouteAuth::Webhook(webhook) => webhook::check(webhook, report).map(Auth::Webhook),
        RouteAuth::Unknown(class) => {
            let known = Class::ALL.into_iter().map(Class::name).chain(["admin", "webhook"]);
            let hint = suggest::hint(&class.value, known);
            report.add(class.line, format!("unknown auth `{}`; {hint}", class.value));
            None
        }
        RouteAuth::Faulty => None,
    }
}
