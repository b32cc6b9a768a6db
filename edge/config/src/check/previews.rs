//! Previews: under which domain, and which ports of a sandbox are shown.

use edge_core::plan::{Auth, Limit, Part, Ports, Previews, Route};
use edge_core::preview::RESERVED;

use super::content::MOST_BYTES;
use super::origin;
use super::text::{check_reference, is_authority, is_host};
use crate::fault::Report;
use crate::leak;
use crate::read::Lined;
use crate::written::Written;
use crate::written::previews as written;

/// Where Daytona has its API (<https://www.daytona.io/docs/en/getting-started/>).
const USUAL_API: &str = "https://app.daytona.io/api";

/// What is shown, if anything is.
pub(crate) fn check(written: &Written, limits: &[Limit], report: &Report) -> Option<Previews> {
    let previews = written.previews.as_ref()?;
    let domain = domain(previews, written.domain.as_ref(), report);
    let reserved = reserved(previews);
    let ports = ports(previews, &reserved, report);
    let api = api(previews, report);
    let limit = limit(previews, written, limits, report);
    let default = written.origin.as_ref().and_then(|origin| origin.first_byte.as_ref());
    // Seconds of the origin's are checked with it.
    let own = previews.first_byte.good().map(|seconds| origin::first_byte_ms(seconds, report));
    let default_ms = default.map_or(1_000, |seconds| seconds.value.saturating_mul(1_000));
    let domain = domain?;
    Some(Previews {
        domain,
        ports: ports?,
        reserved: leak::list(reserved),
        api: api?,
        route: route(previews.line, domain, limit, own.unwrap_or(default_ms)),
    })
}

/// A page of a sandbox may set cookies for all of its own domain, and is of one site with it; no header keeps it from
/// that, so it is another domain than the app's.
fn domain(
    previews: &written::Previews,
    zone: Option<&Lined<String>>,
    report: &Report,
) -> Option<&'static str> {
    let domain = previews.domain.as_ref()?;
    let is_inside = |inner: &str, outer: &str| inner == outer || inner.ends_with(&format!(".{outer}"));
    let text = &domain.value;
    let shares = zone.is_some_and(|zone| is_inside(text, &zone.value) || is_inside(&zone.value, text));
    let fault = match () {
        // The label before it is part of the name.
        () if !is_host(text) || !text.contains('.') || text.len() > 200 => {
            "write it as `previews.example`, in lower case"
        }
        () if shares => "sandboxes could set cookies for the app there; use another registrable domain",
        () => return Some(leak::text(text)),
    };
    report.add(domain.line, format!("previews domain `{text}`: {fault}"));
    None
}

fn reserved(previews: &written::Previews) -> Vec<u16> {
    let given = previews.reserved.good().map(|given| given.value.as_slice()).unwrap_or_default();
    let mut reserved = [&RESERVED, given].concat();
    reserved.sort_unstable();
    reserved.dedup();
    reserved
}

fn ports(previews: &written::Previews, reserved: &[u16], report: &Report) -> Option<&'static [Ports]> {
    let ports = previews.ports.as_ref()?;
    if ports.value.is_empty() {
        report.add(ports.line, "`ports` is empty; name at least one, or remove [previews]");
    }
    for Lined { line, value: written::Ports { first, last } } in &ports.value {
        if last < first {
            report.add(
                *line,
                format!("ports `{first}-{last}`: the last comes before the first; turn them round"),
            );
        } else if (*first..=*last).all(|port| reserved.contains(&port)) {
            report.add(*line, format!("port {first} is reserved and never shown; remove it"));
        }
    }
    let range = |ports: &Lined<written::Ports>| Ports { first: ports.value.first, last: ports.value.last };
    Some(leak::list(ports.value.iter().map(range).collect()))
}

/// The API key goes there.
fn api(previews: &written::Previews, report: &Report) -> Option<&'static str> {
    let Some(api) = previews.api.good() else { return previews.api.is_absent().then_some(USUAL_API) };
    let rest = api.value.strip_prefix("https://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    if !is_authority(authority, "443") || rest.ends_with('/') || rest.contains(['?', '#']) {
        report.add(api.line, format!("api `{}`: write it as `{USUAL_API}`", api.value));
    }
    Some(leak::text(&api.value))
}

fn limit(
    previews: &written::Previews,
    written: &Written,
    limits: &[Limit],
    report: &Report,
) -> Option<Limit> {
    let name = previews.limit.good()?;
    let known = written.limits.iter().map(|limit| limit.name.value.as_str());
    check_reference("limit", name, known.collect(), report);
    let limit = limits.iter().find(|known| known.name == name.value).copied()?;
    let by_address = limit.by.iter().all(|part| matches!(part, Part::Caller | Part::Address));
    if !by_address || !limit.tiers.is_empty() || limit.cost_field.is_some() {
        let text = "asks who calls or what it costs, and previews know addresses alone; name one without";
        report.add(name.line, format!("limit `{}` {text}", name.value));
    }
    Some(limit)
}

/// Nobody is asked who they are, and what a sandbox says of other pages is its own affair.
fn route(line: u32, domain: &str, limit: Option<Limit>, first_byte_ms: u32) -> Route {
    Route {
        name: "previews",
        line,
        hosts: &[],
        methods: &[],
        pattern: leak::text(&format!("{{port}}-{{sandbox}}.{domain}")),
        segments: &[],
        service: "",
        edge: None,
        auth: Auth::Public,
        limit,
        cost: 1,
        concurrency: &[],
        event_stream: false,
        cache: None,
        raw_path: true,
        cors: false,
        first_byte_ms,
        try_ms: first_byte_ms,
        tries: 1,
        hedge_ms: None,
        timeouts: None,
        priority: None,
        heartbeat_ms: None,
        max_body_bytes: MOST_BYTES,
        wait: None,
        security: None, // a sandbox speaks for itself
        retirement: None,
    }
}
