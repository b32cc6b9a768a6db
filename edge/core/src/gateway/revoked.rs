//! Revocations: what the isolate knows of them, and the end of streams that outlive their sign-in.

use std::rc::Rc;

use http::Response;
use http::header::CONTENT_TYPE;

use super::Pass;
use crate::auth::token::Statement;
use crate::headers::single;
use crate::host::Host;
use crate::plan::Plan;
use crate::record::Record;

/// Knowledge so many times older than it should be is not relied on: the request waits for news.
const TOO_OLD: u64 = 6;
/// How long to wait before looking again for news that another request asks for (ms).
const WAIT_MS: u32 = 25;

impl<H: Host> Pass<'_, H> {
    /// Whether a token's session, user or key was revoked, by what the isolate knows. News are asked for in the
    /// background; a request waits for them only where the isolate has heard nothing for long. If they cannot be had,
    /// sign-in goes on with what is known: its trouble is not every user's.
    pub(super) async fn is_revoked(&self, statement: &Statement, record: &mut Record) -> bool {
        let due = u64::from(self.plan.auth.revocations_seconds).saturating_mul(1_000);
        let known = &self.host.isolate().revocations;
        let age = known.borrow().age_ms(self.host.now_ms());
        match age {
            Some(age) if age < due => {}
            Some(age) if age < due.saturating_mul(TOO_OLD) => {
                let host = self.host.clone();
                self.host.background(async move { drop(learn(&host).await) });
            }
            _ => record.degraded.extend(learn(self.host).await.err()),
        }
        revokes(self.host, statement)
    }

    /// Ends an event stream within seconds of its user's revocation.
    pub(super) fn guard(
        &self,
        response: Response<H::Body>,
        statement: Option<Rc<Statement>>,
    ) -> Response<H::Body> {
        let Some(statement) = statement.filter(|_| is_event_stream(&response)) else { return response };
        let over = revocation(self.host.clone(), self.plan, statement);
        response.map(|body| self.host.end_when(body, over))
    }
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    let kind = single(response.headers(), CONTENT_TYPE).and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Ends when the token that says this is revoked.
async fn revocation<H: Host>(host: H, plan: &'static Plan, statement: Rc<Statement>) {
    while !revokes(&host, &statement) {
        host.pause(plan.auth.revocations_seconds.saturating_mul(1_000)).await;
        // What cannot be learnt now is asked for again next time.
        drop(learn(&host).await);
    }
}

fn revokes<H: Host>(host: &H, statement: &Statement) -> bool {
    let (identity, known) = (&statement.identity, host.isolate().revocations.borrow());
    let (session, kid) = (identity.session.as_deref(), statement.kid.as_deref());
    known.revokes(session, &identity.user, statement.issued_at, kid).is_some()
}

/// Asks for news, or waits for those that another request of this isolate asks for.
async fn learn<H: Host>(host: &H) -> Result<(), String> {
    let known = &host.isolate().revocations;
    if known.borrow().is_asking(host.now_ms()) {
        while known.borrow().is_asking(host.now_ms()) {
            host.pause(WAIT_MS).await;
        }
        return Ok(());
    }
    if known.borrow().is_resting(host.now_ms()) {
        return Err("revocations: they could not be had a moment ago".to_owned());
    }
    known.borrow_mut().begin(host.now_ms());
    let ask = known.borrow().ask();
    match host.revocations(&ask).await {
        Ok(answer) => known.borrow_mut().learn(answer, host.now_ms()),
        Err(error) => {
            known.borrow_mut().fail(host.now_ms());
            return Err(format!("revocations: {error}"));
        }
    }
    Ok(())
}
