use super::*;
use crate::auth::token::Identity;
use crate::plan::Window;
use proptest::prelude::*;

const LIMIT: Limit = Limit {
    name: "runs",
    windows: &[Window { quota: 2, seconds: 10 }, Window { quota: 3, seconds: 60 }],
    line: 1,
};

fn ask() -> Ask {
    Ask::new(&LIMIT)
}

/// Takes at each of these times (s) and says which were allowed.
fn run(times: &[u64]) -> Vec<bool> {
    let mut state = State::default();
    let mut allowed = Vec::new();
    for &time in times {
        let (after, verdict) = take(&state, &ask(), time * 1_000);
        state = after;
        allowed.push(verdict.allowed);
    }
    allowed
}

#[test]
fn every_window_must_have_room_and_a_refusal_charges_none() {
    assert_eq!(run(&[0, 1, 2, 3]), [true, true, false, false]);
    assert_eq!(
        run(&[0, 1, 2, 10, 20]),
        [true, true, false, true, false],
        "the third of the long window, then none"
    );
}

#[test]
fn a_window_opens_at_the_first_request_and_closes_after_its_length() {
    assert_eq!(run(&[7, 16, 16, 17]), [true, true, false, true]);
}

#[test]
fn a_clock_that_goes_back_opens_the_windows_anew_rather_than_closing_them_for_long() {
    assert_eq!(run(&[1_000, 1_000, 1_000, 5]), [true, true, false, true]);
}

#[test]
fn the_stored_layout_and_the_messages_stay_as_they_are() {
    let (state, verdict) = take(&State::default(), &ask(), 5_000);
    assert_eq!(serde_json::to_string(&ask()).unwrap(), r#"{"windows":[[2,10],[3,60]]}"#);
    assert_eq!(
        serde_json::to_string(&state).unwrap(),
        r#"{"windows":[[5000,1],[5000,1]],"closes_ms":65000}"#
    );
    assert_eq!(
        serde_json::to_string(&verdict).unwrap(),
        concat!(
            r#"{"allowed":true,"windows":[{"quota":2,"seconds":10,"remaining":1,"reset_ms":15000},"#,
            r#"{"quota":3,"seconds":60,"remaining":2,"reset_ms":65000}]}"#
        )
    );
}

fn described(verdict: &Verdict, now: u64) -> Vec<(String, String)> {
    let mut headers = HeaderMap::new();
    verdict.describe(&LIMIT, now, &mut headers);
    headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

#[test]
fn the_fields_tell_of_the_tightest_window_and_round_up() {
    let (state, verdict) = take(&State::default(), &ask(), 1_500);
    let fields = described(&verdict, 1_500);
    let field = |name: &str| fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    assert_eq!(field("ratelimit-policy"), Some(r#""runs-1";q=2;w=10, "runs-2";q=3;w=60"#));
    assert_eq!(field("ratelimit"), Some(r#""runs-1";r=1;t=10"#));
    assert_eq!(field("x-ratelimit-limit"), Some("2"));
    assert_eq!(field("x-ratelimit-remaining"), Some("1"));
    assert_eq!(field("x-ratelimit-reset"), Some("12"), "11.5 s is not over at 11");
    assert_eq!(field("retry-after"), None);

    let (state, _) = take(&state, &ask(), 1_600);
    let (_, refused) = take(&state, &ask(), 1_700);
    let fields = described(&refused, 1_700);
    assert!(fields.contains(&("retry-after".to_owned(), "10".to_owned())), "{fields:?}");
    assert!(fields.contains(&("ratelimit".to_owned(), r#""runs-1";r=0;t=10"#.to_owned())), "{fields:?}");
}

#[test]
fn the_last_full_window_sets_retry_after() {
    let full = |reset_ms| Standing { quota: 1, seconds: 60, remaining: 0, reset_ms };
    let verdict = Verdict { allowed: false, windows: vec![full(10_000), full(50_000)] };
    assert_eq!(verdict.retry_after(1_001), 49);
    assert_eq!(verdict.retry_after(60_000), 1, "never 0: a client that obeys would spin");
}

#[test]
fn callers_count_apart_and_an_ipv6_subscriber_once() {
    let ip = |text: &str| object_name(&LIMIT, &Caller::Anonymous, Some(text.parse().unwrap()));
    assert_eq!(ip("192.0.2.1"), "runs/ip/192.0.2.1");
    assert_eq!(ip("2001:db8:1:2:3::4"), ip("2001:db8:1:2:ffff::"));
    assert_ne!(ip("2001:db8:1:2::"), ip("2001:db8:1:3::"));
    assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    let user = Identity { user: "u".to_owned(), role: String::new(), session: None, aal: None };
    assert_eq!(object_name(&LIMIT, &Caller::User(user), None), "runs/user/u");
    assert_eq!(object_name(&LIMIT, &Caller::ApiKey("k".to_owned()), None), "runs/key/k");
}

proptest! {
    /// Compared with a counter that remembers every request: in the window that is open, never more than its quota.
    #[test]
    fn no_window_ever_grants_more_than_its_quota(steps in prop::collection::vec(0_u64..8_000, 1..200)) {
        let mut state = State::default();
        let mut now = 1_000_000;
        let mut granted: Vec<u64> = Vec::new();
        for step in steps {
            now += step;
            let (after, verdict) = take(&state, &ask(), now);
            if verdict.allowed {
                granted.push(now);
            }
            for (&(opened, used), &(quota, seconds)) in after.windows.iter().zip(&ask().windows) {
                let counted = granted.iter().filter(|&&at| at >= opened && at < opened + length_ms(seconds)).count();
                prop_assert!(used <= quota);
                prop_assert_eq!(counted, usize::try_from(used).unwrap());
            }
            state = after;
        }
    }

    #[test]
    fn after_retry_after_a_refused_request_passes(steps in prop::collection::vec(0_u64..8_000, 1..50)) {
        let (mut state, mut now) = (State::default(), 1_000_000);
        for step in steps {
            now += step;
            let (after, verdict) = take(&state, &ask(), now);
            if !verdict.allowed {
                let later = now + verdict.retry_after(now) * 1_000;
                prop_assert!(take(&after, &ask(), later).1.allowed);
            }
            state = after;
        }
    }
}
