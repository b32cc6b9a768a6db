//! Reading header fields, and nothing about what they mean.

use http::header::{AsHeaderName, HeaderName};
use http::{HeaderMap, HeaderValue};

/// The value of a field that may stand once; `None` if it is absent, repeated, or not visible ASCII.
#[must_use]
pub fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The members of a comma-separated list field, all lines joined (RFC 9110 §5.6.1).
pub fn list(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|member| !member.is_empty())
}

/// Sets a field whose value the gateway made; a value that no field can hold is left out.
pub fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Appends a member to a list field, as one line.
pub fn append(headers: &mut HeaderMap, name: HeaderName, member: &str) {
    let line = list(headers, &name).chain([member]).collect::<Vec<_>>().join(", ");
    set(headers, name, &line);
}
