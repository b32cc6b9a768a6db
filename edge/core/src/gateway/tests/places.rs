//! Requests under way at once.

use http::Response;
use http::header::CONTENT_TYPE;

use super::fake::Fake;
use crate::host::SendError;

const LISTENS: (&str, &str) = ("accept", "text/event-stream");

#[expect(clippy::unnecessary_wraps, reason = "as the fake calls it")]
fn events() -> Result<Response<String>, SendError> {
    Ok(Response::builder().header(CONTENT_TYPE, "text/event-stream").body("data: 1\n\n".to_owned()).unwrap())
}

fn streaming() -> Fake {
    let mut fake = Fake::new();
    fake.origin = events;
    fake
}

fn open(fake: &Fake) -> u16 {
    fake.status("GET", "https://he2.ai/events", &[])
}

/// Opens a stream, and keeps it open for as long as what comes back is kept.
fn held(fake: &Fake) -> impl Sized + use<> {
    assert_eq!(open(fake), 200);
    fake.over.take().unwrap()
}

#[test]
fn a_request_has_its_place_until_the_origins_head() {
    let fake = Fake::new();
    for _ in 0..5 {
        assert_eq!(open(&fake), 200, "no stream came of it");
    }
    let effects = fake.take_effects();
    let once = ["enter streams/ip/192.0.2.1", "origin", "leave streams/ip/192.0.2.1"];
    assert_eq!(effects.chunks(3).collect::<Vec<_>>(), [once; 5]);
}

#[test]
fn an_event_stream_has_its_place_until_it_ends() {
    let fake = streaming();
    let (first, _second) = (held(&fake), held(&fake));
    assert_eq!(open(&fake), 429);
    drop(first);
    fake.work();
    fake.wait(1);
    assert_eq!(open(&fake), 200, "the first client left");
}

#[test]
fn a_refused_event_source_is_told_when_to_come_again_and_others_by_status() {
    let fake = streaming();
    let open = |fields: &[(&'static str, &str)]| fake.answer("GET", "https://he2.ai/events", fields);
    let _held = (held(&fake), held(&fake));
    let (answer, record) = open(&[LISTENS]);
    assert_eq!((answer.status().as_u16(), record.status), (200, 200));
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/event-stream");
    assert!(answer.body().starts_with("retry: 10"), "{}", answer.body());
    assert_eq!(record.concurrency.as_deref(), Some("streams: refused"));
    let (answer, _) = open(&[]);
    assert_eq!(answer.headers()["ratelimit-policy"], r#""streams";q=2;qu="concurrent-requests""#);
    assert!(answer.body().contains(r#""violated-policies":["streams"]"#), "{}", answer.body());
}

#[test]
fn a_place_that_nobody_renews_is_free_after_its_lease() {
    let fake = streaming();
    let _streams = (held(&fake), held(&fake));
    assert_eq!(open(&fake), 429);
    // The isolate is gone, and everything that it would still have done.
    fake.forget_work();
    fake.wait(60);
    assert_eq!(open(&fake), 200);
}

#[test]
fn a_place_is_kept_for_longer_than_its_lease_while_its_request_is_under_way() {
    let fake = streaming();
    let _streams = (held(&fake), held(&fake));
    for _ in 0..10 {
        fake.wait(20);
        fake.work();
        assert_eq!(open(&fake), 429);
    }
}

#[test]
fn where_the_places_cannot_be_asked_the_plan_says_who_passes() {
    let mut fake = streaming();
    fake.places = Err("overloaded".to_owned());
    let (answer, record) = fake.answer("GET", "https://he2.ai/events", &[]);
    let degraded = vec!["places of streams: overloaded".to_owned()];
    assert_eq!((answer.status().as_u16(), record.degraded), (200, degraded));
    assert_eq!(fake.status("GET", "https://he2.ai/guarded-events", &[]), 503);
    assert_eq!((open(&fake), open(&fake)), (200, 200));
    fake.take_effects();
    open(&fake);
    assert_eq!(fake.take_effects().first().map(String::as_str), Some("origin"), "they rest");
}

#[test]
fn an_origin_that_fails_keeps_an_event_source_alive() {
    let mut fake = Fake::new();
    fake.origin = || Err(SendError::Failed("refused".to_owned()));
    let (answer, _) = fake.answer("GET", "https://he2.ai/events", &[LISTENS]);
    assert_eq!((answer.status().as_u16(), answer.body().get(..6)), (200, Some("retry:")));
    assert_eq!(fake.status("GET", "https://he2.ai/events", &[]), 502);
    assert_eq!(fake.status("GET", "https://he2.ai/user", &[LISTENS]), 401, "elsewhere the status counts");
}
