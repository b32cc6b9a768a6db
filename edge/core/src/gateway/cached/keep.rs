//! What is kept, and what is forgotten: content first, and its record once that has arrived whole.

use std::rc::Rc;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Response};

use super::ask::Question;
use super::flight::{Lead, give_up};
use crate::cache::index::{Index, Variant};
use crate::cache::storable::{Exchange, storable};
use crate::headers::single;
use crate::host::Host;
use crate::trace::hex;

/// Longer content is not stored (bytes): the platform takes no more
/// (<https://developers.cloudflare.com/workers/platform/limits/#cache-api-limits>).
const LONGEST: u64 = 512 << 20;

/// How long after an invalidation it is looked after (ms).
const AGAIN_MS: u32 = 1_000;

/// An answer on its way to the caller.
pub(super) struct Kept<B> {
    pub(super) response: Response<B>,
    /// It is being stored.
    pub(super) stored: bool,
    /// Why not, where it might have been.
    pub(super) detail: Option<&'static str>,
}

/// Stores an answer while it goes on to the caller, if it may be stored. Others who wait are let go as soon as it is
/// clear that nothing will be there for them.
pub(super) fn keep<H: Host>(
    host: &H,
    question: &Question,
    response: Response<H::Body>,
    requested_ms: u64,
    lead: Option<Lead<H>>,
) -> Kept<H::Body> {
    let length = length(response.headers());
    let variant = match record(host, question, &response, requested_ms) {
        Ok(variant) => variant,
        Err(detail) => {
            give_up(lead);
            return Kept { response, stored: false, detail };
        }
    };
    let (parts, body) = response.into_parts();
    let (body, whole) = host.keep(variant.body.clone(), length, body);
    if let Some(lead) = &lead {
        lead.has_head();
    }
    let settled = settle(host.clone(), question.clone(), variant, whole);
    host.background(async move {
        if !settled.await {
            give_up(lead);
        }
    });
    Kept { response: Response::from_parts(parts, body), stored: true, detail: None }
}

/// Stores an answer that nobody waits for, and says whether it could; none where it may not be stored.
pub(super) fn save<H: Host>(
    host: &H,
    question: &Question,
    response: Response<H::Body>,
    requested_ms: u64,
) -> Option<impl Future<Output = bool> + 'static> {
    let variant = record(host, question, &response, requested_ms).ok()?;
    let length = length(response.headers());
    let whole = host.save(variant.body.clone(), length, response.into_body());
    Some(settle(host.clone(), question.clone(), variant, whole))
}

/// The record of an answer that is to be stored, or why it is not, where that is worth telling.
fn record<H: Host>(
    host: &H,
    question: &Question,
    response: &Response<H::Body>,
    requested_ms: u64,
) -> Result<Variant, Option<&'static str>> {
    let exchange = Exchange {
        policy: question.policy,
        method: &question.method,
        asked: &question.headers,
        status: response.status(),
        headers: response.headers(),
        requested_ms,
        received_ms: host.now_ms(),
    };
    let variant = storable(&exchange, name(host, &question.key).ok_or(None)?).ok_or(None)?;
    let length = length(response.headers());
    if length.is_some_and(|length| length > LONGEST) { Err(Some("too-long")) } else { Ok(variant) }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    single(headers, CONTENT_LENGTH)?.parse().ok()
}

/// A name for content that nothing else has: an address on the key's host, as the platform's cache wants one. None
/// where the platform has nothing random to give: one answer's content would be another's.
fn name<H: Host>(host: &H, key: &str) -> Option<String> {
    let origin = key.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let random = Some(host.random()).filter(|random| *random != [0; 24])?;
    Some(format!("{origin}/.edge/content/{}", hex(&random)))
}

/// Waits for the content, and then records it; whether it has come whole.
async fn settle<H: Host>(
    host: H,
    question: Question,
    mut variant: Variant,
    whole: impl Future<Output = Option<u64>> + 'static,
) -> bool {
    let Some(length) = whole.await else { return false };
    variant.length = length;
    commit(&host, &question, variant).await;
    true
}

/// Puts a response into the record under its key, unless it was made invalid since it was asked for; and lets those go
/// who wait for it.
pub(super) async fn commit<H: Host>(host: &H, question: &Question, variant: Variant) {
    let local = &host.isolate().cache;
    let index = look(host, &question.key).await;
    if let Some(index) = index.with(variant, &question.headers) {
        host.put_index(&question.key, &index).await;
        local.learn(&question.key, index, host.now_ms());
    }
    local.flights.borrow_mut().land(&question.key);
}

/// The record that is stored under a key, for this isolate to remember.
pub(super) async fn look<H: Host>(host: &H, key: &str) -> Rc<Index> {
    let index = host.index(key).await.unwrap_or_default();
    host.isolate().cache.learn(key, index, host.now_ms())
}

/// Forgets what is stored under a key: at once in this isolate, and in the background in its data centre; twice, because
/// another isolate may have read the record before and written it after.
pub(super) fn forget<H: Host>(host: &H, key: String) {
    let now = host.now_ms();
    host.isolate().cache.invalidate(&key, now);
    let worker = host.clone();
    host.background(async move {
        worker.put_index(&key, &Index::invalid(now)).await;
        worker.pause(AGAIN_MS).await;
        let mut index = worker.index(&key).await.unwrap_or_default();
        if index.invalid_ms < now {
            index.invalid_ms = now;
            index.variants.retain(|variant| variant.requested_ms > now);
            worker.put_index(&key, &index).await;
        }
    });
}
