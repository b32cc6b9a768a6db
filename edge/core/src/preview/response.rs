//! A sandbox's answer as its viewer may see it.
//!
//! | field | to the viewer |
//! |---|---|
//! | hop-by-hop, and what `Connection` names (RFC 9110 §7.6.1) | dropped |
//! | `X-Daytona-*`, `Alt-Svc` | dropped: they are about Daytona's host |
//! | `Clear-Site-Data` | dropped: it takes the cookies of all previews (Clear Site Data §3.1) |
//! | `Set-Cookie` | for this host alone ([`super::cookies`]) |
//! | `Location` | the preview's where it is Daytona's, of other ports of the sandbox too |
//! | `Strict-Transport-Security` | ours, over https |
//! | `Referrer-Policy` | `same-origin` unless the sandbox says something: the address is what lets a viewer in |
//! | `X-Robots-Tag` | `noindex`, for the same reason |
//! | everything else, CORS too | kept |

use http::header::{HeaderName, LOCATION, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::api::Door;
use super::cookies;
use super::name::Name;
use crate::forward;
use crate::headers::{set, single};
use crate::path::decode_all;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const STATE: HeaderName = HeaderName::from_static("x-daytona-sandbox-state");
/// Two years, as browsers' preload lists ask for; of this host alone, which is all that a sandbox speaks for.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// What of an answer says where it came from.
#[derive(Debug, Clone)]
pub struct From<'a> {
    /// The preview.
    pub name: &'a Name,
    /// Where it was asked.
    pub door: &'a Door,
    /// Scheme and host by which its viewers know it.
    pub public: &'a str,
    /// Names of the app's session cookies.
    pub sessions: &'a [String],
}

