//! The last step: the service is asked, as it may be asked, and its answer made fit for the caller.

use http::Response;
use http::header::LOCATION;

use super::Pass;
use super::upstreams::{self, Asked, Wanted};
use crate::auth::Caller;
use crate::fault::Fault;
use crate::forward;
use crate::headers::{set, single};
use crate::host::{Host, Request, SendError};
use crate::limit::asking::Asking;
use crate::plan::{Plan, Priority};
use crate::record::Record;

/// A request that has passed every check: where it goes and for whom.
pub(super) struct Admitted<'a, B> {
    pub(super) asking: &'a Asking<'a>,
    /// Public host.
    pub(super) host: &'static str,
    /// The verified token.
    pub(super) token: Option<String>,
    pub(super) request: Request<B>,
}

impl<H: Host> Pass<'_, H> {
    /// Asks the service. `public` is the caller's scheme and host.
    pub(super) async fn forward(
        &self,
        wanted: Wanted<H::Body>,
        public: &str,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let mut answer = fetch(self.plan, self.host, wanted, public, record).await?;
        note_cost(&mut answer, record);
        Ok(answer)
    }

    /// The request as the origin may see it, not signed yet, and the caller's scheme and host.
    pub(super) fn wanted(
        &self,
        admitted: Admitted<'_, H::Body>,
        request_id: &str,
    ) -> (Wanted<H::Body>, String) {
        let Admitted { asking, host, token, request } = admitted;
        let Asking { route, path, caller, .. } = *asking;
        // An empty query is none to most readers, so a `?` alone is not sent: the signed identity must fit.
        let query = request.query.filter(|query| !query.is_empty());
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let context = forward::Context {
            method: &request.method,
            ip: request.ip,
            scheme: &request.scheme,
            protocol: request.cf.protocol.as_deref(),
            host,
            request_id,
            trace: &self.trace,
            lock: (self.plan.lock_header, self.host.settings().origin_lock.as_deref()),
        };
        let headers = forward::request(&request.headers, route.auth, caller, token.as_deref(), &context);
        let wanted = Wanted {
            route,
            target: format!("{path}{query}"),
            method: request.method,
            headers,
            sticky: asking.who(),
            class: route.priority.unwrap_or_else(|| class(caller)),
            outlives: false,
            body: request.body,
        };
        (wanted, format!("{}://{host}", request.scheme))
    }
}

/// How much a request matters, by who calls.
fn class(caller: &Caller) -> Priority {
    match caller {
        Caller::Anonymous => Priority::Anonymous,
        Caller::User(_) | Caller::ApiKey(_) => Priority::Interactive,
        Caller::Webhook | Caller::Admin => Priority::Vital,
    }
}

/// What the origin says that a request cost is for the limits, and for nobody outside.
fn note_cost<B>(answer: &mut Response<B>, record: &mut Record) {
    let limit = record.matched.and_then(|route| route.limit);
    let Some(field) = limit.and_then(|limit| limit.cost_field) else { return };
    record.cost = single(answer.headers(), field).and_then(|cost| cost.parse().ok());
    answer.headers_mut().remove(field);
}

/// The service's answer, fit for a caller whose scheme and host are `public`; who gave it is noted in `record`.
pub(super) async fn fetch<H: Host>(
    plan: &'static Plan,
    host: &H,
    wanted: Wanted<H::Body>,
    public: &str,
    record: &mut Record,
) -> Result<Response<H::Body>, Fault> {
    let (route, started) = (wanted.route, host.now_ms());
    let before = record.calls.len();
    let Asked { result, origin, tries, gave_up, calls } = upstreams::ask(plan, host, wanted, before).await?;
    let took = host.now_ms().saturating_sub(started);
    record.origin_ms = Some(took);
    record.calls.extend(calls);
    record.upstream = origin.as_ref().map(|origin| origin.name);
    (record.tries, record.gave_up) = (tries, gave_up);
    let mut response = result.map_err(|error| unanswered(error, route.first_byte_ms))?;
    let mut headers = forward::response(response.headers());
    let address = origin.map(|origin| origin.address).unwrap_or_default();
    let moved = single(&headers, LOCATION).and_then(|at| forward::relocate(at, &address, public));
    if let Some(location) = moved {
        set(&mut headers, LOCATION, &location);
    }
    *response.headers_mut() = headers;
    Ok(response)
}

/// Why there is no answer, where there had to be one within `first_byte_ms`.
pub(super) fn unanswered(error: SendError, first_byte_ms: u32) -> Fault {
    match error {
        SendError::Timeout => Fault::OriginTimeout(first_byte_ms),
        SendError::TooLong(most) => Fault::TooLong(most),
        SendError::Failed(reason) => Fault::Origin(reason),
        SendError::Gone => Fault::Origin("the client has gone".to_owned()),
    }
}
