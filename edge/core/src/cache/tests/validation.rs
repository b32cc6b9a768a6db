//! What a 304 does to what is stored.

use super::*;

#[test]
fn rfc9111_4_3_1_the_origin_is_asked_by_what_is_stored_and_not_by_what_the_client_has() {
    let answer = [DATE, ("cache-control", "max-age=1"), ("etag", "\"a\""), ("last-modified", EARLIER)];
    let index = index(&CACHE, &[], &answer);
    let mut asked = map(&[("if-none-match", "\"client\""), ("if-modified-since", "x")]);
    assert!(validate::condition(&mut asked, &index, index.variants.first()));
    assert_eq!(
        (&asked["if-none-match"], &asked["if-modified-since"]),
        (&"\"a\"".parse().unwrap(), &EARLIER.parse().unwrap())
    );
    let mut unknown = map(&[("if-none-match", "\"client\"")]);
    assert!(!validate::condition(&mut unknown, &Index::default(), None));
    assert_eq!(unknown["if-none-match"], "\"client\"");
}

#[test]
fn rfc9111_4_3_4_a_304_gives_what_is_stored_new_fields_and_a_new_life() {
    let answer = [
        DATE,
        ("cache-control", "max-age=1"),
        ("etag", "\"a\""),
        ("x", "old"),
        ("y", "old"),
        ("content-length", "10"),
    ];
    let index = index(&CACHE, &[], &answer);
    let freshened = |fields: &[(&str, &str)]| {
        validate::freshen(
            &CACHE,
            &index,
            index.variants.first(),
            &map(&[]),
            &map(fields),
            (T0 + 9_000, T0 + 9_000),
        )
    };
    let now = ("date", "Sun, 06 Nov 1994 08:49:46 GMT");
    let fresh = freshened(&[
        now,
        ("etag", "W/\"a\""),
        ("cache-control", "max-age=60"),
        ("x", "new"),
        ("content-length", "0"),
    ]);
    let fresh = fresh.unwrap();
    assert_eq!(
        (&fresh.headers["x"], &fresh.headers["y"]),
        (&"new".parse().unwrap(), &"old".parse().unwrap())
    );
    assert_eq!(fresh.headers["content-length"], "10", "§3.2");
    assert_eq!((fresh.age(T0 + 9_000), fresh.terms.life, fresh.body.as_str()), (0, 60, "name"));
    assert!(freshened(&[now]).is_some(), "it is about what was asked about");
    assert_eq!(freshened(&[now, ("etag", "\"b\"")]), None, "it confirms something else");
}

/// The response that a 304 with these fields leaves, for a request with these.
fn confirmed(index: &Index, asked: &[(&str, &str)], fields: &[(&str, &str)]) -> Option<Variant> {
    let (asked, fields) = (map(asked), map(fields));
    validate::freshen(&SHARED, index, index.select(&asked), &asked, &fields, (T0 + 1, T0 + 1))
}

#[test]
fn what_a_304_makes_somebodys_own_is_not_for_all() {
    let tag = ("etag", "\"a\"");
    let index = index(&SHARED, &[], &[tag, ("cache-control", "max-age=1")]);
    assert!(confirmed(&index, &[], &[tag, ("cache-control", "max-age=60")]).is_some());
    for own in
        [("set-cookie", "a=1"), ("cache-control", "private, max-age=60"), ("cache-control", "no-store")]
    {
        assert_eq!(confirmed(&index, &[], &[tag, own]), None, "{own:?}");
    }
}

#[test]
fn rfc9110_8_8_1_a_304_does_not_put_another_coding_in_the_place_of_the_one_asked_for() {
    let coded = |coding: &str, tag, encoding| {
        let asked = [("accept-encoding", coding)];
        let answer = [
            ("etag", tag),
            ("vary", "accept-encoding"),
            ("content-encoding", encoding),
            ("cache-control", "max-age=9"),
        ];
        (Variant { body: coding.to_owned(), ..stored(&CACHE, &asked, &answer).unwrap() }, map(&asked))
    };
    let (plain, identity) = coded("identity", "\"x\"", "identity");
    let (packed, gzip) = coded("gzip", "W/\"x\"", "gzip");
    let both = Index::default().with(plain, &identity).unwrap().with(packed.clone(), &gzip).unwrap();
    let asks = [("accept-encoding", "identity")];
    assert_eq!(confirmed(&both, &asks, &[("etag", "\"x\"")]).unwrap().body, "identity");
    let (packed, _) = coded("gzip", "\"x\"", "gzip");
    let one = Index::default().with(packed, &gzip).unwrap();
    assert_eq!(confirmed(&one, &asks, &[("etag", "\"x\"")]), None, "one tag for all codings");
}
