//! Names of the Worker's variables and secrets. They are members of one `env`, the Durable Objects too.

use edge_core::auth::revocation;
use edge_core::limit::{self, places};
use edge_core::preview;

use super::upstreams::{self, ORIGIN};
use super::variables::is_variable;
use crate::fault::Report;
use crate::leak;
use crate::read::Lined;
use crate::written::Written;
use crate::written::issuer::{Audiences, Issuer};
use crate::written::route_auth::RouteAuth;

/// Those that every deployment may have: [`edge_core::host::Settings`], the Durable Objects, and the metrics' data set.
const OWN: [&str; 18] = [
    ORIGIN.variable,
    "MAINTENANCE",
    "DEFAULT_HOST",
    "ORIGIN_LOCK",
    "IDENTITY_SECRET",
    limit::BINDING,
    revocation::BINDING,
    places::BINDING,
    "DELIVERIES",
    preview::API,
    preview::KEY,
    "METRICS",
    "ENVIRONMENT",
    "VERSION",
    "OTLP_ENDPOINT",
    "OTLP_HEADERS",
    "SENTRY_DSN",
    "MONITORED_DSN",
];

/// A name, and what its value is.
struct Use<'w> {
    name: &'w Lined<String>,
    what: &'static str,
}

/// Uses that nothing shares, not even their like: an issuer is found by its address, and who has a signing secret is
/// that issuer.
const ALONE: [&str; 3] = [ISSUER, SIGNING, UPSTREAM];
const UPSTREAM: &str = "an upstream's address";
const ISSUER: &str = "an issuer's address";
const SIGNING: &str = "a signing secret";

/// Every name once, in order.
pub(super) fn check(written: &Written, report: &Report) -> &'static [&'static str] {
    let upstreams = upstreams::upstreams(written).iter();
    let upstreams =
        upstreams.filter_map(|upstream| Some(Use { name: upstream.variable.as_ref()?, what: UPSTREAM }));
    let uses: Vec<Use<'_>> = upstreams.chain(issuers(&written.issuers)).chain(routes(written)).collect();
    for (index, one) in uses.iter().enumerate() {
        check_form(one, report);
        if let Some(before) = uses.iter().take(index).find(|other| clash(one, other)) {
            report.add(one.name.line, again(before));
        }
    }
    let mut names: Vec<&'static str> = uses.iter().map(|one| leak::text(&one.name.value)).collect();
    if upstreams::upstreams(written).is_empty() {
        names.push(ORIGIN.variable);
    }
    if written.previews.is_some() {
        names.extend([preview::API, preview::KEY]);
    }
    names.sort_unstable();
    names.dedup();
    leak::list(names)
}

fn issuers(issuers: &[Issuer]) -> Vec<Use<'_>> {
    let mut uses = Vec::new();
    for issuer in issuers {
        let audiences = match issuer.audiences.as_ref().map(|audiences| &audiences.value) {
            Some(Audiences::Variable(name)) => name.as_ref(),
            _ => None,
        };
        let signing = issuer.hs256.good().and_then(|hs256| hs256.value.secret.as_ref());
        let all = [
            (issuer.variable.as_ref(), ISSUER),
            (audiences, "the audiences of an issuer"),
            (signing, SIGNING),
        ];
        uses.extend(all.into_iter().filter_map(|(name, what)| Some(Use { name: name?, what })));
    }
    uses
}

fn routes(written: &Written) -> impl Iterator<Item = Use<'_>> {
    let auths = written.routes.iter().flatten().filter_map(|route| route.auth.as_ref());
    auths.filter_map(|auth| match &auth.value {
        RouteAuth::Admin(admin) => Some(Use { name: admin.secret.as_ref()?, what: "the key of operators" }),
        RouteAuth::Webhook(webhook) => {
            let what = match webhook.scheme.as_ref()?.value.as_str() {
                // It travels with every request; a secret that signs never does.
                "shared" => "a shared secret of webhooks",
                _ => "a secret that signs webhooks",
            };
            Some(Use { name: webhook.secret.as_ref()?, what })
        }
        _ => None,
    })
}

fn clash(one: &Use<'_>, other: &Use<'_>) -> bool {
    one.name.value == other.name.value && (one.what != other.what || ALONE.contains(&one.what))
}

fn again(before: &Use<'_>) -> String {
    let Use { name, what } = before;
    format!("`{}` is already {what} on line {}; use another name", name.value, name.line)
}

fn check_form(one: &Use<'_>, report: &Report) {
    let Use { name, what } = one;
    // An upstream is the origin.
    let own = OWN.contains(&name.value.as_str()) && (name.value != ORIGIN.variable || *what != UPSTREAM);
    if own {
        report.add(name.line, format!("`{}` is the gateway's own; use another name", name.value));
    } else if !is_variable(&name.value) {
        report.add(name.line, format!("variable `{}`: use capital letters, digits and `_`", name.value));
    }
}
