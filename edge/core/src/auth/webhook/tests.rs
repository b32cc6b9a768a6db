use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;
const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
const SHARED: Scheme = Scheme::Shared("x-trigger-secret");

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = fields.iter().map(|(name, value)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    pairs.fold(HeaderMap::new(), |mut headers, (name, value)| {
        headers.append(name, value);
        headers
    })
}

/// The verdict on a delivery of [`BODY`] at [`NOW`], with 300 seconds of tolerance.
fn check(
    scheme: Scheme,
    fields: &[(&'static str, &str)],
    secrets: &str,
) -> Result<Option<String>, WebhookFault> {
    claim(scheme, &headers(fields), secrets, 300, NOW)?.verify(BODY, secrets)
}

fn stripe_signature(secret: &str, time: u64, body: &[u8]) -> String {
    hex(&HMAC::mac([format!("{time}.").as_bytes(), body].concat(), secret))
}

fn stripe_field(secret: &str, time: u64) -> String {
    format!("t={time},v1={}", stripe_signature(secret, time, BODY))
}

/// A verdict on Stripe's field, by the secret `whsec_a`.
fn check_stripe(value: &str) -> Result<Option<String>, WebhookFault> {
    check(Scheme::Stripe, &[(STRIPE, value)], "whsec_a")
}

fn standard_signature(key: &[u8], id: &str, time: u64) -> String {
    let signed = [format!("{id}.{time}.").as_bytes(), BODY].concat();
    format!("v1,{}", BASE64_STANDARD.encode(HMAC::mac(signed, key)))
}

/// A verdict on the three fields, by the secret `plain`.
fn check_standard(id: &str, time: &str, signature: &str) -> Result<Option<String>, WebhookFault> {
    check(Scheme::Standard, &[(ID, id), (TIMESTAMP, time), (SIGNATURE, signature)], "plain")
}

#[allow(clippy::unnecessary_wraps, reason = "to compare verdicts with")]
fn found(id: &str) -> Result<Option<String>, WebhookFault> {
    Ok(Some(id.to_owned()))
}

#[test]
fn stripe_signs_time_and_body_with_the_whole_secret() {
    assert_eq!(check_stripe(&stripe_field("whsec_a", NOW)), found("evt_1"));
    assert_eq!(
        check_stripe(&stripe_field("a", NOW)),
        Err(WebhookFault::Signature),
        "not what follows whsec_"
    );
    // As Python's hmac has it.
    let signature = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
    let fields = headers(&[(STRIPE, &format!("t=1700000000,v1={signature}"))]);
    let claim = claim(Scheme::Stripe, &fields, "whsec_test", 300, 1_700_000_000).unwrap();
    assert_eq!(claim.verify(br#"{"id":"evt_1"}"#, "whsec_test"), found("evt_1"));
}

#[test]
fn the_signature_is_over_the_exact_bytes_and_time() {
    let signature = stripe_signature("whsec_a", NOW, b"{\"id\": \"evt_1\"}");
    assert_eq!(check_stripe(&format!("t={NOW},v1={signature}")), Err(WebhookFault::Signature));
    let moved = stripe_field("whsec_a", NOW).replace(&NOW.to_string(), &(NOW + 1).to_string());
    assert_eq!(check_stripe(&moved), Err(WebhookFault::Signature));
}

#[test]
fn one_right_stripe_signature_among_several_is_enough() {
    let right = stripe_signature("whsec_a", NOW, BODY);
    let wrong = "0".repeat(64);
    assert_eq!(check_stripe(&format!("t={NOW},v1={wrong},v1={right},v0={wrong}")), found("evt_1"));
    assert_eq!(check_stripe(&format!("v1={right},x,t={NOW}")), found("evt_1"));
    let many = format!(",v1={wrong}").repeat(MOST_SIGNATURES - 1);
    assert_eq!(check_stripe(&format!("t={NOW},v1={right}{many}")), found("evt_1"));
}

#[test]
fn what_is_not_stripes_form_is_refused() {
    let right = stripe_signature("whsec_a", NOW, BODY);
    let many = format!(",v1={right}").repeat(MOST_SIGNATURES + 1);
    for value in [
        String::new(),
        format!("v1={right}"),
        format!("t={NOW}"),
        format!("t={NOW},v0={right}"),
        format!("t={NOW}, v1={right}"),
        format!("t={NOW},t={NOW},v1={right}"),
        format!("t=+{NOW},v1={right}"),
        format!("t={NOW}.0,v1={right}"),
        format!("t=,v1={right}"),
        format!("t=99999999999999999999999,v1={right}"),
        format!("t={NOW}{many}"),
        format!("t={NOW},v1={right}\u{e9}"),
    ] {
        assert_eq!(check_stripe(&value), Err(WebhookFault::Malformed(STRIPE)), "{value}");
    }
    for wrong in [right.to_uppercase(), right.replacen(|_| true, "", 1), format!("{right}0"), String::new()] {
        assert_eq!(check_stripe(&format!("t={NOW},v1={wrong}")), Err(WebhookFault::Signature), "{wrong}");
    }
}

#[test]
fn a_time_too_far_from_now_is_refused_on_both_sides() {
    for (time, verdict) in [
        (NOW - 301, Err(WebhookFault::TooOld)),
        (NOW - 300, found("evt_1")),
        (NOW + 300, found("evt_1")),
        (NOW + 301, Err(WebhookFault::TooNew)),
        (0, Err(WebhookFault::TooOld)),
        (u64::MAX, Err(WebhookFault::TooNew)),
    ] {
        assert_eq!(check_stripe(&stripe_field("whsec_a", time)), verdict, "{time}");
    }
}

#[test]
fn a_stripe_delivery_is_known_by_its_events_id() {
    for (body, id) in [
        (r#"{"object":"event","data":{"id":"cs_1"},"id":"evt_1"}"#, Some("evt_1")),
        (r#"{"id":"cs_1"}"#, None),
        (r#"{"id":1}"#, None),
        (r#"{"id":"evt_1","id":"evt_2"}"#, None),
        ("not JSON", None),
        ("", None),
    ] {
        let value = format!("t={NOW},v1={}", stripe_signature("whsec_a", NOW, body.as_bytes()));
        let claim = claim(Scheme::Stripe, &headers(&[(STRIPE, &value)]), "whsec_a", 300, NOW).unwrap();
        assert_eq!(claim.verify(body.as_bytes(), "whsec_a").unwrap().as_deref(), id, "{body}");
    }
}

#[test]
fn standard_webhooks_own_example_is_taken() {
    // <https://github.com/standard-webhooks/standard-webhooks>, the libraries' tests.
    let secret = format!("{}MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_");
    let fields = headers(&[
        (ID, "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        (TIMESTAMP, "1614265330"),
        (SIGNATURE, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let claim = claim(Scheme::Standard, &fields, &secret, 300, 1_614_265_330).unwrap();
    assert_eq!(claim.verify(br#"{"test": 2432232314}"#, &secret), found("msg_p5jXN8AQM9LWM0D4loKWxJek"));
}

#[test]
fn a_standard_secret_is_coded_after_its_prefix_and_else_either_way() {
    let signed = |key: &[u8]| standard_signature(key, "m1", NOW);
    let verdict = |secrets: &str, signature: &str| {
        let fields = [(ID, "m1"), (TIMESTAMP, "1800000000"), (SIGNATURE, signature)];
        check(Scheme::Standard, &fields, secrets)
    };
    let key = [7; 31];
    for secret in [BASE64_STANDARD.encode(key), BASE64_STANDARD_NO_PAD.encode(key)] {
        assert_eq!(verdict(&format!("whsec_{secret}"), &signed(&key)), found("m1"), "{secret}");
        assert_eq!(verdict(&secret, &signed(&key)), found("m1"), "{secret}");
        assert_eq!(verdict(&secret, &signed(secret.as_bytes())), found("m1"), "{secret}");
        let as_it_stands = signed(secret.as_bytes());
        let coded = format!("whsec_{secret}");
        assert_eq!(verdict(&coded, &as_it_stands), Err(WebhookFault::Signature), "{secret}");
    }
}

#[test]
fn one_right_standard_signature_among_several_versions_is_enough() {
    let right = standard_signature(b"plain", "m1", NOW);
    let now = NOW.to_string();
    assert_eq!(check_standard("m1", &now, &format!("v1a,AAAA v1,AAAA {right} x")), found("m1"));
    for wrong in ["v1,AAAA", &right.replace("v1,", "v1, "), right.trim_end_matches('=')] {
        assert_eq!(check_standard("m1", &now, wrong), Err(WebhookFault::Signature), "{wrong}");
    }
    for none in [
        &right.replace("v1,", "v1a,"),
        &right.replace("v1,", "v2,"),
        "",
        "v1",
        right.trim_start_matches("v1,"),
    ] {
        assert_eq!(check_standard("m1", &now, none), Err(WebhookFault::Malformed(SIGNATURE)), "{none}");
    }
    let many = vec![right; MOST_SIGNATURES + 1].join(" ");
    assert_eq!(check_standard("m1", &now, &many), Err(WebhookFault::Malformed(SIGNATURE)));
}

#[test]
fn a_standard_deliverys_id_and_time_are_signed_and_cannot_run_into_each_other() {
    let now = NOW.to_string();
    let signature = standard_signature(b"plain", "m1", NOW);
    assert_eq!(check_standard("m2", &now, &signature), Err(WebhookFault::Signature));
    assert_eq!(check_standard("m1", &(NOW + 1).to_string(), &signature), Err(WebhookFault::Signature));
    // The text that is signed is the same for `m1` at this time with a body that begins `1800000000.`.
    let split = standard_signature(b"plain", "m1.1800000000", NOW);
    let long = "m".repeat(LONGEST_ID + 1);
    for id in ["m1.1800000000", "", "m 1", "m\t1", &long] {
        assert_eq!(check_standard(id, &now, &split), Err(WebhookFault::Malformed(ID)), "{id}");
    }
    for time in ["", "now", "-1", "1.8e9", "1800000000 "] {
        assert_eq!(check_standard("m1", time, &signature), Err(WebhookFault::Malformed(TIMESTAMP)), "{time}");
    }
}

#[test]
fn a_shared_secret_proves_the_sender_without_the_body() {
    let verdict =
        |given: &str, secrets: &str| claim(SHARED, &headers(&[("x-trigger-secret", given)]), secrets, 0, 0);
    assert_eq!(verdict("s3cret", "s3cret"), Ok(Claim::Proven));
    assert_eq!(verdict("s3cret", " old\ts3cret\n"), Ok(Claim::Proven));
    assert_eq!(Claim::Proven.verify(BODY, "s3cret"), Ok(None));
    for wrong in ["", "s3cre", "s3crets", "S3CRET", "old s3cret"] {
        assert_eq!(verdict(wrong, "old s3cret"), Err(WebhookFault::Signature), "{wrong}");
    }
}

#[test]
fn each_secret_of_a_rotation_is_good() {
    for secret in ["whsec_a", "whsec_b"] {
        let field = stripe_field(secret, NOW);
        assert_eq!(check(Scheme::Stripe, &[(STRIPE, &field)], "whsec_a\nwhsec_b"), found("evt_1"));
        assert_eq!(check(Scheme::Stripe, &[(STRIPE, &field)], "whsec_c"), Err(WebhookFault::Signature));
    }
}

#[test]
fn without_a_secret_nobody_is_let_in() {
    let unsigned = stripe_field("", NOW);
    assert_eq!(check(Scheme::Stripe, &[(STRIPE, &unsigned)], " \n"), Err(WebhookFault::NoSecret));
    assert_eq!(check(SHARED, &[("x-trigger-secret", "")], ""), Err(WebhookFault::NoSecret));
    let unsigned = standard_signature(b"", "m1", NOW);
    let fields = [(ID, "m1"), (TIMESTAMP, "1800000000"), (SIGNATURE, unsigned.as_str())];
    for secrets in ["", "whsec_", "whsec_=", "whsec_not*base64"] {
        assert_eq!(check(Scheme::Standard, &fields, secrets), Err(WebhookFault::NoSecret), "{secrets}");
    }
}

#[test]
fn a_field_that_is_missing_or_stands_twice_is_refused() {
    let right = stripe_field("whsec_a", NOW);
    let signature = standard_signature(b"plain", "m1", NOW);
    let fields = [(ID, "m1"), (TIMESTAMP, "1800000000"), (SIGNATURE, signature.as_str())];
    for (scheme, fields, secret) in [
        (Scheme::Stripe, &[(STRIPE, right.as_str())][..], "whsec_a"),
        (Scheme::Standard, &fields[..], "plain"),
        (SHARED, &[("x-trigger-secret", "s")][..], "s"),
    ] {
        assert!(check(scheme, fields, secret).is_ok());
        for (at, field) in fields.iter().enumerate() {
            let without = [&fields[..at], &fields[at + 1..]].concat();
            assert_eq!(check(scheme, &without, secret), Err(WebhookFault::Missing(field.0)));
            let twice = [fields, &[*field]].concat();
            assert_eq!(check(scheme, &twice, secret), Err(WebhookFault::Malformed(field.0)));
        }
    }
}

proptest! {
    #[test]
    fn no_fields_make_it_panic_or_pass(
        value in "(t=[0-9]{0,21}|v[01]=[0-9a-f]{0,70}|,|=|\\PC){0,8}",
        id in "\\PC{0,20}", time in "[0-9]{0,22}", signature in "(v1a?,[A-Za-z0-9+/=]{0,50} ?|\\PC){0,5}",
        secrets in "(whsec_)?[A-Za-z0-9+/= ]{0,40}", body: Vec<u8>, now: u64, tolerance: u32
    ) {
        let fields = headers(&[(STRIPE, &value), (ID, &id), (TIMESTAMP, &time), (SIGNATURE, &signature)]);
        for scheme in [Scheme::Stripe, Scheme::Standard, SHARED] {
            let verdict = claim(scheme, &fields, &secrets, tolerance, now)
                .and_then(|claim| claim.verify(&body, &secrets));
            prop_assert!(verdict.is_err(), "{:?}", verdict);
        }
    }
}
