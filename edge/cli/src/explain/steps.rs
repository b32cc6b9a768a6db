//! The steps of a request's way in words, from what the gateway recorded.

use edge_core::plan::{Auth, Cache, Limit, Route};
use edge_core::{cors, path, route};

use super::Seen;

/// One step, and what it came to.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Line of he2.toml that says so.
    pub(super) line: Option<u32>,
    pub(super) says: String,
}

/// What a step came to. `Err` ends the way.
type Outcome = Result<String, String>;

type Tell = fn(&Seen) -> Outcome;

/// The steps that were reached, in the gateway's order.
pub(super) fn steps(seen: &Seen) -> Vec<Step> {
    let way: [(&str, Tell); 7] = [
        ("host", host),
        ("path", normal_path),
        ("route", found),
        ("cors", cross_origin),
        ("auth", caller),
        ("limit", |seen| Ok(limited(seen))),
        ("cache", cached),
    ];
    let mut steps = Vec::new();
    for (name, tell) in way {
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
        Auth::Optional => "optional",
        Auth::User => "user",
        Auth::Stream => "stream",
        Auth::Admin => "admin",
        Auth::Webhook(_) => "webhook",
        Auth::Blocked => "blocked",
    }
}

fn line(step: &str, seen: &Seen) -> Option<u32> {
    match step {
        "host" => route::host(seen.plan, &seen.record.host).map(|host| host.line),
        "route" => seen.record.line,
        "limit" => Some(seen.record.matched?.limit?.line),
        _ => None,
    }
}

fn refused(seen: &Seen) -> String {
    let fault = seen.record.fault.as_deref().unwrap_or_default();
    let why = seen.record.internal.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("refused with {}: {fault}{why}", seen.record.status)
}

fn host(seen: &Seen) -> Outcome {
    route::host(seen.plan, &seen.target.host).map(|host| host.name.to_owned()).ok_or_else(|| refused(seen))
}

fn normal_path(seen: &Seen) -> Outcome {
    let raw = &seen.target.path;
    let normal = path::normalise(raw).map_err(|_| refused(seen))?.text;
    match route::host(seen.plan, &seen.target.host).and_then(|host| host.redirect) {
        Some(target) => Err(format!("{normal}, redirected to {target} with {}", seen.record.status)),
        None if normal == *raw => Ok(normal),
        None => Ok(format!("{normal}, which is what {raw} means")),
    }
}

fn found(seen: &Seen) -> Outcome {
    let Some(route) = seen.record.matched else { return Err(refused(seen)) };
    let methods = if route.methods.is_empty() { "any method".to_owned() } else { route.methods.join(", ") };
    let says = format!("{}: {methods} {}", route.name, route.pattern);
    let suspect = path::normalise(&seen.target.path).is_ok_and(|path| path.suspect.is_some());
    match (route.auth, suspect && !route.raw_path) {
        (Auth::Blocked, _) | (_, true) => Err(format!("{says}, {}", refused(seen))),
        _ => Ok(format!("{says}, to {}", route.service)),
    }
}

fn cross_origin(seen: &Seen) -> Outcome {
    let granted = cors::allowed(&seen.plan.cors, &seen.headers);
    let preflight = cors::preflight(&seen.method, &seen.headers).is_some();
    match (preflight, granted, seen.headers.contains_key("origin")) {
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
    let Some(caller) = seen.record.caller else { return Err(format!("{class}: {}", refused(seen))) };
    let id = seen.record.caller_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
    Ok(format!("{class}: {caller}{id}{}", assumed(route.auth, caller)))
}

/// What only the origin or the deployment can check.
fn assumed(auth: Auth, caller: &str) -> &'static str {
    match (auth, caller) {
        (Auth::Admin, _) => " (its key is a secret of the deployment, taken for right here)",
        (Auth::Webhook(_), _) => " (the origin checks the signature)",
        (_, "api-key") => " (its digest; the origin checks the secret)",
        _ => "",
    }
}

/// The limiter of an explanation never refuses.
fn limited(seen: &Seen) -> String {
    let (Some(limit), Some(object)) = (limit(seen), &seen.asked) else { return "none".into() };
    let windows: Vec<String> =
        limit.windows.iter().map(|window| format!("{} per {} s", window.quota, window.seconds)).collect();
    format!("{}, counted for {object}; would be asked", windows.join(" and "))
}

fn limit(seen: &Seen) -> Option<Limit> {
    seen.record.matched?.limit
}

fn cached(seen: &Seen) -> Outcome {
    let status = seen.record.cache.as_deref().unwrap_or_default();
    match &seen.sent {
        Some(_) => Ok(format!("{}; with nothing stored: {status}", policy(seen.record.matched))),
        None => Err(refused(seen)),
    }
}

fn policy(route: Option<&'static Route>) -> String {
    match route.map_or(Cache::Off, |route| route.cache) {
        Cache::Off => "off".into(),
        Cache::Obey => "obeys the origin".into(),
        Cache::Assign { seconds, shared: false } => format!("{seconds} s where the origin says nothing"),
        Cache::Assign { seconds, shared: true } => {
            format!("{seconds} s where the origin says nothing, for all callers")
        }
    }
}
