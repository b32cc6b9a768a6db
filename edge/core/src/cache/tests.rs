use super::*;
use crate::auth::token::Identity;
use crate::testing::ROUTE;

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}

fn route(cache: Cache) -> Route {
    Route { cache, ..ROUTE }
}

const ASSIGNED: Cache = Cache::Assign { seconds: 5, shared: false };
const SHARED: Cache = Cache::Assign { seconds: 5, shared: true };
/// Sun, 06 Nov 1994 08:49:37 GMT, in Unix milliseconds.
const T0: u64 = 784_111_777_000;
const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

fn stored_with(cache: Cache, asked: &[(&str, &str)], answer: &[(&str, &str)]) -> Option<Stored> {
    store(&route(cache), &Method::GET, &map(asked), StatusCode::OK, &map(answer), (T0, T0))
}

fn is_stored(cache: Cache, answer: &[(&str, &str)]) -> bool {
    stored_with(cache, &[], answer).is_some()
}

fn reused(asked: &[(&str, &str)], answer: &[(&str, &str)], after_s: u64) -> Reuse {
    let stored = stored_with(Cache::Obey, &[], answer).unwrap();
    reuse(&stored, &map(asked), T0 + after_s * 1_000)
}

#[test]
fn rfc9111_3_only_what_may_be_stored_is_stored() {
    for (fields, expected) in [
        (vec![("cache-control", "max-age=60")], true),
        (vec![("cache-control", "public, max-age=31536000, immutable")], true),
        (vec![("cache-control", "max-age=60, no-store")], false),
        (vec![("cache-control", "max-age=60, private")], false),
        (vec![("cache-control", "max-age=60, private=\"x\"")], false),
        (vec![("cache-control", "max-age=60, no-cache")], false),
        (vec![("cache-control", "max-age=0")], false),
        (vec![("cache-control", "max-age=60"), ("set-cookie", "a=1")], false),
        (vec![("cache-control", "max-age=60"), ("vary", "*")], false),
        (vec![("cache-control", "max-age=60"), ("vary", "accept, Authorization")], false),
        (vec![("cache-control", "max-age=60"), ("vary", "cookie")], false),
        (vec![DATE, ("expires", "Sun, 06 Nov 1994 08:50:37 GMT")], true),
        (vec![DATE, ("expires", "0")], false),
        (vec![("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], false),
        (vec![], false),
    ] {
        assert_eq!(is_stored(Cache::Obey, &fields), expected, "{fields:?}");
    }
}

#[test]
fn a_route_assigns_freshness_only_where_the_origin_is_silent() {
    assert!(is_stored(ASSIGNED, &[]));
    assert!(!is_stored(ASSIGNED, &[("cache-control", "private")]));
    assert!(!is_stored(ASSIGNED, &[("cache-control", "max-age=0")]));
    assert!(!is_stored(ASSIGNED, &[("set-cookie", "a=1")]));
    assert!(!is_stored(Cache::Off, &[("cache-control", "public, max-age=60")]));
}

#[test]
fn an_assigned_life_is_not_an_errors_and_not_a_clients_to_shorten() {
    let with =
        |status| store(&route(ASSIGNED), &Method::GET, &map(&[]), status, &map(&[DATE]), (T0, T0)).is_some();
    assert!(with(StatusCode::OK) && !with(StatusCode::NOT_FOUND) && !with(StatusCode::GONE));
    let stored = stored_with(ASSIGNED, &[], &[DATE]).unwrap();
    for wish in ["no-cache", "max-age=0", "min-fresh=60"] {
        assert_eq!(
            reuse(&stored, &map(&[("cache-control", wish)]), T0 + 1_000),
            Reuse::Fresh { age: 1, ttl: 4 }
        );
    }
}

#[test]
fn only_get_and_statuses_that_stand_for_themselves_are_stored() {
    let with = |method, status| {
        let status = StatusCode::from_u16(status).unwrap();
        store(
            &route(Cache::Obey),
            &method,
            &map(&[]),
            status,
            &map(&[("cache-control", "max-age=9")]),
            (T0, T0),
        )
        .is_some()
    };
    assert!(with(Method::GET, 404));
    assert!(!with(Method::HEAD, 200));
    assert!(!with(Method::POST, 200));
    assert!(!with(Method::GET, 206));
    assert!(!with(Method::GET, 304));
    assert!(!with(Method::GET, 500));
}

#[test]
fn a_known_caller_and_a_shared_answer_never_meet_unless_the_route_says_so() {
    let admitted = |cache, caller: Caller| admit(&route(cache), &caller, &Method::GET, &map(&[]));
    assert_eq!(admitted(ASSIGNED, Caller::Anonymous), Ok(()));
    assert_eq!(admitted(ASSIGNED, Caller::ApiKey("k".into())), Err(Bypass::Identity));
    let user = Identity { user: "u".into(), role: String::new(), session: None, aal: None };
    assert_eq!(admitted(ASSIGNED, Caller::User(user.clone())), Err(Bypass::Identity));
    assert_eq!(admitted(SHARED, Caller::User(user)), Ok(()));
    assert_eq!(
        admitted(SHARED, Caller::ApiKey("k".into())),
        Err(Bypass::Identity),
        "nobody has checked it yet"
    );
    assert_eq!(admitted(Cache::Off, Caller::Anonymous), Err(Bypass::Route));
}

#[test]
fn parts_unsafe_methods_and_no_store_requests_pass_by() {
    let admitted = |method, fields: &[(&str, &str)]| {
        admit(&route(Cache::Obey), &Caller::Anonymous, &method, &map(fields))
    };
    assert_eq!(admitted(Method::POST, &[]), Err(Bypass::Method));
    assert_eq!(admitted(Method::GET, &[("range", "bytes=0-1")]), Err(Bypass::Range));
    assert_eq!(admitted(Method::GET, &[("cache-control", "no-store")]), Err(Bypass::Request));
    assert_eq!(admitted(Method::HEAD, &[]), Ok(()));
}

#[test]
fn rfc9111_4_2_a_response_is_fresh_for_its_life_and_not_a_second_longer() {
    let answer = [DATE, ("cache-control", "max-age=60, s-maxage=30")];
    assert_eq!(reused(&[], &answer, 29), Reuse::Fresh { age: 29, ttl: 1 });
    assert_eq!(reused(&[], &answer, 30), Reuse::Stale, "s-maxage is for shared caches");
}

#[test]
fn rfc9111_4_2_3_age_counts_from_the_origin_not_from_here() {
    let life = ("cache-control", "max-age=60");
    assert_eq!(reused(&[], &[DATE, life, ("age", "50")], 5), Reuse::Fresh { age: 55, ttl: 5 });
    assert_eq!(reused(&[], &[DATE, life, ("age", "x")], 5), Reuse::Fresh { age: 5, ttl: 55 });
    let old = ("date", "Sun, 06 Nov 1994 08:49:07 GMT");
    assert_eq!(reused(&[], &[old, life], 5), Reuse::Fresh { age: 35, ttl: 25 });
}

#[test]
fn rfc9111_4_1_a_response_selected_by_other_fields_is_not_used() {
    let answer = [DATE, ("cache-control", "max-age=60"), ("vary", "RSC, Accept-Encoding, Origin")];
    let stored =
        stored_with(Cache::Obey, &[("rsc", "1"), ("accept-encoding", "gzip,  br")], &answer).unwrap();
    let at = |fields: &[(&str, &str)]| reuse(&stored, &map(fields), T0);
    assert!(matches!(
        at(&[("rsc", "1"), ("accept-encoding", "gzip, br"), ("origin", "x")]),
        Reuse::Fresh { .. }
    ));
    assert_eq!(at(&[("accept-encoding", "gzip, br")]), Reuse::VaryMiss);
    assert_eq!(at(&[("rsc", "2"), ("accept-encoding", "gzip, br")]), Reuse::VaryMiss);
}

#[test]
fn rfc9111_5_2_1_a_request_may_want_a_younger_response() {
    let answer = [DATE, ("cache-control", "max-age=60")];
    assert_eq!(reused(&[("cache-control", "no-cache")], &answer, 0), Reuse::Request);
    assert_eq!(reused(&[("pragma", "no-cache")], &answer, 0), Reuse::Request);
    assert_eq!(reused(&[("cache-control", "max-age=5")], &answer, 6), Reuse::Stale);
    assert_eq!(reused(&[("cache-control", "min-fresh=30")], &answer, 40), Reuse::Stale);
    assert!(only_if_cached(&map(&[("cache-control", "only-if-cached")])));
}

#[test]
fn rfc9110_13_1_2_a_held_response_is_recognised_by_weak_comparison() {
    let stored =
        stored_with(Cache::Obey, &[], &[("cache-control", "max-age=9"), ("etag", "W/\"a\"")]).unwrap();
    let held = |tags: &str| stored.is_held_by(&map(&[("if-none-match", tags)]));
    assert!(held("\"b\", \"a\""));
    assert!(held("*"));
    assert!(!held("\"b\""));
    assert!(!stored.is_held_by(&map(&[])));
}

#[test]
fn the_stored_layout_stays_as_it_is() {
    let stored = stored_with(SHARED, &[("rsc", "1")], &[("vary", "rsc"), ("vary", "x")]).unwrap();
    let json = concat!(
        r#"{"status":200,"headers":[["vary","rsc"],["vary","x"]],"vary":[["rsc","1"],["x",null]],"#,
        r#""requested_ms":784111777000,"received_ms":784111777000,"assigned":5}"#
    );
    assert_eq!(serde_json::to_string(&stored).unwrap(), json);
}

#[test]
fn rfc9211_cache_status_says_what_happened() {
    assert_eq!(Status::Hit(30).to_string(), "he2; hit; ttl=30");
    assert_eq!(Status::UriMiss { stored: true }.to_string(), "he2; fwd=uri-miss; stored");
    assert_eq!(Status::Forward { reuse: Reuse::VaryMiss, stored: false }.to_string(), "he2; fwd=vary-miss");
    assert_eq!(Status::Bypass(Bypass::Identity).to_string(), "he2; fwd=bypass; detail=identity");
}
