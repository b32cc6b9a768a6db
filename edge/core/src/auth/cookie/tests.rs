use http::HeaderValue;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NAME: &str = "sb-ref-auth-token";

fn read(fields: &[&str]) -> Result<Option<String>, CookieFault> {
    let mut headers = HeaderMap::new();
    for field in fields {
        headers.append(COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap());
    }
    access_token(&headers, NAME)
}

#[allow(clippy::unnecessary_wraps, reason = "to compare verdicts with")]
fn found(token: &str) -> Result<Option<String>, CookieFault> {
    Ok(Some(token.to_owned()))
}

/// A session as supabase/ssr writes it, whose access token is this.
fn session(token: &str) -> String {
    let json = json!({
        "access_token": token, "token_type": "bearer", "expires_in": 3600, "expires_at": 1_800_000_000,
        "refresh_token": "never kept", "user": {"id": "u1", "name": "Zoë", "access_token": "not this one"}
    });
    format!("base64-{}", BASE64_URL_SAFE_NO_PAD.encode(json.to_string()))
}

/// Cookies `.0`, `.1` and so on, of so many characters each.
fn in_pieces(value: &str, length: usize) -> Vec<String> {
    let pieces = value.as_bytes().chunks(length).enumerate();
    pieces.map(|(at, piece)| format!("{NAME}.{at}={}", str::from_utf8(piece).unwrap())).collect()
}

/// Every byte escaped that `encodeURIComponent` escapes, and some more.
fn escaped(json: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    json.bytes().map(one).collect()
}

#[test]
fn the_cookie_is_named_for_the_first_label_of_the_issuers_host() {
    assert_eq!(name("https://ref.supabase.co/auth/v1").as_deref(), Some(NAME));
    assert_eq!(name("https://REF.supabase.co").as_deref(), Some(NAME));
    assert_eq!(name("http://127.0.0.1:54321/auth/v1").as_deref(), Some("sb-127-auth-token"));
    for address in [
        "",
        "supabase",
        "ref.supabase.co",
        "/auth/v1",
        "https://",
        "https://.co",
        "https://a=b.co",
        "http://[::1]",
        "a b",
    ] {
        assert_eq!(name(address), None, "{address}");
    }
}

#[test]
fn a_session_in_one_cookie_gives_its_access_token() {
    assert_eq!(read(&[&format!("{NAME}={}", session("a.b.c"))]), found("a.b.c"));
    assert_eq!(read(&[&format!("theme=dark;{NAME}= {} ; x", session("a.b.c"))]), found("a.b.c"));
}

#[test]
fn a_session_in_pieces_is_read_up_to_the_first_gap() {
    let mut cookies = in_pieces(&session("a.b.c"), 50);
    assert_eq!(read(&[&cookies.join("; ")]), found("a.b.c"));
    cookies.reverse();
    cookies.push(format!("{NAME}.9=beyond the gap"));
    assert_eq!(read(&[&cookies.join("; ")]), found("a.b.c"), "whatever their order");
    cookies.retain(|cookie| !cookie.starts_with(&format!("{NAME}.0=")));
    assert_eq!(read(&[&cookies.join("; ")]), Ok(None), "a session begins at .0");
}

#[test]
fn a_session_without_the_prefix_is_escaped_json() {
    let json = json!({"access_token": "a.b.c", "user": {"name": "Zoë"}}).to_string();
    assert_eq!(read(&[&format!("{NAME}={}", escaped(&json))]), found("a.b.c"));
    assert_eq!(
        read(&in_pieces(&escaped("{}"), 6).iter().map(String::as_str).collect::<Vec<_>>()),
        Err(CookieFault::Malformed)
    );
}

#[test]
fn rfc9113_8_2_3_cookie_fields_may_be_split() {
    let cookies = in_pieces(&session("a.b.c"), 50);
    assert_eq!(read(&cookies.iter().map(String::as_str).collect::<Vec<_>>()), found("a.b.c"));
}

