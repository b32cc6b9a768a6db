//! Revocations: what the isolate knows of them, and the end of streams that outlive their sign-in.

use std::rc::Rc;

use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};

use super::Pass;
use super::news::{WAIT_MS, age_ms, heard};
use super::places::Place;
use crate::auth::token::Statement;
use crate::headers::{append, single};
use crate::host::Host;
use crate::plan::Plan;
use crate::poll::Polled;
use crate::record::Record;

impl<H: Host> Pass<'_, H> {
    /// Whether a token's session, user or key was revoked, by what the isolate knows. News are asked for in the
    /// background; a request waits for them only where the isolate has heard nothing for long. If they cannot be had,
    /// sign-in goes on with what is known: its trouble is not every user's.
    pub(super) async fn is_revoked(&self, statement: &Statement, record: &mut Record) -> bool {
        let known = &self.host.isolate().revocations;
        if let Err(error) = heard(self.host, known, due_ms(self.plan), learn).await {
            record.degraded.push(format!("revocations: {error}"));
        }
        revokes(self.host, statement)
    }

    /// Ends an event stream within seconds of its user's revocation, and keeps its places until it ends; and keeps other caches from what came by a token
    /// in the query, which is part of their key (RFC 6750 §2.3).
    pub(super) fn guard(
        &self,
        mut response: Response<H::Body>,
        statement: Option<Rc<Statement>>,
        by_query: bool,
        places: Vec<Place>,
    ) -> Response<H::Body> {
        if by_query {
            append(response.headers_mut(), CACHE_CONTROL, "private");
        }
        let watched = statement.is_some() || !places.is_empty();
        if !watched || !is_event_stream(&response) {
            return response;
        }
        // It is read on the way, decoded; encoded again, it would be held back until its end.
        for field in [CONTENT_ENCODING, CONTENT_LENGTH] {
            response.headers_mut().remove(field);
        }
        let over = watch(self.host.clone(), self.plan, statement, places);
        response.map(|body| self.host.end_when(body, over))
    }
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    let kind = single(response.headers(), CONTENT_TYPE).and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Ends when the token that says this is revoked, and keeps the places until then. The streams of an isolate share what
/// it knows: one of them asks.
async fn watch<H: Host>(host: H, plan: &'static Plan, statement: Option<Rc<Statement>>, places: Vec<Place>) {
    while !statement.as_deref().is_some_and(|statement| revokes(&host, statement)) {
        host.pause(plan.auth.revocations_seconds.saturating_mul(1_000)).await;
        if statement.is_some() && age_ms(&host, &host.isolate().revocations) >= due_ms(plan) {
            learn(&host);
            host.pause(WAIT_MS).await;
        }
    }
    drop(places);
}

fn due_ms(plan: &Plan) -> u64 {
    u64::from(plan.auth.revocations_seconds).saturating_mul(1_000)
}

fn revokes<H: Host>(host: &H, statement: &Statement) -> bool {
    let (identity, known) = (&statement.identity, host.isolate().revocations.borrow());
    let (session, kid) = (identity.session.as_deref(), statement.kid.as_deref());
    known.revokes(session, &identity.user, statement.issued_at, kid).is_some()
}

/// Asks for news in the background, unless somebody of this isolate does, or has just failed.
fn learn<H: Host>(host: &H) {
    if !host.isolate().revocations.borrow_mut().poll_mut().begin(host.now_ms()) {
        return;
    }
    let worker = host.clone();
    host.background(async move {
        let ask = worker.isolate().revocations.borrow().ask();
        let answer = worker.revocations(&ask).await;
        let (mut known, now) = (worker.isolate().revocations.borrow_mut(), worker.now_ms());
        match answer {
            Ok(answer) => known.learn(answer, now),
            Err(error) => known.poll_mut().fail(error, now),
        }
    });
}
