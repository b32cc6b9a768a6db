use http::HeaderValue;
use http::header::RETRY_AFTER;
use proptest::prelude::*;

use super::*;

fn filled(items: usize) -> Buffer<usize> {
    let mut buffer = Buffer::default();
    (0..items).for_each(|item| buffer.push(item, 0));
    buffer
}

#[test]
fn a_batch_leaves_when_it_is_full_or_old() {
    assert_eq!(filled(BATCH - 1).take(AGE_MS - 1), None);
    assert_eq!(filled(BATCH).take(0).unwrap().items.len(), BATCH);
    assert_eq!(filled(1).take(AGE_MS).unwrap().items, [0]);
    assert_eq!(filled(0).take(u64::MAX), None);
}

#[test]
fn one_flight_at_a_time() {
    let mut buffer = filled(2 * BATCH);
    let batch = buffer.take(0).unwrap();
    assert_eq!(buffer.take(0), None);
    buffer.landed(batch, Landing::Done { arrived: true }, 5);
    assert_eq!(buffer.take(5).unwrap().items[0], BATCH);
    assert_eq!(buffer.take_lost(), 0);
}

#[test]
fn the_oldest_make_room_and_are_counted() {
    let mut buffer = filled(MOST + 3);
    assert_eq!(buffer.take(0).unwrap().items[0], 3);
    assert_eq!((buffer.take_lost(), buffer.take_lost()), (3, 0));
}

#[test]
fn what_is_refused_for_good_is_not_sent_again() {
    let mut buffer = filled(BATCH);
    let batch = buffer.take(0).unwrap();
    buffer.landed(batch, Landing::of(StatusCode::BAD_REQUEST, &HeaderMap::new(), 0), 0);
    assert_eq!((buffer.take(u64::MAX), buffer.take_lost()), (None, BATCH as u64));
}

#[test]
fn a_collector_that_asks_for_time_gets_it_and_then_the_same_batch() {
    let mut buffer = filled(BATCH);
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
    let batch = buffer.take(0).unwrap();
    let landing = Landing::of(StatusCode::SERVICE_UNAVAILABLE, &headers, 0);
    assert_eq!(landing, Landing::Again(Some(7_000)));
    buffer.landed(batch, landing, 0);
    assert_eq!(buffer.take(6_999), None);
    assert_eq!(buffer.take(7_000).unwrap().items[0], 0);
    assert_eq!(buffer.take_lost(), 0);
}

#[test]
fn without_a_word_pauses_double_up_to_a_minute() {
    let mut buffer = filled(BATCH);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..80 {
        let batch = buffer.take(now).unwrap();
        buffer.landed(batch, Landing::Again(None), now);
        pauses.push(buffer.rests_until - now);
        now = buffer.rests_until;
    }
    assert_eq!(pauses[..7], [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    assert!(pauses[7..].iter().all(|pause| *pause == 60_000));
}

#[test]
fn a_flight_that_never_lands_is_given_up_and_its_late_word_ignored() {
    let mut buffer = filled(2 * BATCH);
    let late = buffer.take(0).unwrap();
    assert_eq!(buffer.take(FLIGHT_MS), None, "still under way");
    assert_eq!(buffer.take(FLIGHT_MS + 1), None, "a pause, as after any failure");
    assert_eq!(buffer.take_lost(), BATCH as u64);
    let second = buffer.take(FLIGHT_MS + 1 + PAUSE_MS).unwrap();
    buffer.landed(late, Landing::Done { arrived: false }, FLIGHT_MS + 2);
    assert_eq!((buffer.take(FLIGHT_MS + 2), buffer.take_lost()), (None, 0));
    assert_eq!(second.items[0], BATCH);
}

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Take,
    Land(Landing),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let landing = prop_oneof![
        Just(Landing::Done { arrived: true }),
        Just(Landing::Done { arrived: false }),
        prop::option::of(0_u64..9_000).prop_map(Landing::Again),
    ];
    let step = prop_oneof![
        (1_usize..200).prop_map(Step::Push),
        Just(Step::Take),
        landing.prop_map(Step::Land),
        (0_u64..40_000).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn nothing_is_sent_twice_at_once_kept_without_bound_or_lost_uncounted(steps in steps()) {
        let (mut buffer, mut now, mut pushed, mut arrived, mut lost) = (Buffer::default(), 0, 0_u64, 0_u64, 0);
        let mut flying: Option<Batch<u64>> = None;
        for step in steps {
            match step {
                Step::Push(items) => (0..items).for_each(|_| { buffer.push(pushed, now); pushed += 1; }),
                Step::Take => if let Some(batch) = buffer.take(now) {
                    // One that was given up may still be about, but is none of the buffer's any more.
                    prop_assert!(batch.items.is_sorted());
                    flying = Some(batch);
                },
                Step::Land(landing) => if let Some(batch) = flying.take() {
                    let heard = buffer.flight.is_some();
                    let there = landing == Landing::Done { arrived: true };
                    arrived += if heard && there { batch.items.len() as u64 } else { 0 };
                    buffer.landed(batch, landing, now);
                },
                Step::Pass(ms) => now += ms,
            }
            lost += buffer.take_lost();
            let under_way = buffer.flight.as_ref().map_or(0, |flight| flight.len);
            prop_assert!(buffer.waiting.len() <= MOST && under_way <= BATCH);
            prop_assert_eq!(pushed, arrived + lost + (buffer.waiting.len() + under_way) as u64);
        }
    }
}
