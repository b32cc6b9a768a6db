//! Webhooks, as a sequence of deliveries sees them.

use http::Response;

use super::fake::Fake;
use crate::testing::NOW;
use crate::trace::hex;

const EVENT: &str = "{\"id\":\"evt_1\"}";

fn signature(content: &str) -> String {
    let mac = hmac_sha256::HMAC::mac(format!("{NOW}.{content}"), "whsec_of_the_sender");
    format!("t={NOW},v1={}", hex(&mac))
}

fn deliver(fake: &Fake, signature: &str, content: &str) -> u16 {
    let url = "https://he2.ai/hook";
    fake.answer_content("POST", url, &[("stripe-signature", signature)], content).0.status().as_u16()
}

#[test]
fn a_delivery_is_read_checked_forwarded_as_it_came_and_remembered() {
    let fake = Fake::new();
    assert_eq!(deliver(&fake, &signature(EVENT), EVENT), 200);
    assert_eq!(fake.take_effects(), ["read", "is acknowledged", "origin", "acknowledge"]);
    assert_eq!(fake.sent.take().unwrap().body, EVENT);
    assert_eq!(deliver(&fake, &signature(EVENT), EVENT), 200);
    assert_eq!(fake.take_effects(), ["read", "is acknowledged"], "the app is not asked twice");
}

#[test]
fn a_delivery_that_the_app_did_not_acknowledge_is_tried_again() {
    let mut fake = Fake::new();
    fake.origin = || Ok(Response::builder().status(500).body(String::new()).unwrap());
    assert_eq!(deliver(&fake, &signature(EVENT), EVENT), 500);
    fake.take_effects();
    assert_eq!(deliver(&fake, &signature(EVENT), EVENT), 500);
    assert_eq!(fake.take_effects(), ["read", "is acknowledged", "origin"]);
}

#[test]
fn what_is_not_its_senders_is_refused_as_early_as_it_can_be() {
    let fake = Fake::new();
    assert_eq!(fake.status("POST", "https://he2.ai/hook", &[]), 400);
    assert_eq!(deliver(&fake, "t=1,v1=00", EVENT), 400);
    assert_eq!(fake.take_effects(), [""; 0], "an old or missing signature costs no reading");
    assert_eq!(deliver(&fake, &signature("other"), EVENT), 400);
    let long = "x".repeat(101);
    assert_eq!(deliver(&fake, &signature(&long), &long), 413);
    assert_eq!(fake.take_effects(), ["read", "read"]);
}

#[test]
fn without_its_secret_a_deployment_takes_no_webhook_and_asks_for_another_try() {
    let mut fake = Fake::new();
    fake.settings.variables.remove("STRIPE_WEBHOOK_SECRET");
    let fields = [("stripe-signature", "t=1,v1=00")];
    let (answer, record) = fake.answer("POST", "https://he2.ai/hook", &fields);
    assert!(answer.status() == 503 && answer.headers().contains_key("retry-after"));
    assert_eq!(record.internal.as_deref(), Some("the secret STRIPE_WEBHOOK_SECRET is not set"));
}
