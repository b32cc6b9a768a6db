//! Lines: `Stripe-Signature`, `webhook-id`, `webhook-timestamp`, `webhook-signature`; then the body. `RIGHT` in a field
//! stands for the signature that is right at [`NOW`].

#![no_main]

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use edge_core::auth::webhook::{WebhookFault, claim};
use edge_core::plan::Scheme;
use edge_core::trace::hex;
use hmac_sha256::HMAC;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const NOW: u64 = 1_800_000_000;
const TOLERANCE: u32 = 300;
const SECRET: &str = "not-secret";

fuzz_target!(|input: &[u8]| {
    let lines: Vec<_> = input.splitn(5, |byte| *byte == b'\n').collect();
    let [stripe, id, time, signature, body] = lines[..] else { return };
    let right = hex(&mac(&[NOW.to_string().as_bytes()], body));
    let fields = [("stripe-signature", with_right(stripe, &right))];
    if let Some(delivery) = check(Scheme::Stripe, &fields, body) {
        let items: Vec<_> = fields[0].1.split(',').collect();
        assert!(items.contains(&format!("v1={right}").as_str()));
        let times: Vec<_> = items.iter().filter_map(|item| item.strip_prefix("t=")).collect();
        assert_eq!(times.iter().map(|time| time.parse()).collect::<Vec<_>>(), [Ok(NOW)]);
        assert!(delivery.is_none_or(|delivery| delivery.starts_with("evt_")));
    }
    let right = BASE64_STANDARD.encode(mac(&[id, NOW.to_string().as_bytes()], body));
    let [id, time] = [id, time].map(|value| with_right(value, ""));
    let fields = [
        ("webhook-id", id),
        ("webhook-timestamp", time),
        ("webhook-signature", with_right(signature, &right)),
    ];
    if let Some(delivery) = check(Scheme::Standard, &fields, body) {
        assert!(fields[2].1.split(' ').any(|version| version == format!("v1,{right}")));
        assert_eq!(fields[1].1.parse(), Ok(NOW));
        assert_eq!(delivery.as_ref(), Some(&fields[0].1));
        assert!(!fields[0].1.contains('.'));
    }
});

/// What is signed are these parts and the body, with full stops between.
fn mac(parts: &[&[u8]], body: &[u8]) -> [u8; 32] {
    HMAC::mac([parts, &[body]].concat().join(&b'.'), SECRET)
}

fn with_right(value: &[u8], right: &str) -> String {
    String::from_utf8_lossy(value).replace("RIGHT", right)
}

/// The delivery, if it is taken; then it is not with another body, another secret or at another time.
fn check(scheme: Scheme, fields: &[(&'static str, String)], body: &[u8]) -> Option<Option<String>> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    let at = |now, secrets| claim(scheme, &headers, secrets, TOLERANCE, now);
    let claimed = at(NOW, SECRET).ok()?;
    let delivery = claimed.verify(body, SECRET).ok()?;
    let longer = [body, b" "].concat();
    assert_eq!(claimed.verify(&longer, SECRET), Err(WebhookFault::Signature));
    assert_eq!(claimed.verify(body, "another"), Err(WebhookFault::Signature));
    assert_eq!(claimed.verify(body, "another not-secret").as_ref(), Ok(&delivery));
    let tolerance = u64::from(TOLERANCE);
    assert_eq!(at(NOW + tolerance + 1, SECRET), Err(WebhookFault::TooOld));
    assert_eq!(at(NOW - tolerance - 1, SECRET), Err(WebhookFault::TooNew));
    assert_eq!(at(NOW, " "), Err(WebhookFault::NoSecret));
    Some(delivery)
}
