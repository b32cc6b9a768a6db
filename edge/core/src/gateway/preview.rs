//! A preview's way: to the sandbox, by the door that Daytona tells, or to the word that there is none.
//!
//! What Daytona said of a sandbox is believed for a while, and asked for anew when an answer speaks against it: the token
//! changes when a sandbox restarts, and one that ran may sleep. Requests for the same preview wait for one that asks.

use std::rc::Rc;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::Pass;
use super::content::check_length;
use super::origin::unanswered;
use crate::access;
use crate::auth::{Caller, cookie, leak};
use crate::fault::Fault;
use crate::forward::via;
use crate::headers::set;
use crate::host::{Host, Outgoing, ReadError, Request, SendError};
use crate::limit::asking::Asking;
use crate::path::escape_query;
use crate::plan::{Previews, Route};
use crate::preview::api::{self, Door, Sandbox};
use crate::preview::known::{FLIGHT_MS, Found, State};
use crate::preview::name::{self, Name};
use crate::preview::request::{Own, Way};
use crate::preview::{self, Closed, request, response};
use crate::record::Record;

/// How often those who wait look whether the answer is there (ms).
const LOOK_AGAIN_MS: u32 = 20;

/// A viewer's request on its way, without its content.
struct Visit {
    name: Name,
    /// Scheme and host.
    public: String,
    method: Method,
    /// Path with query.
    target: String,
    headers: HeaderMap,
    idle: bool,
    first_byte_ms: u32,
    max_body_bytes: u32,
}