/// Fields for the viewer.
#[must_use]
pub fn head(arrived: &HeaderMap, from: &From<'_>) -> HeaderMap {
    let mut headers = forward::without_hop_by_hop(arrived);
    forward::remove_where(&mut headers, |name| {
        name.starts_with("x-daytona-")
            || matches!(name, "alt-svc" | "clear-site-data" | "set-cookie" | "strict-transport-security")
    });
    let cookies = arrived.get_all(SET_COOKIE).iter().filter_map(|field| cookies::set(field, from.sessions));
    headers.extend(cookies.map(|field| (SET_COOKIE, field)));
    if let Some(location) = single(arrived, LOCATION).and_then(|at| relocated(at, from)) {
        set(&mut headers, LOCATION, &location);
    }
    if from.public.starts_with("https:") {
        headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex"));
    headers
}

/// Whether an answer that nothing can be changed of, as a WebSocket's is, may go on as it is.
#[must_use]
pub fn is_confined(arrived: &HeaderMap, sessions: &[String]) -> bool {
    let has_domain =
        |field: &HeaderValue| field.as_bytes().to_ascii_lowercase().windows(6).any(|part| part == b"domain");
    arrived
        .get_all(SET_COOKIE)
        .iter()
        .all(|field| !has_domain(field) && cookies::set(field, sessions).is_some())
}

/// A `Location` at Daytona's address of the sandbox, as one at the preview's.
fn relocated(location: &str, from: &From<'_>) -> Option<String> {
    forward::relocate(location, &from.door.url, from.public).or_else(|| of_another_port(location, from))
}

/// Both addresses are `{port}-{sandbox}.…`, and differ in what follows.
fn of_another_port(location: &str, from: &From<'_>) -> Option<String> {
    let (scheme, public) = from.public.split_once("://")?;
    let (_, inside) = from.door.url.split_once("://")?;
    let own = format!("{}-", from.name.port);
    let (public, inside) = (public.strip_prefix(&own)?, inside.strip_prefix(&own)?);
    let (port, rest) = location.split_once("://")?.1.split_once('-')?;
    let port: u16 = port.parse().ok()?;
    let rest = rest.strip_prefix(inside)?;
    let ends = rest.is_empty() || rest.starts_with(['/', '?', '#']);
    ends.then(|| format!("{scheme}://{port}-{public}{rest}"))
}

/// Whether it may be Daytona's proxy that answers so, because the token is old or the sandbox does not run: 400, 401 and
/// 502 are its words (`errors.go`), which an app can say as well.
#[must_use]
pub fn is_doubtful(status: StatusCode, headers: &HeaderMap, door: &Door) -> bool {
    matches!(status.as_u16(), 400 | 401 | 502..=504)
        || single(headers, STATE).is_some_and(|state| state != "started")
        || is_sign_in(status, headers, door)
}

/// Whether Daytona's proxy sends the viewer to sign in with Daytona (`auth_callback.go`), as nobody here can: back to
/// `/callback` at its own host, which is the door's without the first label.
#[must_use]
pub fn is_sign_in(status: StatusCode, headers: &HeaderMap, door: &Door) -> bool {
    let back = door.url.split_once("://").zip(door.url.split_once('.'));
    let back = back.map(|((scheme, _), (_, host))| format!("redirect_uri={scheme}://{host}/callback"));
    let location = single(headers, LOCATION).map(decode_all).unwrap_or_default();
    let location = String::from_utf8_lossy(&location);
    status == StatusCode::TEMPORARY_REDIRECT && back.is_some_and(|back| location.contains(&back))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0b5e9c1a-7f2d-4e60-9d3c-1a2b3c4d5e6f";

    fn fields(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let field =
            |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        pairs.iter().map(field).collect()
    }

    fn door() -> Door {
        Door { url: format!("https://8080-{ID}.proxy.daytona.example"), token: "t".into() }
    }

    fn shown(scheme: &str, pairs: &[(&'static str, &str)]) -> HeaderMap {
        let name = Name { port: 8080, sandbox: ID.into() };
        let public = format!("{scheme}://8080-{ID}.previews.example");
        let sessions = ["sb-ref-auth-token".to_owned()];
        head(&fields(pairs), &From { name: &name, door: &door(), public: &public, sessions: &sessions })
    }

    #[test]
    fn what_a_sandbox_says_holds_for_its_host_alone() {
        let seen = shown(
            "https",
            &[
                ("set-cookie", "a=1; Domain=previews.example"),
                ("set-cookie", "sb-ref-auth-token=x"),
                ("clear-site-data", "\"cookies\""),
                ("alt-svc", "h3=\":443\""),
                ("strict-transport-security", "max-age=1; includeSubDomains"),
                ("x-daytona-sandbox-state", "started"),
                ("keep-alive", "timeout=5"),
                ("access-control-allow-origin", "*"),
                ("x-frame-options", "DENY"),
            ],
        );
        let expected = fields(&[
            ("set-cookie", "a=1"),
            ("strict-transport-security", "max-age=63072000"),
            ("referrer-policy", "same-origin"),
            ("x-robots-tag", "noindex"),
            ("access-control-allow-origin", "*"),
            ("x-frame-options", "DENY"),
        ]);
        assert_eq!(seen, expected);
        assert!(!shown("http", &[]).contains_key("strict-transport-security"));
        assert_eq!(shown("https", &[("referrer-policy", "no-referrer")])["referrer-policy"], "no-referrer");
    }

    #[test]
    fn a_location_at_daytonas_host_is_one_at_the_previews() {
        for (said, becomes) in [
            (
                format!("https://8080-{ID}.proxy.daytona.example/a?b#c"),
                format!("https://8080-{ID}.previews.example/a?b#c"),
            ),
            (
                format!("http://8080-{ID}.proxy.daytona.example"),
                format!("https://8080-{ID}.previews.example"),
            ),
            (
                format!("https://3000-{ID}.proxy.daytona.example/"),
                format!("https://3000-{ID}.previews.example/"),
            ),
        ] {
            assert_eq!(shown("https", &[("location", &said)])["location"], becomes.as_str());
        }
        for other in [
            "/login".to_owned(),
            "https://elsewhere.example/".to_owned(),
            format!("https://8080-{ID}.proxy.daytona.example.evil.example/"),
            format!("https://8080-{}.proxy.daytona.example/", ID.replace('0', "1")),
            format!("https://x-{ID}.proxy.daytona.example/"),
        ] {
            assert_eq!(shown("https", &[("location", &other)])["location"], other.as_str());
        }
    }

    #[test]
    fn what_daytonas_proxy_could_have_said_is_doubted_and_nothing_else() {
        let doubted = |status: u16, pairs: &[(&'static str, &str)]| {
            is_doubtful(StatusCode::from_u16(status).unwrap(), &fields(pairs), &door())
        };
        let sign_in = "https://daytona.auth.example/authorize?client_id=x&redirect_uri=https%3A%2F%2Fproxy.daytona.example%2Fcallback&state=y";
        let own = format!(
            "https://sign.example/authorize?redirect_uri=https%3A%2F%2F8080-{ID}.proxy.daytona.example%2Fcallback"
        );
        assert!([400, 401, 502, 503, 504].into_iter().all(|status| doubted(status, &[])));
        assert!(![200, 101, 304, 307, 403, 404, 500].into_iter().any(|status| doubted(status, &[])));
        assert!(doubted(200, &[("x-daytona-sandbox-state", "stopped")]));
        assert!(!doubted(200, &[("x-daytona-sandbox-state", "started")]));
        assert!(doubted(307, &[("location", sign_in)]));
        assert!(!doubted(307, &[("location", &own)]), "an app's own sign-in comes back to the app");
    }

    #[test]
    fn an_upgrade_sets_no_cookie_that_would_have_to_be_confined() {
        let confined =
            |pairs: &[(&'static str, &str)]| is_confined(&fields(pairs), &["sb-ref-auth-token".into()]);
        assert!(confined(&[]) && confined(&[("set-cookie", "a=1; Path=/")]));
        assert!(!confined(&[("set-cookie", "a=1; domain=previews.example")]));
        assert!(!confined(&[("set-cookie", "a=1"), ("set-cookie", "sb-ref-auth-token=1")]));
    }
}
