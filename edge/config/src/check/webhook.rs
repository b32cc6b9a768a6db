//! Webhooks whose senders prove themselves.

use std::ops::RangeInclusive;

use edge_core::plan::{Scheme, Webhook};

use super::text::{check_range, is_token};
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::route_auth as written;
use crate::{leak, suggest};

const SHARED: &str = "shared";
const SCHEMES: [&str; 3] = ["stripe", "standard", SHARED];
/// How far a signature's time may be from now: both schemes' own libraries take 300 s, and no clock is an hour off.
const TOLERANCE_SECONDS: RangeInclusive<u32> = 1..=3600;
/// Bytes of a body, which is held in the isolate's memory while its signature is checked.
const BODY_BYTES: RangeInclusive<u32> = 1..=10_485_760;

pub(super) fn check(webhook: &written::Webhook, report: &Report) -> Option<Webhook> {
    check_range("max_body_bytes", webhook.max_body.as_ref(), &BODY_BYTES, report);
    let scheme = scheme(webhook, report);
    let tolerance_seconds = tolerance(webhook, report);
    Some(Webhook {
        scheme: scheme?,
        secret: leak::text(&webhook.secret.as_ref()?.value),
        tolerance_seconds: tolerance_seconds?,
        max_body_bytes: webhook.max_body.as_ref()?.value,
    })
}

fn scheme(webhook: &written::Webhook, report: &Report) -> Option<Scheme> {
    let scheme = webhook.scheme.as_ref()?;
    let known = match scheme.value.as_str() {
        SHARED => return shared(scheme, &webhook.header, report),
        "stripe" => Some(Scheme::Stripe),
        "standard" => Some(Scheme::Standard),
        _ => None,
    };
    if known.is_none() {
        let hint = suggest::hint(&scheme.value, SCHEMES);
        report.add(scheme.line, format!("unknown scheme `{}`; {hint}", scheme.value));
    }
    if let Some(header) = webhook.header.good().filter(|_| known.is_some()) {
        report.add(header.line, format!("`header` goes with scheme `{SHARED}` only; remove it"));
    }
    known
}

fn shared(scheme: &Lined<String>, header: &Given<String>, report: &Report) -> Option<Scheme> {
    if header.is_absent() {
        let text = format!("scheme `{SHARED}` needs `header`; name the field that carries the secret");
        report.add(scheme.line, text);
    }
    let header = header.good()?;
    if !is_token(&header.value) || header.value.bytes().any(|byte| byte.is_ascii_uppercase()) {
        report.add(header.line, format!("`{}` is no header name in lower case", header.value));
    }
    Some(Scheme::Shared(leak::text(&header.value)))
}

/// A shared secret is the same at all times.
fn tolerance(webhook: &written::Webhook, report: &Report) -> Option<u32> {
    let scheme = webhook.scheme.as_ref()?;
    let is_timed = scheme.value != SHARED;
    let fault = match &webhook.tolerance {
        Given::Faulty => return None,
        Given::Absent if is_timed => "a signature has its time; give `tolerance_seconds`, as 300",
        Given::Good(_) if !is_timed => "a shared secret has no time; remove `tolerance_seconds`",
        tolerance => {
            check_range("tolerance_seconds", tolerance.good(), &TOLERANCE_SECONDS, report);
            return Some(tolerance.good().map_or(0, |tolerance| tolerance.value));
        }
    };
    report.add(webhook.tolerance.good().map_or(scheme.line, |tolerance| tolerance.line), fault);
    None
}
