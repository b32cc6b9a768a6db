//! What the cache does with the origin and the storage, on the fake platform.

use http::{Response, StatusCode};

use super::fake::{Fake, done};
use crate::cache::purge::{self, Ask, Scope};
use crate::host::SendError;
use crate::testing::NOW;

const URL: &str = "https://he2.ai/cached";

fn answer_with(fields: &[(&str, &str)], body: &str) -> Response<String> {
    let response =
        fields.iter().fold(Response::builder(), |builder, (name, value)| builder.header(*name, *value));
    response.body(body.to_owned()).unwrap()
}

/// A platform whose limiter is out of the way.
fn fake() -> Fake {
    let mut fake = Fake::new();
    fake.limiter = Err("off".into());
    fake
}

fn get(fake: &Fake) -> (u16, String, String) {
    let (response, _) = fake.answer("GET", URL, &[]);
    let status = response.headers()["cache-status"].to_str().unwrap().to_owned();
    (response.status().as_u16(), response.body().clone(), status)
}

fn ok(body: &str, status: &str) -> (u16, String, String) {
    (200, body.to_owned(), status.to_owned())
}

#[test]
fn rfc9111_4_3_a_stale_response_is_confirmed_by_the_origin_and_lives_anew() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=10"), ("etag", "\"a\"")], "whole"));
    assert_eq!(get(&fake), ok("whole", "he2; fwd=uri-miss; stored"));
    fake.origin = || {
        let mut response = answer_with(&[("cache-control", "max-age=60"), ("etag", "\"a\"")], "");
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        Ok(response)
    };
    fake.wait(20);
    assert_eq!(get(&fake), ok("whole", "he2; fwd=stale; fwd-status=304; stored"));
    assert_eq!(fake.sent.borrow().as_ref().unwrap().headers["if-none-match"], "\"a\"");
    fake.wait(50);
    assert_eq!(get(&fake), ok("whole", "he2; hit; ttl=10"));
}

#[test]
fn content_that_the_storage_has_dropped_is_asked_for_again_whole() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=60"), ("etag", "\"a\"")], "whole"));
    get(&fake);
    fake.contents.borrow_mut().clear();
    assert_eq!(get(&fake), ok("whole", "he2; fwd=uri-miss; stored"));
}

#[test]
fn rfc5861_4_an_origin_that_fails_is_not_asked_by_everybody_while_stale_is_served() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=1, stale-if-error=60")], "good"));
    get(&fake);
    fake.origin = || Err(SendError::Timeout);
    fake.wait(10);
    fake.take_effects();
    assert_eq!(get(&fake), ok("good", "he2; fwd=stale; detail=stale-if-error"));
    assert_eq!(get(&fake), ok("good", "he2; hit; ttl=-9; detail=stale-if-error"));
    assert_eq!(done(&fake, "origin"), 3, "the tries of the one request");
    fake.wait(60);
    assert_eq!(fake.status("GET", URL, &[]), 504, "its time of grace is over");
}

#[test]
fn rfc5861_3_stale_is_served_at_once_and_refreshed_behind_it() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=10, stale-while-revalidate=60")], "old"));
    get(&fake);
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=10")], "new"));
    fake.wait(20);
    let (part, _) = fake.answer("GET", URL, &[("range", "bytes=0-0")]);
    assert_eq!(part.headers()["cache-status"], "he2; hit; ttl=-10; detail=stale-while-revalidate");
    assert_eq!(part.body(), "o");
    assert!(!fake.sent.borrow().as_ref().unwrap().headers.contains_key("range"), "the whole is fetched");
    assert_eq!(get(&fake), ok("new", "he2; hit; ttl=10"));
}

#[test]
fn what_is_refreshed_behind_a_head_is_signed_as_the_get_that_it_is() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=10, stale-while-revalidate=60")], "old"));
    get(&fake);
    fake.wait(20);
    fake.answer("HEAD", URL, &[]);
    let time = NOW + 20;
    let mac = hmac_sha256::HMAC::mac(format!("{time}\nGET\n/cached\n\n\n\n"), "identity");
    let signed = format!("t={time},v1={}", crate::trace::hex(&mac));
    assert_eq!(fake.sent.take().unwrap().headers["x-he2-identity"], signed);
}

