//! The request as the origin may see it, and the answer as the caller may see it.
//!
//! What a client could use to pass for somebody else, or for the gateway, is dropped first; only then are the
//! gateway's own fields added, so that nothing a client sends (a `Connection` list, say) can take them away again.
//!
//! | to the origin | |
//! |---|---|
//! | hop-by-hop, and what `Connection` names (RFC 9110 §7.6.1) | dropped; `Upgrade: websocket` kept |
//! | `X-He2-*`, `X-Forwarded-*`, `Forwarded`, `X-Real-IP`, `True-Client-IP`, `X-Client-IP`, `X-Cluster-Client-IP` | dropped: a client could pass for another |
//! | `X-HTTP-Method`, `X-HTTP-Method-Override`, `X-Method-Override`, `X-Original-URL`, `X-Rewrite-URL` | dropped: another request than the checked one |
//! | `X-Middleware-Subrequest`, `X-Refresh-Token` | dropped: nothing behind may act on them |
//! | `X-He2-User`, `-Role`, `-Session`, `-Aal`, `X-He2-Identity` | the caller that was checked, and the signature of that |
//! | the origin lock (`lock_header`) | the deployment's secret |
//! | `X-Forwarded-For`, `-Proto`, `-Host` | the platform's address of the caller; scheme and public host |
//! | `X-Request-Id` | ours |
//! | `traceparent`, `tracestate` | the caller's trace, else a new one, under a span of each try ([`crate::trace`]) |
//! | `Via` | the gateway added, with the protocol of the request; who finds it there already is refused ([`via`]) |
//! | `Max-Forwards` | one less for OPTIONS; at 0 the gateway answers ([`max_forwards`]) |
//! | `?token=` | taken into `Authorization` where the route checks it; else dropped if it looks like a JWT |
//! | `Authorization`, `X-API-Key`, `X-Admin-Api-Key` | kept where the route's class checked them |
//! | `Cookie` | dropped where the answer may be stored for all ([`crate::gateway`]) |
//! | `Accept-Encoding` | `identity` from who reads events ([`crate::stream`]) |
//! | `Host`, `Expect` | the platform's affair: it has met an expectation before (RFC 9110 §10.1.1) |
//! | everything else | kept |
//!
//! | to the caller | |
//! |---|---|
//! | hop-by-hop, and what `Connection` names | dropped |
//! | `Server`, `X-Powered-By`, `Alt-Svc` | dropped: what runs behind, and where |
//! | `Access-Control-*` | dropped, ours instead; `Vary: Origin` ([`crate::cors`]) |
//! | the field of a request's cost (`cost_header`) | dropped |
//! | `Location` | at the public host where it is at the origin's own address |
//! | `Strict-Transport-Security` and what else a policy says | added where the origin says nothing of that name ([`security`]) |
//! | `Deprecation`, `Sunset`, `Link` | added on routes that are going away ([`retirement`]) |
//! | `RateLimit`, `RateLimit-Policy`, `X-RateLimit-*`, `Retry-After` | how the caller's limit stands ([`crate::limit::told`]) |
//! | `Age`, `Cache-Status` | of answers that are stored, or could be ([`crate::cache`]) |
//! | `Server-Timing` | the gateway's steps after the origin's |
//! | `X-Request-Id`, `traceparent` | ours |
//! | everything else, each `Set-Cookie` by itself | kept |

pub mod max_forwards;
pub mod retirement;
pub mod security;
pub mod size;
pub mod via;

use std::net::IpAddr;

use http::header::{
    AUTHORIZATION, CONNECTION, EXPECT, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method};

use crate::auth::{ADMIN_KEY, API_KEY, Caller};
use crate::fault::REQUEST_ID;
use crate::headers::{list, set, single};
use crate::plan::{Auth, Scheme};
use crate::trace::{TRACEPARENT, Trace, hex};

/// How the app learns who calls. Nothing else may be sent under these names.
pub const IDENTITY: [HeaderName; 5] = [USER, ROLE, SESSION, AAL, SIGNED];

pub(crate) const USER: HeaderName = HeaderName::from_static("x-he2-user");
const ROLE: HeaderName = HeaderName::from_static("x-he2-role");
const SESSION: HeaderName = HeaderName::from_static("x-he2-session");
const AAL: HeaderName = HeaderName::from_static("x-he2-aal");
/// The four, signed: [`sign`].
const SIGNED: HeaderName = HeaderName::from_static("x-he2-identity");
pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(crate) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Fields for one connection only (RFC 9110 §7.6.1), `Host`, which the platform sets, and `Expect`: the platform has
/// met it already (§10.1.1), and would not know what to do with the origin's 100.
const HOP_BY_HOP: [HeaderName; 10] = [
    EXPECT,
    CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("proxy-authorization"),
    HOST,
];

/// The first tell who calls, and where; the next would have a server take another method or path than was checked.
const SPOOFABLE: [&str; 13] = [
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-real-ip",
    "x-request-id",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
    "x-middleware-subrequest",
    "x-refresh-token",
];
const SPOOFABLE_PREFIXES: [&str; 2] = ["x-he2-", "x-forwarded-"];

/// What the gateway tells the origin about a request.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Request method.
    pub method: &'a Method,
    /// The caller's address, from the platform.
    pub ip: Option<IpAddr>,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The protocol by which the request arrived, as `HTTP/2`, where that is known.
    pub protocol: Option<&'a str>,
    /// The public host.
    pub host: &'a str,
    /// The request's id.
    pub request_id: &'a str,
    /// The request's trace.
    pub trace: &'a Trace,
    /// Field and value of the origin lock; no value in a deployment without one.
    pub lock: (&'static str, Option<&'a str>),
}

