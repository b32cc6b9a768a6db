//! Which stored response a request selects.

use super::*;

#[test]
fn rfc9111_4_1_values_that_are_no_text_select_too() {
    let tenant = |value: &str| [("x-tenant", value.to_owned())];
    let asked = |value: &str| {
        let [(name, value)] = tenant(value);
        HeaderMap::from_iter([(
            HeaderName::from_static(name),
            http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        )])
    };
    let answer = map(&[("vary", "x-tenant"), ("cache-control", "max-age=60")]);
    let exchange = |asked| Exchange {
        policy: &CACHE,
        method: &Method::GET,
        asked,
        status: StatusCode::OK,
        headers: &answer,
        requested_ms: T0,
        received_ms: T0,
    };
    let zurich = asked("Z\u{fc}rich");
    let index =
        Index::default().with(storable(&exchange(&zurich), "name".to_owned()).unwrap(), &zurich).unwrap();
    assert!(index.select(&zurich).is_some());
    for other in [asked("K\u{f6}ln"), asked(""), HeaderMap::new()] {
        assert_eq!(index.select(&other), None);
    }
}

#[test]
fn rfc9111_4_1_a_response_selected_by_other_fields_is_not_used() {
    let answer = [DATE, ("cache-control", "max-age=60"), ("vary", "RSC, Accept-Encoding, Origin")];
    let index = index(&CACHE, &[("rsc", "1"), ("accept-encoding", "gzip,  br")], &answer);
    let at = |fields: &[(&str, &str)]| match reuse(&index, &map(fields), T0) {
        Reuse::Serve(_) => None,
        Reuse::Ask { why, .. } => Some(why),
    };
    assert_eq!(at(&[("rsc", "1"), ("accept-encoding", "BR, gzip;q=1.0"), ("origin", "x")]), None);
    assert_eq!(at(&[("accept-encoding", "gzip, br")]), Some(Why::VaryMiss));
    assert_eq!(at(&[("rsc", "2"), ("accept-encoding", "gzip, br")]), Some(Why::VaryMiss));
    assert_eq!(at(&[("rsc", "1"), ("accept-encoding", "gzip, br;q=0.5")]), Some(Why::VaryMiss));
}

#[test]
fn rfc9111_4_1_several_variants_are_kept_the_newest_of_each() {
    let answer = [DATE, ("cache-control", "max-age=60"), ("vary", "foo")];
    let variant = |foo: &str, body: &str| {
        let stored = stored(&CACHE, &[("foo", foo)], &answer).unwrap();
        (Variant { body: body.to_owned(), ..stored }, map(&[("foo", foo)]))
    };
    let mut index = Index::default();
    for (foo, body) in [("1", "a"), ("2", "b"), ("1", "c")] {
        let (variant, asked) = variant(foo, body);
        index = index.with(variant, &asked).unwrap();
    }
    let found = |foo| index.select(&map(&[("foo", foo)])).map(|variant| variant.body.as_str());
    assert_eq!((found("1"), found("2"), found("3")), (Some("c"), Some("b"), None));
    for foo in 10..40 {
        let (variant, asked) = variant(&foo.to_string(), "x");
        index = index.with(variant, &asked).unwrap();
    }
    assert_eq!(index.variants.len(), 16);
}

#[test]
fn rfc9110_12_5_4_a_response_in_the_language_that_is_liked_best_is_selected() {
    let answer =
        [DATE, ("cache-control", "max-age=60"), ("vary", "accept-language, x"), ("content-language", "de")];
    let index = index(&CACHE, &[("accept-language", "en, de")], &answer);
    let selects = |fields: &[(&str, &str)]| index.select(&map(fields)).is_some();
    assert!(selects(&[("accept-language", "DE , en")]), "as it was asked for");
    assert!(selects(&[("accept-language", "fr;q=0.5, de;q=1.0")]));
    assert!(!selects(&[("accept-language", "fr;q=0.5, de;q=0.4")]));
    assert!(!selects(&[("accept-language", "fr, de")]), "both are liked as well");
    assert!(!selects(&[("accept-language", "de"), ("x", "1")]), "by another field it is not");
    assert!(!selects(&[]));
}

#[test]
fn one_that_varies_ends_the_reuse_of_one_that_does_not() {
    let plain = index(&CACHE, &[], &[DATE, ("cache-control", "max-age=60")]);
    let varies = stored(&CACHE, &[("rsc", "1")], &[DATE, ("cache-control", "max-age=60"), ("vary", "rsc")]);
    let index = plain.with(varies.unwrap(), &map(&[("rsc", "1")])).unwrap();
    assert_eq!(index.select(&map(&[])), None);
}
