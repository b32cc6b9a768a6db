//! One request, from arrival to answer: read [`handle`] and [`Pass::steps`] top to bottom.
//!
//! The order of the steps is a promise: a refused caller has cost nothing, a cache hit neither limiter nor origin, a
//! limited caller no origin. Everything that acts is behind [`Host`]; its native twin in the tests records what was done.

mod cached;
mod content;
mod edge;
mod events;
mod issuers;
mod limited;
mod limits;
mod news;
mod origin;
mod places;
mod preview;
mod purge;
mod ready;
mod revoked;
mod signin;
mod tell;
mod third_party;
mod upstreams;
mod verify;
mod webhook;

use std::pin::Pin;

use http::header::{ALLOW, HeaderName, LOCATION, MAX_FORWARDS};
use http::{HeaderMap, Response, StatusCode};

use self::content::check_length;
use self::events::Opened;
use self::limited::pays_on_arrival;
use self::origin::Admitted;
use self::signin::SignedIn;
pub use self::tell::report;
use crate::auth::token::Statement;
use crate::auth::{API_KEY, Refusal, leak};
use crate::fault::{Fault, REQUEST_ID, page};
use crate::forward::max_forwards::{self, Forwards};
use crate::forward::{retirement, security, size, via};
use crate::headers::{append, set, single};
use crate::host::{Host, Request};
use crate::limit::asking::Asking;
use crate::limit::network;
use crate::path;
use crate::plan::{self, Auth, ClaimNames, Plan, Route};
use crate::record::Record;
use crate::route::{self, Find};
use crate::trace::{self, Trace};
use crate::{access, cache, cors, maintenance, sample, stream, wait};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Answers a request, and tells what happened.
pub async fn handle<H: Host>(
    plan: &'static Plan,
    host: &H,
    request: Request<H::Body>,
) -> (Response<H::Body>, Record) {
    let (random, started_ms) = (host.random(), host.now_ms());
    let trace = Trace::new(&request.headers, random);
    let mut record = Record {
        request_id: request_id(random),
        trace_id: trace.trace_id.clone(),
        method: request.method.to_string(),
        host: request.host.clone(),
        path: leak::masked(&request.path),
        network: request.ip.map(network),
        ..Record::default()
    };
    let origin = cors::allowed(&plan.cors, &request.headers).map(str::to_owned);
    let (told, scheme) = (trace.clone(), request.scheme.clone());
    let reads = Reads::new(&request.headers);
    let colo = request.cf.colo.clone();
    let tls = request.scheme == "https";
    let pass = Pass { plan, host, trace, origin: origin.clone(), colo, listens: reads.events, started_ms };
    let mut response = match pass.steps(request, &mut record).await {
        Ok(mut response) => {
            if let Some(taken) = &record.taken {
                taken.describe(response.headers_mut());
            }
            response
        }
        Err(fault) => refuse(host, fault, reads, &mut record),
    };
    record.status = response.status().as_u16();
    describe(&record, tls, response.headers_mut());
    if record.matched.is_none_or(|route| route.cors) {
        cors::grant(&plan.cors, origin.as_deref(), response.headers_mut());
    }
    set(response.headers_mut(), REQUEST_ID, &record.request_id);
    set(response.headers_mut(), trace::TRACEPARENT, &told.traceparent());
    record.total_ms = host.now_ms().saturating_sub(started_ms);
    record.name_caller(host.settings().identity_secret.as_deref());
    record.weight = sample::weight(plan.log, &record);
    tell::tell(host, &record, &told, &scheme, started_ms);
    (response, record)
}

/// What an answer tells its caller beyond what the origin said.
fn describe(record: &Record, tls: bool, headers: &mut HeaderMap) {
    let route = record.matched.filter(|_| record.refused.is_none());
    if let Some(policy) = route.map_or(Some(security::API), |route| route.security) {
        security::secure(headers, &policy, tls);
    }
    if let Some(retirement) = record.matched.and_then(|route| route.retirement) {
        retirement::tell(headers, &retirement);
    }
    if let Some(steps) = record.server_timing() {
        append(headers, SERVER_TIMING, &steps);
    }
}

/// 128 random bits, apart from the trace's.
fn request_id(random: [u8; 24]) -> String {
    let mut digest = hmac_sha256::Hash::hash(&random).to_vec();
    digest.truncate(16);
    trace::hex(&digest)
}

