//! What the gateway answers itself.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Pass;
use crate::auth::revocation::{self, Answer, Ask, Entry, Revocation};
use crate::fault::Fault;
use crate::host::{Host, Request};
use crate::limit::asking::Asking;
use crate::plan::{Auth, Edge, Plan};
use crate::record::Record;

/// What operators send is no longer (bytes).
pub(super) const LONGEST: u32 = 4_096;

impl<H: Host> Pass<'_, H> {
    /// The edge's own answer.
    pub(super) async fn edge(
        &self,
        edge: Edge,
        asking: &Asking<'_>,
        request: Request<H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        match edge {
            Edge::Revocations => self.revocations(request, record).await,
            Edge::Purge => self.purge(request, record).await,
            Edge::Limits => self.limits(request, record).await,
            Edge::MyLimits => self.my_limits(asking).await,
            Edge::Health => Ok(self.health()),
            Edge::Ready => Ok(self.ready(record).await),
            Edge::SentryTunnel => self.tunnel(request).await,
            Edge::Proxy(proxy) => self.proxy(proxy, asking, request).await,
        }
    }

    async fn revocations(
        &self,
        mut request: Request<H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let now = self.host.now_ms() / 1_000;
        let ask = match request.method {
            Method::POST => {
                let revocation = self.revocation(&mut request, now).await?;
                Ask::Add(Entry { revocation, until: now.saturating_add(longest_use(self.plan)) })
            }
            Method::DELETE => Ask::Remove(self.revocation(&mut request, now).await?),
            _ => Ask::List,
        };
        record.revoked = match &ask {
            Ask::Add(Entry { revocation, .. }) | Ask::Remove(revocation) => Some(revocation.clone()),
            Ask::List | Ask::Since(_) => None,
        };
        let answer = self.host.revocations(&ask).await.map_err(Fault::Unavailable)?;
        self.host.isolate().revocations.borrow_mut().learn(answer.clone(), self.host.now_ms());
        self.answered(answer)
    }

    async fn revocation(&self, request: &mut Request<H::Body>, now: u64) -> Result<Revocation, Fault> {
        revocation::parse(&self.content(request, LONGEST).await?, now).map_err(Fault::Content)
    }

    fn answered(&self, answer: Answer) -> Result<Response<H::Body>, Fault> {
        match answer {
            Answer::All { entries, .. } => Ok(self.json(StatusCode::OK, &json!({ "revocations": entries }))),
            Answer::Added(entry) => Ok(self.json(StatusCode::CREATED, &json!(entry))),
            Answer::Removed(true) => Ok(self.json(StatusCode::OK, &json!({ "removed": true }))),
            Answer::Removed(false) | Answer::Unchanged => Err(Fault::NotFound),
            Answer::Full => Err(Fault::Unavailable("there are too many revocations".to_owned())),
        }
    }

    pub(super) fn json(&self, status: StatusCode, value: &Value) -> Response<H::Body> {
        let mut response = Response::new(self.host.text(value.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// How long after now a token may still be used that was issued before: a revocation need not be kept longer.
fn longest_use(plan: &Plan) -> u64 {
    let grace = plan.routes.iter().map(|route| match route.auth {
        Auth::SignIn(policy) => policy.grace_seconds,
        _ => 0,
    });
    let parts = [plan.auth.max_lifetime_seconds, plan.auth.leeway_seconds, grace.max().unwrap_or_default()];
    parts.into_iter().map(u64::from).sum()
}
