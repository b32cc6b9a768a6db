//! The promises of the cache, over its parts together.

mod selecting;
mod validation;

use http::header::{HeaderName, RANGE};
use http::{HeaderMap, Method, StatusCode};

use super::index::{Index, Variant};
use super::range::{Part, part};
use super::reuse::{Reuse, Serve, Stale, Why, instead_of_error, only_if_cached, reuse};
use super::status::{Forward, Status};
use super::storable::{Exchange, storable};
use super::*;
use crate::auth::token::Identity;
use crate::testing::{CACHE, ROUTE};

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}

fn route(cache: Option<Cache>) -> Route {
    Route { cache, ..ROUTE }
}

const ASSIGNED: Cache = Cache { assign: Some(5), ..CACHE };
const SHARED: Cache = Cache { shared: true, ..ASSIGNED };
/// Sun, 06 Nov 1994 08:49:37 GMT, in Unix milliseconds.
const T0: u64 = 784_111_777_000;
const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
const EARLIER: &str = "Sun, 06 Nov 1994 08:00:00 GMT";

fn stored_as(
    policy: &Cache,
    method: &Method,
    status: u16,
    asked: &[(&str, &str)],
    answer: &[(&str, &str)],
) -> Option<Variant> {
    let (asked, headers) = (map(asked), map(answer));
    let status = StatusCode::from_u16(status).unwrap();
    let exchange = Exchange {
        policy,
        method,
        asked: &asked,
        status,
        headers: &headers,
        requested_ms: T0,
        received_ms: T0,
    };
    storable(&exchange, "name".to_owned()).map(|variant| Variant { length: 10, ..variant })
}

fn stored(policy: &Cache, asked: &[(&str, &str)], answer: &[(&str, &str)]) -> Option<Variant> {
    stored_as(policy, &Method::GET, 200, asked, answer)
}

fn is_stored(policy: &Cache, answer: &[(&str, &str)]) -> bool {
    stored(policy, &[], answer).is_some()
}

/// What is kept of an answer that may be.
fn index(policy: &Cache, asked: &[(&str, &str)], answer: &[(&str, &str)]) -> Index {
    let variant = stored(policy, asked, answer).unwrap();
    Index::default().with(variant, &map(asked)).unwrap()
}

/// Age and what is left of its life, if it is served, and by what permission where it is stale.
fn served(
    policy: &Cache,
    asked: &[(&str, &str)],
    answer: &[(&str, &str)],
    after_s: u64,
) -> Result<(u64, i64, Option<Stale>), Why> {
    match reuse(&index(policy, &[], answer), &map(asked), T0 + after_s * 1_000) {
        Reuse::Serve(Serve { age, ttl, stale, .. }) => Ok((age, ttl, stale)),
        Reuse::Ask { why, .. } => Err(why),
    }
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
        (vec![("cache-control", "max-age=60, no-cache"), ("etag", "\"a\"")], true),
        (vec![("cache-control", "max-age=0")], false),
        (vec![("cache-control", "max-age=0"), ("last-modified", EARLIER)], true),
        (vec![("cache-control", "max-age=60"), ("set-cookie", "a=1")], false),
        (vec![("cache-control", "max-age=60"), ("vary", "*")], false),
        (vec![("cache-control", "max-age=60"), ("vary", "accept, Authorization")], false),
        (vec![("cache-control", "max-age=60"), ("vary", "cookie")], false),
        (vec![DATE, ("expires", "Sun, 06 Nov 1994 08:50:37 GMT")], true),
        (vec![DATE, ("expires", "0")], false),
        (vec![("last-modified", EARLIER)], false),
        (vec![("etag", "\"a\"")], false),
        (vec![], false),
    ] {
        assert_eq!(is_stored(&CACHE, &fields), expected, "{fields:?}");
    }
}

#[test]
fn a_route_assigns_freshness_only_where_the_origin_is_silent() {
    assert!(is_stored(&ASSIGNED, &[]));
    assert!(!is_stored(&ASSIGNED, &[("cache-control", "private")]));
    assert!(!is_stored(&ASSIGNED, &[("cache-control", "max-age=0")]));
    assert!(!is_stored(&ASSIGNED, &[("set-cookie", "a=1")]));
}

#[test]
fn an_assigned_life_is_not_an_errors_and_not_a_clients_to_shorten() {
    let with = |status| stored_as(&ASSIGNED, &Method::GET, status, &[], &[DATE]).is_some();
    assert!(with(200) && !with(404) && !with(410));
    for wish in ["no-cache", "max-age=0", "min-fresh=60"] {
        assert_eq!(served(&ASSIGNED, &[("cache-control", wish)], &[DATE], 1), Ok((1, 4, None)));
    }
}

