//! The cache step: a stored answer if one may be used, else the origin's, stored if it may be.

use http::header::{AGE, COOKIE, HeaderName};
use http::{HeaderMap, Method, Response, StatusCode};

use super::Pass;
use super::origin::Admitted;
use crate::cache::{self, Bypass, Reuse, Status, Stored};
use crate::fault::Fault;
use crate::headers::{append, set};
use crate::host::{Host, Outgoing};
use crate::plan::{Cache, Route};
use crate::record::Record;
use crate::route::{self, Find};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

impl<H: Host> Pass<'_, H> {
    /// The answer, with this cache's word on it.
    pub(super) async fn answer(
        &self,
        admitted: Admitted<'_, H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let Admitted { route, host, path, caller, request, .. } = &admitted;
        let route = *route;
        let key = cache::key(host, path, request.query.as_deref());
        let admission = cache::admit(route, caller, &request.method, &request.headers);
        let makes_stale = self.makes_stale(&request.method, host, path);
        let (outgoing, public) = self.outgoing(admitted, &record.request_id);
        let (status, mut response) = match admission {
            Ok(()) => self.through_cache(route, &key, outgoing, &public, record).await?,
            Err(why) => (Status::Bypass(why), self.forward(outgoing, &public, record).await?),
        };
        if makes_stale && (response.status().is_success() || response.status().is_redirection()) {
            self.host.forget(&key);
        }
        record.cache = Some(status.to_string());
        // A route that stores nothing has nothing to say about storing.
        if status != Status::Bypass(Bypass::Route) {
            append(response.headers_mut(), CACHE_STATUS, &status.to_string());
        }
        Ok(response)
    }

    /// RFC 9111 §4.4: an unsafe method that succeeds invalidates what is stored for its URI.
    fn makes_stale(&self, method: &Method, host: &str, path: &str) -> bool {
        let stores = |found| matches!(found, Find::Route(route) if route.cache != Cache::Off);
        !method.is_safe() && stores(route::find(self.plan, host, "GET", path))
    }

    async fn through_cache(
        &self,
        route: &Route,
        key: &str,
        mut outgoing: Outgoing<H::Body>,
        public: &str,
        record: &mut Record,
    ) -> Result<(Status, Response<H::Body>), Fault> {
        // An answer for all must not come from one caller's session.
        outgoing.headers.remove(COOKIE);
        // As the origin will see them: what was dropped on the way cannot select an answer (§4.1).
        let (method, asked) = (outgoing.method.clone(), outgoing.headers.clone());
        let found = self.host.cached(key).await;
        let reuse = found.as_ref().map(|(head, _)| cache::reuse(head, &asked, self.host.now_ms()));
        if let (Some((head, body)), Some(Reuse::Fresh { age, ttl })) = (found, reuse) {
            return Ok((Status::Hit(ttl), self.hit(&head, body, age, &method, &asked)));
        }
        if cache::only_if_cached(&asked) {
            return Err(Fault::NotCached);
        }
        let requested_ms = self.host.now_ms();
        let response = self.forward(outgoing, public, record).await?;
        let times = (requested_ms, self.host.now_ms());
        let head = cache::store(route, &method, &asked, response.status(), response.headers(), times);
        let stored = head.is_some();
        let response = match head {
            Some(head) => response.map(|body| self.host.store(key, &head, body)),
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
}