impl<H: Host> Pass<'_, H> {
    /// The preview that a host means, if any are shown.
    pub(super) fn previewed(&self, host: &str) -> Option<(&'static Previews, Name)> {
        let previews = self.plan.previews.as_ref()?;
        let name = name::parse(previews.domain, host)?;
        self.host.settings().get(preview::KEY).map(|_| (previews, name))
    }

    /// The answer of a preview.
    pub(super) async fn preview(
        &self,
        previews: &'static Previews,
        name: Name,
        mut request: Request<H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        note(previews, &name, record);
        if !name::is_shown(previews, name.port) {
            return Err(Fault::Preview(Closed::Port));
        }
        if let Some(rule) = access::refusing(self.plan.access, previews.route.name, request.ip, &request.cf) {
            return Err(Fault::Denied(rule.line));
        }
        request.path = preview::path(&request.path).map_err(Fault::Path)?;
        record.path = leak::masked(&request.path);
        if via::is_loop(&request.headers) {
            return Err(Fault::Loop);
        }
        let asking = Asking {
            route: &previews.route,
            path: &request.path,
            caller: &Caller::Anonymous,
            ip: request.ip,
            claims: None,
            api_key: None,
        };
        check_length(&request.headers, previews.route.max_body_bytes)?;
        self.limit(&asking, record).await?;
        let own = self.own();
        let (visit, body) = visit(previews, name, request, &own);
        self.visit(&visit, body, &own, record).await
    }

    fn own(&self) -> Own<'_> {
        let address = |variable| self.host.settings().get(variable);
        let issuers = self.plan.issuers.iter();
        let cookies = issuers.clone().filter(|issuer| issuer.cookie);
        Own {
            sessions: cookies.filter_map(|issuer| cookie::name(address(issuer.variable)?)).collect(),
            issuers: issuers.filter_map(|issuer| address(issuer.variable)).collect(),
        }
    }

    async fn visit(
        &self,
        visit: &Visit,
        body: H::Body,
        own: &Own<'_>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let (found, door) = self.door(visit, 0, record).await?;
        let answer = self.knock(visit, body, &door, record).await;
        if !is_doubtful(&answer, &door) || !found.is_doubtful(self.host.now_ms()) {
            return shown(answer, visit, &door, own);
        }
        match self.door(visit, found.at_ms, record).await {
            Err(Fault::Unavailable(_)) => shown(answer, visit, &door, own),
            Err(fault) => Err(fault),
            Ok((_, new)) if new == door => shown(answer, visit, &door, own),
            // What has no content can be sent again.
            Ok((_, new)) if matches!(visit.method, Method::GET | Method::HEAD) => {
                if let Ok(unwanted) = answer {
                    self.host.discard(unwanted.into_body());
                }
                let answer = self.knock(visit, self.host.empty(), &new, record).await;
                shown(answer, visit, &new, own)
            }
            Ok(_) => Err(Fault::Unavailable("the sandbox has another token by now".to_owned())),
        }
    }

    /// Sends a visit with its content.
    async fn knock(
        &self,
        visit: &Visit,
        body: H::Body,
        door: &Door,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let outgoing = Outgoing {
            method: visit.method.clone(),
            url: format!("{}{}", door.url, visit.target),
            headers: request::knock(visit.headers.clone(), door, &visit.public),
            first_byte_ms: visit.first_byte_ms,
            max_body_bytes: Some(visit.max_body_bytes),
            outlives: false,
            encoded: false,
            body,
        };
        let started = self.host.now_ms();
        let answer = self.host.send(outgoing).await;
        record.origin_ms = Some(self.host.now_ms().saturating_sub(started));
        answer.map_err(|error| unanswered(error, visit.first_byte_ms))
    }

    /// The door of the visit's sandbox, by what was found after `after_ms`. One that sleeps is woken.
    async fn door(
        &self,
        visit: &Visit,
        after_ms: u64,
        record: &mut Record,
    ) -> Result<(Found, Rc<Door>), Fault> {
        let found = self.find(&visit.name, after_ms, record).await?;
        let sandbox = match &found.state {
            State::Open(door) => {
                let door = Rc::clone(door);
                return Ok((found, door));
            }
            State::Shut(sandbox) => sandbox,
        };
        match sandbox {
            Sandbox::Hidden(why) => Err(Fault::Preview(Closed::Unknown(why))),
            Sandbox::Failed(state) => Err(Fault::Origin(format!("the sandbox is in the state `{state}`"))),
            Sandbox::Asleep if !visit.idle => {
                self.wake(&visit.name, record).await;
                Err(Fault::Preview(Closed::Starting))
            }
            _ => Err(Fault::Preview(Closed::Starting)),
        }
    }

    async fn find(&self, name: &Name, after_ms: u64, record: &mut Record) -> Result<Found, Fault> {
        let (previews, label) = (&self.host.isolate().previews, name.label());
        loop {
            let now = self.host.now_ms();
            if let Some(found) = previews.borrow().get(name, after_ms, now) {
                return Ok(found);
            }
            if previews.borrow_mut().flights.lead(&label, now, now.saturating_add(FLIGHT_MS)) {
                break;
            }
            self.host.pause(LOOK_AGAIN_MS).await;
        }
        let state = self.look_up(name).await;
        let (now, mut known) = (self.host.now_ms(), previews.borrow_mut());
        known.flights.land(&label);
        match (state, known.last_door(name)) {
            (Ok(state), _) => Ok(known.learn(name, state, now)),
            // It is good while its sandbox is not restarted.
            (Err(error), Some(last)) if after_ms == 0 => {
                record.degraded.push(format!("Daytona: {error}"));
                Ok(last)
            }
            (Err(error), _) => Err(Fault::Unavailable(format!("Daytona: {error}"))),
        }
    }

    /// Asks Daytona's API how a sandbox stands, and for the preview's door if it runs.
    async fn look_up(&self, name: &Name) -> Result<State, String> {
        let base = self.api();
        let (status, content) = self.call(Method::GET, api::sandbox_url(base, name)).await?;
        match api::sandbox(status, &content)? {
            Sandbox::Started => {
                let (status, content) = self.call(Method::GET, api::door_url(base, name)).await?;
                Ok(State::Open(Rc::new(api::door(base, status, &content)?)))
            }
            shut => Ok(State::Shut(shut)),
        }
    }

    async fn wake(&self, name: &Name, record: &mut Record) {
        let now = self.host.now_ms();
        if !self.host.isolate().previews.borrow_mut().may_start(&name.sandbox, now) {
            return;
        }
        let answer = self.call(Method::POST, api::start_url(self.api(), name)).await;
        if let Err(error) = answer.and_then(|(status, _)| api::started(status)) {
            record.degraded.push(format!("Daytona: the sandbox is not started: {error}"));
        }
    }

    fn api(&self) -> &str {
        let planned = self.plan.previews.map_or("", |previews| previews.api);
        self.host.settings().get(preview::API).unwrap_or(planned).trim_end_matches('/')
    }

    /// One call of Daytona's API: status and content.
    async fn call(&self, method: Method, url: String) -> Result<(StatusCode, Vec<u8>), String> {
        let (known, sent) = (&self.host.isolate().previews, self.host.now_ms());
        if !known.borrow_mut().api.may_ask(sent) {
            return Err("its API failed, and rests".to_owned());
        }
        let answer = self.called(method, url).await;
        let good = answer
            .as_ref()
            .is_ok_and(|(status, _)| !status.is_server_error() && *status != StatusCode::TOO_MANY_REQUESTS);
        known.borrow_mut().api.told(good, sent, self.host.now_ms(), 0);
        answer
    }

    async fn called(&self, method: Method, url: String) -> Result<(StatusCode, Vec<u8>), String> {
        let mut headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        ]);
        let key = self.host.settings().get(preview::KEY).unwrap_or_default();
        set(&mut headers, AUTHORIZATION, &format!("Bearer {key}"));
        let body = self.host.empty();
        // Others wait for the answer too.
        let outgoing = Outgoing {
            method,
            url,
            headers,
            first_byte_ms: api::TIMEOUT_MS,
            max_body_bytes: None,
            outlives: true,
            encoded: true,
            body,
        };
        let answer = self.host.send(outgoing).await.map_err(|error| match error {
            SendError::Timeout => format!("no answer within {} ms", api::TIMEOUT_MS),
            SendError::Failed(reason) => reason,
            SendError::Gone => "the client has gone".to_owned(),
            SendError::TooLong(_) => "too much content".to_owned(),
        })?;
        let status = answer.status();
        let content =
            self.host.read(answer.into_body(), api::LONGEST).await.map_err(|error| match error {
                ReadError::TooLong => format!("more than {} bytes", api::LONGEST),
                ReadError::Failed(reason) => reason,
            })?;
        Ok((status, content))
    }
}

