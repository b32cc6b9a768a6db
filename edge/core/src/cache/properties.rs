//! What must hold of the cache whatever is stored and asked.

use http::{HeaderMap, HeaderName, Method, StatusCode};
use proptest::prelude::*;

use super::index::{Index, Variant};
use super::reuse::{Reuse, Stale, reuse};
use super::storable::{Exchange, storable};
use crate::plan::Cache;
use crate::testing::CACHE;

const T0: u64 = 1_800_000_000_000;
const NAMES: [&str; 3] = ["x-a", "x-b", "accept-language"];

/// Values of the fields that may select, each there or not.
fn fields() -> impl Strategy<Value = Vec<Option<String>>> {
    prop::collection::vec(prop::option::of("[abd](, ?[abd]){0,2}"), NAMES.len())
}

/// Which of them a response names in `Vary`, its life, and what else it says.
fn answer() -> impl Strategy<Value = (Vec<bool>, String, Option<u32>)> {
    let directives = prop::sample::subsequence(
        vec![
            "no-cache",
            "must-revalidate",
            "s-maxage=7",
            "stale-while-revalidate=5",
            "stale-if-error=9",
            "public",
        ],
        0..4,
    );
    let control = (0_u32..30, directives)
        .prop_map(|(life, directives)| format!("max-age={life}, {}", directives.join(", ")));
    (prop::collection::vec(any::<bool>(), NAMES.len()), control, prop::option::of(0_u32..20))
}

fn request(values: &[Option<String>]) -> HeaderMap {
    let pairs = NAMES.iter().zip(values);
    let given = pairs.filter_map(|(name, value)| Some((*name, value.as_ref()?)));
    given.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn response((vary, control, age): &(Vec<bool>, String, Option<u32>)) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("cache-control", control.parse().unwrap());
    headers.insert("etag", "\"a\"".parse().unwrap());
    let names: Vec<_> = NAMES.iter().zip(vary).filter(|(_, named)| **named).map(|(name, _)| *name).collect();
    if !names.is_empty() {
        headers.insert("vary", names.join(", ").parse().unwrap());
    }
    if let Some(age) = age {
        headers.insert("age", (*age).into());
    }
    headers
}

fn stored(asked: &HeaderMap, headers: &HeaderMap, at_ms: u64, policy: &Cache) -> Option<Variant> {
    let exchange = Exchange {
        policy,
        method: &Method::GET,
        asked,
        status: StatusCode::OK,
        headers,
        requested_ms: at_ms,
        received_ms: at_ms,
    };
    storable(&exchange, at_ms.to_string())
}

proptest! {
    #[test]
    fn a_stored_response_is_never_served_to_a_request_whose_selecting_fields_differ(
        steps in prop::collection::vec((fields(), answer()), 1..12), wanted in fields()
    ) {
        let mut index = Index::default();
        let mut asked = Vec::new();
        for (at, (values, answer)) in (T0..).zip(&steps) {
            let request = request(values);
            if let Some(variant) = stored(&request, &response(answer), at, &CACHE) {
                index = index.with(variant, &request).unwrap();
                asked.push((at.to_string(), values, &answer.0));
            }
        }
        if let Reuse::Serve(serve) = reuse(&index, &request(&wanted), T0) {
            let (_, values, vary) = asked.iter().find(|(name, ..)| *name == serve.variant.body).unwrap();
            for (at, name) in NAMES.iter().enumerate() {
                let members = |value: &Option<String>| value.as_ref().map(|value| {
                    let mut members: Vec<_> = value.split(',').map(str::trim).map(str::to_owned).collect();
                    // Their order says nothing in a negotiation only.
                    if name.starts_with("accept") {
                        members.sort();
                    }
                    members
                });
                prop_assert!(!vary[at] || members(&values[at]) == members(&wanted[at]));
            }
        }
    }

    #[test]
    fn nothing_is_served_past_its_life_without_permission_and_its_age_never_decreases(
        answer in answer(), grace in 0_u32..10, mut waits in prop::collection::vec(0_u64..60_000, 1..8)
    ) {
        let policy = Cache { stale_while_revalidate: grace, ..CACHE };
        let nothing = HeaderMap::new();
        let headers = response(&answer);
        let Some(variant) = stored(&nothing, &headers, T0, &policy) else { return Ok(()) };
        let index = Index::default().with(variant, &nothing).unwrap();
        let number = |name: &str| {
            let found = answer.1.split(", ").find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
            found.map(|seconds| seconds.parse::<u64>().unwrap())
        };
        let life = number("s-maxage").or(number("max-age")).unwrap();
        let says = |name| answer.1.split(", ").any(|one| one == name);
        let forbidden = says("must-revalidate") || says("no-cache") || number("s-maxage").is_some();
        let grace = number("stale-while-revalidate").unwrap_or(grace.into());
        let mut last = 0;
        waits.sort_unstable();
        for wait in waits {
            let real = u64::from(answer.2.unwrap_or(0)) + wait / 1_000;
            if let Reuse::Serve(serve) = reuse(&index, &nothing, T0 + wait) {
                prop_assert!(!says("no-cache"));
                prop_assert_eq!(serve.age, real);
                prop_assert!(serve.age >= last);
                last = serve.age;
                match serve.stale {
                    None => prop_assert!(real < life),
                    Some(stale) => {
                        prop_assert_eq!(stale, Stale::WhileRevalidate);
                        prop_assert!(!forbidden && real < life + grace);
                    }
                }
            } else {
                prop_assert!(real >= life || says("no-cache"), "fresh, and not served");
            }
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written(
        values in fields(), answer in answer(), cookies in prop::collection::vec("[a-z=é ]{1,20}", 0..3)
    ) {
        let mut headers = response(&answer);
        for cookie in cookies {
            headers.append("x-text", http::HeaderValue::from_bytes(cookie.trim().as_bytes()).unwrap());
        }
        let asked = request(&values);
        if let Some(variant) = stored(&asked, &headers, T0, &CACHE) {
            let index = Index::default().with(variant, &asked).unwrap();
            let json = serde_json::to_string(&index).unwrap();
            prop_assert_eq!(serde_json::from_str::<Index>(&json).unwrap(), index);
        }
    }
}
