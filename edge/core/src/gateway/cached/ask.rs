//! The origin is asked: for an answer, or whether what is stored still holds.

use std::rc::Rc;

use http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, Method, Response, StatusCode};

use super::super::Pass;
use super::super::origin::fetch;
use super::super::upstreams::Wanted;
use super::Asks;
use super::flight::{Lead, give_up};
use super::keep;
use crate::cache::index::{Index, Variant};
use crate::cache::reuse::{self, Reuse, Why};
use crate::cache::status::{Forward, Status};
use crate::cache::{self, validate};
use crate::fault::Fault;
use crate::host::Host;
use crate::plan::{Cache, Plan, Priority, Route};
use crate::record::Record;

/// A request for the origin whose answer may be kept: it has no content, so it can be sent again.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) policy: &'static Cache,
    /// Under which the answer is kept.
    pub(super) key: String,
    pub(super) method: Method,
    /// The request's fields as the origin sees them: what was dropped on the way cannot select an answer (RFC 9111
    /// §4.1).
    pub(super) headers: HeaderMap,
    pub(super) route: &'static Route,
    target: String,
    /// Who asked first: what upstream is asked.
    sticky: String,
    class: Priority,
    /// Scheme and host of the key.
    public: String,
    /// The field in which the origin says what a request cost: nothing to keep.
    cost_field: Option<&'static str>,
}

/// Fields by which a client asks for less than the whole: the answer is of no use to others.
const OWN: [HeaderName; 4] = [RANGE, IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE];

/// How long an isolate does not ask again for what another of its data centre is refreshing (ms).
const AGAIN_MS: u32 = 1_000;

/// The origin's answer to a question.
type Answer<B> = Result<Response<B>, Fault>;

impl Question {
    /// What is asked on behalf of a request.
    pub(super) fn new<B>(
        policy: &'static Cache,
        key: String,
        wanted: Wanted<B>,
        public: String,
        cost_field: Option<&'static str>,
    ) -> Self {
        let Wanted { route, method, target, mut headers, sticky, class, .. } = wanted;
        cache::neutralise(&mut headers);
        Self { policy, key, method, headers, route, target, sticky, class, public, cost_field }
    }

    /// Whether the answer is worth waiting for, where another request is getting it.
    pub(super) fn may_wait(&self, index: &Index, now_ms: u64) -> bool {
        let reuse = reuse::reuse(index, &self.headers, now_ms);
        let Reuse::Ask { why, .. } = reuse else { return false };
        self.method == Method::GET && why != Why::Request && !reuse::only_if_cached(&self.headers)
    }

    /// Whether the answer is of use to others who ask for the same.
    pub(super) fn is_for_all(&self) -> bool {
        self.method == Method::GET && OWN.iter().all(|name| !self.headers.contains_key(name))
    }

    fn wanted<B>(&self, headers: HeaderMap, body: B) -> Wanted<B> {
        Wanted {
            route: self.route,
            method: self.method.clone(),
            target: self.target.clone(),
            headers,
            sticky: self.sticky.clone(),
            class: self.class,
            outlives: true,
            body,
        }
    }
}

