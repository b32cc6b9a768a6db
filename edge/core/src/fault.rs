//! What the gateway answers itself when it refuses: the one place that knows status codes and public texts.
//!
//! Bodies are RFC 9457 problem+json; `detail` is a string, as the app's clients expect of FastAPI's errors. What
//! happened inside is in [`Fault::internal`], for the log, and is never sent.

pub mod event_stream;
pub mod page;

use http::header::{ALLOW, CONTENT_TYPE, HeaderName, REFRESH, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::auth::Refusal;
use crate::auth::token::TokenFault;
use crate::forward::size::TooLarge;
use crate::headers::set;
use crate::limit::told::{Crowded, Taken};
use crate::path::PathFault;
use crate::plan::{Condition, Subject, Test, Value};
use crate::preview::{self, Closed};

/// Why the gateway answers in the origin's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request's head is too large.
    TooLarge(TooLarge),
    /// The path has no safe normal form.
    Path(PathFault),
    /// The host is not one of ours (RFC 9110 §7.4).
    Misdirected,
    /// No route.
    NotFound,
    /// The path has other methods.
    MethodNotAllowed(Vec<&'static str>),
    /// A preflight from a page that may not call.
    ForeignOrigin,
    /// The caller is kept out by where it comes from: the line of he2.toml that says so.
    Denied(u32),
    /// The caller may not pass.
    Refused(Refusal),
    /// The caller's quota is used up.
    Limited(Box<Taken>),
    /// So many of the caller's requests are under way as may be.
    Crowded(Box<Crowded>),
    /// `only-if-cached`, and nothing is (RFC 9111 §5.2.1.7).
    NotCached,
    /// The request has been here before (RFC 9110 §7.6.3, RFC 5842 §7.2).
    Loop,
    /// The content is not what this resource takes: what is wrong with it.
    Content(&'static str),
    /// There is more content than so many bytes (RFC 9110 §15.5.14).
    TooLong(u32),
    /// A preview that is not shown.
    Preview(Closed),
    /// A part of the gateway did not answer: the reason.
    Unavailable(String),
    /// The service is down on purpose; so many seconds to stay away (RFC 9110 §15.6.4).
    Maintenance(u32),
    /// The service has more to do than it can; so many seconds to stay away (RFC 9110 §15.6.4).
    Saturated(u32),
    /// The origin did not answer: the reason.
    Origin(String),
    /// The origin took longer than the route allows, in milliseconds.
    OriginTimeout(u32),
    /// The deployment lacks something, or the platform failed: the reason.
    Internal(String),
}

/// Seconds after which a client may ask again when the issuer or the origin failed.
const RETRY_SECONDS: &str = "5";
const REALM: &str = "Bearer realm=\"he2\"";

impl Fault {
    /// The response status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(TooLarge::Target(_) | TooLarge::Query(_)) => StatusCode::URI_TOO_LONG,
            Self::TooLarge(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Path(_) | Self::Content(_) => StatusCode::BAD_REQUEST,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound | Self::Preview(Closed::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            // Not 451: nobody has demanded it by law (RFC 7725 §3), and the caller learns no reason.
            Self::ForeignOrigin | Self::Denied(_) | Self::Preview(Closed::Port) => StatusCode::FORBIDDEN,
            Self::Refused(refusal) => refusal_status(refusal),
            Self::Unavailable(_)
            | Self::Maintenance(_)
            | Self::Saturated(_)
            | Self::Preview(Closed::Starting) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Crowded(crowded) if !crowded.is_own() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Limited(_) | Self::Crowded(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotCached | Self::OriginTimeout(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::Origin(_) => StatusCode::BAD_GATEWAY,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the caller is told.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::TooLarge(fault) => too_large(fault),
            Self::Path(fault) => fault.to_string(),
            Self::Misdirected => "this host is not served here".to_owned(),
            Self::NotFound | Self::Refused(Refusal::Blocked) => "Not Found".to_owned(),
            Self::MethodNotAllowed(_) => "Method Not Allowed".to_owned(),
            Self::ForeignOrigin => "this origin may not call the API from a browser".to_owned(),
            Self::Denied(_) => "this service is not available from where the request comes".to_owned(),
            Self::Refused(refusal) => refused(refusal),
            // The wording of the published API.
            Self::Limited(_) => "Rate limit exceeded. Please try again later.".to_owned(),
            Self::Maintenance(_) => "the service is down for maintenance".to_owned(),
            Self::Saturated(_) => "the service has too much to do".to_owned(),
            Self::Crowded(crowded) if !crowded.is_own() => "the service is full".to_owned(),
            Self::Crowded(_) => "Too many requests are under way. Please try again later.".to_owned(),
            Self::NotCached => "no stored response".to_owned(),
            Self::Loop => "the request came back to this gateway".to_owned(),
            Self::Content(text) => (*text).to_owned(),
            Self::TooLong(most) => format!("the content is longer than {most} bytes"),
            Self::Preview(Closed::Port) => "this port is not shown".to_owned(),
            Self::Preview(Closed::Unknown(_)) => "there is no such preview".to_owned(),
            Self::Preview(Closed::Starting) => "the sandbox is starting".to_owned(),
            Self::Unavailable(_) => "this cannot be done right now".to_owned(),
            Self::Origin(_) => "the service cannot be reached".to_owned(),
            Self::OriginTimeout(_) => "the service took too long to answer".to_owned(),
            Self::Internal(_) => "Internal Server Error".to_owned(),
        }
    }

    /// What only the log is told.
    #[must_use]
    pub fn internal(&self) -> Option<String> {
        match self {
            Self::Origin(reason)
            | Self::Internal(reason)
            | Self::Unavailable(reason)
            | Self::Refused(Refusal::KeysUnavailable(reason)) => Some(reason.clone()),
            Self::Refused(Refusal::NoSecret(name)) => Some(format!("the secret {name} is not set")),
            Self::Refused(Refusal::Condition(condition)) => Some(condition.to_string()),
            Self::Preview(Closed::Unknown(why)) => Some((*why).to_owned()),
            Self::Denied(line) => Some(format!("he2.toml, line {line}")),
            Self::OriginTimeout(ms) => Some(format!("no response head within {ms} ms")),
            _ => None,
        }
    }

    /// Header fields of the answer, with how the caller's limit stands.
    #[must_use]
    pub fn headers(&self, taken: Option<&Taken>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(taken) = taken {
            taken.describe(&mut headers);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::MethodNotAllowed(methods) => set(&mut headers, ALLOW, &methods.join(", ")),
            Self::Limited(taken) => taken.describe(&mut headers),
            Self::Crowded(crowded) => crowded.describe(&mut headers),
            Self::Maintenance(seconds) | Self::Saturated(seconds) => {
                set(&mut headers, RETRY_AFTER, &seconds.to_string());
            }
            Self::Preview(Closed::Starting) => {
                set(&mut headers, RETRY_AFTER, preview::RETRY_SECONDS);
                // Browsers heed it, and not the other (HTML, "Refresh").
                set(&mut headers, REFRESH, preview::RETRY_SECONDS);
            }
            Self::Refused(Refusal::Forgeries(until, now)) => {
                let seconds = until.saturating_sub(*now).div_ceil(1_000).max(1);
                set(&mut headers, RETRY_AFTER, &seconds.to_string());
            }
            Self::Refused(Refusal::KeysUnavailable(_) | Refusal::NoSecret(_))
            | Self::Unavailable(_)
            | Self::Origin(_) => set(&mut headers, RETRY_AFTER, RETRY_SECONDS),
            _ => {}
        }
        if let Some(challenge) = self.challenge() {
            set(&mut headers, WWW_AUTHENTICATE, &challenge);
        }
        headers
    }

    /// RFC 6750 §3: no error code without a credential, and one with it.
    fn challenge(&self) -> Option<String> {
        let error =
            |code: &str, text: &str| format!("{REALM}, error=\"{code}\", error_description=\"{text}\"");
        let Self::Refused(refusal) = self else { return None };
        match refusal {
            Refusal::Missing | Refusal::ApiKey => Some(REALM.to_owned()),
            Refusal::Token(fault @ TokenFault::NotAUser) => {
                Some(error("insufficient_scope", fault.description()))
            }
            // RFC 9470 §3: a client can step up to what is asked.
            Refusal::Condition(Condition {
                subject: Subject::Aal,
                test: Test::OneOf([Value::Text(aal)]),
            }) => {
                let challenge = error("insufficient_user_authentication", STEP_UP);
                Some(format!("{challenge}, acr_values=\"{aal}\""))
            }
            Refusal::Condition(_) => Some(error("insufficient_scope", NOT_ALLOWED)),
            Refusal::Token(fault) => Some(error("invalid_token", fault.description())),
            Refusal::Cookie(fault) => Some(error("invalid_token", fault.description())),
            Refusal::Leak => Some(error("invalid_token", LEAKED)),
            Refusal::Request(text) => Some(error("invalid_request", text)),
            _ => None,
        }
    }

    /// The problem's type, where it is more than its status (RFC 9457 §4.2.1).
    fn kind(&self) -> &'static str {
        match self {
            Self::Saturated(_) => {
                "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
            }
            Self::Crowded(crowded) if !crowded.is_own() => {
                "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
            }
            Self::Limited(_) | Self::Crowded(_) => {
                "https://iana.org/assignments/http-problem-types#quota-exceeded"
            }
            Self::Refused(Refusal::Forgeries(..)) => {
                "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
            }
            _ => "about:blank",
        }
    }

    /// The body, with the id under which the log has this request. Where the app's pages read any 429 as a word on
    /// running agents, it is in that form.
    #[must_use]
    pub fn body(&self, request_id: &str, tells_runs: bool) -> String {
        let status = self.status();
        let mut problem = json!({
            "type": self.kind(),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "request_id": request_id,
        });
        if let Some(members) = problem.as_object_mut() {
            members.extend(self.violated().map(|violated| ("violated-policies".to_owned(), json!(violated))));
            if tells_runs && status == StatusCode::TOO_MANY_REQUESTS {
                members.insert("detail".to_owned(), runs(&self.detail()));
            }
        }
        problem.to_string()
    }

    /// The policies that leave no room.
    fn violated(&self) -> Option<Vec<String>> {
        match self {
            Self::Limited(taken) => Some(taken.violated()),
            Self::Crowded(crowded) if crowded.is_own() => Some(vec![crowded.concurrency.name.to_owned()]),
            _ => None,
        }
    }

    /// The fault's name, for logs.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Refused(Refusal::Token(fault)) => format!("token: {}", fault.description()),
            Self::Refused(Refusal::Blocked) => "blocked".to_owned(),
            other => other.detail(),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

const STEP_UP: &str = "a stronger sign-in is needed";
const NOT_ALLOWED: &str = "this sign-in may not do that";
const LEAKED: &str = "a secret key was sent, and must be replaced";

fn refusal_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Blocked => StatusCode::NOT_FOUND,
        Refusal::Request(_) | Refusal::Webhook(_) => StatusCode::BAD_REQUEST,
        Refusal::Condition(Condition { subject: Subject::Aal, .. })
        | Refusal::Missing
        | Refusal::ApiKey
        | Refusal::Leak
        | Refusal::Cookie(_) => StatusCode::UNAUTHORIZED,
        Refusal::Token(TokenFault::NotAUser)
        | Refusal::Condition(_)
        | Refusal::CrossSite
        | Refusal::AdminKey
        | Refusal::AdminAddress => StatusCode::FORBIDDEN,
        Refusal::Token(_) => StatusCode::UNAUTHORIZED,
        Refusal::Forgeries(..) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::KeysUnavailable(_) | Refusal::NoSecret(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn refused(refusal: &Refusal) -> String {
    let text = match refusal {
        Refusal::Blocked => "Not Found",
        Refusal::Missing => "No valid authentication credentials found",
        Refusal::Token(fault) => fault.description(),
        Refusal::Condition(Condition { subject: Subject::Aal, .. }) => STEP_UP,
        Refusal::Condition(_) => NOT_ALLOWED,
        Refusal::Cookie(fault) => fault.description(),
        Refusal::CrossSite => "a page of another site may not do this",
        Refusal::Request(text) => text,
        Refusal::ApiKey => "the API key is not valid",
        Refusal::Leak => LEAKED,
        Refusal::AdminKey => "the admin key is not valid",
        Refusal::AdminAddress => "the admin key may not be used from this address",
        Refusal::Webhook(fault) => return fault.description(),
        Refusal::NoSecret(_) | Refusal::KeysUnavailable(_) => "sign-in cannot be checked right now",
        Refusal::Forgeries(..) => "too many bad credentials came from this address",
    };
    text.to_owned()
}

fn too_large(fault: &TooLarge) -> String {
    match fault {
        TooLarge::Target(most) => format!("the path with its query is longer than {most} bytes"),
        TooLarge::Query(most) => format!("the query is longer than {most} bytes"),
        TooLarge::Fields(most) => format!("there are more than {most} header fields"),
        TooLarge::Head(most, largest) => {
            let largest = largest.as_ref().map(|name| format!("; most of it is the field {name}"));
            format!("the header is larger than {most} bytes{}", largest.unwrap_or_default())
        }
    }
}

/// The app's pages take any 429 of a run's start for "too many are running", and show which ones.
fn runs(message: &str) -> serde_json::Value {
    json!({ "message": message, "running_thread_ids": [], "running_count": 0 })
}

/// The field that names a request in answers and logs.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
