use http::HeaderName;

use super::*;
use crate::testing::{ANY_OF, OPTIONAL, STREAM};

fn fields(list: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
    list.iter().map(pair).collect()
}

fn found(policy: SignIn, list: &[(&'static str, &str)], query: Option<&str>) -> Result<Credential, Refusal> {
    credential(&policy, &fields(list), query, &["sb-ref-auth-token".to_owned()])
}

fn token(text: &str, source: Option<Source>) -> Credential {
    Credential::Token(text.to_owned(), source)
}

const BEARER: (&str, &str) = ("authorization", "bearer t");
const COOKIE: SignIn = SignIn { sources: &[Source::Cookie], ..OPTIONAL };
const API_KEYS: SignIn = SignIn { user: false, ..ANY_OF };

#[test]
fn a_credential_is_looked_for_where_the_route_lets_it_stand() {
    assert_eq!(found(ANY_OF, &[BEARER], None), Ok(token("t", None)));
    assert_eq!(found(OPTIONAL, &[BEARER], None), Ok(token("t", None)));
    assert_eq!(found(OPTIONAL, &[], None), Ok(Credential::None));
    assert_eq!(found(STREAM, &[], Some("a=1&token=t")), Ok(token("t", Some(Source::Query))));
    assert_eq!(found(ANY_OF, &[], Some("token=t")), Ok(Credential::None));
    assert_eq!(found(API_KEYS, &[BEARER], None), Ok(Credential::None));
    assert_eq!(found(OPTIONAL, &[("x-api-key", "whatever")], None), Ok(Credential::None));
    let cookie = ("cookie", "sb-ref-auth-token=%7B%22access_token%22%3A%22t%22%7D");
    assert_eq!(found(COOKIE, &[cookie], None), Ok(token("t", Some(Source::Cookie))));
    assert_eq!(found(OPTIONAL, &[cookie], None), Ok(Credential::None));
}

#[test]
fn rfc6750_2_two_credentials_at_once_are_refused() {
    let refused = |result| matches!(result, Err(Refusal::Request(_)));
    assert!(refused(found(STREAM, &[BEARER], Some("token=t"))));
    assert!(refused(found(STREAM, &[], Some("token=t&token=u"))));
    assert!(refused(found(ANY_OF, &[("authorization", "Basic dTpw")], None)));
    assert!(refused(found(ANY_OF, &[BEARER, ("x-api-key", &format!("he-{}", "a".repeat(36)))], None)));
    assert!(refused(found(
        COOKIE,
        &[BEARER, ("cookie", "sb-ref-auth-token={\"access_token\":\"u\"}")],
        None
    )));
    let same = [BEARER, ("cookie", "sb-ref-auth-token={\"access_token\":\"t\"}")];
    assert_eq!(found(COOKIE, &same, None), Ok(token("t", None)), "a browser sends its cookies unasked");
}

#[test]
fn api_keys_are_checked_by_shape() {
    let given = |key: &str| found(ANY_OF, &[("x-api-key", key)], None);
    let pair = format!("pk_{}:sk_{}", "a".repeat(32), "B".repeat(32));
    assert_eq!(given(&pair), Ok(Credential::ApiKey(pair.clone())));
    assert!(given(&format!("he-{}", "a".repeat(36))).is_ok());
    for bad in ["", "pk_a:sk_b", &format!("{pair}x"), &format!("he-{}", "a".repeat(35)), "sb_publishable_x"] {
        assert_eq!(given(bad), Err(Refusal::ApiKey), "{bad}");
    }
}

#[test]
fn the_token_leaves_the_query_and_the_rest_stays_byte_for_byte() {
    let taken = |query: &str| without_token(Some(query), true);
    assert_eq!(taken("a=%20&token=t&b").as_deref(), Some("a=%20&b"));
    assert_eq!(taken("token=t"), None);
    assert_eq!(taken("%74oken=t&a").as_deref(), Some("a"), "the origin decodes names");
    assert!(found(STREAM, &[], Some("%74oken=t")).is_ok_and(|found| found != Credential::None));
    assert_eq!(taken("tokens=1").as_deref(), Some("tokens=1"));
    assert_eq!(without_token(None, true), None);
}

#[test]
fn where_no_token_is_taken_from_the_query_none_of_ours_goes_on_in_it() {
    let untaken = |query: &str| without_token(Some(query), false);
    assert_eq!(untaken("a=1&token=eyJhbGciOiJub25lIn0.e30.x&b=2").as_deref(), Some("a=1&b=2"));
    let invitation = "token=5f1c9c0e-3b0a&next=a.b.c";
    assert_eq!(untaken(invitation).as_deref(), Some(invitation), "another kind of token is the app's own");
}