#[test]
fn cookies_are_stored_only_where_the_route_says_so() {
    let answer = [("cache-control", "max-age=60"), ("set-cookie", "a=1")];
    assert!(!is_stored(&CACHE, &answer));
    assert!(is_stored(&Cache { stores_cookies: true, ..CACHE }, &answer));
}

#[test]
fn rfc9111_3_only_the_whole_answer_of_a_get_is_stored_whatever_its_status() {
    let with = |method: Method, status| {
        stored_as(&CACHE, &method, status, &[], &[("cache-control", "max-age=9")]).is_some()
    };
    assert!(with(Method::GET, 404) && with(Method::GET, 302) && with(Method::GET, 599));
    assert!(!with(Method::HEAD, 200));
    assert!(!with(Method::POST, 200));
    assert!(!with(Method::GET, 206));
    assert!(!with(Method::GET, 304));
}

#[test]
fn errors_live_no_longer_than_the_route_lets_them() {
    let policy = Cache { most_error_seconds: Some(10), ..CACHE };
    let life = |status| {
        stored_as(&policy, &Method::GET, status, &[], &[("cache-control", "max-age=60")]).unwrap().terms.life
    };
    assert_eq!((life(200), life(404), life(503)), (60, 10, 10));
}

#[test]
fn rfc9111_3_5_an_answer_to_credentials_is_stored_only_by_the_origins_word_or_the_routes() {
    let with = |control| stored(&CACHE, &[("authorization", "x")], &[("cache-control", control)]).is_some();
    assert!(!with("max-age=60"));
    assert!(stored(&SHARED, &[("authorization", "x")], &[]).is_some());
    assert!(with("max-age=60, public") && with("max-age=60, must-revalidate") && with("s-maxage=60"));
}

#[test]
fn rfc9111_5_2_2_3_must_understand_stands_above_no_store_for_statuses_that_are_understood() {
    let with = |status, control| {
        stored_as(&CACHE, &Method::GET, status, &[], &[("cache-control", control)]).is_some()
    };
    assert!(with(200, "max-age=9, no-store, must-understand"));
    assert!(!with(599, "max-age=9, no-store, must-understand"));
    assert!(!with(599, "max-age=9, must-understand"));
}

#[test]
fn rfc9111_3_1_fields_of_one_exchange_are_not_stored() {
    let answer =
        [("cache-control", "max-age=9"), ("proxy-authenticate", "x"), ("server-timing", "o"), ("a", "1")];
    let variant = stored(&CACHE, &[], &answer).unwrap();
    let names: Vec<_> = variant.headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(names, ["cache-control", "a"]);
}

#[test]
fn a_known_caller_and_a_shared_answer_never_meet_unless_the_route_says_so() {
    let admitted = |cache, caller: Caller| admit(&route(cache), &caller, &Method::GET, &map(&[])).map(drop);
    assert_eq!(admitted(Some(ASSIGNED), Caller::Anonymous), Ok(()));
    assert_eq!(admitted(Some(ASSIGNED), Caller::ApiKey("k".into())), Err(Bypass::Identity));
    let user = Identity { user: "u".into(), role: String::new(), session: None, aal: None };
    assert_eq!(admitted(Some(ASSIGNED), Caller::User(user.clone())), Err(Bypass::Identity));
    assert_eq!(admitted(Some(SHARED), Caller::User(user)), Ok(()));
    assert_eq!(
        admitted(Some(SHARED), Caller::ApiKey("k".into())),
        Err(Bypass::Identity),
        "nobody has checked it yet"
    );
    assert_eq!(admitted(None, Caller::Anonymous), Err(Bypass::Route));
}

#[test]
fn what_a_cache_cannot_judge_passes_by() {
    let admitted = |method, fields: &[(&str, &str)]| {
        admit(&route(Some(CACHE)), &Caller::Anonymous, &method, &map(fields)).map(drop)
    };
    assert_eq!(admitted(Method::POST, &[]), Err(Bypass::Method));
    assert_eq!(admitted(Method::GET, &[("range", "bytes=0-1")]), Ok(()));
    assert_eq!(admitted(Method::GET, &[("if-match", "\"a\"")]), Err(Bypass::Condition));
    assert_eq!(admitted(Method::GET, &[("content-length", "3")]), Err(Bypass::Content));
    assert_eq!(admitted(Method::GET, &[("content-length", "0")]), Ok(()));
    assert_eq!(admitted(Method::HEAD, &[]), Ok(()));
}

