//! What the gateway tells of limits.

use serde_json::{Value, json};

use super::fake::{Fake, signed_in};
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
    let windows = |remaining: u32, reset: u32| json!([{"quota": 1, "seconds": 60, "remaining": remaining, "reset_seconds": reset}]);
    assert_eq!(mine(), json!({"policies": [{"policy": "api", "windows": windows(1, 0)}]}));
    assert_eq!(fake.status("GET", "https://he2.ai/user", &user), 200);
    assert_eq!(mine(), json!({"policies": [{"policy": "api", "windows": windows(0, 60)}]}));
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