/// Whether the client asks to change to the WebSocket protocol (RFC 6455 §4.1).
#[must_use]
pub fn is_websocket(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::GET
        && single(headers, UPGRADE).is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
        && list(headers, CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade"))
}

/// Header fields of the forwarded request, all but the signature of [`sign`]; `token` is the one that was verified,
/// wherever it stood.
#[must_use]
pub fn request(
    arrived: &HeaderMap,
    auth: Auth,
    caller: &Caller,
    token: Option<&str>,
    context: &Context<'_>,
) -> HeaderMap {
    let websocket = is_websocket(context.method, arrived);
    let mut headers = without_hop_by_hop(arrived);
    remove_where(&mut headers, |name| name == context.lock.0 || is_spoofable(name));
    drop_unchecked(&mut headers, auth, caller);
    headers.remove(TRACESTATE);
    if let Some(state) = &context.trace.state {
        set(&mut headers, TRACESTATE, state);
    }
    if websocket {
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    if let Some(token) = token {
        set(&mut headers, AUTHORIZATION, &format!("Bearer {token}"));
    }
    add_identity(&mut headers, caller);
    add_context(&mut headers, context);
    headers
}

/// Header fields of the origin's answer as the caller may see them.
#[must_use]
pub fn response(arrived: &HeaderMap) -> HeaderMap {
    let mut headers = without_hop_by_hop(arrived);
    // `Server` and `X-Powered-By` tell an attacker what runs behind, and nobody else anything. `Alt-Svc` names another
    // address of the origin (RFC 7838 §2), which is not the caller's to use.
    remove_where(&mut headers, |name| {
        matches!(name, "alt-svc" | "server" | "x-powered-by") || name.starts_with("access-control-")
    });
    headers
}

/// A `Location` at the origin's own address, as one at the public host: the caller cannot reach the origin.
#[must_use]
pub fn relocate(location: &str, origin: &str, public: &str) -> Option<String> {
    let (_, location) = location.split_once("://")?;
    let (_, origin) = origin.split_once("://")?;
    let rest = location.strip_prefix(origin)?;
    (rest.is_empty() || rest.starts_with(['/', '?', '#'])).then(|| format!("{public}{rest}"))
}

pub(crate) fn remove_where(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

pub(crate) fn without_hop_by_hop(arrived: &HeaderMap) -> HeaderMap {
    let mut headers = arrived.clone();
    for name in list(arrived, CONNECTION).filter_map(|named| HeaderName::from_bytes(named.as_bytes()).ok()) {
        headers.remove(name);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

/// Whether a client could pass for the gateway, or for somebody else, by this field.
pub(crate) fn is_spoofable(name: &str) -> bool {
    SPOOFABLE.contains(&name) || SPOOFABLE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A credential that nobody checked must not reach an origin that would believe it.
fn drop_unchecked(headers: &mut HeaderMap, auth: Auth, caller: &Caller) {
    if !matches!(auth, Auth::Webhook(policy) if policy.scheme == Scheme::Shared(AUTHORIZATION.as_str())) {
        headers.remove(AUTHORIZATION);
    }
    if !matches!(caller, Caller::ApiKey(_)) {
        headers.remove(API_KEY);
    }
    if *caller != Caller::Admin {
        headers.remove(ADMIN_KEY);
    }
}

fn add_identity(headers: &mut HeaderMap, caller: &Caller) {
    let Caller::User(identity) = caller else { return };
    set(headers, USER, &identity.user);
    set(headers, ROLE, &identity.role);
    for (name, value) in [(SESSION, &identity.session), (AAL, &identity.aal)] {
        if let Some(value) = value {
            set(headers, name, value);
        }
    }
}

/// Signs the identity in a forwarded request at this time (Unix seconds); `target` is its path with query.
///
/// `t=<Unix seconds>,v1=<HMAC-SHA256 in hexadecimal>` over time, method, path with query, user, role, session and aal,
/// a line each, empty where nothing is known: so a backend can tell that the gateway said so, of this request, now.
pub fn sign(headers: &mut HeaderMap, secret: &str, method: &Method, target: &str, now: u64) {
    let time = now.to_string();
    let said = |name| single(headers, name).unwrap_or_default();
    let lines = [&time, method.as_str(), target, said(USER), said(ROLE), said(SESSION), said(AAL)];
    let mac = hmac_sha256::HMAC::mac(lines.join("\n"), secret);
    set(headers, SIGNED, &format!("t={time},v1={}", hex(&mac)));
}

fn add_context(headers: &mut HeaderMap, context: &Context<'_>) {
    let Context { ip, scheme, host, protocol, .. } = *context;
    add_way(headers, ip, scheme, host, protocol);
    set(headers, REQUEST_ID, context.request_id);
    set(headers, TRACEPARENT, &context.trace.traceparent());
    if let (name, Some(secret)) = context.lock {
        set(headers, HeaderName::from_static(name), secret);
    }
}

/// Says where a request came from, and by which way.
pub(crate) fn add_way(
    headers: &mut HeaderMap,
    ip: Option<IpAddr>,
    scheme: &str,
    host: &str,
    protocol: Option<&str>,
) {
    if let Some(ip) = ip {
        set(headers, FORWARDED_FOR, &ip.to_string());
    }
    set(headers, FORWARDED_PROTO, scheme);
    set(headers, FORWARDED_HOST, host);
    via::stamp(headers, protocol);
}

#[cfg(test)]
mod tests;
