//! Requests of the app's pages that go on to a third party: what says who calls stays here, and so do its cookies.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, ETAG, EXPIRES, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, ORIGIN,
    RETRY_AFTER, USER_AGENT, VARY,
};
use http::{HeaderMap, HeaderValue, Response};

use super::Pass;
use super::origin::unanswered;
use crate::fault::Fault;
use crate::headers::set;
use crate::host::{Host, Outgoing, Request};
use crate::limit::asking::Asking;
use crate::plan::Proxy;
use crate::sentry::{envelope, tunnel};
use crate::{forward, route};

/// A report is not waited for longer (ms).
const TUNNEL_MS: u32 = 10_000;
/// What a third party is told: how to read the request, and what a page is written for.
/// Not the page itself: its address may hold a code that signs in.
const TOLD: [HeaderName; 9] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CONTENT_ENCODING,
    CONTENT_TYPE,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    ORIGIN,
    USER_AGENT,
];
/// What a page hears from a third party: nothing by which it would speak for our host, as a cookie, a policy or
/// `Clear-Site-Data` does.
const PASSED: [HeaderName; 11] = [
    AGE,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    ETAG,
    EXPIRES,
    LAST_MODIFIED,
    RETRY_AFTER,
    HeaderName::from_static("timing-allow-origin"),
    VARY,
];
/// What it hears from Sentry.
const HEARD: [HeaderName; 3] = [CONTENT_TYPE, RETRY_AFTER, HeaderName::from_static("x-sentry-rate-limits")];

impl<H: Host> Pass<'_, H> {
    /// Passes a report on to the project that it is for, if that is one of ours.
    pub(super) async fn tunnel(&self, mut request: Request<H::Body>) -> Result<Response<H::Body>, Fault> {
        let ours = &self.host.settings().telemetry.monitored;
        if ours.is_empty() {
            return Err(Fault::NotFound);
        }
        let envelope = self.content(&mut request, tunnel::MOST_BYTES).await?;
        let dsn = tunnel::check(ours, &envelope).map_err(|refused| Fault::Content(refused.describe()))?;
        let mut headers = told(&request);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(envelope::TYPE));
        let mut response = self
            .pass_on(Outgoing {
                method: request.method,
                url: dsn.endpoint(),
                headers,
                first_byte_ms: TUNNEL_MS,
                max_body_bytes: None,
                outlives: false,
                encoded: false,
                body: self.host.bytes(envelope),
            })
            .await?;
        *response.headers_mut() = only(response.headers(), &HEARD);
        Ok(response)
    }

    /// Passes a request on as it is, but for who calls.
    pub(super) async fn proxy(
        &self,
        proxy: Proxy,
        asking: &Asking<'_>,
        request: Request<H::Body>,
    ) -> Result<Response<H::Body>, Fault> {
        let tail = proxy.tail.and_then(|name| route::param(asking.route, asking.path, name));
        let query = request.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("{}{}{query}", proxy.base, tail.unwrap_or_default());
        let mut headers = told(&request);
        headers.extend(request.headers.get(CONTENT_LENGTH).map(|length| (CONTENT_LENGTH, length.clone())));
        let first_byte_ms = asking.route.first_byte_ms;
        let (method, body) = (request.method, request.body);
        let max_body_bytes = Some(asking.route.max_body_bytes);
        let outgoing = Outgoing {
            method,
            url,
            headers,
            first_byte_ms,
            max_body_bytes,
            outlives: false,
            encoded: false,
            body,
        };
        let mut response = self.pass_on(outgoing).await?;
        *response.headers_mut() = only(response.headers(), &PASSED);
        Ok(response)
    }

    async fn pass_on(&self, outgoing: Outgoing<H::Body>) -> Result<Response<H::Body>, Fault> {
        let first_byte_ms = outgoing.first_byte_ms;
        self.host.send(outgoing).await.map_err(|error| unanswered(error, first_byte_ms))
    }
}

fn only(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    names.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect()
}

/// The address too: both count visitors by it.
fn told<B>(request: &Request<B>) -> HeaderMap {
    let mut headers = only(&request.headers, &TOLD);
    if let Some(ip) = request.ip {
        set(&mut headers, forward::FORWARDED_FOR, &ip.to_string());
    }
    headers
}
