//! The origin is asked: for an answer, or whether what is stored still holds.

use http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, Method, Response, StatusCode};

use super::super::Pass;
use super::super::origin::fetch;
use super::keep;
use crate::cache::index::{Index, Variant};
use crate::cache::reuse::{self, Reuse, Why};
use crate::cache::status::{Forward, Status};
use crate::cache::{self, validate};
use crate::fault::Fault;
use crate::host::{Host, Outgoing};
use crate::plan::Cache;
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
    url: String,
    first_byte_ms: u32,
    /// The caller's scheme and host.
    public: String,
    /// The field in which the origin says what a request cost: nothing to keep.
    cost_field: Option<&'static str>,
}

/// Fields by which a client asks for less than the whole: the answer is of no use to others.
const OWN: [HeaderName; 4] = [RANGE, IF_RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE];

/// The origin's answer to a question.
type Answer<B> = Result<Response<B>, Fault>;

impl Question {
    /// What is asked on behalf of a request.
    pub(super) fn new<B>(
        policy: &'static Cache,
        key: String,
        outgoing: &Outgoing<B>,
        public: String,
        cost_field: Option<&'static str>,
    ) -> Self {
        let Outgoing { method, url, headers, first_byte_ms, .. } = outgoing;
        let mut headers = headers.clone();
        cache::neutralise(&mut headers);
        let (method, url, first_byte_ms) = (method.clone(), url.clone(), *first_byte_ms);
        Self { policy, key, method, headers, url, first_byte_ms, public, cost_field }
    }

    /// Whether the answer is worth waiting for, where another request is getting it.
    pub(super) fn may_wait(&self, index: &Index, now_ms: u64) -> bool {
        let reuse = reuse::reuse(index, &self.headers, now_ms);
        let Reuse::Ask { why, .. } = reuse else { return false };
        self.method == Method::GET && why != Why::Request && !reuse::only_if_cached(&self.headers)
    }

    fn outgoing<B>(&self, headers: HeaderMap, body: B) -> Outgoing<B> {
        Outgoing {
            method: self.method.clone(),
            url: self.url.clone(),
            headers,
            first_byte_ms: self.first_byte_ms,
            outlives: true,
            body,
        }
    }

    /// Until when others wait for the answer (Unix ms).
    fn until_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(super::WAIT_MS.min(self.first_byte_ms.into()))
    }
}

impl<H: Host> Pass<'_, H> {
    /// The origin's answer; or what is stored, confirmed by it or in place of its failure.
    pub(super) async fn ask(
        &self,
        question: &Question,
        why: Why,
        index: &Index,
        selected: Option<&Variant>,
        record: &mut Record,
    ) -> Result<(Status, Response<H::Body>), Fault> {
        let leads = self.leads(question);
        let requested_ms = self.host.now_ms();
        let mut headers = question.headers.clone();
        let conditional =
            question.method == Method::GET && validate::condition(&mut headers, index, selected);
        let outgoing = question.outgoing(headers, self.host.empty());
        let mut answer = self.forward(outgoing, &question.public, record).await;
        let mut forward = Forward::new(why);
        if has_failed(&answer) {
            if let Some(serve) = reuse::instead_of_error(selected, self.host.now_ms())
                && let Some(response) = self.serve(&serve, question).await
            {
                self.give_up(question, leads);
                self.host.isolate().cache.note_failure(&question.key, self.host.now_ms());
                forward.status = answer.as_ref().ok().map(|response| response.status().as_u16());
                forward.detail = serve.stale.map(reuse::Stale::token);
                return Ok((Status::Forward(forward), response));
            }
        } else if conditional && status(&answer) == Some(StatusCode::NOT_MODIFIED) {
            if let Some(response) = self.confirmed(question, index, selected, &answer, requested_ms).await {
                forward.status = Some(StatusCode::NOT_MODIFIED.as_u16());
                forward.stored = true;
                return Ok((Status::Forward(forward), response));
            }
            // It confirms nothing that is still here.
            let again = question.outgoing(question.headers.clone(), self.host.empty());
            answer = self.forward(again, &question.public, record).await;
        }
        let response = match answer {
            Ok(response) => response,
            Err(fault) => {
                self.give_up(question, leads);
                return Err(fault);
            }
        };
        let replaces =
            selected.is_some() && is_whole_answer(&response) && !reuse::no_store(&question.headers);
        let kept = keep::keep(self.host, question, response, requested_ms, leads);
        if replaces && !kept.stored {
            // The origin has taken back what is stored.
            keep::forget(self.host, question.key.clone());
        }
        forward.stored = kept.stored;
        forward.detail = kept.detail;
        Ok((Status::Forward(forward), kept.response))
    }

    /// The stored response that a 304 confirms, updated by it.
    async fn confirmed(
        &self,
        question: &Question,
        index: &Index,
        selected: Option<&Variant>,
        answer: &Answer<H::Body>,
        requested_ms: u64,
    ) -> Option<Response<H::Body>> {
        let now = self.host.now_ms();
        let times = (requested_ms, now);
        let fields = answer.as_ref().ok()?.headers();
        let variant = validate::freshen(question.policy, index, selected, &question.headers, fields, times)?;
        let response = self.serve(&reuse::Serve::of(&variant, None, now), question).await?;
        let (host, question) = (self.host.clone(), question.clone());
        self.host.background(async move { keep::commit(&host, &question, variant).await });
        Some(response)
    }

    /// Whether this request is the one that others wait for.
    fn leads(&self, question: &Question) -> bool {
        let now = self.host.now_ms();
        let mut flights = self.host.isolate().cache.flights.borrow_mut();
        question.method == Method::GET
            && OWN.iter().all(|name| !question.headers.contains_key(name))
            && flights.is_worth_waiting(&question.key, now)
            && flights.lead(&question.key, now, question.until_ms(now))
    }

    fn give_up(&self, question: &Question, leads: bool) {
        if leads {
            self.host.isolate().cache.flights.borrow_mut().give_up(&question.key, self.host.now_ms());
        }
    }

    /// Fetches a new response in the background, unless somebody of this isolate does.
    pub(super) fn refresh(&self, question: &Question, index: &Index) {
        let mut question = Question { method: Method::GET, ..question.clone() };
        // What is fetched is for all: whole, whatever this client has of it or wants.
        for name in &OWN {
            question.headers.remove(name);
        }
        if !self.leads(&question) {
            return;
        }
        let (host, index) = (self.host.clone(), index.clone());
        self.host.background(async move { refreshed(&host, &question, &index).await });
    }
}

async fn refreshed<H: Host>(host: &H, question: &Question, index: &Index) {
    let requested_ms = host.now_ms();
    let selected = index.select(&question.headers);
    let mut headers = question.headers.clone();
    let conditional = validate::condition(&mut headers, index, selected);
    let (mut answer, _) = fetch(host, question.outgoing(headers, host.empty()), &question.public).await;
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
            if let Some(storing) = keep::save(host, question, answer, requested_ms) {
                return storing.await;
            }
            keep::forget(host, question.key.clone());
        }
        _ => {}
    }
    host.isolate().cache.flights.borrow_mut().give_up(&question.key, host.now_ms());
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
