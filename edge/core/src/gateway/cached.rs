//! The cache step: a stored answer if one may be used, else the origin's, stored if it may be.

mod ask;
mod flight;
mod keep;

use std::rc::Rc;

use http::header::{AGE, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, HeaderName};
use http::{HeaderMap, Method, Response, StatusCode};

use self::ask::Question;
use super::origin::Admitted;
use super::places::Place;
use super::purge;
use super::{Pass, apart};
use crate::cache::index::{Index, Variant};
use crate::cache::local::SHORT;
use crate::cache::range::{self, Part};
use crate::cache::reuse::{Reuse, Serve, Stale, Why};
use crate::cache::status::Status;
use crate::cache::{self, Bypass, conditional, invalidate, key, reuse, storable, tags};
use crate::fault::Fault;
use crate::headers::{append, set};
use crate::host::Host;
use crate::limit::asking::Asking;
use crate::path;
use crate::plan::{Auth, Cache, Route};
use crate::record::Record;
use crate::route::{self, Find};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// Why the origin is asked, and which stored response it may confirm, or fail to replace.
type Asks<'i> = (Why, Option<&'i Variant>);

impl<H: Host> Pass<'_, H> {
    /// The answer, with this cache's word on it, and the places that its request holds until it is over.
    pub(super) async fn answer(
        &self,
        mut admitted: Admitted<'_, H::Body>,
        record: &mut Record,
    ) -> Result<(Response<H::Body>, Vec<Place>), Fault> {
        let Admitted { asking, host, request, .. } = &mut admitted;
        let (asking, host) = (*asking, *host);
        let Asking { route, path, caller, .. } = *asking;
        let policy = cache::admit(route, caller, &request.method, &request.headers).and_then(|policy| {
            key::is_short(path, request.query.as_deref()).then_some(policy).ok_or(Bypass::Long)
        });
        if let Ok(policy) = policy {
            // What does not tell answers apart must not shape them.
            request.query = key::kept(request.query.as_deref(), policy.query);
        }
        let posted = cache::admit_posted(route, caller, &request.method, &request.headers);
        let authorization =
            request.headers.get(AUTHORIZATION).filter(|_| passes_authorization(route)).cloned();
        let (method, query) = (request.method.clone(), request.query.clone());
        let keyed =
            |policy: &Cache| key::key(host, path, key::kept(query.as_deref(), policy.query).as_deref());
        let (mut wanted, public) = self.wanted(admitted, &record.request_id);
        let (of_key, cost_field) =
            (format!("https://{host}"), route.limit.and_then(|limit| limit.cost_field));
        wanted.headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
        let (status, mut response, places) = match policy {
            Ok(policy) => {
                let question = Question::new(policy, keyed(policy), wanted, of_key, cost_field);
                let (started, before) = (self.host.now_ms(), record.waited_ms());
                let answer = apart(self.through_cache(&question, asking, record)).await;
                // All but what others took within.
                let others = record.waited_ms().saturating_sub(before);
                record.took("cache", started.saturating_add(others), self.host.now_ms());
                let (status, response) = answer?;
                (status, response, Vec::new())
            }
            Err(why) => {
                let places = self.pay(asking, record).await?;
                wanted.outlives = posted.is_some();
                let question = posted
                    .map(|policy| Question::new(policy, keyed(policy), wanted.head(), of_key, cost_field));
                let response = self.forward(wanted, &public, record).await?;
                self.note_change(&method, (host, path, query.as_deref()), &response);
                let place = (host, path, query.as_deref());
                (Status::Bypass(why), self.keep_posted(question, place, response), places)
            }
        };
        let said = status.to_string();
        record.hit = matches!(status, Status::Hit { .. });
        // A route that stores nothing has nothing to say about storing.
        if status != Status::Bypass(Bypass::Route) {
            append(response.headers_mut(), CACHE_STATUS, &said);
        }
        record.cache = Some(said);
        Ok((response, places))
    }

    /// What an answer shows to have changed is not served again.
    fn note_change(
        &self,
        method: &Method,
        (host, path, query): (&str, &str, Option<&str>),
        response: &Response<H::Body>,
    ) {
        if invalidate::changes(method, response.status()) {
            self.invalidate(host, path, query, response.headers());
            purge::invalidate_groups(self.host, tags::invalidated(response.headers()));
        }
    }

    /// Keeps the answer to a POST that says that it is what a GET would get (RFC 9110 §9.3.3).
    fn keep_posted(
        &self,
        question: Option<Question>,
        place: (&str, &str, Option<&str>),
        response: Response<H::Body>,
    ) -> Response<H::Body> {
        let now = self.host.now_ms();
        let is_for_get = |response: &Response<H::Body>| {
            storable::is_for_get(response.status(), response.headers(), place, now)
        };
        match question.filter(|_| is_for_get(&response)) {
            // It is newer than what it has just made invalid.
            Some(mut question) => {
                question.method = Method::GET;
                keep::keep(self.host, &question, response, now.saturating_add(1), None).response
            }
            None => response,
        }
    }

    async fn through_cache(
        &self,
        question: &Question,
        asking: &Asking<'_>,
        record: &mut Record,
    ) -> Result<(Status, Response<H::Body>), Fault> {
        let mut index = self.index(&question.key, record).await;
        let mut waited = false;
        if question.may_wait(&index, self.host.now_ms()) {
            waited = self.wait(question).await;
            index = if waited { self.index(&question.key, record).await } else { index };
        }
        let asks = match self.reused(question, &index, waited).await {
            Ok(found) => return Ok(found),
            Err(asks) => asks,
        };
        if let Some(stale) = self.spared(question, asks).await {
            return Ok(stale);
        }
        if reuse::only_if_cached(&question.headers) {
            return Err(Fault::NotCached);
        }
        // Before anything else is waited for: who comes now waits for this one.
        let mut lead = self.lead(question);
        let _places = self.pay(asking, record).await?;
        let again = match self.follow(lead.as_mut(), record).await {
            true => Some(self.index(&question.key, record).await),
            false => None,
        };
        let (index, asks) = match &again {
            Some(index) => match self.reused(question, index, true).await {
                Ok(found) => return Ok(found),
                Err(asks) => (index, asks),
            },
            None => (&index, asks),
        };
        self.ask(question, asks, index, lead, record).await
    }

    /// The answer out of what is stored, where that may be used; else why the origin is asked, and about what.
    async fn reused<'i>(
        &self,
        question: &Question,
        index: &'i Index,
        waited: bool,
    ) -> Result<(Status, Response<H::Body>), Asks<'i>> {
        let serve = match reuse::reuse(index, &question.headers, self.host.now_ms()) {
            Reuse::Serve(serve) => serve,
            Reuse::Ask { why, selected } => return Err((why, selected)),
        };
        // The storage may have dropped the content.
        let response = self.serve(&serve, question).await.ok_or((Why::UriMiss, None))?;
        if serve.stale == Some(Stale::WhileRevalidate) {
            self.refresh(question, index);
        }
        Ok((Status::hit(&serve, waited), response))
    }

    /// What is served stale without asking: the origin has just failed, and need not fail for everybody anew.
    async fn spared(
        &self,
        question: &Question,
        (why, selected): Asks<'_>,
    ) -> Option<(Status, Response<H::Body>)> {
        let now = self.host.now_ms();
        let spares = why == Why::Stale && self.host.isolate().cache.has_failed(&question.key, now);
        let serve = reuse::instead_of_error(selected.filter(|_| spares), now)?;
        let response = self.serve(&serve, question).await?;
        Some((Status::hit(&serve, false), response))
    }

    /// What is stored under a key, and was neither made invalid nor purged since.
    async fn index(&self, key: &str, record: &mut Record) -> Rc<Index> {
        let index = self.record(key).await;
        match self.unpurged(key, &index, record).await {
            Some(left) => Rc::new(left),
            None => index,
        }
    }

    async fn record(&self, key: &str) -> Rc<Index> {
        match self.host.isolate().cache.record(key, self.host.now_ms()) {
            Some(index) => index,
            None => keep::look(self.host, key).await,
        }
    }

    /// The caller's answer out of a stored response; none where the storage has dropped its content.
    async fn serve(&self, serve: &Serve<'_>, question: &Question) -> Option<Response<H::Body>> {
        let (variant, asked) = (serve.variant, &question.headers);
        let held = conditional::is_held(variant, asked);
        let with_content = question.method == Method::GET && !held;
        let part = if with_content { range::part(variant, asked) } else { Part::Whole };
        let (part, body) = match part {
            _ if !with_content || variant.length == 0 => (part, self.host.empty()),
            Part::Unsatisfiable => (part, self.host.empty()),
            part => self.stored(variant, part).await?,
        };
        let mut response = Response::new(body);
        *response.headers_mut() = variant.headers.clone();
        *response.status_mut() = StatusCode::from_u16(variant.status).unwrap_or_default();
        describe(&mut response, part, variant.length);
        if held {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            conditional::strip_content_fields(response.headers_mut());
        }
        set(response.headers_mut(), AGE, &serve.age.to_string());
        Some(response)
    }

    /// Stored content. Where the storage cannot cut it, it is the whole: a range may be ignored (RFC 9110 §14.2).
    async fn stored(&self, variant: &Variant, part: Part) -> Option<(Part, H::Body)> {
        if variant.length <= SHORT.into() {
            let content = self.short(&variant.body).await?;
            return Some((part, self.host.bytes(cut(&content, part)?.to_vec())));
        }
        if let Some(body) = self.host.content(&variant.body, part).await {
            return Some((part, body));
        }
        let whole = match part {
            Part::Whole => None,
            _ => self.host.content(&variant.body, Part::Whole).await,
        };
        Some((Part::Whole, whole?))
    }

    /// Short content, which is held in memory from its second use on.
    async fn short(&self, name: &str) -> Option<Rc<[u8]>> {
        let local = &self.host.isolate().cache;
        if let Some(content) = local.content(name) {
            return Some(content);
        }
        let body = self.host.content(name, Part::Whole).await?;
        let content: Rc<[u8]> = self.host.read(body, SHORT).await.ok()?.into();
        local.hold(name, &content);
        Some(content)
    }

    /// RFC 9111 §4.4: forgets what is stored for a URI that has changed, and for those that the answer names.
    fn invalidate(&self, host: &str, path: &str, query: Option<&str>, headers: &HeaderMap) {
        let mut changed = invalidate::also_changed(headers, host, path);
        changed.push((path.to_owned(), query.map(str::to_owned)));
        for (path, query) in changed {
            let Some((policy, path)) = self.stores(host, &path) else { continue };
            let key = key::key(host, &path, key::kept(query.as_deref(), policy.query).as_deref());
            keep::forget(self.host, key);
        }
    }

    /// The policy by which the answers of a path are stored, if they are, and the path in normal form.
    pub(super) fn stores(&self, host: &str, path: &str) -> Option<(&'static Cache, String)> {
        let path = path::normalise(path).ok()?.text;
        match route::find(self.plan, host, "GET", &path) {
            Find::Route(route) => route.cache.as_ref().map(|policy| (policy, path)),
            _ => None,
        }
    }
}

/// Whether the origin of a public route checks credentials itself.
fn passes_authorization(route: &Route) -> bool {
    route.auth == Auth::Public && route.cache.is_some_and(|policy| policy.passes_authorization)
}

fn cut(content: &[u8], part: Part) -> Option<&[u8]> {
    match part {
        Part::Bytes { first, last } => {
            content.get(usize::try_from(first).ok()?..=usize::try_from(last).ok()?)
        }
        _ => Some(content),
    }
}

/// The status and fields of a part (RFC 9110 §15.3.7, §15.5.17).
fn describe<B>(response: &mut Response<B>, part: Part, length: u64) {
    let Some(content_range) = part.content_range(length) else { return };
    let (status, length) = match part {
        Part::Bytes { first, last } => {
            (StatusCode::PARTIAL_CONTENT, last.saturating_sub(first).saturating_add(1))
        }
        _ => (StatusCode::RANGE_NOT_SATISFIABLE, 0),
    };
    *response.status_mut() = status;
    set(response.headers_mut(), CONTENT_RANGE, &content_range);
    set(response.headers_mut(), CONTENT_LENGTH, &length.to_string());
}
