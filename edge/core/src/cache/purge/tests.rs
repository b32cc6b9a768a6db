use http::HeaderMap;

use super::*;
use crate::cache::terms::Terms;

const KEY: &str = "https://he2.ai/a/b?c";
const LATE: u64 = 1_000_000;

fn variant(requested_ms: u64) -> Variant {
    Variant {
        body: "name".to_owned(),
        status: 200,
        headers: HeaderMap::new(),
        selecting: Vec::new(),
        content_ms: requested_ms,
        requested_ms,
        received_ms: requested_ms,
        age: 0,
        terms: Terms {
            life: 600,
            while_revalidate: 0,
            if_error: 0,
            always_validate: false,
            never_stale: false,
            assigned: false,
        },
        length: 0,
        tags: vec!["t".to_owned()],
    }
}

fn known(purges: &[(Scope, bool)], at_ms: u64) -> Known {
    let (mut state, mut known) = (State::default(), Known::default());
    for (scope, soft) in purges {
        let add = Ask::Add { scope: scope.clone(), soft: *soft };
        state = answer(&state, add, at_ms).0.unwrap();
    }
    known.learn(Answer::All(state), at_ms);
    known
}

/// How many seconds of life are left of a response asked for at this time, if it is there.
fn life(known: &Known, requested_ms: u64) -> Option<u64> {
    let index = Index { invalid_ms: 0, variants: vec![variant(requested_ms)] };
    known.left(KEY, &index).unwrap_or(index).variants.first().map(|variant| variant.terms.life)
}

#[test]
fn what_was_asked_for_before_a_purge_is_gone_and_nothing_else() {
    for (scope, is_about) in [
        (Scope::Url(KEY.to_owned()), true),
        (Scope::Url("https://he2.ai/a/b".to_owned()), false),
        (Scope::Prefix("https://he2.ai/a/".to_owned()), true),
        (Scope::Prefix("https://he2.ai/b/".to_owned()), false),
        (Scope::Tag("t".to_owned()), true),
        (Scope::Tag("T".to_owned()), false),
        (Scope::Everything, true),
    ] {
        let known = known(&[(scope.clone(), false)], LATE);
        assert_eq!(life(&known, LATE), (!is_about).then_some(600), "{scope:?}");
        assert_eq!(life(&known, LATE + SLACK_MS), (!is_about).then_some(600), "{scope:?}: clocks differ");
        assert_eq!(life(&known, LATE + SLACK_MS + 1), Some(600), "{scope:?}");
    }
    assert_eq!(life(&Known::default(), 1), Some(600), "nothing was ever purged");
}

#[test]
fn a_soft_purge_makes_stale_from_its_time_on() {
    let soft = known(&[(Scope::Url(KEY.to_owned()), true)], LATE);
    assert_eq!(life(&soft, LATE - 5_000), Some(5));
    let both = known(&[(Scope::Url(KEY.to_owned()), true), (Scope::Tag("t".to_owned()), false)], LATE);
    assert_eq!(life(&both, LATE - 5_000), None);
    let everything = known(&[(Scope::Everything, true)], LATE);
    assert_eq!(life(&everything, LATE - 5_000), Some(5));
}

#[test]
fn when_there_are_too_many_the_oldest_become_one_of_everything_before() {
    let mut state = State::default();
    for at in 0..=MOST as u64 {
        let add = Ask::Add { scope: Scope::Tag(format!("x{at}")), soft: true };
        state = answer(&state, add, LATE + at * 10_000).0.unwrap();
    }
    assert_eq!((state.purges.len(), state.before_ms), (MOST, LATE));
    let mut known = Known::default();
    known.learn(Answer::All(state), LATE);
    assert_eq!((life(&known, LATE), life(&known, LATE + 10_000)), (None, Some(600)));
}

#[test]
fn a_version_is_never_used_twice() {
    let add = || Ask::Add { scope: Scope::Everything, soft: false };
    let first = answer(&State::default(), add(), LATE).0.unwrap();
    let second = answer(&first, add(), LATE).0.unwrap();
    assert!(first.version >= LATE && second.version > first.version);
    assert_eq!(answer(&second, Ask::Since(second.version), LATE), (None, Answer::Unchanged));
    assert_eq!(answer(&second, Ask::Since(0), LATE).1, Answer::All(second));
}

#[test]
fn what_operators_send_is_one_purge_or_refused() {
    let parsed = |body: &str| parse(body.as_bytes());
    assert_eq!(parsed(r#"{"url":"https://he2.ai/"}"#), Ok((Scope::Url("https://he2.ai/".into()), false)));
    assert_eq!(parsed(r#"{"tag":"t","soft":true}"#), Ok((Scope::Tag("t".into()), true)));
    assert_eq!(parsed(r#"{"everything":true}"#), Ok((Scope::Everything, false)));
    for body in
        ["", "{}", "[]", r#"["u"]"#, r#"{"url":"a","tag":"b"}"#, r#"{"everything":false}"#, r#"{"a":1}"#]
    {
        assert_eq!(parsed(body), Err(FORM), "{body}");
    }
    assert!(parsed(r#"{"tag":""}"#).is_err());
    assert!(parsed(&format!(r#"{{"tag":"{}"}}"#, "x".repeat(1_025))).is_err());
}

#[test]
fn the_stored_layout_stays_as_it_is() {
    let add = Ask::Add { scope: Scope::Tag("t".to_owned()), soft: true };
    let state = answer(&State::default(), add, 5).0.unwrap();
    let json = r#"{"version":5,"before_ms":0,"purges":[{"scope":{"tag":"t"},"soft":true,"at_ms":5}]}"#;
    assert_eq!(serde_json::to_string(&state).unwrap(), json);
}
