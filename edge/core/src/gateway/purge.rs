//! Purges: what the isolate knows of them, and what operators add.

use http::{Response, StatusCode};
use serde_json::json;

use super::Pass;
use super::edge::LONGEST;
use super::news::heard;
use crate::cache::index::Index;
use crate::cache::key;
use crate::cache::purge::{self, Answer, Ask, Scope};
use crate::fault::Fault;
use crate::host::{Host, Request};
use crate::path;
use crate::poll::Polled;
use crate::record::Record;
use crate::target;

/// How often an isolate asks for purges (ms): a purge holds everywhere within twice that.
const DUE_MS: u64 = 2_000;

impl<H: Host> Pass<'_, H> {
    /// What is left of the record under a key; none where that is all of it. Where nobody can tell what was purged, nothing is.
    pub(super) async fn unpurged(&self, key: &str, index: &Index, record: &mut Record) -> Option<Index> {
        if index.variants.is_empty() {
            return None;
        }
        let purges = &self.host.isolate().cache.purges;
        if let Err(error) = heard(self.host, purges, DUE_MS, learn).await {
            record.degraded.push(format!("purges: {error}"));
            return Some(Index::default());
        }
        purges.borrow().left(key, index)
    }

    /// `POST /.edge/purge`: an operator's purge.
    pub(super) async fn purge(
        &self,
        mut request: Request<H::Body>,
        record: &mut Record,
    ) -> Result<Response<H::Body>, Fault> {
        let content = self.content(&mut request, LONGEST).await?;
        let (scope, soft) = purge::parse(&content).map_err(Fault::Content)?;
        let ask = Ask::Add { scope: self.keyed(scope).map_err(Fault::Content)?, soft };
        let Answer::Added(purge) = self.host.purges(&ask).await.map_err(Fault::Unavailable)? else {
            return Err(Fault::Unavailable("it answered another question".to_owned()));
        };
        let answer = self.json(StatusCode::ACCEPTED, &json!(purge));
        record.purged = Some(purge.clone());
        self.host.isolate().cache.purges.borrow_mut().learn(Answer::Added(purge), self.host.now_ms());
        Ok(answer)
    }

    /// Addresses as they are in keys.
    fn keyed(&self, scope: Scope) -> Result<Scope, &'static str> {
        const FORM: &str = "it must be an address, as https://he2.ai/path";
        let place = |address: &str| -> Result<_, &'static str> {
            let target = target::parse(address).ok_or(FORM)?;
            let path = path::normalise(&target.path).map_err(|_| FORM)?.text;
            Ok((target.host, path, target.query.as_deref().map(path::escape_query)))
        };
        Ok(match scope {
            Scope::Url(address) => {
                let (host, path, query) = place(&address)?;
                let query = match self.stores(&host, &path) {
                    Some((policy, _)) => key::kept(query.as_deref(), policy.query),
                    None => query,
                };
                Scope::Url(key::key(&host, &path, query.as_deref()))
            }
            Scope::Prefix(address) => {
                let (host, path, query) = place(&address)?;
                Scope::Prefix(key::key(&host, &path, query.as_deref()))
            }
            other => other,
        })
    }
}

/// Adds purges of these groups, in the background (RFC 9875 §3).
pub(super) fn invalidate_groups<H: Host>(host: &H, groups: Vec<String>) {
    if groups.is_empty() {
        return;
    }
    let worker = host.clone();
    host.background(async move {
        for group in groups {
            let added = worker.purges(&Ask::Add { scope: Scope::Tag(group), soft: false }).await;
            if let Ok(added) = added {
                worker.isolate().cache.purges.borrow_mut().learn(added, worker.now_ms());
            }
        }
    });
}

/// Asks for news in the background, unless somebody of this isolate does, or has just failed.
fn learn<H: Host>(host: &H) {
    if !host.isolate().cache.purges.borrow_mut().poll_mut().begin(host.now_ms()) {
        return;
    }
    let worker = host.clone();
    host.background(async move {
        let ask = worker.isolate().cache.purges.borrow().ask();
        let answer = worker.purges(&ask).await;
        let (mut known, now) = (worker.isolate().cache.purges.borrow_mut(), worker.now_ms());
        match answer {
            Ok(answer) => known.learn(answer, now),
            Err(error) => known.poll_mut().fail(error, now),
        }
    });
}
