use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::poll::Polled;

const NOW: u64 = 1_800_000_000;

fn session(id: &str, until: u64) -> Entry {
    Entry { revocation: Revocation::Session(id.to_owned()), until }
}

fn user(sub: &str, issued_before: u64, until: u64) -> Entry {
    Entry { revocation: Revocation::Subject { sub: sub.to_owned(), issued_before }, until }
}

fn key(kid: &str, until: u64) -> Entry {
    Entry { revocation: Revocation::Key(kid.to_owned()), until }
}

/// The Durable Object, and what it has answered last.
#[derive(Default)]
struct Object(State);

impl Object {
    fn ask(&mut self, ask: Ask, now: u64) -> Answer {
        let (changed, answer) = answer(&self.0, ask, now);
        self.0 = changed.unwrap_or_else(|| self.0.clone());
        answer
    }

    fn with(entries: &[Entry], now: u64) -> Self {
        let mut object = Self::default();
        for entry in entries {
            object.ask(Ask::Add(entry.clone()), now);
        }
        object
    }

    fn list(&mut self, now: u64) -> Vec<Entry> {
        let Answer::All { mut entries, .. } = self.ask(Ask::List, now) else { panic!("no list") };
        entries.sort_by_key(|entry| serde_json::to_string(entry).unwrap());
        entries
    }
}

impl Known {
    /// Asks the object, as an isolate does.
    fn refresh(&mut self, object: &mut Object, now: u64) -> Answer {
        let answer = object.ask(self.ask(), now);
        self.learn(answer.clone(), now * 1_000);
        answer
    }
}

#[test]
fn the_stored_layout_stays_as_it_is() {
    let object = Object::with(&[session("s", NOW + 9), user("u", NOW - 1, NOW + 9), key("k", NOW + 9)], NOW);
    let stored = concat!(
        r#"{"version":1800000000000002,"entries":[{"session_id":"s","until":1800000009},"#,
        r#"{"sub":"u","issued_before":1799999999,"until":1800000009},{"kid":"k","until":1800000009}]}"#
    );
    assert_eq!(serde_json::to_string(&object.0).unwrap(), stored);
    assert_eq!(serde_json::from_str::<State>(stored).unwrap(), object.0);
}

