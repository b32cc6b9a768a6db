//! Where a credential may stand in a request, and what one looks like.
//!
//! Decides only by form: whether a token is good is for [`super::token`], whether an API key is, for the origin.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::{API_KEY, Credential, Refusal, cookie};
use crate::headers;
use crate::path::decode_all;
use crate::plan::{SignIn, Source};

/// Finds the credential that a route asks about, without checking a token's signature.
///
/// `query` is the raw query string, `cookies` the names of the session cookies that count.
pub fn credential(
    policy: &SignIn,
    headers: &HeaderMap,
    query: Option<&str>,
    cookies: &[String],
) -> Result<Credential, Refusal> {
    let bearer = if policy.user { bearer(headers)? } else { None };
    let query = if policy.sources.contains(&Source::Query) { query_token(query)? } else { None };
    let key = if policy.api_key { api_key(headers)? } else { None };
    let found = match (bearer, query, key) {
        (None, None, None) => Credential::None,
        (Some(token), None, None) => Credential::Token(token, None),
        (None, Some(token), None) => Credential::Token(token, Some(Source::Query)),
        (None, None, Some(key)) => Credential::ApiKey(key),
        // RFC 6750 §2: no more than one way at once.
        _ => return Err(Refusal::Request("more than one credential was sent; send one")),
    };
    match policy.sources.contains(&Source::Cookie) {
        true => beside_cookie(found, session(headers, cookies)?),
        false => Ok(found),
    }
}

/// A browser sends its cookies unasked, so one beside another credential is fine, unless it speaks for somebody else.
fn beside_cookie(found: Credential, session: Option<String>) -> Result<Credential, Refusal> {
    match (found, session) {
        (Credential::None, Some(token)) => Ok(Credential::Token(token, Some(Source::Cookie))),
        (Credential::Token(token, source), Some(session)) if token == session => {
            Ok(Credential::Token(token, source))
        }
        (_, Some(_)) => Err(Refusal::Request("the session cookie and another credential differ; send one")),
        (found, None) => Ok(found),
    }
}

/// The access token of the one session cookie.
fn session(headers: &HeaderMap, cookies: &[String]) -> Result<Option<String>, Refusal> {
    let mut found = None;
    for name in cookies {
        let token = cookie::access_token(headers, name).map_err(Refusal::Cookie)?;
        if token.is_some() && found.is_some() {
            return Err(Refusal::Request("more than one session cookie"));
        }
        found = found.or(token);
    }
    Ok(found)
}

/// Whether a page of another origin made the browser ask (Fetch Metadata); those below the same domain count as well,
/// for anybody's page may be there. Programs do not say.
#[must_use]
pub fn is_of_another_page(headers: &HeaderMap) -> bool {
    matches!(headers::single(headers, "sec-fetch-site"), Some("cross-site" | "same-site"))
}

/// Whether the page is of the very host that is asked (Fetch Metadata), whatever that is called.
#[must_use]
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    headers::single(headers, "sec-fetch-site") == Some("same-origin")
}

/// Whether a browser is going to another page (Fetch Metadata): it shows what comes, so a bad cookie must not lock
/// its user out.
#[must_use]
pub fn is_navigation(headers: &HeaderMap) -> bool {
    headers::single(headers, "sec-fetch-mode") == Some("navigate")
}

/// The token of the `Authorization` field, if there is one.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    let value = headers::single(headers, AUTHORIZATION)
        .ok_or(Refusal::Request("more than one Authorization field"))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim().to_owned())),
        _ => Err(Refusal::Request("the Authorization field does not carry a Bearer token")),
    }
}

fn api_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    if !headers.contains_key(API_KEY) {
        return Ok(None);
    }
    match headers::single(headers, API_KEY) {
        Some(key) if is_api_key(key) => Ok(Some(key.to_owned())),
        _ => Err(Refusal::ApiKey),
    }
}

/// `pk_` and `sk_` with 32 letters or digits each, or `he-` with 36 characters: the two forms the app issues.
pub(crate) fn is_api_key(key: &str) -> bool {
    let word = |text: &str, len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let pair = |text: &str| {
        let (public, secret) = text.strip_prefix("pk_")?.split_once(":sk_")?;
        Some(word(public, 32) && word(secret, 32))
    };
    let single =
        |text: &str| text.strip_prefix("he-").map(|rest| rest.len() == 36 && rest.bytes().all(is_key_byte));
    pair(key).or_else(|| single(key)).unwrap_or(false)
}

pub(super) fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The one value of `token` in a query string.
fn query_token(query: Option<&str>) -> Result<Option<String>, Refusal> {
    let mut values = pairs(query).filter_map(|(name, value)| is_token(name).then_some(value));
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(Refusal::Request("more than one token in the query")),
        (first, _) => Ok(first.filter(|token| !token.is_empty()).map(str::to_owned)),
    }
}

/// A query string as the origin may see it: without the `token` that was taken from it, and on a route that takes none
/// without one that looks like a token of ours, which nobody has checked. The rest stays byte for byte.
#[must_use]
pub fn without_token(query: Option<&str>, taken: bool) -> Option<String> {
    let goes = |pair: &&str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        !is_token(name) || !(taken || is_jwt(value))
    };
    let rest: Vec<_> = query?.split('&').filter(goes).collect();
    (!rest.is_empty()).then(|| rest.join("&"))
}

/// Whether this looks like a signed JWT: an object in base64url, and two full stops (RFC 7515 §3.1).
pub(super) fn is_jwt(value: &str) -> bool {
    value.starts_with("eyJ") && value.matches('.').count() == 2
}

/// Whether the origin, which decodes names, would read this one as `token`.
fn is_token(name: &str) -> bool {
    decode_all(name) == b"token"
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    query.unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests;