/// What a client makes of an answer that is no problem document.
#[derive(Clone, Copy)]
struct Reads {
    events: bool,
    pages: bool,
}

impl Reads {
    fn new(headers: &HeaderMap) -> Self {
        Self { events: stream::listens(headers), pages: page::shows(headers) }
    }
}

fn refuse<H: Host>(host: &H, fault: Fault, reads: Reads, record: &mut Record) -> Response<H::Body> {
    record.fault = Some(fault.name());
    record.internal = fault.internal();
    let comes_again = reads.events && record.matched.is_some_and(|route| route.event_stream);
    let stream = comes_again.then(|| fault.as_event_stream(record.taken.as_ref(), upstreams::random(host)));
    let stream = stream.flatten();
    let page = || reads.pages.then(|| fault.as_page()).flatten();
    let response = stream.or_else(page).unwrap_or_else(|| problem(&fault, record));
    record.refused = Some(fault);
    response.map(|text| host.text(text))
}

fn problem(fault: &Fault, record: &Record) -> Response<String> {
    let limit = record.matched.and_then(|route| route.limit);
    let tells_runs = limit.is_some_and(|limit| limit.tells_runs);
    let mut response = Response::new(fault.body(&record.request_id, tells_runs));
    *response.status_mut() = fault.status();
    *response.headers_mut() = fault.headers(record.taken.as_ref());
    response
}

/// Loopback addresses, and those that Cloudflare gives a Worker without a zone.
fn is_nobodys(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]") || host.ends_with(".workers.dev")
}

/// Whoever sends a secret key of the Supabase project hears of it, whatever else is wrong; the log keeps no copy.
fn refuse_leak<B>(request: &Request<B>, record: &mut Record) -> Result<(), Fault> {
    record.leak = leak::found(&request.path, request.query.as_deref(), &request.headers);
    match record.leak.as_deref() {
        None => Ok(()),
        Some(_) => Err(Refusal::Leak.into()),
    }
}

/// Keeps a step's code out of its caller's. The platform compiles a function when it is first called, so what an
/// isolate's first request does not come to adds nothing to its start.
fn apart<'a, T>(step: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    Box::pin(step)
}

/// One request's way, and what its steps share.
struct Pass<'a, H> {
    plan: &'static Plan,
    host: &'a H,
    trace: Trace,
    origin: Option<String>,
    /// The data centre.
    colo: Option<String>,
    /// The client reads events.
    listens: bool,
    /// When the request arrived (Unix ms).
    started_ms: u64,
}