#[test]
fn rfc6265_8_6_a_cookie_from_elsewhere_cannot_choose_the_session() {
    let (own, foreign) = (session("own"), session("foreign"));
    for fields in [
        vec![format!("{NAME}={own}; {NAME}={foreign}")],
        vec![format!("{NAME}={own}"), format!("{NAME}={foreign}")],
        vec![format!("{NAME}={own}; {NAME}={own}")],
        vec![format!("{NAME}=; {NAME}={foreign}")],
        vec![format!("{NAME}.0={own}; {NAME}={foreign}")],
        vec![format!("{NAME}.0={own}; {NAME}.0={foreign}")],
    ] {
        let fields: Vec<_> = fields.iter().map(String::as_str).collect();
        assert_eq!(read(&fields), Err(CookieFault::Ambiguous), "{fields:?}");
    }
}

#[test]
fn without_the_cookie_or_with_an_empty_one_there_is_no_session() {
    for field in [
        "",
        "theme=dark",
        NAME,
        "sb-ref-auth-token=",
        "sb-ref-auth-token.0=",
        "sb-ref-auth-token-code-verifier=x",
        "SB-REF-AUTH-TOKEN=x",
        "xsb-ref-auth-token=x",
        "theme=sb-ref-auth-token=x",
    ] {
        assert_eq!(read(&[field]), Ok(None), "{field}");
    }
    assert_eq!(read(&[]), Ok(None));
}

#[test]
fn what_is_not_a_session_with_an_access_token_is_refused() {
    let coded = |json: &str| format!("base64-{}", BASE64_URL_SAFE_NO_PAD.encode(json));
    for value in [
        "a.b.c".to_owned(),
        "%".to_owned(),
        "base64-".to_owned(),
        "base64-*".to_owned(),
        format!("{}=", session("a.b.c")),
        format!("\"{}\"", session("a.b.c")),
        coded("null"),
        coded("[\"a.b.c\"]"),
        coded("{}"),
        coded("{\"access_token\":7}"),
        coded("{\"access_token\":\"\"}"),
        coded("{\"access_token\":\"a\",\"access_token\":\"b\"}"),
        coded("{\"access_token\":\"a\"} x"),
        coded("{\"user\":{\"access_token\":\"a\"}}"),
        format!("base64-{}", BASE64_URL_SAFE_NO_PAD.encode(b"{\"access_token\":\"\xff\"}")),
    ] {
        assert_eq!(read(&[&format!("{NAME}={value}")]), Err(CookieFault::Malformed), "{value}");
    }
}

#[test]
fn a_session_has_a_bound_in_pieces_and_in_bytes() {
    let pieces = |count: usize| {
        let value = session("a.b.c");
        let cookies = in_pieces(&value, value.len().div_ceil(count));
        assert_eq!(cookies.len(), count);
        read(&[&cookies.join("; ")])
    };
    assert_eq!(pieces(MOST_PIECES), found("a.b.c"));
    assert_eq!(pieces(MOST_PIECES + 1), Err(CookieFault::TooLong));
    let of_length = |length: usize| {
        let json = "{\"access_token\":\"a\"}";
        read(&[&format!("{NAME}={json}{}", "%20".repeat((length - json.len()) / 3))])
    };
    assert_eq!(of_length(LONGEST), found("a"));
    assert_eq!(of_length(LONGEST + 3), Err(CookieFault::TooLong));
}

proptest! {
    #[test]
    fn a_token_is_found_however_its_session_is_cut(
        token in "[A-Za-z0-9_.-]{1,900}", length in 100_usize..4_000, bare in any::<bool>()
    ) {
        let value = if bare { escaped(&json!({"access_token": token}).to_string()) } else { session(&token) };
        prop_assert_eq!(read(&[&in_pieces(&value, length).join("; ")]), found(&token));
    }

    #[test]
    fn no_bytes_make_it_panic(
        fields in prop::collection::vec(
            prop_oneof![
                "(sb-ref-auth-token(\\.[0-9]{1,2})?=(base64-)?[A-Za-z0-9%{}\":_-]{0,40}(; )?){0,4}",
                "\\PC{0,40}",
            ],
            0..4,
        )
    ) {
        let mut headers = HeaderMap::new();
        for field in &fields {
            if let Ok(value) = HeaderValue::from_bytes(field.as_bytes()) {
                headers.append(COOKIE, value);
            }
        }
        if let Ok(Some(token)) = access_token(&headers, NAME) {
            prop_assert!(!token.is_empty() && token.len() <= LONGEST);
        }
    }
}