#[test]
fn where_the_route_gives_the_life_no_client_makes_the_origin_answer_more_often() {
    let admitted = |policy, fields: &[(&str, &str)]| {
        admit(&route(Some(policy)), &Caller::Anonymous, &Method::GET, &map(fields)).map(drop)
    };
    for field in [("if-match", "*"), ("if-unmodified-since", EARLIER), ("content-length", "3")] {
        assert_eq!(admitted(ASSIGNED, &[field]), Ok(()), "{field:?}");
        let mut sent = map(&[field]);
        neutralise(&mut sent);
        assert!(!sent.contains_key(field.0), "nor hears of it");
    }
    for wish in ["no-store", "no-cache", "max-age=0", "max-stale"] {
        let asked = [("cache-control", wish)];
        assert_eq!(admitted(ASSIGNED, &asked), Ok(()));
        assert_eq!(served(&ASSIGNED, &asked, &[], 4), Ok((4, 1, None)), "{wish}");
        assert_eq!(served(&ASSIGNED, &asked, &[], 6), Err(Why::Stale), "{wish}");
    }
}

#[test]
fn rfc9111_5_2_1_5_what_a_client_wants_unstored_is_served_from_storage_and_not_stored() {
    let asked = [("cache-control", "no-store")];
    assert_eq!(stored(&CACHE, &asked, &[("cache-control", "max-age=60")]), None);
    assert_eq!(served(&CACHE, &asked, &[("cache-control", "max-age=60")], 1), Ok((1, 59, None)));
}

#[test]
fn what_one_caller_may_not_have_is_not_every_callers_answer() {
    let known = [("x-he2-user", "u1")];
    let answer = [("cache-control", "max-age=60")];
    let kept = |status| stored_as(&SHARED, &Method::GET, status, &known, &answer).is_some();
    assert_eq!([200, 401, 403, 404].map(kept), [true, false, false, false]);
    let public = [("cache-control", "public, max-age=60")];
    assert!(stored_as(&SHARED, &Method::GET, 404, &known, &public).is_some(), "the origin says so");
}

#[test]
fn rfc9111_4_2_a_response_is_fresh_for_its_life_and_not_a_second_longer() {
    let answer = [DATE, ("cache-control", "max-age=60, s-maxage=30")];
    assert_eq!(served(&CACHE, &[], &answer, 29), Ok((29, 1, None)));
    assert_eq!(served(&CACHE, &[], &answer, 30), Err(Why::Stale), "s-maxage is for shared caches");
}

#[test]
fn rfc9111_4_2_3_age_counts_from_the_origin_not_from_here() {
    let life = ("cache-control", "max-age=60");
    assert_eq!(served(&CACHE, &[], &[DATE, life, ("age", "50")], 5), Ok((55, 5, None)));
    assert_eq!(served(&CACHE, &[], &[DATE, life, ("age", "x")], 5), Ok((5, 55, None)), "§5.1");
    assert_eq!(served(&CACHE, &[], &[DATE, life, ("age", "50, 0")], 5), Ok((55, 5, None)), "§5.1");
    let old = ("date", "Sun, 06 Nov 1994 08:49:07 GMT");
    assert_eq!(served(&CACHE, &[], &[old, life], 5), Ok((35, 25, None)));
}

#[test]
fn rfc9111_4_2_2_a_life_is_guessed_only_where_the_route_lets_it() {
    let answer = [DATE, ("last-modified", "Sun, 06 Nov 1994 08:39:37 GMT")];
    let policy = Cache { heuristic: true, ..CACHE };
    assert!(!is_stored(&CACHE, &answer));
    assert_eq!(served(&policy, &[], &answer, 59), Ok((59, 1, None)), "a tenth of ten minutes");
    let guessed = |status, fields: &[(&str, &str)]| {
        stored_as(&policy, &Method::GET, status, &[], fields).is_some_and(|variant| variant.terms.life > 0)
    };
    assert!(guessed(404, &answer) && !guessed(403, &answer));
    assert!(guessed(403, &[answer[0], answer[1], ("cache-control", "public")]));
}

#[test]
fn rfc9111_4_4_what_was_asked_for_before_an_invalidation_is_not_stored_after_it() {
    let variant = stored(&CACHE, &[], &[DATE, ("cache-control", "max-age=60")]).unwrap();
    assert_eq!(Index::invalid(T0).with(variant.clone(), &map(&[])), None);
    assert!(Index::invalid(T0 - 1).with(variant, &map(&[])).is_some());
}