impl<H: Host> Pass<'_, H> {
    /// The origin's answer; or what is stored, confirmed by it or in place of its failure. `lead` is let go as soon as
    /// it is clear what others will find.
    pub(super) async fn ask(
        &self,
        question: &Question,
        (why, selected): Asks<'_>,
        index: &Index,
        lead: Option<Lead<H>>,
        record: &mut Record,
    ) -> Result<(Status, Response<H::Body>), Fault> {
        let requested_ms = self.host.now_ms();
        let mut headers = question.headers.clone();
        let conditional =
            question.method == Method::GET && validate::condition(&mut headers, index, selected);
        let wanted = question.wanted(headers, self.host.empty());
        let mut answer = self.forward(wanted, &question.public, record).await;
        let mut forward = Forward::new(why);
        if has_failed(&answer) {
            if let Some(serve) = reuse::instead_of_error(selected, self.host.now_ms())
                && let Some(response) = self.serve(&serve, question).await
            {
                give_up(lead);
                self.host.isolate().cache.note_failure(&question.key, self.host.now_ms());
                forward.status = answer.as_ref().ok().map(|response| response.status().as_u16());
                forward.detail = serve.stale.map(reuse::Stale::token);
                return Ok((Status::Forward(forward), response));
            }
        } else if conditional && status(&answer) == Some(StatusCode::NOT_MODIFIED) {
            let confirmed = self.confirmed(question, index, selected, &answer, requested_ms).await;
            if let Some((variant, response)) = confirmed {
                let (host, question) = (self.host.clone(), question.clone());
                self.host.background(async move {
                    keep::commit(&host, &question, variant).await;
                    drop(lead);
                });
                forward.status = Some(StatusCode::NOT_MODIFIED.as_u16());
                forward.stored = true;
                return Ok((Status::Forward(forward), response));
            }
            // It confirms nothing that is still here.
            let again = question.wanted(question.headers.clone(), self.host.empty());
            answer = self.forward(again, &question.public, record).await;
        }
        let response = match answer {
            Ok(response) => response,
            Err(fault) => {
                give_up(lead);
                return Err(fault);
            }
        };
        let replaces =
            selected.is_some() && is_whole_answer(&response) && !reuse::no_store(&question.headers);
        let kept = keep::keep(self.host, question, response, requested_ms, lead);
        if replaces && !kept.stored {
            // The origin has taken back what is stored.
            keep::forget(self.host, question.key.clone());
        }
        forward.stored = kept.stored;
        forward.detail = kept.detail;
        Ok((Status::Forward(forward), kept.response))
    }

    /// The stored response that a 304 confirms, updated by it, and the answer that it makes.
    async fn confirmed(
        &self,
        question: &Question,
        index: &Index,
        selected: Option<&Variant>,
        answer: &Answer<H::Body>,
        requested_ms: u64,
    ) -> Option<(Variant, Response<H::Body>)> {
        let now = self.host.now_ms();
        let times = (requested_ms, now);
        let fields = answer.as_ref().ok()?.headers();
        let variant = validate::freshen(question.policy, index, selected, &question.headers, fields, times)?;
        let response = self.serve(&reuse::Serve::of(&variant, None, now), question).await?;
        Some((variant, response))
    }

    /// Fetches a new response in the background, unless somebody of this isolate does, or of this data centre where the
    /// route says so.
    pub(super) fn refresh(&self, question: &Question, index: &Index) {
        let mut question = Question { method: Method::GET, class: Priority::Background, ..question.clone() };
        // What is fetched is for all: whole, whatever this client has of it or wants.
        for name in &OWN {
            question.headers.remove(name);
        }
        let Some(mut lead) = self.lead(&question) else { return };
        let (plan, host, index) = (self.plan, self.host.clone(), Rc::new(index.clone()));
        self.host.background(async move {
            if lead.is_second().await.unwrap_or_default() {
                // What the other isolate gets is seen when the record is looked at again: till then nobody asks anew.
                return host.pause(AGAIN_MS).await;
            }
            let index = if lead.has_lease() { keep::look(&host, &question.key).await } else { index };
            // Another isolate may have been here before, which a record in memory does not show at once.
            let reuse = reuse::reuse(&index, &question.headers, host.now_ms());
            if !matches!(reuse, Reuse::Serve(serve) if serve.stale.is_none()) {
                refreshed(plan, &host, &question, &index, lead).await;
            }
        });
    }
}

async fn refreshed<H: Host>(
    plan: &'static Plan,
    host: &H,
    question: &Question,
    index: &Index,
    lead: Lead<H>,
) {
    let requested_ms = host.now_ms();
    let selected = index.select(&question.headers);
    let mut headers = question.headers.clone();
    let conditional = validate::condition(&mut headers, index, selected);
    // The request that brought it has a record of its own.
    let (wanted, mut record) = (question.wanted(headers, host.empty()), Record::default());
    let mut answer = fetch(plan, host, wanted, &question.public, &mut record).await;
    if let (Ok(answer), Some(field)) = (&mut answer, question.cost_field) {
        answer.headers_mut().remove(field);
    }
    let confirms = conditional && status(&answer) == Some(StatusCode::NOT_MODIFIED);
    match answer {
        Ok(answer) if confirms => {
            let times = (requested_ms, host.now_ms());
            let fields = answer.headers();
            let fresh = validate::freshen(question.policy, index, selected, &question.headers, fields, times);
            if let Some(variant) = fresh {
                return keep::commit(host, question, variant).await;
            }
        }
        Ok(answer) if !is_failure(answer.status()) => {
            match keep::save(host, question, answer, requested_ms) {
                Some(storing) => {
                    if storing.await {
                        return;
                    }
                }
                None => keep::forget(host, question.key.clone()),
            }
        }
        _ => {}
    }
    give_up(Some(lead));
}

/// Whether an answer is about the whole, and no failure: what was stored before it does not hold any more.
fn is_whole_answer<B>(response: &Response<B>) -> bool {
    let status = response.status();
    !is_failure(status) && !matches!(status.as_u16(), 206 | 304 | 401 | 403 | 412 | 416 | 429)
}

fn status<B>(answer: &Answer<B>) -> Option<StatusCode> {
    answer.as_ref().ok().map(Response::status)
}

/// RFC 5861 §4: no answer, or one of these.
fn has_failed<B>(answer: &Answer<B>) -> bool {
    status(answer).is_none_or(is_failure)
}

fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502..=504)
}
