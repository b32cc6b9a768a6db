//! What a change makes invalid (RFC 9111 §4.4).

use http::header::{CONTENT_LOCATION, LOCATION};
use http::{HeaderMap, Method, StatusCode};

use crate::headers::single;
use crate::target;

/// Whether an answer shows that what is stored may have changed: a success or a redirect, of a method that is not
/// known to be safe.
#[must_use]
pub fn changes(method: &Method, status: StatusCode) -> bool {
    !method.is_safe() && (status.is_success() || status.is_redirection())
}

/// The paths and queries on the same host that an answer says have changed besides the request's own, by `Location` and
/// `Content-Location`. `path` is the request's, against which they may be relative.
#[must_use]
pub fn also_changed(headers: &HeaderMap, host: &str, path: &str) -> Vec<(String, Option<String>)> {
    let named = [LOCATION, CONTENT_LOCATION];
    let named = named.iter().filter_map(|name| single(headers, name));
    named.filter_map(|reference| resolve(reference, host, path)).collect()
}

/// RFC 3986 §5.2, as far as a cache needs it: another host's are not ours to touch, and a path with dot segments is
/// none that anything is stored under.
pub(super) fn resolve(reference: &str, host: &str, path: &str) -> Option<(String, Option<String>)> {
    let reference = reference.split('#').next().unwrap_or_default();
    let absolute = match reference {
        _ if reference.contains("://") => {
            let target = target::parse(reference)?;
            return (target.host == host).then_some((target.path, target.query));
        }
        _ if reference.starts_with("//") => return None,
        _ if reference.starts_with('/') => reference.to_owned(),
        _ if reference.is_empty() || reference.starts_with('?') => format!("{path}{reference}"),
        _ => format!("{}/{reference}", path.rsplit_once('/').map_or("", |(folder, _)| folder)),
    };
    let (path, query) =
        absolute.split_once('?').map_or((absolute.as_str(), None), |(path, query)| (path, Some(query)));
    Some((path.to_owned(), query.map(str::to_owned)))
}