#[test]
fn rfc9111_5_2_1_a_request_may_want_a_younger_response_or_take_an_older_one() {
    let answer = [DATE, ("cache-control", "max-age=60")];
    let with = |wish: (&str, &str), after| served(&CACHE, &[wish], &answer, after);
    assert_eq!(with(("cache-control", "no-cache"), 0), Err(Why::Request));
    assert_eq!(with(("pragma", "no-cache"), 0), Err(Why::Request));
    assert_eq!(with(("cache-control", "max-age=5"), 6), Err(Why::Request));
    assert_eq!(with(("cache-control", "min-fresh=30"), 40), Err(Why::Request));
    assert_eq!(with(("cache-control", "max-stale=10"), 70), Ok((70, -10, Some(Stale::MaxStale))));
    assert_eq!(with(("cache-control", "max-stale=10"), 71), Err(Why::Stale));
    assert_eq!(with(("cache-control", "max-stale"), 7_000), Ok((7_000, -6_940, Some(Stale::MaxStale))));
    assert!(only_if_cached(&map(&[("cache-control", "only-if-cached")])));
}

#[test]
fn rfc5861_3_stale_is_served_while_a_new_one_is_fetched_for_so_long_and_no_longer() {
    let answer = [DATE, ("cache-control", "max-age=10, stale-while-revalidate=5")];
    assert_eq!(served(&CACHE, &[], &answer, 14), Ok((14, -4, Some(Stale::WhileRevalidate))));
    assert_eq!(served(&CACHE, &[], &answer, 15), Err(Why::Stale));
    let policy = Cache { stale_while_revalidate: 5, ..ASSIGNED };
    assert_eq!(served(&policy, &[], &[DATE], 9), Ok((9, -4, Some(Stale::WhileRevalidate))));
}

#[test]
fn rfc9111_4_2_4_nothing_is_served_stale_that_the_origin_wants_asked_for() {
    for control in ["must-revalidate, max-age=5", "proxy-revalidate, max-age=5", "s-maxage=5"] {
        let both = format!("{control}, stale-while-revalidate=60, stale-if-error=60");
        let answer = [DATE, ("cache-control", both.as_str())];
        assert_eq!(served(&CACHE, &[("cache-control", "max-stale")], &answer, 6), Err(Why::Stale), "{both}");
        let variant = stored(&CACHE, &[], &answer).unwrap();
        assert_eq!(instead_of_error(Some(&variant), T0 + 6_000), None, "{both}");
    }
}

#[test]
fn rfc5861_4_stale_is_served_while_the_origin_fails_for_so_long_and_no_longer() {
    let variant = stored(&CACHE, &[], &[DATE, ("cache-control", "max-age=10, stale-if-error=5")]).unwrap();
    let at = |after_s: u64| instead_of_error(Some(&variant), T0 + after_s * 1_000).map(|serve| serve.ttl);
    assert_eq!((at(14), at(15)), (Some(-4), None));
}

#[test]
fn rfc9110_13_1_2_a_held_response_is_recognised_by_weak_comparison() {
    let variant = stored(&CACHE, &[], &[("cache-control", "max-age=9"), ("etag", "W/\"a\"")]).unwrap();
    let held = |tags: &str| conditional::is_held(&variant, &map(&[("if-none-match", tags)]));
    assert!(held("\"b\", \"a\""));
    assert!(held("*"));
    assert!(!held("\"b\""));
    assert!(!conditional::is_held(&variant, &map(&[])));
}

#[test]
fn rfc9110_13_1_3_a_held_response_is_recognised_by_its_date_where_no_tag_is_named() {
    let answer = [DATE, ("cache-control", "max-age=9"), ("last-modified", EARLIER), ("etag", "\"a\"")];
    let variant = stored(&CACHE, &[], &answer).unwrap();
    let held = |fields: &[(&str, &str)]| conditional::is_held(&variant, &map(fields));
    assert!(held(&[("if-modified-since", EARLIER)]));
    assert!(held(&[("if-modified-since", "Sunday, 06-Nov-94 08:30:00 GMT")]));
    assert!(!held(&[("if-modified-since", "Sun, 06 Nov 1994 07:59:59 GMT")]));
    assert!(!held(&[("if-modified-since", EARLIER), ("if-none-match", "\"b\"")]));
}

