//! Any bytes as an operator's request.

#![no_main]

use edge_core::auth::revocation::{Answer, Ask, Entry, Known, Revocation, State, answer, parse};
use edge_core::poll::Polled;
use libfuzzer_sys::fuzz_target;

const NOW: u64 = 1_800_000_000;

fuzz_target!(|input: &[u8]| {
    let Ok(revocation) = parse(input, NOW) else { return };
    is_bounded(&revocation);
    let json = serde_json::to_vec(&revocation).unwrap();
    assert_eq!(parse(&json, NOW), Ok(revocation.clone()));
    is_stored_and_refuses(Entry { revocation, until: NOW + 1 });
});

fn is_bounded(revocation: &Revocation) {
    let (Revocation::Session(id) | Revocation::Subject { sub: id, .. } | Revocation::Key(id)) = revocation;
    assert!((1..=256).contains(&id.len()));
    if let Revocation::Subject { issued_before, .. } = revocation {
        assert!(*issued_before <= NOW + 60);
    }
}

fn is_stored_and_refuses(entry: Entry) {
    let (state, added) = answer(&State::default(), Ask::Add(entry.clone()), NOW);
    assert_eq!(added, Answer::Added(entry.clone()));
    let stored = serde_json::to_string(&state.unwrap()).unwrap();
    let state: State = serde_json::from_str(&stored).unwrap();
    let mut known = Known::default();
    known.learn(answer(&state, known.ask(), NOW).1, NOW * 1_000);
    let refused = match &entry.revocation {
        Revocation::Session(id) => known.revokes(Some(id), "", NOW, None),
        Revocation::Subject { sub, issued_before } => {
            assert_eq!(known.revokes(None, sub, *issued_before, None), None);
            issued_before.checked_sub(1).map_or(Some("user"), |iat| known.revokes(None, sub, iat, None))
        }
        Revocation::Key(kid) => known.revokes(None, "", NOW, Some(kid)),
    };
    assert!(refused.is_some());
    known.learn(Answer::Unchanged, (NOW + 1) * 1_000);
    assert_eq!(known.poll().age_ms((NOW + 1) * 1_000), Some(0));
    assert_eq!(answer(&state, Ask::Remove(entry.revocation), NOW).1, Answer::Removed(true));
}
