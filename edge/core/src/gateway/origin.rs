//! The last steps: a stored answer if one may be used, else the origin's, stored if it may be.

use http::header::{AGE, HeaderName};
use http::{HeaderMap, Method, Response, StatusCode};

use super::Pass;
use crate::auth::Caller;
use crate::cache::{self, Bypass, Reuse, Status, Stored};
use crate::fault::Fault;
use crate::forward;
use crate::headers::{append, set};
use crate::host::{Host, Outgoing, Request, SendError};
use crate::plan::{Cache, Route};
use crate::record::Record;
use crate::route::{self, Find};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// A request that has passed every check: where it goes and for whom.
pub(super) struct Admitted<'a, B> {
    pub(super) route: &'static Route,
    /// Public host.
    pub(super) host: &'static str,
    /// Path in normal form.
    pub(super) path: &'a str,
    pub(super) caller: &'a Caller,
    /// The verified token.
    pub(super) token: Option<String>,
    pub(super) request: Request<B>,
}

impl<H: Host> Pass<'_, H> {
    /// The answer, with this cache's word on it.
    pub(super) async fn answer(
        &self,
        admitted: Admitted<'_, H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let Admitted { route, caller, request, .. } = &admitted;
        let (status, mut response) = match cache::admit(route, caller, &request.method, &request.headers) {
            Err(why) => (Status::Bypass(why), self.around_cache(admitted, record).await?),
            Ok(()) => self.through_cache(admitted, record).await?,
        };
        record.cache = Some(status.to_string());
        // A route that stores nothing has nothing to say about storing.
        if status != Status::Bypass(Bypass::Route) {
            append(response.headers_mut(), CACHE_STATUS, &status.to_string());
        }
        Ok(response)
    }

    async fn around_cache(
        &self,
        admitted: Admitted<'_, H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let stale = self.made_stale_by(&admitted);
        let response = self.forward(admitted, record).await?;
        let done = response.status().is_success() || response.status().is_redirection();
        if let Some(key) = stale.filter(|_| done) {
            self.host.forget(&key);
        }
        Ok(response)
    }

    /// RFC 9111 §4.4: an unsafe method that succeeds invalidates what is stored for its URI.
    fn made_stale_by(&self, admitted: &Admitted<'_, H::Body>) -> Option<String> {
        let Admitted { host, path, request, .. } = admitted;
        let stores = |found| matches!(found, Find::Route(route) if route.cache != Cache::Off);
        let affected = !request.method.is_safe() && stores(route::find(self.plan, host, "GET", path));
        affected.then(|| cache::key(host, path, request.query.as_deref()))
    }

    async fn through_cache(
        &self,
        admitted: Admitted<'_, H::Body>,
        record: &mut Record,
    ) -> Result<(Status, Response<H::Body>), Fault> {
        let Admitted { route, host, path, request, .. } = &admitted;
        let (route, method, asked) = (*route, request.method.clone(), request.headers.clone());
        let key = cache::key(host, path, request.query.as_deref());
        let found = self.host.cached(&key).await;
        let reuse = found.as_ref().map(|(head, _)| cache::reuse(head, &asked, self.host.now_ms()));
        if let (Some((head, body)), Some(Reuse::Fresh { age, ttl })) = (found, reuse) {
            return Ok((Status::Hit(ttl), self.hit(&head, body, age, &method, &asked)));
        }
        if cache::only_if_cached(&asked) {
            return Err(Fault::NotCached);
        }
        let requested_ms = self.host.now_ms();
        let response = self.forward(admitted, record).await?;
        let times = (requested_ms, self.host.now_ms());
        let head = cache::store(route, &method, &asked, response.status(), response.headers(), times);
        let stored = head.is_some();
        let response = match head {
            Some(head) => response.map(|body| self.host.store(&key, &head, body)),
            None => response,
        };
        Ok((reuse.map_or(Status::UriMiss { stored }, |reuse| Status::Forward { reuse, stored }), response))
    }

    fn hit(
        &self,
        head: &Stored,
        body: H::Body,
        age: u64,
        method: &Method,
        asked: &HeaderMap,
    ) -> Response<H::Body> {
        let held = head.is_held_by(asked);
        let body = if held || *method == Method::HEAD { self.host.empty() } else { body };
        let mut response = Response::new(body);
        *response.headers_mut() = head.header_map();
        *response.status_mut() = StatusCode::from_u16(head.status).unwrap_or_default();
        if held {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            cache::strip_content_fields(response.headers_mut());
        }
        set(response.headers_mut(), AGE, &age.to_string());
        response
    }

    /// Asks the origin.
    async fn forward(
        &self,
        admitted: Admitted<'_, H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let outgoing = self.outgoing(admitted, &record.request_id);
        let (first_byte_ms, started) = (outgoing.first_byte_ms, self.host.now_ms());
        let result = self.host.send(outgoing).await;
        record.origin_ms = Some(self.host.now_ms().saturating_sub(started));
        let mut response = result.map_err(|error| match error {
            SendError::Timeout => Fault::OriginTimeout(first_byte_ms),
            SendError::Failed(reason) => Fault::Origin(reason),
        })?;
        *response.headers_mut() = forward::response(response.headers());
        Ok(response)
    }

    fn outgoing(&self, admitted: Admitted<'_, H::Body>, request_id: &str) -> Outgoing<H::Body> {
        let Admitted { route, host, path, caller, token, request } = admitted;
        let settings = self.host.settings();
        let context = forward::Context {
            ip: request.ip,
            scheme: &request.scheme,
            host,
            request_id,
            trace: &self.trace,
            lock: (self.plan.lock_header, settings.origin_lock.as_deref()),
        };
        let headers = forward::request(&request.headers, route.auth, caller, token.as_deref(), &context);
        let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{}{path}{query}", settings.origin);
        Outgoing {
            method: request.method,
            url,
            headers,
            first_byte_ms: route.first_byte_ms,
            body: request.body,
        }
    }
}
