//! What watchers ask: whether the gateway runs, and whether it can do its work. Reasons are for the log alone.

use http::header::HeaderName;
use http::{HeaderMap, Method, Response, StatusCode};
use serde_json::json;

use super::{Pass, issuers};
use crate::auth::keys::Why;
use crate::headers::set;
use crate::host::{Host, Outgoing, SendError};
use crate::ready::{self, Parts};
use crate::record::Record;
use crate::trace::TRACEPARENT;

/// Issuers and services are not waited for longer (ms).
const WAIT_MS: u32 = 2_000;
/// How often to look for keys (ms).
const LOOK_MS: u32 = 20;
/// Of a health check's answer no more is read (bytes).
const LONGEST: u32 = 65_536;

impl<H: Host> Pass<'_, H> {
    pub(super) fn health(&self) -> Response<H::Body> {
        self.json(StatusCode::OK, &json!({ "status": "ok" }))
    }

    pub(super) async fn ready(&self, record: &mut Record) -> Response<H::Body> {
        let (judged, now) = (&self.host.isolate().judged, self.host.now_ms());
        let lately = judged.borrow().filter(|(at, _)| now.saturating_sub(*at) < ready::GOOD_MS);
        let parts = match lately {
            Some((_, parts)) => parts,
            None => self.judge(record).await,
        };
        let status = if parts.are_there() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let Parts { settings, keys, origin } = parts;
        let found =
            json!({ "ready": parts.are_there(), "settings": settings, "keys": keys, "origin": origin });
        self.json(status, &found)
    }

    async fn judge(&self, record: &mut Record) -> Parts {
        let missing = ready::missing(self.plan, self.host.settings());
        let faults = missing.iter().map(|name| format!("{name} is not set, or cannot be read"));
        record.degraded.extend(faults);
        let keys = self.has_keys(record).await;
        let origin = self.is_origin_well(record).await;
        let parts = Parts { settings: missing.is_empty(), keys, origin };
        self.host.isolate().judged.replace(Some((self.host.now_ms(), parts)));
        parts
    }

    /// Whether keys of every issuer that is on are here, or come when they are asked for.
    async fn has_keys(&self, record: &mut Record) -> bool {
        let mut all = true;
        for (place, issuer) in self.plan.issuers.iter().enumerate() {
            let Some(store) = self.host.isolate().keys.get(place) else { continue };
            if self.host.settings().get(issuer.variable).is_none() {
                continue;
            }
            if !store.borrow().is_usable(issuer, self.host.now_ms()) {
                issuers::fetch(self.host, self.plan, place, Why::First);
                self.host.within(WAIT_MS, self.fetched(place)).await;
            }
            if !store.borrow().is_usable(issuer, self.host.now_ms()) {
                all = false;
                record.degraded.push(format!("no keys of {}", issuer.name));
            }
        }
        all
    }

    async fn fetched(&self, place: usize) {
        let Some(store) = self.host.isolate().keys.get(place) else { return };
        while store.borrow().is_fetching(self.host.now_ms()) {
            self.host.pause(LOOK_MS).await;
        }
    }

    /// Whether an origin answered lately, or every service is well at one of its upstreams.
    async fn is_origin_well(&self, record: &mut Record) -> bool {
        let since = self.host.now_ms().saturating_sub(self.host.isolate().answered_ms.get());
        if since < ready::LATELY_MS {
            return true;
        }
        let mut all = true;
        for service in self.plan.services {
            let Some(path) = service.health else { continue };
            let mut well = false;
            for origin in self.host.settings().origins(self.plan, service.name) {
                match self.probe(&origin.address, path).await {
                    Ok(()) => well = true,
                    Err(reason) => {
                        record.degraded.push(format!("{} at {}: {reason}", service.name, origin.name));
                    }
                }
            }
            all &= well;
        }
        all
    }

    async fn probe(&self, origin: &str, path: &str) -> Result<(), String> {
        let settings = self.host.settings();
        let mut headers = HeaderMap::new();
        if let Some(lock) = &settings.origin_lock {
            set(&mut headers, HeaderName::from_static(self.plan.lock_header), lock);
        }
        set(&mut headers, TRACEPARENT, &self.trace.traceparent());
        let url = format!("{origin}{path}");
        let (method, body) = (Method::GET, self.host.empty());
        let outgoing = Outgoing {
            method,
            url,
            headers,
            first_byte_ms: WAIT_MS,
            max_body_bytes: None,
            outlives: false,
            encoded: false,
            body,
        };
        let (head, body) = match self.host.send(outgoing).await {
            Ok(response) => response.into_parts(),
            Err(SendError::Timeout) => return Err(format!("no answer within {WAIT_MS} ms")),
            Err(SendError::Failed(reason)) => return Err(reason),
            Err(SendError::Gone | SendError::TooLong(_)) => return Err("it was broken off".to_owned()),
        };
        drop(self.host.read(body, LONGEST).await);
        let is_well = head.status.is_success() || head.status.is_redirection();
        is_well.then_some(()).ok_or_else(|| format!("status {}", head.status))
    }
}