#[test]
fn rfc9110_14_a_range_is_cut_out_of_what_is_stored() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=60")], "0123456789"));
    get(&fake);
    let (part, _) = fake.answer("GET", URL, &[("range", "bytes=2-4")]);
    assert_eq!((part.status().as_u16(), part.body().as_str()), (206, "234"));
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(part.headers()["content-length"], "3");
    let (none, _) = fake.answer("GET", URL, &[("range", "bytes=20-")]);
    assert_eq!((none.status().as_u16(), none.body().as_str()), (416, ""));
    assert_eq!(none.headers()["content-range"], "bytes */10");
}

#[test]
fn rfc9111_4_4_what_a_change_makes_invalid_is_not_served_again_even_if_it_arrives_later() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=60")], "old"));
    get(&fake);
    fake.answer("POST", URL, &[]);
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=60")], "new"));
    fake.wait(1);
    assert_eq!(get(&fake), ok("new", "he2; fwd=uri-miss; stored"));
    assert_eq!(get(&fake), ok("new", "he2; hit; ttl=60"));
}

#[test]
fn a_purge_holds_at_once_in_the_isolate_that_took_it_and_within_seconds_in_others() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=600"), ("cache-tag", "t")], "whole"));
    let purged = |fake: &Fake, body| {
        let key = [("x-admin-api-key", "the operators' key")];
        fake.answer_content("POST", "https://he2.ai/purge", &key, body).0.status().as_u16()
    };
    for body in
        [r#"{"url":"https://HE2.ai/cached"}"#, r#"{"tag":"t"}"#, r#"{"prefix":"https://he2.ai/cach"}"#]
    {
        get(&fake);
        assert_eq!(get(&fake).2, "he2; hit; ttl=600", "{body}");
        assert_eq!(purged(&fake, body), 202);
        assert_eq!(get(&fake).2, "he2; fwd=uri-miss; stored", "{body}");
        fake.wait(2);
        get(&fake);
    }
    // Another isolate's, of which this one hears when it asks again.
    let elsewhere = Ask::Add { scope: Scope::Everything, soft: false };
    let state = fake.purges.borrow().clone().unwrap();
    let after = purge::answer(&state, elsewhere, fake.now.get()).0.unwrap();
    *fake.purges.borrow_mut() = Ok(after);
    fake.wait(4);
    assert_eq!(get(&fake).2, "he2; fwd=uri-miss; stored");
}

#[test]
fn while_nobody_tells_what_was_purged_nothing_stored_is_served() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=600")], "whole"));
    get(&fake);
    *fake.purges.borrow_mut() = Err("overloaded".into());
    let (response, record) = fake.answer("GET", URL, &[]);
    assert_eq!(response.headers()["cache-status"], "he2; fwd=uri-miss; stored");
    assert!(record.degraded.contains(&"purges: overloaded".to_owned()), "{:?}", record.degraded);
}

#[test]
fn what_an_origin_might_answer_otherwise_for_does_not_reach_it() {
    let fake = fake();
    let fields = [("cookie", "a=1"), ("x-http-method-override", "POST"), ("x-original-url", "/admin")];
    fake.answer("GET", URL, &fields);
    let sent = fake.sent.borrow();
    let headers = &sent.as_ref().unwrap().headers;
    assert!(fields.iter().all(|(name, _)| !headers.contains_key(*name)), "{headers:?}");
}

