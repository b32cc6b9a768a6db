use serde_json::json;

use super::*;
use crate::auth::token::Identity;
use crate::plan::{Condition, Segment, Subject, Test, Tier, Value};
use crate::testing::{LIMIT, ROUTE, STREAMS, SUPABASE};

static THREAD: Route =
    Route { segments: &[Segment::Literal("thread"), Segment::Param("id"), Segment::Tail("rest")], ..ROUTE };

fn user(session: Option<&str>) -> Caller {
    Caller::User(Identity {
        user: "u/1".to_owned(),
        role: String::new(),
        session: session.map(str::to_owned),
        aal: None,
    })
}

fn asking(caller: &Caller) -> Asking<'_> {
    let ip = "2001:db8:1:2:3::4".parse().ok();
    Asking { route: &THREAD, path: "/thread/t1/a/b", caller, ip, claims: None, api_key: None }
}

fn counter(by: &'static [Part], asking: Asking<'_>) -> String {
    asking.counter(&Limit { by, ..LIMIT })
}

#[test]
fn callers_count_apart_and_an_ipv6_subscriber_once() {
    let ip = |text: &str| {
        let ip = Some(text.parse().unwrap());
        counter(&[Part::Caller], Asking { ip, ..asking(&Caller::Anonymous) })
    };
    assert_eq!(ip("192.0.2.1"), "api/ip/192.0.2.1");
    assert_eq!(ip("2001:db8:1:2:3::4"), ip("2001:db8:1:2:ffff::"));
    assert_ne!(ip("2001:db8:1:2::"), ip("2001:db8:1:3::"));
    assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    assert_eq!(counter(&[Part::Caller], asking(&user(None))), "api/user/u%2F1");
    assert_eq!(counter(&[Part::Caller], asking(&Caller::ApiKey("k".to_owned()))), "api/key/k");
}

#[test]
fn requests_alike_in_all_parts_share_a_counter() {
    let caller = user(Some("s1"));
    let key = |by| counter(by, asking(&caller));
    assert_eq!(key(&[Part::Session, Part::Param("id")]), "api/session/s1/path/t1");
    assert_eq!(key(&[Part::Address, Part::Param("rest")]), "api/ip/2001:db8:1:2::/64/path/a%2Fb");
    assert_eq!(key(&[Part::Param("another")]), "api/path/", "on a route without it");
    let service = asking(&caller).places(&crate::plan::Concurrency { by: &[Part::Service], ..STREAMS });
    assert_eq!(service, "streams/service/backend");
}

#[test]
fn where_a_session_or_a_claim_is_missing_the_caller_stands_in() {
    let caller = user(None);
    let claims = json!({"app_metadata": {"org": "o1", "size": 5, "list": ["a"]}});
    let claims = claims.as_object().unwrap();
    let with = Asking { claims: Some((claims, &SUPABASE.claims)), ..asking(&caller) };
    let claim = |path: &'static [&'static str]| with.key("api", &[Part::Claim(path)]);
    assert_eq!(claim(&["app_metadata", "org"]), "api/claim/o1");
    assert_eq!(claim(&["app_metadata", "size"]), "api/claim/5");
    for missing in [&["app_metadata", "list"][..], &["org"], &["app_metadata", "org", "x"]] {
        assert_eq!(with.key("api", &[Part::Claim(missing)]), "api/user/u%2F1");
    }
    assert_eq!(counter(&[Part::Session], asking(&caller)), "api/user/u%2F1");
}

#[test]
fn values_of_any_form_make_short_printable_keys_that_differ() {
    let key = |value: &str| named(value);
    assert_ne!(key("a/b"), key("a%2Fb"));
    let long = "x".repeat(5_000);
    for odd in ["\u{e9}", "a b", "", &long] {
        let key = key(odd);
        assert!(key.len() <= LONGEST && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
    }
    assert_ne!(key(&long), key(&format!("{long}x")));
}

#[test]
fn a_tier_is_of_those_of_whom_its_test_holds() {
    const FEW: &[Window] = &[Window { quota: 1, seconds: 3_600, burst: None }];
    const MANY: &[Window] = &[Window { quota: 9, seconds: 3_600, burst: None }];
    let free = Condition {
        subject: Subject::Claim(&["app_metadata", "plan"]),
        test: Test::OneOf(&[Value::Text("free")]),
    };
    let tiers = Box::leak(Box::new([
        Tier { name: "free", of: TierOf::User(free), windows: FEW },
        Tier { name: "bought", of: TierOf::ApiKey("pk_big_"), windows: MANY },
    ]));
    let limit = Limit { tiers, ..LIMIT };
    let caller = user(None);
    let of = |plan: &str| {
        let claims = json!({"app_metadata": {"plan": plan}});
        let claims = Some((claims.as_object().unwrap(), &SUPABASE.claims));
        Asking { claims, ..asking(&caller) }.windows(&limit)
    };
    assert_eq!(of("free"), (FEW, Some("free")));
    assert_eq!(of("pro"), (LIMIT.windows, None));
    let key = Caller::ApiKey("digest".to_owned());
    let by = |api_key| Asking { api_key, ..asking(&key) }.windows(&limit);
    assert_eq!(by(Some("pk_big_1:sk_2")), (MANY, Some("bought")));
    assert_eq!(by(Some("pk_1:sk_pk_big_")), (LIMIT.windows, None));
    assert!(looks_at_claims(&Route { limit: Some(limit), ..ROUTE }) && !looks_at_claims(&ROUTE));
}