#[test]
fn rfc9110_14_one_range_of_bytes_is_cut_out_of_a_stored_response() {
    let variant = stored(&CACHE, &[], &[("cache-control", "max-age=9"), ("etag", "\"a\"")]).unwrap();
    let of = |range| part(&variant, &map(&[("range", range)]));
    for (range, expected) in [
        ("bytes=0-1", Part::Bytes { first: 0, last: 1 }),
        ("bytes=7-", Part::Bytes { first: 7, last: 9 }),
        ("bytes=-3", Part::Bytes { first: 7, last: 9 }),
        ("bytes=-30", Part::Bytes { first: 0, last: 9 }),
        ("bytes=5-99", Part::Bytes { first: 5, last: 9 }),
        ("bytes=10-", Part::Unsatisfiable),
        ("bytes=-0", Part::Unsatisfiable),
        ("bytes=3-2", Part::Whole),
        ("bytes=0-1,3-4", Part::Whole),
        ("bytes=a-b", Part::Whole),
        ("lines=0-1", Part::Whole),
    ] {
        assert_eq!(of(range), expected, "{range}");
    }
    let if_range = |tag| part(&variant, &map(&[("range", "bytes=0-1"), ("if-range", tag)]));
    assert_eq!(if_range("\"a\""), Part::Bytes { first: 0, last: 1 });
    assert_eq!(if_range("\"b\""), Part::Whole);
    assert_eq!(if_range("W/\"a\""), Part::Whole);
    assert!(variant.headers.get(RANGE).is_none());
}

#[test]
fn rfc9111_4_4_location_and_content_location_are_invalid_too_on_the_same_host() {
    let also =
        |location: &str| invalidate::also_changed(&map(&[("location", location)]), "he2.ai", "/a/b").pop();
    let place = |path: &str, query: Option<&str>| Some((path.to_owned(), query.map(str::to_owned)));
    assert_eq!(also("https://he2.ai/c?d#e"), place("/c", Some("d")));
    assert_eq!(also("/c"), place("/c", None));
    assert_eq!(also("c"), place("/a/c", None));
    assert_eq!(also("?d"), place("/a/b", Some("d")));
    assert_eq!(also("https://evil.example/c"), None);
    assert_eq!(also("//evil.example/c"), None);
    let of = |method: &str, status: u16| {
        invalidate::changes(&method.parse().unwrap(), StatusCode::from_u16(status).unwrap())
    };
    assert!(of("POST", 200) && of("M-SEARCH", 302) && !of("POST", 500) && !of("GET", 200));
}

#[test]
fn the_stored_layout_stays_as_it_is() {
    let index = index(&SHARED, &[("rsc", "1")], &[("vary", "rsc"), ("vary", "x")]);
    let json = concat!(
        r#"{"invalid_ms":0,"variants":[{"body":"name","status":200,"headers":[["vary","rsc"],["vary","x"]],"#,
        r#""selecting":[["rsc","1"],["x",null]],"content_ms":784111777000,"requested_ms":784111777000,"received_ms":784111777000,"age":0,"#,
        r#""terms":{"life":5,"while_revalidate":0,"if_error":0,"always_validate":false,"never_stale":false,"#,
        r#""assigned":true},"length":10,"tags":[]}]}"#
    );
    assert_eq!(serde_json::to_string(&index).unwrap(), json);
    assert_eq!(serde_json::from_str::<Index>(json).unwrap(), index);
}

#[test]
fn rfc9211_cache_status_says_what_happened() {
    let hit = |ttl, stale, collapsed| Status::Hit { ttl, stale, collapsed }.to_string();
    assert_eq!(hit(30, None, false), "he2; hit; ttl=30");
    assert_eq!(hit(30, None, true), "he2; hit; ttl=30; collapsed");
    assert_eq!(
        hit(-12, Some(Stale::WhileRevalidate), false),
        "he2; hit; ttl=-12; detail=stale-while-revalidate"
    );
    let forward = Forward::new(Why::UriMiss);
    assert_eq!(Status::Forward(Forward { stored: true, ..forward }).to_string(), "he2; fwd=uri-miss; stored");
    let instead = Forward { status: Some(503), detail: Some("stale-if-error"), ..Forward::new(Why::Stale) };
    assert_eq!(Status::Forward(instead).to_string(), "he2; fwd=stale; fwd-status=503; detail=stale-if-error");
    assert_eq!(Status::Bypass(Bypass::Identity).to_string(), "he2; fwd=bypass; detail=identity");
}
