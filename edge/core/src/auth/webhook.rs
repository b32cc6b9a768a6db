//! Whether a webhook comes from the one who has the secret.
//!
//! [`claim`] judges the header fields, before the body is read: what must be there, and whether its time is near
//! enough to now. [`Claim::verify`] then checks the signature over the body's exact bytes, and says which delivery it
//! is. Sources: <https://docs.stripe.com/webhooks/signature> and <https://www.standardwebhooks.com> (the
//! specification's "Signature scheme"). Left out: reading the body, and what is done with a delivery that came before.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use hmac_sha256::{HMAC, Hash};
use http::HeaderMap;
use serde::Deserialize;

use crate::headers::single;
use crate::plan::Scheme;
use crate::trace::hex;

/// Stripe's field.
const STRIPE: &str = "stripe-signature";
/// The three of Standard Webhooks.
const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
/// A sender signs once for each secret while one is rotated: two.
const MOST_SIGNATURES: usize = 8;
/// Longest id of a delivery, in bytes.
const LONGEST_ID: usize = 256;

/// What a delivery's header fields prove or claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The shared secret came itself, and it is right: the body proves nothing more.
    Proven,
    /// The body is signed, if that is true.
    Signed(Signed),
}

/// A signature over a body that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    kind: Kind,
    /// Unix seconds.
    time: u64,
    /// As text: they are compared in the one form that a sender gives them.
    signatures: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Stripe,
    /// With the delivery's id.
    Standard(String),
}

/// Why a delivery is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFault {
    /// The deployment has no secret that could be a key.
    NoSecret,
    /// This field is not there.
    Missing(&'static str),
    /// This field stands twice, or not in its form.
    Malformed(&'static str),
    /// Signed longer ago than tolerated.
    TooOld,
    /// Signed further ahead than tolerated.
    TooNew,
    /// By nobody who has the secret.
    Signature,
}

impl WebhookFault {
    /// What may be told to the sender.
    #[must_use]
    pub fn description(self) -> String {
        match self {
            Self::NoSecret => "webhooks cannot be checked here".to_owned(),
            Self::Missing(field) => format!("the webhook has no field {field}"),
            Self::Malformed(field) => format!("the webhook's field {field} cannot be read"),
            Self::TooOld => "the webhook was signed too long ago".to_owned(),
            Self::TooNew => "the webhook was signed in the future".to_owned(),
            Self::Signature => "the webhook is not signed with the right secret".to_owned(),
        }
    }
}

/// What the header fields prove or claim at `now` (Unix seconds). `secrets` is one secret, or several between spaces
/// while it is rotated: each is as good as the others.
pub fn claim(
    scheme: Scheme,
    headers: &HeaderMap,
    secrets: &str,
    tolerance_seconds: u32,
    now: u64,
) -> Result<Claim, WebhookFault> {
    let signed = match scheme {
        Scheme::Shared(name) => return shared(field(headers, name)?, secrets),
        Scheme::Stripe => stripe(field(headers, STRIPE)?).ok_or(WebhookFault::Malformed(STRIPE))?,
        Scheme::Standard => standard(headers)?,
    };
    if signed.keys(secrets).is_empty() {
        return Err(WebhookFault::NoSecret);
    }
    let tolerance = u64::from(tolerance_seconds);
    if signed.time < now.saturating_sub(tolerance) {
        Err(WebhookFault::TooOld)
    } else if signed.time > now.saturating_add(tolerance) {
        Err(WebhookFault::TooNew)
    } else {
        Ok(Claim::Signed(signed))
    }
}

impl Claim {
    /// Checks the signature over the exact body, by the same secrets. The delivery's id, where it has one: it is the
    /// same each time the delivery is tried again.
    pub fn verify(&self, body: &[u8], secrets: &str) -> Result<Option<String>, WebhookFault> {
        match self {
            Self::Proven => Ok(None),
            Self::Signed(signed) if signed.keys(secrets).iter().any(|key| signed.is_by(key, body)) => {
                Ok(signed.delivery(body))
            }
            Self::Signed(_) => Err(WebhookFault::Signature),
        }
    }
}

impl Signed {
    /// The keys that secrets stand for; an empty one, by which everyone can sign, is none.
    fn keys(&self, secrets: &str) -> Vec<Vec<u8>> {
        let keys = secrets.split_whitespace().flat_map(|secret| match self.kind {
            Kind::Stripe => vec![secret.as_bytes().to_vec()],
            Kind::Standard(_) => standard_keys(secret),
        });
        keys.filter(|key| !key.is_empty()).collect()
    }

    fn is_by(&self, key: &[u8], body: &[u8]) -> bool {
        let mut mac = HMAC::new(key);
        if let Kind::Standard(id) = &self.kind {
            mac.update(format!("{id}."));
        }
        mac.update(format!("{}.", self.time));
        mac.update(body);
        let right = self.text(mac.finalize());
        self.signatures.iter().any(|signature| same(signature, &right))
    }

    fn text(&self, mac: [u8; 32]) -> String {
        match self.kind {
            Kind::Stripe => hex(&mac),
            Kind::Standard(_) => BASE64_STANDARD.encode(mac),
        }
    }

    fn delivery(&self, body: &[u8]) -> Option<String> {
        match &self.kind {
            Kind::Stripe => event_id(body),
            Kind::Standard(id) => Some(id.clone()),
        }
    }
}

/// In Standard Webhooks base64 of the key follows `whsec_`. Without that, senders differ in whether the secret is base64
/// or the key itself: either is ours alone, so both are tried.
fn standard_keys(secret: &str) -> Vec<Vec<u8>> {
    let (text, plain) = match secret.strip_prefix("whsec_") {
        Some(text) => (text, None),
        None => (secret, Some(secret.as_bytes().to_vec())),
    };
    // The specification's own readers take it with and without padding.
    let decoded = BASE64_STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok();
    decoded.into_iter().chain(plain).collect()
}

fn shared(given: &str, secrets: &str) -> Result<Claim, WebhookFault> {
    let mut known = secrets.split_whitespace().peekable();
    known.peek().ok_or(WebhookFault::NoSecret)?;
    match known.any(|secret| same(given, secret)) {
        true => Ok(Claim::Proven),
        false => Err(WebhookFault::Signature),
    }
}

/// Compares by digests, so that time tells nothing about where two texts differ.
fn same(given: &str, right: &str) -> bool {
    Hash::verify(given, &Hash::hash(right.as_bytes()))
}

/// `t=…,v1=…`, with other schemes' signatures between.
fn stripe(value: &str) -> Option<Signed> {
    let of = |name: &'static str| {
        let items = value.split(',').filter_map(|item| item.split_once('='));
        items.filter_map(move |(other, text)| (other == name).then_some(text))
    };
    let mut times = of("t");
    let time = seconds(times.next()?).filter(|_| times.next().is_none())?;
    Some(Signed { kind: Kind::Stripe, time, signatures: bounded(of("v1"))? })
}

