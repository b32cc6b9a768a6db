//! A refusal that a person reads: a browser that opens a page during maintenance is shown one.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};

use super::Fault;
use crate::headers::list;

const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<title>Back soon</title>\n<h1>Back soon</h1>\n\
    <p>We are working on the service. Please try again in a few minutes.</p>\n";

/// Whether the client is one that shows pages.
#[must_use]
pub fn shows(request: &HeaderMap) -> bool {
    let name = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    list(request, ACCEPT).any(|kind| name(kind) == "text/html")
}

impl Fault {
    /// The refusal as a page, if it is one that people meet who did nothing wrong.
    #[must_use]
    pub fn as_page(&self) -> Option<Response<String>> {
        let Self::Maintenance(_) = self else { return None };
        let mut response = Response::new(PAGE.to_owned());
        *response.status_mut() = self.status();
        *response.headers_mut() = self.headers(None);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        Some(response)
    }
}
