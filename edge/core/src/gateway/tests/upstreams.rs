//! Several upstreams, retries, and the maintenance switch.

use http::{Method, Response};

use super::fake::{Fake, signed_in};
use crate::host::SendError;
use crate::plan::Priority;
use crate::testing::ROUTE;
use crate::upstream::pool::{Request, Run};
use crate::upstream::retry;

/// With a second upstream.
fn two() -> Fake {
    let mut fake = Fake::new();
    fake.settings.variables.insert("ORIGIN_GREEN", "http://green/".to_owned());
    fake
}

fn failed() -> Result<Response<String>, SendError> {
    Err(SendError::Failed("refused".to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "what an upstream answers")]
fn status(status: u16, fields: &[(&'static str, &str)]) -> Result<Response<String>, SendError> {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    Ok(response.body(format!("{status}")).unwrap())
}

fn answers(fake: &Fake, answers: impl IntoIterator<Item = Result<Response<String>, SendError>>) {
    fake.answers.replace(answers.into_iter().collect());
}

#[test]
fn a_get_that_finds_no_connection_goes_to_the_other_upstream() {
    let fake = two();
    answers(&fake, [failed()]);
    let (response, record) = fake.answer("GET", "https://he2.ai/get?a=1", &[]);
    assert_eq!((response.status().as_u16(), record.tries, record.gave_up), (200, 2, None));
    let urls = fake.urls.take();
    assert_eq!(urls.len(), 2);
    assert!(urls.contains(&"http://alb/get?a=1".to_owned()), "{urls:?}");
    assert!(urls.contains(&"http://green/get?a=1".to_owned()), "{urls:?}");
    let name = if urls[1].starts_with("http://alb") { "blue" } else { "green" };
    assert_eq!(record.upstream, Some(name));
}

#[test]
fn an_answer_that_is_tried_again_is_discarded_and_the_last_one_passed_on() {
    let fake = two();
    answers(&fake, [status(502, &[]), status(503, &[]), status(504, &[])]);
    let (response, record) = fake.answer("GET", "https://he2.ai/get", &[]);
    assert_eq!((response.status().as_u16(), response.body().as_str(), record.tries), (504, "504", 3));
    assert_eq!(serde_json::to_value(record.gave_up).unwrap(), "tries");
    assert_eq!(fake.take_effects(), ["origin", "discard", "origin", "discard", "origin"]);
}

#[test]
fn rfc9110_9_2_2_what_is_not_idempotent_is_sent_once() {
    let fake = two();
    for method in ["POST", "PATCH"] {
        answers(&fake, [failed()]);
        let (response, record) = fake.answer(method, "https://he2.ai/closed", &[]);
        assert_eq!((response.status().as_u16(), record.tries), (502, 1), "{method}");
    }
    answers(&fake, [failed()]);
    assert_eq!(fake.status("DELETE", "https://he2.ai/closed", &[]), 200);
}

#[test]
fn what_the_app_says_of_one_request_is_not_asked_again() {
    let fake = two();
    for status_code in [404, 429, 500, 501] {
        answers(&fake, [status(status_code, &[])]);
        let (response, record) = fake.answer("GET", "https://he2.ai/get", &[]);
        assert_eq!((response.status().as_u16(), record.tries), (status_code, 1));
    }
}

#[test]
fn a_caller_stays_with_its_upstream_and_a_redirect_of_either_leads_to_the_public_host() {
    let mut fake = two();
    let token = format!("Bearer {}", signed_in(&mut fake));
    for _ in 0..5 {
        fake.answer("GET", "https://he2.ai/optional", &[("authorization", &token)]);
    }
    let urls = fake.urls.take();
    assert!(urls.iter().all(|url| *url == urls[0]), "{urls:?}");
    let base = urls[0].strip_suffix("/optional").unwrap();
    answers(&fake, [status(302, &[("location", &format!("{base}/there"))])]);
    let (moved, _) = fake.answer("GET", "https://he2.ai/optional", &[("authorization", &token)]);
    assert_eq!(moved.headers()["location"], "https://he2.ai/there");
}

#[test]
fn an_upstream_whose_variable_is_not_set_is_never_asked() {
    let fake = Fake::new();
    for _ in 0..3 {
        answers(&fake, [failed()]);
        fake.answer("GET", "https://he2.ai/get", &[]);
    }
    assert!(fake.urls.take().iter().all(|url| url == "http://alb/get"));
}

#[test]
fn a_client_that_leaves_says_nothing_of_the_upstream() {
    let fake = two();
    for _ in 0..20 {
        answers(&fake, [Err(SendError::Gone)]);
        let (_, record) = fake.answer("GET", "https://he2.ai/get", &[]);
        assert_eq!(record.tries, 1);
    }
    let urls = fake.urls.take();
    assert!(urls.iter().all(|url| *url == urls[0]), "the caller's own is still good: {urls:?}");
}

#[test]
fn while_the_cache_validates_a_failure_is_tried_again_too() {
    let mut fake = two();
    fake.origin = || {
        Ok(Response::builder()
            .header("cache-control", "max-age=1")
            .header("etag", "\"a\"")
            .body("x".to_owned())
            .unwrap())
    };
    fake.answer("GET", "https://he2.ai/cached", &[]);
    fake.wait(70);
    answers(&fake, [failed(), status(304, &[("etag", "\"a\""), ("cache-control", "max-age=9")])]);
    let (response, record) = fake.answer("GET", "https://he2.ai/cached", &[]);
    assert_eq!((response.status().as_u16(), record.tries), (200, 2));
    assert!(response.headers()["cache-status"].to_str().unwrap().contains("fwd-status=304"));
}

#[test]
fn when_no_upstream_has_room_it_is_503_with_a_time_and_health_goes_on() {
    let fake = Fake::new();
    fake.answer("GET", "https://he2.ai/get", &[]);
    let request = Request {
        method: &Method::GET,
        replayable: true,
        timed: true,
        class: Priority::Anonymous,
        sticky: "",
    };
    let mut run = Run::new(request, retry::Policy::of(&ROUTE), fake.now.get());
    let (_, pool) = fake.isolate.pools.borrow().first().cloned().unwrap();
    let mut held = Vec::new();
    while let Some(this) = pool.borrow_mut().first(&mut run, fake.now.get()) {
        held.push(this);
    }
    let (refused, record) = fake.answer("GET", "https://he2.ai/get", &[]);
    assert_eq!(refused.status(), 503);
    assert_eq!(record.fault.as_deref(), Some("the service has too much to do"));
    let seconds: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((10..=20).contains(&seconds), "{seconds}");
    assert_eq!(fake.status("GET", "https://he2.ai/vital", &[]), 200);
}

#[test]
fn in_maintenance_pages_and_calls_are_503_and_what_must_go_on_does() {
    let mut fake = two();
    fake.settings.maintenance = Some(120);
    let (page, _) = fake.answer("GET", "https://he2.ai/get", &[("accept", "text/html;q=0.9,*/*")]);
    assert_eq!((page.status().as_u16(), &page.headers()["retry-after"]), (503, &"120".parse().unwrap()));
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.body().starts_with("<!doctype html>"));
    let (call, record) = fake.answer("GET", "https://he2.ai/user", &[("origin", "https://he2.ai")]);
    assert_eq!((call.status().as_u16(), &call.headers()["retry-after"]), (503, &"120".parse().unwrap()));
    assert_eq!(call.headers()["content-type"], "application/problem+json");
    assert_eq!(call.headers()["access-control-allow-origin"], "https://he2.ai", "a page can read why");
    assert_eq!(record.fault.as_deref(), Some("the service is down for maintenance"));
    let stream = [("accept", "text/event-stream")];
    assert_eq!(fake.status("GET", "https://he2.ai/events", &stream), 200, "it is told when to come again");
    assert!(fake.take_effects().is_empty());
    assert_eq!(fake.status("GET", "https://he2.ai/vital", &[]), 200);
    let key = ("x-admin-api-key", "the operators' key");
    assert_eq!(fake.status("GET", "https://he2.ai/revocations", &[key]), 200);
    assert_eq!(fake.status("GET", "https://he2.ai/get", &[key]), 200, "operators pass");
    assert_eq!(fake.status("GET", "https://he2.ai/get", &[("x-admin-api-key", "another")]), 503);
    assert!(!fake.sent.take().unwrap().headers.contains_key("x-admin-api-key"));
}