fn standard(headers: &HeaderMap) -> Result<Signed, WebhookFault> {
    let id = Some(field(headers, ID)?).filter(|id| is_id(id)).ok_or(WebhookFault::Malformed(ID))?;
    let time = seconds(field(headers, TIMESTAMP)?).ok_or(WebhookFault::Malformed(TIMESTAMP))?;
    let versions = field(headers, SIGNATURE)?.split(' ');
    let signatures = bounded(versions.filter_map(|version| version.strip_prefix("v1,")));
    let signatures = signatures.ok_or(WebhookFault::Malformed(SIGNATURE))?;
    Ok(Signed { kind: Kind::Standard(id.to_owned()), time, signatures })
}

fn field<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, WebhookFault> {
    match headers.contains_key(name) {
        true => single(headers, name).ok_or(WebhookFault::Malformed(name)),
        false => Err(WebhookFault::Missing(name)),
    }
}

/// A full stop in it would let one signature fit two deliveries: it also stands between what is signed.
fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.')
}

/// Unix seconds, in digits alone: `parse` takes a sign too.
fn seconds(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn bounded<'t>(signatures: impl Iterator<Item = &'t str>) -> Option<Vec<String>> {
    let found: Vec<_> = signatures.take(MOST_SIGNATURES.saturating_add(1)).map(str::to_owned).collect();
    (1..=MOST_SIGNATURES).contains(&found.len()).then_some(found)
}

/// The id of Stripe's event, which the signature covers.
fn event_id(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Event {
        id: String,
    }
    let Event { id } = serde_json::from_slice(body).ok()?;
    (id.starts_with("evt_") && is_id(&id)).then_some(id)
}

#[cfg(test)]
mod tests;
