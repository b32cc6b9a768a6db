//! Revocations: what the isolate knows of them, and the end of streams that outlive their sign-in.

use std::rc::Rc;

use super::Pass;
use super::news::{WAIT_MS, age_ms, heard};
use super::places::Place;
use crate::auth::token::Statement;
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
}

/// Ends when the token that says this is revoked, and keeps the places until then. The streams of an isolate share what
/// it knows: one of them asks.
pub(super) async fn watch<H: Host>(
    host: H,
    plan: &'static Plan,
    statement: Option<Rc<Statement>>,
    places: Vec<Place>,
) {
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
