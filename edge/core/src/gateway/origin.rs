//! The last step: the origin is asked, as it may be asked, and its answer made fit for the caller.

use http::Response;
use http::header::{HeaderName, LOCATION};

use super::Pass;
use crate::fault::Fault;
use crate::forward;
use crate::headers::{append, set, single};
use crate::host::{Host, Outgoing, Request, SendError, Settings};
use crate::limit::asking::Asking;
use crate::record::Record;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

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
    /// Asks the origin. `public` is the caller's scheme and host.
    pub(super) async fn forward(
        &self,
        outgoing: Outgoing<H::Body>,
        public: &str,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let (answer, took) = fetch(self.host, outgoing, public).await;
        record.origin_ms = Some(took);
        let mut answer = answer?;
        note_cost(&mut answer, record);
        Ok(answer)
    }

    /// The request as the origin may see it, not signed yet, and the caller's scheme and host.
    pub(super) fn outgoing(
        &self,
        admitted: Admitted<'_, H::Body>,
        request_id: &str,
    ) -> (Outgoing<H::Body>, String) {
        let Admitted { asking, host, token, request } = admitted;
        let Asking { route, path, caller, .. } = *asking;
        let settings = self.host.settings();
        // An empty query is none to most readers, so a `?` alone is not sent: the signed identity must fit.
        let query = request.query.filter(|query| !query.is_empty());
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let context = forward::Context {
            method: &request.method,
            ip: request.ip,
            scheme: &request.scheme,
            host,
            request_id,
            trace: &self.trace,
            lock: (self.plan.lock_header, settings.origin_lock.as_deref()),
        };
        let headers = forward::request(&request.headers, route.auth, caller, token.as_deref(), &context);
        let outgoing = Outgoing {
            url: format!("{}{path}{query}", settings.origin),
            method: request.method,
            headers,
            first_byte_ms: route.first_byte_ms,
            outlives: false,
            body: request.body,
        };
        (outgoing, format!("{}://{host}", request.scheme))
    }
}

/// Signs the identity at the last moment: most answers out of the cache need no signature, and what is asked again, or
/// later, needs its own.
fn sign<B>(settings: &Settings, outgoing: &mut Outgoing<B>, now: u64) {
    let Outgoing { method, url, headers, .. } = outgoing;
    if let (Some(secret), Some(target)) = (&settings.identity_secret, url.strip_prefix(&settings.origin)) {
        forward::sign(headers, secret, method, target, now);
    }
}

/// What the origin says that a request cost is for the limits, and for nobody outside.
fn note_cost<B>(answer: &mut Response<B>, record: &mut Record) {
    let limit = record.matched.and_then(|route| route.limit);
    let Some(field) = limit.and_then(|limit| limit.cost_field) else { return };
    record.cost = single(answer.headers(), field).and_then(|cost| cost.parse().ok());
    answer.headers_mut().remove(field);
}

/// The origin's answer, fit for a caller whose scheme and host are `public`, and how long it took (ms).
pub(super) async fn fetch<H: Host>(
    host: &H,
    mut outgoing: Outgoing<H::Body>,
    public: &str,
) -> (Result<Response<H::Body>, Fault>, u64) {
    let (first_byte_ms, started) = (outgoing.first_byte_ms, host.now_ms());
    sign(host.settings(), &mut outgoing, started / 1_000);
    let result = host.send(outgoing).await;
    let took = host.now_ms().saturating_sub(started);
    let answer = result.map_err(|error| match error {
        SendError::Timeout => Fault::OriginTimeout(first_byte_ms),
        SendError::Failed(reason) => Fault::Origin(reason),
    });
    let answer = answer.map(|mut response| {
        let mut headers = forward::response(response.headers());
        let origin = &host.settings().origin;
        let moved = single(&headers, LOCATION).and_then(|at| forward::relocate(at, origin, public));
        if let Some(location) = moved {
            set(&mut headers, LOCATION, &location);
        }
        append(&mut headers, SERVER_TIMING, &format!("origin;dur={took}"));
        *response.headers_mut() = headers;
        response
    });
    (answer, took)
}
