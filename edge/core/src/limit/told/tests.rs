use super::*;
use crate::plan::Window;
use crate::testing::{LIMIT as PLAIN, STREAMS};

const LIMIT: Limit = Limit {
    name: "runs",
    windows: &[
        Window { quota: 2, seconds: 10, burst: None },
        Window { quota: 3, seconds: 60, burst: Some(3) },
    ],
    ..PLAIN
};

fn taken(windows: &[(u32, u32, u32, u64)], retry_in_ms: Option<u64>) -> Taken {
    let standing = |&(quota, seconds, remaining, reset_in_ms): &(u32, u32, u32, u64)| Standing {
        quota,
        seconds,
        remaining,
        reset_in_ms,
    };
    let windows = windows.iter().map(standing).collect();
    Taken { limit: LIMIT, fields: RateLimitFields::Draft11, cost: 1, windows, retry_in_ms, now: 1_500 }
}

fn fields(windows: &[(u32, u32, u32, u64)], retry_in_ms: Option<u64>) -> impl Fn(&str) -> Option<String> {
    said(move |headers| taken(windows, retry_in_ms).describe(headers))
}

fn said(tell: impl Fn(&mut HeaderMap)) -> impl Fn(&str) -> Option<String> {
    let mut headers = HeaderMap::new();
    tell(&mut headers);
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
fn clients_of_earlier_drafts_are_told_in_their_form() {
    let told = |fields| {
        let taken = Taken { fields, ..taken(&[(2, 10, 1, 9_999), (3, 60, 2, 59_000)], None) };
        said(move |headers| taken.describe(headers))
    };
    let seventh = told(RateLimitFields::Draft07);
    assert_eq!(seventh("ratelimit").as_deref(), Some("limit=2, remaining=1, reset=10"));
    assert_eq!(seventh("ratelimit-policy").as_deref(), Some("2;w=10, 3;w=60"));
    let sixth = told(RateLimitFields::Draft06);
    let three = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(&sixth);
    assert_eq!(three, ["2", "1", "10"].map(|value| Some(value.to_owned())));
    assert_eq!((sixth("ratelimit"), sixth("x-ratelimit-limit").as_deref()), (None, Some("2")));
}

#[test]
fn a_window_without_room_for_the_whole_cost_is_violated() {
    let mut taken = taken(&[(2, 10, 1, 9_999), (3, 60, 2, 59_000)], Some(9_999));
    taken.cost = 2;
    assert_eq!(taken.violated(), ["runs-1"]);
}

#[test]
fn a_caller_without_a_place_is_told_how_many_there_are() {
    let told = |fields| {
        let crowded = Crowded { concurrency: STREAMS, fields, retry_in_ms: 4_001 };
        said(move |headers| crowded.describe(headers))
    };
    let current = told(RateLimitFields::Draft11);
    let policy = r#""streams";q=2;qu="concurrent-requests""#;
    assert_eq!(current("ratelimit-policy").as_deref(), Some(policy));
    assert_eq!(current("ratelimit").as_deref(), Some(r#""streams";r=0"#));
    assert_eq!(current("retry-after").as_deref(), Some("5"));
    assert_eq!(told(RateLimitFields::Draft07)("ratelimit-policy"), None);
}
