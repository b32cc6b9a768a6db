//! Asking a service: one of its upstreams, another one where that fails, and two at once where the route says so.
//!
//! What to do is decided in [`crate::upstream`]; here it is done. There is an answer when there is a response head:
//! nothing is asked again after it, neither an event stream nor a download that breaks off.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use http::{HeaderMap, Method, Response};

use crate::fault::Fault;
use crate::forward;
use crate::host::{Host, Outgoing, SendError};
use crate::otlp::trace::Call;
use crate::plan::{Plan, Priority, Route};
use crate::trace;
use crate::upstream::outcome::Outcome;
use crate::upstream::pick::Origin;
use crate::upstream::pool::{POLICY, Pool, Request, Run, Try};
use crate::upstream::retry::{self, Next, Reason};
use crate::upstream::shed::retry_after_s;

/// What is wanted of a service, whichever upstream answers.
#[derive(Debug)]
pub(super) struct Wanted<B> {
    pub(super) route: &'static Route,
    pub(super) method: Method,
    /// Path with query.
    pub(super) target: String,
    /// Request fields, not signed yet.
    pub(super) headers: HeaderMap,
    /// What callers are told apart by.
    pub(super) sticky: String,
    pub(super) class: Priority,
    /// As in [`Outgoing`].
    pub(super) outlives: bool,
    pub(super) body: B,
}

impl<B> Wanted<B> {
    /// The same without content.
    pub(super) fn head(&self) -> Wanted<()> {
        let Self { route, class, outlives, .. } = *self;
        let (method, target) = (self.method.clone(), self.target.clone());
        let (headers, sticky) = (self.headers.clone(), self.sticky.clone());
        Wanted { route, method, target, headers, sticky, class, outlives, body: () }
    }
}

/// What came of it.
pub(super) struct Asked<B> {
    pub(super) result: Result<Response<B>, SendError>,
    /// Who was asked last.
    pub(super) origin: Option<Origin>,
    pub(super) tries: u32,
    /// Why it was not tried again, where it failed.
    pub(super) gave_up: Option<Reason>,
    /// The tries, one by one.
    pub(super) calls: Vec<Call>,
}

type Sent<B> = Result<Response<B>, SendError>;
type Sending<'a, B> = Pin<Box<dyn Future<Output = Sent<B>> + 'a>>;

/// 16 random bits.
pub(super) fn random<H: Host>(host: &H) -> u16 {
    let [first, second, ..] = host.random();
    u16::from_be_bytes([first, second])
}

/// Asks the service of the route that is wanted, for a request that has asked so often `before`.
pub(super) async fn ask<H: Host>(
    plan: &'static Plan,
    host: &H,
    wanted: Wanted<H::Body>,
    before: usize,
) -> Result<Asked<H::Body>, Fault> {
    let (route, class) = (wanted.route, wanted.class);
    let (method, sticky) = (wanted.method.clone(), wanted.sticky.clone());
    let replayable = is_replayable(host, &wanted);
    // Where a route takes its time, it is not slow; a stream's head is early, and what follows is not looked at. Content
    // that streams comes at its sender's pace: it says nothing of the upstream, and takes nobody's place.
    let timed = replayable && !route.event_stream && route.try_ms < route.first_byte_ms;
    let request = Request { method: &method, replayable, timed, class, sticky: &sticky };
    let run = Run::new(request, retry::Policy::of(route), host.now_ms());
    let pool = pool(plan, host, route.service);
    Asking { host, pool, wanted, replayable, run, before, calls: Rc::default() }.ask().await
}

/// A GET has no content here ([`Host::send`]).
fn is_replayable<H: Host>(host: &H, wanted: &Wanted<H::Body>) -> bool {
    let Wanted { method, body, .. } = wanted;
    matches!(*method, Method::GET | Method::HEAD) || (method.is_idempotent() && host.again(body).is_some())
}

