//! What may be shown: explanations are pasted into tickets, so nothing in them opens a door.

use edge_core::path::decode_all;
use http::{HeaderMap, HeaderValue};

const HIDDEN: &str = "(hidden)";

/// Parts of the names of fields that carry a secret or a proof.
const SECRET_FIELDS: [&str; 9] =
    ["authorization", "cookie", "identity", "key", "lock", "secret", "signature", "token", "x-mcp-headers"];

/// Query parameters that do.
const SECRET_PARAMETERS: [&str; 7] =
    ["token", "access_token", "refresh_token", "apikey", "api_key", "code", "password"];

/// Fields whose value is a URL, which may bring a request's query again.
const URLS: [&str; 2] = ["location", "referer"];

/// Fields that hold another value for each request; the platform of an explanation has no randomness.
const NEW_EACH_TIME: [&str; 2] = ["traceparent", "x-request-id"];

/// The fields as name and value, secrets hidden.
pub(super) fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), shown(name.as_str(), value))).collect()
}

fn shown(name: &str, value: &HeaderValue) -> String {
    let value = String::from_utf8_lossy(value.as_bytes());
    match name {
        _ if is_secret(name) || is_project_secret(&value) => hide(&value),
        _ if URLS.contains(&name) => url(&value),
        _ if NEW_EACH_TIME.contains(&name) => "(new for each request)".to_owned(),
        _ => value.into_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|part| name.contains(part))
}

/// A scheme says nothing about who may enter.
fn hide(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") => format!("{scheme} {HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}

/// A URL without the values of its secret parameters.
pub(super) fn url(url: &str) -> String {
    let (before, query) = url.split_once('?').map_or((url, None), |(before, query)| (before, Some(query)));
    let before = if is_project_secret(before) { HIDDEN } else { before };
    let pairs = query.map(|query| query.split('&').map(parameter).collect::<Vec<_>>().join("&"));
    pairs.map_or_else(|| before.to_owned(), |pairs| format!("{before}?{pairs}"))
}

/// A secret key of the Supabase project, wherever it stands.
fn is_project_secret(text: &str) -> bool {
    String::from_utf8_lossy(&decode_all(text)).contains("sb_secret_")
}

fn parameter(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if is_secret_parameter(name) || is_project_secret(pair) => format!("{name}={HIDDEN}"),
        _ => pair.to_owned(),
    }
}

/// By the name as servers read it: `%74oken` is `token` to all of them.
fn is_secret_parameter(name: &str) -> bool {
    let name = decode_all(name);
    SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}
