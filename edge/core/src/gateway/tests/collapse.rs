//! One request of a data centre asks the origin, and the others wait for it: the lease, on the fake platform.

use std::future::poll_fn;
use std::task::Poll;

use http::Response;

use super::fake::{Fake, NOW_MS, done, ready};
use crate::cache::lease::Lease;
use crate::host::{Host, SendError};
use crate::limit::places::{Answer, Ask};

const URL: &str = "https://he2.ai/collapsed";
/// Half of what the origin may take until its response head.
const BOUND_MS: u64 = 500;

#[expect(clippy::unnecessary_wraps, reason = "as the fake calls it")]
fn whole() -> Result<Response<String>, SendError> {
    Ok(Response::builder().header("cache-control", "max-age=10").body("whole".to_owned()).unwrap())
}

#[expect(clippy::unnecessary_wraps, reason = "as the fake calls it")]
fn refreshable() -> Result<Response<String>, SendError> {
    let words = "max-age=10, stale-while-revalidate=60";
    Ok(Response::builder().header("cache-control", words).body("old".to_owned()).unwrap())
}

fn fake() -> Fake {
    let mut fake = Fake::new();
    fake.origin = whole;
    fake.cf.colo = Some("FRA".to_owned());
    fake
}

fn lease() -> Lease {
    Lease::new("FRA", URL, 60_000, [99; 24])
}

/// Another isolate takes the lease.
fn taken_elsewhere(fake: &Fake) {
    let lease = lease();
    assert_eq!(ready(fake.places(&lease.key, &lease.enter())), Ok(Answer::In));
    fake.take_effects();
}

/// Does something in so many milliseconds, while others wait.
fn later(fake: &Fake, ms: u64, act: impl FnOnce(&Fake) + 'static) {
    let (worker, due, mut act) = (fake.clone(), fake.now.get() + ms, Some(act));
    fake.background(poll_fn(move |_| {
        if worker.now.get() < due {
            return Poll::Pending;
        }
        if let Some(act) = act.take() {
            act(&worker);
        }
        Poll::Ready(())
    }));
}

fn said(response: &Response<String>) -> &str {
    response.headers()["cache-status"].to_str().unwrap()
}

fn get(fake: &Fake) -> Response<String> {
    fake.answer("GET", URL, &[]).0
}

#[test]
fn who_asks_for_the_data_centre_holds_a_lease_until_its_answer_is_stored_and_hits_ask_nobody() {
    let fake = fake();
    assert_eq!(said(&get(&fake)), "he2; fwd=uri-miss; stored");
    fake.work();
    let effects = fake.take_effects();
    let at = |what: &str| effects.iter().position(|effect| effect.starts_with(what)).unwrap();
    assert!(at("enter fetch:FRA/") < at("origin") && at("cache put") < at("leave fetch:FRA/"), "{effects:?}");
    assert_eq!(said(&get(&fake)), "he2; hit; ttl=10");
    assert!(fake.take_effects().iter().all(|effect| !effect.contains("fetch:")));
}

#[test]
fn others_of_the_data_centre_wait_and_take_what_it_stores() {
    let first = fake();
    get(&first);
    let second = fake();
    taken_elsewhere(&second);
    later(&second, 100, move |second| {
        second.indexes.replace(first.indexes.take());
        second.contents.replace(first.contents.take());
        ready(second.places(&lease().key, &lease().leave())).unwrap();
    });
    let response = get(&second);
    assert_eq!((response.body().as_str(), said(&response)), ("whole", "he2; hit; ttl=10; collapsed"));
    assert_eq!(done(&second, "origin"), 0);
    assert!(second.now.get() - NOW_MS < 300);
}

#[test]
fn who_waits_for_one_that_gives_no_answer_asks_at_the_bound() {
    let fake = fake();
    taken_elsewhere(&fake);
    assert_eq!(said(&get(&fake)), "he2; fwd=uri-miss; stored");
    assert!((BOUND_MS..BOUND_MS + 200).contains(&(fake.now.get() - NOW_MS)));
}

#[test]
fn who_waits_for_one_that_stores_nothing_asks_as_soon_as_it_is_done() {
    let fake = fake();
    taken_elsewhere(&fake);
    later(&fake, 50, |fake| drop(ready(fake.places(&lease().key, &lease().leave()))));
    assert_eq!(said(&get(&fake)), "he2; fwd=uri-miss; stored");
    assert!(fake.now.get() - NOW_MS < 150);
}

#[test]
fn an_answer_that_is_not_stored_frees_the_lease_with_its_head() {
    let mut fake = fake();
    fake.origin = || {
        let mut response = whole()?;
        response.headers_mut().insert("cache-control", "no-store".parse().unwrap());
        Ok(response)
    };
    get(&fake);
    assert!(fake.take_effects().contains(&format!("leave {}", lease().key)));
    let look = ready(fake.places(&lease().key, &Ask::Look));
    assert_eq!(look, Ok(Answer::Standing { taken: 0 }));
}

#[test]
fn a_lease_that_nobody_answers_for_costs_no_answer() {
    let mut fake = fake();
    fake.places = Err("overloaded".into());
    let (response, record) = fake.answer("GET", URL, &[]);
    assert_eq!(said(&response), "he2; fwd=uri-miss; stored");
    assert_eq!(record.degraded, ["collapsing: overloaded"]);
}

#[test]
fn without_a_data_centre_an_isolate_goes_on_alone() {
    let mut fake = fake();
    fake.cf.colo = None;
    get(&fake);
    assert!(fake.take_effects().iter().all(|effect| !effect.starts_with("enter")));
}

#[test]
fn what_another_isolate_refreshes_is_served_stale_and_not_refreshed_twice() {
    let mut fake = fake();
    fake.origin = refreshable;
    get(&fake);
    fake.wait(20);
    taken_elsewhere(&fake);
    for _ in 0..3 {
        assert!(said(&get(&fake)).ends_with("; detail=stale-while-revalidate"));
        assert_eq!(done(&fake, "origin"), 0);
    }
    ready(fake.places(&lease().key, &lease().leave())).unwrap();
    fake.wait(2);
    get(&fake);
    assert_eq!(done(&fake, "origin"), 1, "the other one never did");
}

#[test]
fn who_gets_the_lease_looks_first_whether_another_isolate_has_just_stored_the_answer() {
    let mut stored = fake();
    stored.origin = refreshable;
    get(&stored);
    let second = fake();
    second.indexes.replace(stored.indexes.borrow().clone());
    second.contents.replace(stored.contents.borrow().clone());
    second.wait(9);
    get(&second);
    stored.wait(20);
    get(&stored);
    assert_eq!(done(&stored, "origin"), 2);
    second.now.set(stored.now.get());
    second.isolate.cache.learn(URL, second.indexes.borrow()[URL].clone(), second.now.get());
    second.indexes.replace(stored.indexes.take());
    second.take_effects();
    assert!(said(&get(&second)).ends_with("; detail=stale-while-revalidate"));
    assert_eq!(done(&second, "origin"), 0);
}
