//! Cross-origin access is the gateway's to grant: preflights end here, and every answer, refusals included, says
//! which page may read it; the origin's own `Access-Control-*` are dropped by [`crate::forward`]. Source: <https://fetch.spec.whatwg.org/>.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

use crate::headers::{append, list, set, single};
use crate::plan::Cors;

/// The method a preflight asks about; `None` for every other request.
#[must_use]
pub fn preflight<'a>(method: &Method, headers: &'a HeaderMap) -> Option<&'a str> {
    let asked = single(headers, ACCESS_CONTROL_REQUEST_METHOD)?;
    (method == Method::OPTIONS && headers.contains_key(ORIGIN)).then_some(asked)
}

/// The page a request comes from, if it may call.
#[must_use]
pub fn allowed<'a>(cors: &Cors, headers: &'a HeaderMap) -> Option<&'a str> {
    single(headers, ORIGIN).filter(|origin| cors.origins.contains(origin))
}

/// The answer to a preflight from a page that may call, without [`grant`]'s fields.
#[must_use]
pub fn preflight_headers(cors: &Cors) -> HeaderMap {
    let mut headers = HeaderMap::new();
    set(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, cors.methods);
    set(&mut headers, ACCESS_CONTROL_ALLOW_HEADERS, cors.headers);
    set(&mut headers, ACCESS_CONTROL_MAX_AGE, &cors.max_age_seconds.to_string());
    headers
}

/// Makes an answer say which page may read it. `origin` is what [`allowed`] found.
pub fn grant(cors: &Cors, origin: Option<&str>, headers: &mut HeaderMap) {
    // The answer differs by Origin even where none was sent (Fetch, "CORS protocol and HTTP caches").
    if !list(headers, VARY).any(|name| name == "*" || name.eq_ignore_ascii_case("origin")) {
        append(headers, VARY, "Origin");
    }
    if let Some(origin) = origin {
        set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, cors.expose);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}