#[test]
fn rfc9110_9_3_3_an_answer_to_a_post_that_is_what_a_get_would_get_is_kept() {
    let mut fake = fake();
    fake.origin =
        || Ok(answer_with(&[("cache-control", "max-age=60"), ("content-location", "/cached")], "posted"));
    fake.answer_content("POST", URL, &[("content-length", "1")], "x");
    let (status, body, said) = get(&fake);
    assert_eq!((status, &*body, said.starts_with("he2; hit")), (200, "posted", true));
    fake.answer_content("POST", "https://he2.ai/cached?a", &[], "x");
    let (other, _) = fake.answer("GET", "https://he2.ai/cached?a", &[]);
    assert_eq!(other.headers()["cache-status"], "he2; fwd=uri-miss; stored", "it names another place");
}

#[test]
fn credentials_that_nobody_checked_reach_the_origin_only_where_the_route_says_that_it_checks_them() {
    let fake = fake();
    let sent = |path: &str| {
        fake.answer("GET", path, &[("authorization", "Basic x")]);
        fake.sent.borrow().as_ref().unwrap().headers.get("authorization").cloned()
    };
    assert_eq!(sent(URL), None);
    assert_eq!(sent("https://he2.ai/checking"), Some("Basic x".parse().unwrap()));
}

#[test]
fn what_the_origin_has_taken_back_does_not_come_back_when_it_fails() {
    let mut fake = fake();
    fake.origin = || {
        let words = "max-age=10, stale-if-error=600";
        Ok(answer_with(&[("cache-control", words), ("etag", "\"a\"")], "taken back"))
    };
    get(&fake);
    fake.wait(20);
    fake.origin = || {
        let mut gone = answer_with(&[("cache-control", "no-store")], "gone");
        *gone.status_mut() = StatusCode::GONE;
        Ok(gone)
    };
    assert_eq!(get(&fake).0, 410);
    fake.origin = || Err(SendError::Failed("down".to_owned()));
    assert_eq!(fake.status("GET", URL, &[]), 502);
}

#[test]
fn a_hard_purge_holds_though_the_origin_says_that_nothing_has_changed() {
    let mut fake = fake();
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=10"), ("etag", "\"a\"")], "bad"));
    get(&fake);
    fake.wait(20);
    let added = Ask::Add { scope: Scope::Url(URL.to_owned()), soft: false };
    let (state, _) = purge::answer(&purge::State::default(), added, fake.now.get());
    // The purge is not heard of yet when the origin confirms.
    fake.wait(2);
    fake.origin = || {
        let mut response = answer_with(&[("cache-control", "max-age=600"), ("etag", "\"a\"")], "");
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        Ok(response)
    };
    assert_eq!(get(&fake).1, "bad");
    *fake.purges.borrow_mut() = Ok(state.unwrap());
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=600")], "good"));
    fake.wait(5);
    get(&fake);
    fake.wait(5);
    assert_eq!(get(&fake).1, "good");
}

#[test]
fn without_anything_random_nothing_is_stored_whose_name_another_may_have() {
    let mut fake = fake();
    fake.has_random = false;
    fake.origin = || Ok(answer_with(&[("cache-control", "max-age=60")], "whole"));
    assert_eq!(get(&fake), ok("whole", "he2; fwd=uri-miss"));
    assert_eq!(get(&fake), ok("whole", "he2; fwd=uri-miss"));
}

#[test]
fn what_is_stored_is_of_the_keys_scheme_whatever_the_first_callers() {
    let mut fake = fake();
    // Where a deployment stands for the host, it is asked in the clear too.
    fake.settings.default_host = Some("he2.ai".to_owned());
    fake.origin = || {
        let fields = [("cache-control", "max-age=60"), ("location", "http://alb/elsewhere")];
        let mut moved = answer_with(&fields, "");
        *moved.status_mut() = StatusCode::PERMANENT_REDIRECT;
        Ok(moved)
    };
    let (first, _) = fake.answer("GET", "http://he2.ai/cached", &[]);
    let (later, _) = fake.answer("GET", URL, &[]);
    for response in [first, later] {
        assert_eq!(response.headers()["location"], "https://he2.ai/elsewhere");
    }
    assert_eq!(fake.sent.borrow().as_ref().unwrap().headers["x-forwarded-proto"], "https");
}
