//! The steps of a request's way in words, from what the gateway recorded.

use edge_core::auth::Refusal;
use edge_core::auth::token::TokenFault;
use edge_core::fault::Fault;
use edge_core::plan::{Auth, Edge, Host, Route, SignIn, Wait};
use edge_core::{cors, route};
use http::header::ORIGIN;

use super::{Seen, limits, previews};

/// One step, and what it came to.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Line of he2.toml that says so.
    pub(super) line: Option<u32>,
    pub(super) says: String,
}

/// What a step came to. `Err` ends the way.
pub(super) type Outcome = Result<String, String>;

type Tell = fn(&Seen) -> Outcome;

const WAY: &[(&str, Tell)] = &[
    ("host", host),
    ("path", normal_path),
    ("route", found),
    ("cors", cross_origin),
    ("auth", caller),
    ("limit", |seen| Ok(limits::counted(seen))),
    ("places", |seen| Ok(limits::held(seen))),
    ("cache", cached),
];

const PREVIEW: &[(&str, Tell)] = &[
    ("host", host),
    ("preview", previews::meant),
    ("path", previews::path),
    ("limit", |seen| Ok(limits::counted(seen))),
    ("sandbox", previews::asked),
];

/// The steps that were reached, in the gateway's order.
pub(super) fn steps(seen: &Seen) -> Vec<Step> {
    let mut steps = Vec::new();
    for (name, tell) in if seen.record.sandbox.is_some() { PREVIEW } else { WAY } {
        let outcome = tell(seen);
        let ended = outcome.is_err();
        let (Ok(says) | Err(says)) = outcome;
        steps.push(Step { name, line: line(name, seen), says });
        if ended {
            break;
        }
    }
    steps
}

/// The name of a class, as he2.toml writes it.
pub(super) fn class(auth: Auth) -> &'static str {
    match auth {
        Auth::Public => "public",
        Auth::SignIn(SignIn { required: false, .. }) => "optional",
        Auth::SignIn(SignIn { user: true, api_key: true, .. }) => "any_of",
        Auth::SignIn(SignIn { api_key: true, .. }) => "api_key",
        Auth::SignIn(_) => "user",
        Auth::Admin(_) => "admin",
        Auth::Webhook(_) => "webhook",
        Auth::Blocked => "blocked",
    }
}

/// The line that decides a step; the route's own where it leaves the step out.
fn line(step: &str, seen: &Seen) -> Option<u32> {
    let record = &seen.record;
    let lines = record.matched.and_then(|route| seen.lines.route(route.name));
    match step {
        "host" => public(seen).map(|host| host.line),
        "path" => public(seen).filter(|host| host.redirect.is_some()).map(|host| host.line),
        "route" | "preview" => record.line,
        "cors" => seen.lines.origins.filter(|_| seen.headers.contains_key(ORIGIN)),
        "auth" => lines.map(|lines| lines.auth),
        "limit" => limits::limit(seen).map(|limit| limit.line).or(record.line),
        "places" => limits::places(seen).first().map(|places| places.line).or(record.line),
        "cache" => lines.and_then(|lines| lines.cache.as_ref()).map(|(_, line)| *line).or(record.line),
        _ => None,
    }
}

/// The host that the gateway took the request for.
fn public(seen: &Seen) -> Option<&'static Host> {
    route::host(seen.plan, &seen.record.host)
}

pub(super) fn refused(seen: &Seen) -> String {
    let fault = seen.record.fault.as_deref().unwrap_or_default();
    let why = seen.record.internal.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("refused with {}: {fault}{why}", seen.record.status)
}

fn host(seen: &Seen) -> Outcome {
    match seen.record.refused {
        Some(Fault::Misdirected | Fault::Refused(Refusal::Leak)) => Err(refused(seen)),
        _ => Ok(seen.record.host.clone()),
    }
}

fn normal_path(seen: &Seen) -> Outcome {
    let (raw, normal) = (&seen.target.path, &seen.record.path);
    if seen.record.matched.is_none() && matches!(seen.record.refused, Some(Fault::Path(_))) {
        return Err(refused(seen));
    }
    match public(seen).and_then(|host| host.redirect) {
        Some(target) => Err(format!("{normal}, redirected to {target} with {}", seen.record.status)),
        None if normal == raw => Ok(normal.clone()),
        None => Ok(format!("{normal}, which is what {raw} means")),
    }
}