/// The address lets a viewer in: what is told of a request names the domain alone.
fn note(previews: &'static Previews, name: &Name, record: &mut Record) {
    previews.domain.clone_into(&mut record.host);
    record.matched = Some(&previews.route);
    record.route = Some(previews.route.name);
    record.line = Some(previews.route.line);
    record.caller = Some(Caller::Anonymous.class());
    record.sandbox = Some(name.sandbox.clone());
    record.port = Some(name.port);
}

fn visit<B>(previews: &Previews, name: Name, arrived: Request<B>, own: &Own<'_>) -> (Visit, B) {
    let Request { method, scheme, host, path, query, headers, ip, body, cf } = arrived;
    let idle = preview::is_idle(&method, &headers);
    let way =
        Way { method: &method, ip, scheme: &scheme, protocol: cf.protocol.as_deref(), host: &host, idle };
    let headers = request::head(&headers, own, &way);
    let query = query.map(|query| format!("?{}", escape_query(&query))).unwrap_or_default();
    let (public, target) = (format!("{scheme}://{host}"), format!("{path}{query}"));
    let Route { first_byte_ms, max_body_bytes, .. } = previews.route;
    (Visit { name, public, method, target, headers, idle, first_byte_ms, max_body_bytes }, body)
}

/// Whether an answer, or none, speaks against what is known of the sandbox.
fn is_doubtful<B>(answer: &Result<Response<B>, Fault>, door: &Door) -> bool {
    match answer {
        Ok(answer) => response::is_doubtful(answer.status(), answer.headers(), door),
        Err(_) => true,
    }
}

/// The answer as the viewer may have it.
fn shown<B>(
    answer: Result<Response<B>, Fault>,
    visit: &Visit,
    door: &Door,
    own: &Own<'_>,
) -> Result<Response<B>, Fault> {
    let mut answer = answer?;
    let (status, headers) = (answer.status(), answer.headers());
    if response::is_sign_in(status, headers, door) {
        return Err(Fault::Origin("Daytona asks the viewer to sign in".to_owned()));
    }
    if status == StatusCode::SWITCHING_PROTOCOLS && !response::is_confined(headers, &own.sessions) {
        return Err(Fault::Origin("a cookie came with an upgrade, and cannot be confined".to_owned()));
    }
    let from = response::From { name: &visit.name, door, public: &visit.public, sessions: &own.sessions };
    *answer.headers_mut() = response::head(answer.headers(), &from);
    Ok(answer)
}
