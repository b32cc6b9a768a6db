//! What lasts: event streams are kept alive, and refused so that a browser comes back; waits are bounded.

use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};

use super::fake::Fake;
use super::*;
use crate::forward;

const LISTENS: (&str, &str) = ("accept", "text/event-stream");

fn events() -> Response<String> {
    let response =
        Response::builder().header(CONTENT_TYPE, "text/event-stream").header(CONTENT_ENCODING, "gzip");
    response.body("data: 1\n\n".to_owned()).unwrap()
}

#[test]
fn events_are_kept_alive_by_their_type_and_nothing_else_is() {
    let mut fake = Fake::new();
    fake.origin = || Ok(events());
    for (path, kept) in [("/get", "data: 1\n\n"), ("/lively", "data: 1\n\n: each 15000 ms")] {
        let (answer, _) = fake.answer("GET", &format!("https://he2.ai{path}"), &[]);
        assert_eq!(answer.body(), kept, "{path}");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-transform", "{path}");
    }
    let mut fake = Fake::new();
    fake.origin = || Ok(Response::new("{}".to_owned()));
    let (answer, _) = fake.answer("GET", "https://he2.ai/lively", &[LISTENS]);
    assert_eq!(answer.body(), "{}");
    assert_eq!(answer.headers().get(CACHE_CONTROL), None);
}

#[test]
fn events_that_stay_encoded_say_so_and_nothing_is_put_in() {
    let mut fake = Fake::new();
    fake.origin = || Ok(events());
    let (answer, _) = fake.answer("GET", "https://he2.ai/lively-cached", &[]);
    assert_eq!(answer.body(), "data: 1\n\n");
    assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
}

#[test]
fn who_reads_events_is_told_when_to_come_back_and_gets_them_plain() {
    let mut fake = Fake::new();
    fake.origin = || Ok(events());
    let (answer, _) = fake.answer("GET", "https://he2.ai/lively", &[LISTENS, ("accept-encoding", "gzip")]);
    assert!(answer.body().starts_with("retry: "), "{}", answer.body());
    assert_eq!(answer.headers().get(CONTENT_ENCODING), None, "it is read on the way");
    assert_eq!(fake.sent.take().unwrap().headers[ACCEPT_ENCODING], "identity");
    fake.answer("GET", "https://he2.ai/lively", &[("accept-encoding", "gzip")]);
    assert_eq!(fake.sent.take().unwrap().headers[ACCEPT_ENCODING], "gzip");
}

#[test]
fn a_failure_of_the_origin_does_not_end_a_browsers_stream_for_good() {
    let mut fake = Fake::new();
    fake.origin = || Ok(Response::builder().status(503).body("no".to_owned()).unwrap());
    let (answer, record) = fake.answer("GET", "https://he2.ai/events", &[LISTENS]);
    assert_eq!((answer.status(), record.status), (StatusCode::OK, 200));
    assert_eq!(record.internal.as_deref(), Some("it answered 503 Service Unavailable"));
    assert_eq!(fake.status("GET", "https://he2.ai/events", &[]), 503);
    assert_eq!(fake.status("GET", "https://he2.ai/lively", &[LISTENS]), 503, "not said to be for browsers");
    fake.origin = || Err(SendError::Timeout);
    assert_eq!(fake.status("GET", "https://he2.ai/events", &[LISTENS]), 200);
    fake.origin = || Ok(Response::builder().status(404).body("no".to_owned()).unwrap());
    assert_eq!(fake.status("GET", "https://he2.ai/events", &[LISTENS]), 404);
}

#[test]
fn the_origin_is_asked_for_a_bounded_wait_and_its_signature_is_over_that() {
    let mut fake = Fake::new();
    let token = signed_in(&mut fake);
    let url = format!("https://he2.ai/long-poll?timeout=600&token={token}");
    let (answer, _) = fake.answer("GET", &url, &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(answer.status(), 200);
    let sent = fake.sent.take().unwrap();
    assert_eq!(sent.url, "http://alb/long-poll?timeout=80");
    let mut again = sent.headers.clone();
    forward::sign(&mut again, "identity", &sent.method, "/long-poll?timeout=80", NOW_MS / 1_000);
    assert_eq!(again, sent.headers);
}

#[test]
fn content_may_be_silent_and_take_only_as_long_as_its_route_lets_it() {
    let mut fake = Fake::new();
    fake.origin = || Ok(Response::builder().header(CONTENT_LENGTH, "2").body("{}".to_owned()).unwrap());
    let (answer, _) = fake.answer("GET", "https://he2.ai/timed", &[("accept-encoding", "gzip")]);
    assert_eq!(answer.body(), "{} of Some(2) within Some(5000) and Some(60000)");
    assert!(fake.sent.take().unwrap().encoded, "it is passed on as it is encoded");
    fake.origin = || Ok(events());
    let (answer, _) = fake.answer("GET", "https://he2.ai/timed", &[]);
    assert_eq!(answer.body(), "data: 1\n\n", "events are silent and last");
    assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
}

#[test]
fn events_that_stay_encoded_end_with_the_sign_in_that_opened_them() {
    let mut fake = Fake::new();
    fake.origin = || Ok(events());
    let token = signed_in(&mut fake);
    let bearer = format!("Bearer {token}");
    let (answer, _) = fake.answer("GET", "https://he2.ai/timed-user", &[("authorization", &bearer)]);
    assert_eq!(answer.body(), "data: 1\n\n");
    assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
    assert!(fake.over.take().is_some(), "somebody watches");
}