impl<H: Host> Pass<'_, H> {
    async fn steps(
        &self,
        mut request: Request<H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        size::check(&self.plan.request, &request.path, request.query.as_deref(), &request.headers)
            .map_err(Fault::TooLarge)?;
        refuse_leak(&request, record)?;
        if let Some((previews, name)) = self.previewed(&request.host) {
            return apart(self.preview(previews, name, request, record)).await;
        }
        let public = self.public_host(&request, record)?;
        let path = path::normalise(&request.path).map_err(Fault::Path)?;
        record.path = leak::masked(&path.text);
        request.query = request.query.as_deref().map(path::escape_query);
        if let Some(target) = self.elsewhere(public, &request.scheme) {
            return Ok(self.moved(target, &path.text, request.query.as_deref()));
        }
        if via::is_loop(&request.headers) {
            return Err(Fault::Loop);
        }
        let preflight = cors::preflight(&request.method, &request.headers).map(str::to_owned);
        let method = preflight.as_deref().unwrap_or(request.method.as_str());
        let route = self.route(public.name, method, &path, record)?;
        if let Some(rule) = access::refusing(self.plan.access, route.name, request.ip, &request.cf) {
            return Err(Fault::Denied(rule.line));
        }
        if preflight.is_some() {
            return if route.cors { self.preflight() } else { Err(Fault::ForeignOrigin) };
        }
        let settings = self.host.settings();
        if let Some(seconds) = maintenance::away(self.plan, settings, route, &request.headers, request.ip) {
            return Err(Fault::Maintenance(seconds));
        }
        match max_forwards::decide(&request.method, &request.headers) {
            Forwards::Unbound => {}
            Forwards::Left(more) => set(&mut request.headers, MAX_FORWARDS, &more.to_string()),
            Forwards::Spent => return Ok(self.options(route)),
        }
        check_length(&request.headers, route.max_body_bytes)?;
        let SignedIn { caller, statement, claims, token, by_query, delivery } =
            self.authenticate(route, &mut request, record).await?;
        let api_key = single(&request.headers, API_KEY).map(str::to_owned);
        let asking = Asking {
            route,
            path: &path.text,
            caller: &caller,
            ip: request.ip,
            claims: claims.as_ref().zip(self.claim_names(statement.as_deref())),
            api_key: api_key.as_deref(),
        };
        if pays_on_arrival(route) {
            self.limit(&asking, record).await?;
        }
        match (route.edge, self.replayed(delivery.as_ref(), record).await) {
            (Some(edge), _) => apart(self.edge(edge, &asking, request, record)).await,
            (None, Some(replayed)) => Ok(replayed),
            (None, None) => {
                if route.event_stream || self.listens {
                    stream::ask_plain(&mut request.headers);
                }
                if let Some(wait) = &route.wait {
                    request.query = wait::bounded(request.query.as_deref(), wait);
                }
                let admitted = Admitted { asking: &asking, host: public.name, token, request };
                let (response, places) = apart(self.answer(admitted, record)).await?;
                self.charge_late(&asking, record);
                self.note_api_key(&caller, asking.ip, &response);
                self.note_delivery(delivery, &response);
                self.outlasts(route, &response)?;
                let response = self.limit_time(route, response, &record.request_id);
                Ok(self.guard(route, response, Opened { statement, by_query, places }))
            }
        }
    }

    /// How the issuer of a token calls its claims.
    fn claim_names(&self, statement: Option<&Statement>) -> Option<&'static ClaimNames> {
        Some(&self.issuer(statement?)?.claims)
    }

    /// The public host that is meant; an address that is nobody's stands for one, where the deployment says so.
    fn public_host(
        &self,
        request: &Request<H::Body>,
        record: &mut Record,
    ) -> Result<&'static plan::Host, Fault> {
        let meant = self.host.settings().default_host.as_deref().filter(|_| is_nobodys(&request.host));
        let public = route::host(self.plan, meant.unwrap_or(&request.host)).ok_or(Fault::Misdirected)?;
        public.name.clone_into(&mut record.host);
        Ok(public)
    }

    /// The host to which the caller is sent: another one, or this one by TLS. A deployment that stands for a public host
    /// somewhere else is asked as it can be.
    fn elsewhere(&self, public: &plan::Host, scheme: &str) -> Option<&'static str> {
        let in_the_clear = scheme == "http" && self.host.settings().default_host.is_none();
        public.redirect.or_else(|| in_the_clear.then_some(public.name))
    }

    /// What the last recipient says of a route (RFC 9110 §9.3.7).
    fn options(&self, route: &Route) -> Response<H::Body> {
        let mut response = Response::new(self.host.empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        set(response.headers_mut(), ALLOW, &route::allow(route));
        response
    }

    /// 308 keeps method and content (RFC 9110 §15.4.9).
    fn moved(&self, target: &str, path: &str, query: Option<&str>) -> Response<H::Body> {
        let mut response = Response::new(self.host.empty());
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        set(response.headers_mut(), LOCATION, &cache::key::key(target, path, query));
        response
    }

    fn route(
        &self,
        host: &str,
        method: &str,
        path: &path::Normal,
        record: &mut Record,
    ) -> Result<&'static Route, Fault> {
        let route = match route::find(self.plan, host, method, &path.text) {
            Find::Route(route) => route,
            Find::NotFound => return Err(path.suspect.map_or(Fault::NotFound, Fault::Path)),
            Find::MethodNotAllowed(methods) => return Err(Fault::MethodNotAllowed(methods)),
        };
        record.route = Some(route.name);
        record.line = Some(route.line);
        record.matched = Some(route);
        match path.suspect.filter(|_| !route.raw_path) {
            Some(fault) => Err(Fault::Path(fault)),
            None if route.auth == Auth::Blocked => Err(Refusal::Blocked.into()),
            None => Ok(route),
        }
    }

    fn preflight(&self) -> Result<Response<H::Body>, Fault> {
        self.origin.as_ref().ok_or(Fault::ForeignOrigin)?;
        let mut response = Response::new(self.host.empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.headers_mut() = cors::preflight_headers(&self.plan.cors);
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
