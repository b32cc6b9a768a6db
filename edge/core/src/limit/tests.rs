use super::*;
use crate::auth::token::Identity;
use crate::plan::{self, OnError};

const LIMIT: Limit = Limit {
    name: "runs",
    windows: &[
        plan::Window { quota: 2, seconds: 10, burst: None },
        plan::Window { quota: 3, seconds: 60, burst: Some(3) },
    ],
    strict: false,
    on_error: OnError::Allow,
    shadow: false,
    tells_runs: false,
    line: 1,
};

fn fields(windows: &[(u32, u32, u32, u64)], retry_in_ms: Option<u64>) -> impl Fn(&str) -> Option<String> {
    let standing = |&(quota, seconds, remaining, reset_in_ms): &(u32, u32, u32, u64)| Standing {
        quota,
        seconds,
        remaining,
        reset_in_ms,
    };
    let windows = windows.iter().map(standing).collect();
    let mut headers = HeaderMap::new();
    Taken { limit: LIMIT, windows, retry_in_ms, now: 1_500 }.describe(&mut headers);
    move |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn the_fields_tell_of_the_tightest_window_and_round_up() {
    let field = fields(&[(2, 10, 1, 9_999), (3, 60, 2, 59_000)], None);
    let is = |name: &str, value: &str| assert_eq!(field(name).as_deref(), Some(value), "{name}");
    is("ratelimit-policy", r#""runs-1";q=2;w=10, "runs-2";q=3;w=60"#);
    is("ratelimit", r#""runs-1";r=1;t=10"#);
    is("x-ratelimit-limit", "2");
    is("x-ratelimit-remaining", "1");
    is("x-ratelimit-reset", "12"); // 11.5 s is not over at 11
    assert_eq!(field("retry-after"), None);
}

#[test]
fn a_refused_caller_is_told_when_to_come_again_and_never_earlier_than_the_reset() {
    let full = fields(&[(2, 10, 0, 9_100), (3, 60, 0, 59_000)], Some(59_000));
    assert_eq!(full("retry-after").as_deref(), Some("59"));
    assert_eq!(full("ratelimit").as_deref(), Some(r#""runs-2";r=0;t=59"#));
    let bucket = fields(&[(3, 60, 0, 60_000)], Some(19_001));
    assert_eq!(bucket("retry-after").as_deref(), Some("20"));
    assert_eq!(bucket("ratelimit").as_deref(), Some(r#""runs-1";r=0;t=20"#));
}

#[test]
fn callers_count_apart_and_an_ipv6_subscriber_once() {
    let ip = |text: &str| key(&LIMIT, &Caller::Anonymous, Some(text.parse().unwrap()));
    assert_eq!(ip("192.0.2.1"), "runs/ip/192.0.2.1");
    assert_eq!(ip("2001:db8:1:2:3::4"), ip("2001:db8:1:2:ffff::"));
    assert_ne!(ip("2001:db8:1:2::"), ip("2001:db8:1:3::"));
    assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    let user = Identity { user: "u".to_owned(), role: String::new(), session: None, aal: None };
    assert_eq!(key(&LIMIT, &Caller::User(user), None), "runs/user/u");
    assert_eq!(key(&LIMIT, &Caller::ApiKey("k".to_owned()), None), "runs/key/k");
}

#[test]
fn keys_spread_over_all_shards_and_stay_where_they_are() {
    let shards: std::collections::BTreeSet<_> =
        (0..2_000).map(|user| shard(&format!("api/user/{user}"))).collect();
    assert_eq!(shards.len(), usize::from(SHARDS));
    assert_eq!(shard("api/user/1"), "34", "another shard would begin to count anew");
}

#[test]
fn the_question_to_a_shard_stays_as_it_is() {
    let call = Call { key: "api/user/u".to_owned(), ask: Ask::Reset };
    assert_eq!(serde_json::to_string(&call).unwrap(), r#"{"key":"api/user/u","ask":"reset"}"#);
}