fn found(seen: &Seen) -> Outcome {
    let Some(route) = seen.record.matched else { return Err(refused(seen)) };
    let methods = if route.methods.is_empty() { "any method".to_owned() } else { route.methods.join(", ") };
    let says = format!("{}: {methods} {}", route.name, route.pattern);
    match seen.record.refused {
        Some(
            Fault::Path(_) | Fault::TooLong(_) | Fault::Refused(Refusal::Blocked) | Fault::Maintenance(_),
        ) => Err(format!("{says}, {}", refused(seen))),
        _ if route.edge.is_some() => Ok(format!("{says}, {}", by_edge(route.edge))),
        _ if route.event_stream => Ok(format!("{says}, to {}, as an event stream", route.service)),
        _ => Ok(format!("{says}, to {}{}", route.service, waits(route))),
    }
}

fn waits(route: &Route) -> String {
    let waits =
        |wait: Wait| format!(", which waits for {} s at most (`{}`)", wait.most_seconds, wait.parameter);
    route.wait.map(waits).unwrap_or_default()
}

fn by_edge(edge: Option<Edge>) -> String {
    match edge {
        Some(Edge::Proxy(proxy)) => format!("to {}", proxy.base),
        Some(Edge::SentryTunnel) => "to the Sentry project of the report".to_owned(),
        _ => "answered by the edge".to_owned(),
    }
}

fn cross_origin(seen: &Seen) -> Outcome {
    let open = seen.record.matched.is_none_or(|route| route.cors);
    let granted = cors::allowed(&seen.plan.cors, &seen.headers).filter(|_| open);
    let preflight = cors::preflight(&seen.method, &seen.headers).is_some();
    match (preflight, granted, seen.headers.contains_key(ORIGIN)) {
        (true, Some(origin), _) => {
            Err(format!("preflight of {origin}, answered here with {}", seen.record.status))
        }
        (true, None, _) => Err(format!("preflight, {}", refused(seen))),
        (false, Some(origin), _) => Ok(format!("{origin} may read the answer")),
        (false, None, true) => {
            Ok("the page's origin is not allowed: its browser will not show it the answer".into())
        }
        (false, None, false) => Ok("no Origin: not another page's call".into()),
    }
}

fn caller(seen: &Seen) -> Outcome {
    let Some(route) = seen.record.matched else { return Err(refused(seen)) };
    let class = class(route.auth);
    let Some(caller) = seen.record.caller else {
        return Err(format!("{class}: {}{}", refused(seen), hint(seen)));
    };
    let id = seen.record.caller_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
    let signed = seen.record.signed.as_deref().map(|signed| format!(" ({signed})")).unwrap_or_default();
    let says = format!("{class}: {caller}{id}{signed}{}", assumed(route.auth, caller));
    Ok([&[says], &seen.record.degraded[..]].concat().join("; "))
}

/// What an explanation lacks that the Worker has.
fn hint(seen: &Seen) -> &'static str {
    match seen.record.refused {
        Some(Fault::Refused(Refusal::Token(TokenFault::Issuer))) => "; --issuer URL names the one to accept",
        _ => "",
    }
}

/// What only the origin or the deployment can check.
fn assumed(auth: Auth, caller: &str) -> &'static str {
    match (auth, caller) {
        (Auth::Admin(admin), _) if std::env::var_os(admin.secret).is_none() => {
            " (its key is a secret of the deployment, taken for right here)"
        }
        (_, "api-key") => " (its digest; the origin checks the secret)",
        _ => "",
    }
}

fn cached(seen: &Seen) -> Outcome {
    let status = seen.record.cache.as_deref().unwrap_or_default();
    let edge = seen.record.matched.and_then(|route| route.edge);
    match &seen.reached.sent {
        Some(_) if edge.is_some() => Ok("off; what is live passes".to_owned()),
        Some(_) => Ok(format!("{}; with nothing stored: {status}", policy(seen))),
        None if seen.record.refused.is_none() => Err(format!("answered here with {}", seen.record.status)),
        None => Err(refused(seen)),
    }
}

fn policy(seen: &Seen) -> String {
    let Some(route) = seen.record.matched else { return String::new() };
    let named = seen.lines.route(route.name).and_then(|lines| lines.cache.as_ref());
    let name = named.map(|(name, _)| name.as_str()).unwrap_or_default();
    let Some(cache) = route.cache else { return "off".into() };
    let shared = if cache.shared { ", for all callers" } else { "" };
    let collapse = if cache.collapses_data_centre { ", fetched once for a data centre" } else { "" };
    match cache.assign {
        None => format!("{name}: as the origin says{collapse}"),
        Some(seconds) => format!("{name}: {seconds} s where the origin says nothing{shared}{collapse}"),
    }
}