/// The upstreams of a service, as the isolate knows them.
fn pool<H: Host>(plan: &Plan, host: &H, service: &'static str) -> Rc<RefCell<Pool>> {
    let mut pools = host.isolate().pools.borrow_mut();
    if let Some((_, pool)) = pools.iter().find(|(name, _)| *name == service) {
        return Rc::clone(pool);
    }
    let pool = Pool::new(&POLICY, host.settings().origins(plan, service));
    let pool = Rc::new(RefCell::new(pool));
    pools.push((service, Rc::clone(&pool)));
    pool
}

struct Asking<'a, H: Host> {
    host: &'a H,
    pool: Rc<RefCell<Pool>>,
    wanted: Wanted<H::Body>,
    replayable: bool,
    run: Run<'a>,
    before: usize,
    calls: Calls,
}

type Calls = Rc<RefCell<Vec<Call>>>;

impl<H: Host> Asking<'_, H> {
    async fn ask(mut self) -> Result<Asked<H::Body>, Fault> {
        let host = self.host;
        let mut this = self
            .with(|pool, run| pool.first(run, host.now_ms()))
            .ok_or_else(|| Fault::Saturated(retry_after_s(self.wanted.class, random(host))))?;
        loop {
            let (done, result) = self.tried(this).await;
            let at = done.upstream;
            match self.next(done, &result) {
                Next::Answer => return Ok(self.asked(at, result, None)),
                Next::GiveUp(reason) => return Ok(self.asked(at, result, Some(reason))),
                Next::Retry { wait_ms, upstream } => {
                    discard(host, result);
                    host.pause(wait_ms).await;
                    this = self.with(|pool, run| pool.again(run, upstream, host.now_ms()));
                }
            }
        }
    }

    fn asked(mut self, at: usize, result: Sent<H::Body>, gave_up: Option<Reason>) -> Asked<H::Body> {
        let origin = self.with(|pool, _| pool.origin(at).cloned());
        Asked { result, origin, tries: self.run.tries(), gave_up, calls: self.calls.take() }
    }

    /// What the isolate knows of the service's upstreams, and the request's way among them.
    fn with<T>(&mut self, act: impl FnOnce(&mut Pool, &mut Run<'_>) -> T) -> T {
        act(&mut self.pool.borrow_mut(), &mut self.run)
    }

    fn next(&mut self, done: Try, result: &Sent<H::Body>) -> Next {
        let (host, now) = (self.host, self.host.now_ms());
        match outcome(result, now) {
            None => {
                self.with(|pool, _| pool.left(done));
                Next::Answer
            }
            Some(outcome) => {
                let random = if outcome.is_good() { 0 } else { random(host) };
                self.with(|pool, run| pool.next(run, done, outcome, now, random))
            }
        }
    }

    /// A try, and where it is silent for too long another one beside it: the one that gives the answer.
    async fn tried(&mut self, this: Try) -> (Try, Sent<H::Body>) {
        let host = self.host;
        let mut sending = self.send(&this);
        let Some(ms) = self.wanted.route.hedge_ms.filter(|_| self.replayable && self.run.tries() == 1) else {
            return (this, sending.await);
        };
        if let Some(result) = host.within(ms, sending.as_mut()).await {
            return (this, result);
        }
        let Some(other) = self.with(|pool, run| pool.hedge(run, host.now_ms())) else {
            return (this, sending.await);
        };
        let mut hedge = self.send(&other);
        match race(&mut sending, &mut hedge).await {
            First::Left(result) => self.settled(this, result, other, hedge).await,
            First::Right(result) => self.settled(other, result, this, sending).await,
        }
    }

    /// The first answer, unless it is a failure: then the other one's. What nobody waits for is dropped, and so ended.
    async fn settled(
        &mut self,
        done: Try,
        result: Sent<H::Body>,
        other: Try,
        pending: Sending<'_, H::Body>,
    ) -> (Try, Sent<H::Body>) {
        let now = self.host.now_ms();
        match outcome(&result, now).filter(|outcome| !outcome.is_good()) {
            None => {
                self.with(|pool, _| pool.left(other));
                (done, result)
            }
            Some(failure) => {
                discard(self.host, result);
                let random = random(self.host);
                self.with(|pool, run| pool.ended(run, done, failure, now, random));
                (other, pending.await)
            }
        }
    }

    /// Sends a try. It is boxed, so that two can be under way by one piece of code.
    fn send<'s>(&mut self, this: &Try) -> Sending<'s, H::Body>
    where
        Self: 's,
    {
        let (host, mut outgoing) = (self.host, self.outgoing(this));
        let (calls, at) = self.begin(&mut outgoing, this);
        Box::pin(async move {
            let result = host.send(outgoing).await;
            if result.as_ref().is_ok_and(|answer| !answer.status().is_server_error()) {
                host.isolate().answered_ms.set(host.now_ms());
            }
            if let Some(call) = calls.borrow_mut().get_mut(at) {
                call.end(host.now_ms(), &result);
            }
            result
        })
    }

    /// Notes a try that begins, under a span of its own; the place of the note.
    fn begin(&mut self, outgoing: &mut Outgoing<H::Body>, this: &Try) -> (Calls, usize) {
        let at = self.calls.borrow().len();
        let span_id = trace::descend(&mut outgoing.headers, self.before.saturating_add(at));
        let upstream = self.with(|pool, _| pool.origin(this.upstream).map(|origin| origin.name));
        let (calls, now) = (Rc::clone(&self.calls), self.host.now_ms());
        calls.borrow_mut().push(Call::new(span_id.unwrap_or_default(), upstream.unwrap_or_default(), now));
        (calls, at)
    }

    /// The request for one upstream. Its identity is signed at the last moment: a try that waited needs its own.
    fn outgoing(&mut self, this: &Try) -> Outgoing<H::Body> {
        let origin = self.with(|pool, _| pool.origin(this.upstream).map(|origin| origin.address.clone()));
        let Wanted { route, method, target, headers, body, outlives, .. } = &mut self.wanted;
        let spare = if self.replayable { self.host.again(body) } else { None };
        let mut headers = if self.replayable { headers.clone() } else { mem::take(headers) };
        if let Some(secret) = &self.host.settings().identity_secret {
            forward::sign(&mut headers, secret, method, target, self.host.now_ms() / 1_000);
        }
        Outgoing {
            method: method.clone(),
            url: format!("{}{target}", origin.unwrap_or_default()),
            headers,
            first_byte_ms: this.within_ms,
            max_body_bytes: Some(route.max_body_bytes),
            outlives: *outlives,
            encoded: *outlives || route.timeouts.is_some(),
            body: spare.unwrap_or_else(|| mem::replace(body, self.host.empty())),
        }
    }
}

/// What a try came to; none where its client has gone, or sent too much.
fn outcome<B>(result: &Sent<B>, now: u64) -> Option<Outcome> {
    match result {
        Ok(response) => Some(Outcome::of(response.status(), response.headers(), now)),
        Err(SendError::Timeout) => Some(Outcome::TimedOut),
        Err(SendError::Failed(_)) => Some(Outcome::Failed),
        Err(SendError::Gone | SendError::TooLong(_)) => None,
    }
}

fn discard<H: Host>(host: &H, result: Sent<H::Body>) {
    if let Ok(response) = result {
        host.discard(response.into_body());
    }
}

enum First<T> {
    Left(T),
    Right(T),
}

/// Whichever is ready first.
async fn race<T>(
    left: &mut (impl Future<Output = T> + Unpin),
    right: &mut (impl Future<Output = T> + Unpin),
) -> First<T> {
    let (mut left, mut right) = (Pin::new(left), Pin::new(right));
    poll_fn(|context| match left.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(First::Left(done)),
        Poll::Pending => right.as_mut().poll(context).map(First::Right),
    })
    .await
}