#[test]
fn the_messages_stay_as_they_are() {
    let entry = || user("u", 1, 2);
    for (ask, json) in [
        (Ask::Since(7), r#"{"since":7}"#),
        (Ask::Add(entry()), r#"{"add":{"sub":"u","issued_before":1,"until":2}}"#),
        (Ask::Remove(Revocation::Key("k".to_owned())), r#"{"remove":{"kid":"k"}}"#),
        (Ask::List, r#""list""#),
    ] {
        assert_eq!(serde_json::to_string(&ask).unwrap(), json);
        assert_eq!(serde_json::from_str::<Ask>(json).unwrap(), ask);
    }
    for (answer, json) in [
        (Answer::Unchanged, r#""unchanged""#),
        (
            Answer::All { version: 7, entries: vec![session("s", 2)] },
            r#"{"all":{"version":7,"entries":[{"session_id":"s","until":2}]}}"#,
        ),
        (Answer::Added(entry()), r#"{"added":{"sub":"u","issued_before":1,"until":2}}"#),
        (Answer::Removed(true), r#"{"removed":true}"#),
        (Answer::Full, r#""full""#),
    ] {
        assert_eq!(serde_json::to_string(&answer).unwrap(), json);
        assert_eq!(serde_json::from_str::<Answer>(json).unwrap(), answer);
    }
}

#[test]
fn a_session_a_user_and_a_key_can_be_revoked() {
    let body = |value: serde_json::Value| parse(value.to_string().as_bytes(), NOW);
    assert_eq!(body(json!({"session_id": "s"})), Ok(Revocation::Session("s".to_owned())));
    assert_eq!(body(json!({"kid": "a b\"c"})), Ok(Revocation::Key("a b\"c".to_owned())));
    let up_to = |issued_before| Ok(Revocation::Subject { sub: "u".to_owned(), issued_before });
    assert_eq!(body(json!({"sub": "u", "issued_before": 5})), up_to(5));
    assert_eq!(body(json!({"sub": "u"})), up_to(NOW + 1), "all that there are, when nothing is said");
    assert_eq!(
        body(json!({"sub": "u", "issued_before": NOW + 60})),
        up_to(NOW + 60),
        "a clock that is ahead"
    );
    assert_eq!(body(json!({"session_id": "s".repeat(256)})), Ok(Revocation::Session("s".repeat(256))));
}

#[test]
fn what_does_not_say_exactly_one_thing_is_refused() {
    for body in [
        json!({}),
        json!(["s"]),
        json!([null, "u", 5, null, null]),
        json!("s"),
        json!({"session_id": "s", "kid": "k"}),
        json!({"session_id": "s", "issued_before": 5}),
        json!({"session_id": "s", "until": 5}),
        json!({"session_id": "s", "reason": "stolen"}),
        json!({"session_id": 5}),
        json!({"session_id": null}),
        json!({"session_id": ""}),
        json!({"session_id": "s".repeat(257)}),
        json!({"kid": "é"}),
        json!({"kid": "a\nb"}),
        json!({"sub": "u", "issued_before": "5"}),
        json!({"sub": "u", "issued_before": -5}),
        json!({"sub": "u", "issued_before": NOW + 61}),
        json!({"sub": "u", "issued_before": NOW * 1_000}),
        json!({"issued_before": 5}),
    ] {
        assert!(parse(body.to_string().as_bytes(), NOW).is_err(), "{body}");
    }
    for body in ["", "{", r#"{"kid":"a","kid":"b"}"#, r#"{"kid":"a"} x"#] {
        assert!(parse(body.as_bytes(), NOW).is_err(), "{body}");
    }
    let long = format!("{{\"kid\":\"k\"{}}}", " ".repeat(LONGEST_REQUEST));
    assert!(parse(long.as_bytes(), NOW).is_err());
}

#[test]
fn a_user_revoked_twice_is_revoked_up_to_the_later_time() {
    for twice in
        [[user("u", 5, NOW + 9), user("u", 7, NOW + 8)], [user("u", 7, NOW + 8), user("u", 5, NOW + 9)]]
    {
        let mut object = Object::with(&twice, NOW);
        assert_eq!(object.list(NOW), [user("u", 7, NOW + 9)]);
    }
}

#[test]
fn adding_what_holds_already_changes_nothing() {
    let object = Object::with(&[session("s", NOW + 9)], NOW);
    let (changed, answer) = answer(&object.0, Ask::Add(session("s", NOW + 8)), NOW + 1);
    assert_eq!((changed, answer), (None, Answer::Added(session("s", NOW + 9))));
}

#[test]
fn a_revocation_can_be_taken_back_whatever_its_time() {
    let mut object = Object::with(&[session("a", NOW + 9), user("a", 5, NOW + 9)], NOW);
    let mut known = Known::default();
    known.refresh(&mut object, NOW);
    let revocation = user("a", 8, 0).revocation;
    assert_eq!(object.ask(Ask::Remove(revocation.clone()), NOW), Answer::Removed(true));
    assert_eq!(object.ask(Ask::Remove(revocation), NOW), Answer::Removed(false));
    assert_eq!(object.list(NOW), [session("a", NOW + 9)]);
    known.refresh(&mut object, NOW);
    assert_eq!(known.revokes(None, "a", 0, None), None);
}

#[test]
fn an_isolate_is_told_everything_when_something_has_changed_and_else_nothing() {
    let mut object = Object::default();
    let mut known = Known::default();
    assert_eq!(known.refresh(&mut object, NOW), Answer::Unchanged, "there is nothing to know yet");
    object.ask(Ask::Add(session("s", NOW + 9)), NOW);
    assert!(matches!(known.refresh(&mut object, NOW), Answer::All { .. }));
    assert_eq!(known.refresh(&mut object, NOW), Answer::Unchanged);
    object.ask(Ask::Remove(session("s", 0).revocation), NOW);
    assert!(matches!(known.refresh(&mut object, NOW), Answer::All { .. }), "the last entry went");
    assert_eq!(known.refresh(&mut object, NOW), Answer::Unchanged);
}

#[test]
fn an_isolate_learns_what_holds_after_the_objects_storage_was_lost() {
    let mut known = Known::default();
    known.refresh(&mut Object::with(&[session("a", NOW + 9), session("b", NOW + 9)], NOW), NOW);
    let mut lost = Object::default();
    assert!(matches!(known.refresh(&mut lost, NOW), Answer::All { .. }));
    assert_eq!(known.revokes(Some("a"), "u", 0, None), None);
    // As many changes as before: counted from 0, the versions would be the same.
    let mut known = Known::default();
    known.refresh(&mut Object::with(&[session("a", NOW + 9)], NOW), NOW);
    lost.ask(Ask::Add(session("c", NOW + 9)), NOW + 1);
    assert!(matches!(known.refresh(&mut lost, NOW + 1), Answer::All { .. }));
    assert_eq!(known.revokes(Some("c"), "u", 0, None), Some("session"));
}

#[test]
fn the_version_grows_with_every_change_even_when_the_clock_goes_back() {
    let mut object = Object::with(&[session("a", NOW + 9)], NOW);
    let mut versions = vec![object.0.version];
    object.ask(Ask::Add(session("b", NOW + 9)), NOW - 500);
    versions.push(object.0.version);
    object.ask(Ask::Remove(session("b", 0).revocation), NOW - 400);
    versions.push(object.0.version);
    object.ask(Ask::List, NOW + 10);
    assert_eq!((object.0.entries.len(), object.0.version), (0, versions[2]), "it stays when nothing is left");
    assert!(versions.is_sorted_by(|earlier, later| earlier < later), "{versions:?}");
}

#[test]
fn there_is_room_for_thousands_and_what_is_stored_stays_below_the_platforms_limit() {
    let mut object = Object::default();
    let long = |at: usize| key(&format!("{at:\"<256}"), u64::MAX);
    object.0.entries = (0..3_209).map(long).collect();
    let full = object.0.clone();
    assert_eq!(object.ask(Ask::Add(long(3_209)), NOW), Answer::Full);
    assert_eq!(object.0, full);
    assert!(matches!(object.ask(Ask::Add(long(3_208)), NOW), Answer::Added(_)), "it is there already");
    assert!(serde_json::to_string(&object.0).unwrap().len() < 2_000_000);
    object.0.entries = (0..12_000).map(|at| session(&format!("{at:0>36}"), NOW + 9)).collect();
    assert!(matches!(object.ask(Ask::Add(session("another", NOW + 9)), NOW), Answer::Added(_)));
}

#[test]
fn an_isolate_knows_how_old_its_copy_is() {
    let mut known = Known::default();
    assert_eq!(known.poll().age_ms(5_000), None, "it knows nothing yet");
    known.learn(Answer::Unchanged, 5_000);
    assert_eq!(
        (known.poll().age_ms(5_000), known.poll().age_ms(9_000), known.poll().age_ms(1)),
        (Some(0), Some(4_000), Some(0))
    );
    known.learn(Answer::Removed(true), 9_000);
    known.learn(Answer::Added(session("s", NOW)), 9_000);
    assert_eq!(known.poll().age_ms(9_000), Some(4_000), "that was not all there is to know");
    assert_eq!(known.revokes(Some("s"), "u", 0, None), Some("session"), "but it counts at once");
}

#[test]
fn one_asks_at_a_time_and_a_failure_is_followed_by_a_pause() {
    let mut known = Known::default();
    assert!(!known.poll().is_asking(0));
    known.poll_mut().begin(0);
    assert!(known.poll().is_asking(4_999) && !known.poll().is_asking(5_000), "whoever asked has gone");
    known.poll_mut().fail("down".to_owned(), 6_000);
    assert_eq!((known.poll().is_asking(6_000), known.poll().failure(6_999)), (false, Some("down")));
    assert_eq!(known.poll().failure(7_000), None);
    known.poll_mut().begin(7_000);
    known.learn(Answer::Unchanged, 7_001);
    assert!(!known.poll().is_asking(7_001));
}

/// Few ids, so that they meet.
fn id() -> impl Strategy<Value = String> {
    "[a-c]"
}

fn entry() -> impl Strategy<Value = Entry> {
    let until = NOW + 1..NOW + 10;
    prop_oneof![
        (id(), until.clone()).prop_map(|(id, until)| session(&id, until)),
        (id(), 0_u64..10, until.clone()).prop_map(|(id, before, until)| user(&id, before, until)),
        (id(), until).prop_map(|(id, until)| key(&id, until)),
    ]
}

/// Whether one of the entries refuses a token.
fn refused(entries: &[Entry], session: Option<&str>, user: &str, issued_at: u64, kid: Option<&str>) -> bool {
    entries.iter().any(|entry| match &entry.revocation {
        Revocation::Session(id) => Some(id.as_str()) == session,
        Revocation::Subject { sub, issued_before } => sub == user && issued_at < *issued_before,
        Revocation::Key(id) => Some(id.as_str()) == kid,
    })
}

proptest! {
    #[test]
    fn an_isolate_refuses_what_any_entry_refuses_until_that_is_over(
        entries in prop::collection::vec(entry(), 0..12), later in 0_u64..12,
        session in prop::option::of(id()), user in id(), issued_at in 0_u64..12, kid in prop::option::of(id())
    ) {
        // One id, one end: entries about the same thing keep the latest of their ends.
        let entries: Vec<_> = entries.into_iter().map(|entry| Entry { until: NOW + 5, ..entry }).collect();
        let mut known = Known::default();
        known.refresh(&mut Object::with(&entries, NOW), NOW);
        known.learn(Answer::Unchanged, (NOW + later) * 1_000);
        let (session, kid) = (session.as_deref(), kid.as_deref());
        let expected = later < 5 && refused(&entries, session, &user, issued_at, kid);
        prop_assert_eq!(known.revokes(session, &user, issued_at, kid).is_some(), expected);
    }

    #[test]
    fn order_and_repetition_of_what_is_added_do_not_matter(
        (entries, other) in prop::collection::vec(entry(), 0..12).prop_flat_map(|entries| {
            let repeated = [entries.clone(), entries.clone()].concat();
            (Just(entries), Just(repeated).prop_shuffle())
        })
    ) {
        prop_assert_eq!(Object::with(&entries, NOW).list(NOW), Object::with(&other, NOW).list(NOW));
    }

    #[test]
    fn entries_end_at_their_time(entries in prop::collection::vec(entry(), 0..12), later in 0_u64..12) {
        let mut object = Object::with(&entries, NOW);
        let now = NOW + later;
        for entry in object.list(now) {
            prop_assert!(now < entry.until);
        }
        prop_assert!(object.0.entries.iter().all(|entry| now < entry.until), "they leave the storage too");
    }

    #[test]
    fn no_version_is_used_twice(
        steps in prop::collection::vec((any::<bool>(), entry(), NOW - 3..NOW + 3), 0..30)
    ) {
        let mut object = Object::default();
        let mut seen = std::collections::HashMap::from([(0, Vec::new())]);
        for (add, entry, now) in steps {
            object.ask(if add { Ask::Add(entry) } else { Ask::Remove(entry.revocation) }, now);
            // Entries that are over may go without a new version.
            let holds: Vec<_> = object.0.entries.iter().filter(|entry| NOW + 3 < entry.until).cloned().collect();
            let first = seen.entry(object.0.version).or_insert_with(|| holds.clone());
            prop_assert_eq!(&holds, first);
        }
    }

    #[test]
    fn no_body_makes_parse_panic_and_what_it_takes_reads_back(
        body in prop_oneof!["\\PC{0,60}", "\\{\"(session_id|sub|kid|until|x)\":(\"\\PC{0,9}\"|[0-9]{1,30}|null)\\}"],
        now: u64
    ) {
        if let Ok(revocation) = parse(body.as_bytes(), now) {
            let json = serde_json::to_string(&revocation).unwrap();
            prop_assert_eq!(parse(json.as_bytes(), now), Ok(revocation));
        }
    }
}
