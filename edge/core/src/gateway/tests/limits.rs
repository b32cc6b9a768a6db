//! What the gateway tells of limits.

use http::Response;
use serde_json::{Value, json};

use super::fake::{Fake, ready, signed_in};
use crate::host::Host;
use crate::limit::places::Ask;
use crate::testing::NOW;

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

const KEY: (&str, &str) = ("x-admin-api-key", "the operators' key");

fn ask(fake: &Fake, method: &str, content: &Value) -> (u16, Value) {
    let content = content.to_string();
    let (answer, _) = fake.answer_content(method, "https://he2.ai/limits?key=api/user/u1", &[KEY], &content);
    (answer.status().as_u16(), read(answer.body()))
}

#[test]
fn a_caller_sees_what_remains_of_each_limit() {
    let mut fake = Fake::new();
    let bearer = format!("Bearer {}", signed_in(&mut fake));
    let user = [("authorization", &*bearer)];
    let mine = || read(fake.answer("GET", "https://he2.ai/my-limits", &user).0.body());
    let windows = |quota: u32, remaining: u32, reset: u32| json!([{"quota": quota, "seconds": 60, "remaining": remaining, "reset_seconds": reset}]);
    let all = |remaining: u32, reset: u32| {
        json!({"policies": [
            {"policy": "api", "tier": null, "windows": windows(1, remaining, reset)},
            {"policy": "dear", "tier": null, "windows": windows(10, 10, 0)},
            {"policy": "streams", "places": 2, "taken": 0},
        ]})
    };
    assert_eq!(mine(), all(1, 0));
    assert_eq!(fake.status("GET", "https://he2.ai/user", &user), 200);
    assert_eq!(mine(), all(0, 60));
    assert_eq!(fake.status("GET", "https://he2.ai/my-limits", &[]), 401);
}

#[test]
fn operators_look_a_key_up_free_it_and_raise_it_for_a_time() {
    let mut fake = Fake::new();
    let bearer = format!("Bearer {}", signed_in(&mut fake));
    let user = [("authorization", &*bearer)];
    let call = || fake.status("GET", "https://he2.ai/user", &user);
    assert_eq!((call(), call()), (200, 429));
    let (status, seen) = ask(&fake, "GET", &json!(null));
    assert_eq!(
        (status, &seen["key"], &seen["windows"][0]["remaining"]),
        (200, &json!("api/user/u1"), &json!(0))
    );
    assert_eq!(ask(&fake, "DELETE", &json!({"key": "api/user/u1"})).1["windows"][0]["remaining"], 1);
    fake.wait(5);
    assert_eq!((call(), call()), (200, 429), "felt once the refusal is looked at again");
    let raise = json!({"key": "api/user/u1", "percent": 300, "until": NOW + 600});
    assert_eq!(ask(&fake, "POST", &raise).1["windows"][0]["quota"], 3);
    fake.wait(5);
    assert_eq!((call(), call(), call()), (200, 200, 429));
    assert_eq!(ask(&fake, "POST", &json!({"key": "api/user/u1"})).0, 400);
    assert_eq!(ask(&fake, "DELETE", &json!({"key": "nothing/user/u1"})).0, 404);
    fake.limiter = Err("overloaded".into());
    assert_eq!(ask(&fake, "GET", &json!(null)).0, 503);
}

#[test]
fn a_request_costs_what_its_route_says_or_more_if_the_origin_does() {
    let mut fake = Fake::new();
    let call = |fake: &Fake| {
        let (answer, _) = fake.answer("GET", "https://he2.ai/dear", &[]);
        let remaining = answer.headers()["x-ratelimit-remaining"].to_str().unwrap().to_owned();
        (answer.status().as_u16(), remaining, answer.headers().contains_key("x-request-cost"))
    };
    let passed = |remaining: &str| (200, remaining.to_owned(), false);
    assert_eq!(call(&fake), passed("7"));
    fake.origin = || Ok(Response::builder().header("x-request-cost", "5").body(String::new()).unwrap());
    assert_eq!(call(&fake), passed("2"));
    fake.origin = || Ok(Response::builder().header("x-request-cost", "1").body(String::new()).unwrap());
    assert_eq!(call(&fake), (429, "2".to_owned(), false), "two more were charged, and three are wanted");
}

#[test]
fn operators_see_and_free_places() {
    let fake = Fake::new();
    let seen = |method: &str, key: &str| {
        let url = format!("https://he2.ai/limits?key={key}");
        let content = json!({"key": key}).to_string();
        read(fake.answer_content(method, &url, &[KEY], &content).0.body())
    };
    let key = "streams/ip/192.0.2.1";
    let enter = Ask::Enter { name: "a".to_owned(), most: 2, lease_ms: 60_000 };
    ready(fake.places(key, &enter)).unwrap();
    assert_eq!(seen("GET", key), json!({"key": key, "places": 2, "taken": 1}));
    assert_eq!(seen("DELETE", key), json!({"key": key, "places": 2, "taken": 0}));
}
