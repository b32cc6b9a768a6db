//! A viewer's request as the sandbox may see it.
//!
//! | field | to the sandbox |
//! |---|---|
//! | hop-by-hop, and what `Connection` names (RFC 9110 §7.6.1) | dropped; `Upgrade: websocket` kept |
//! | `X-He2-*`, `X-Forwarded-*`, `Forwarded` and their like ([`crate::forward`]) | dropped; `X-Forwarded-For`, `-Proto`, `-Host` and `Via` ours |
//! | `X-Daytona-*` | dropped; ours: the token, no warning page, no CORS of the proxy's own, whether the sandbox is to stay awake |
//! | `Authorization`, `X-API-Key` | dropped where they are the app's: a token of its issuers, a key of its form |
//! | `X-Admin-Api-Key` | dropped |
//! | `Cookie` | without the app's session and Daytona's own ([`super::cookies`]) |
//! | `Origin` | the sandbox's where it is the preview's: the app in the sandbox knows itself by no other name |
//! | everything else | kept |

use std::net::IpAddr;

use http::header::{AUTHORIZATION, COOKIE, HeaderName, ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;

use super::api::Door;
use super::cookies;
use crate::auth::credential::is_api_key;
use crate::auth::token::claims;
use crate::auth::{ADMIN_KEY, API_KEY};
use crate::forward;
use crate::headers::{set, single};

const TOKEN: HeaderName = HeaderName::from_static("x-daytona-preview-token");
const SKIP_WARNING: HeaderName = HeaderName::from_static("x-daytona-skip-preview-warning");
const DISABLE_CORS: HeaderName = HeaderName::from_static("x-daytona-disable-cors");
const SKIP_ACTIVITY: HeaderName = HeaderName::from_static("x-daytona-skip-last-activity-update");
const YES: HeaderValue = HeaderValue::from_static("true");

/// What is the app's, and no sandbox's to see.
#[derive(Debug, Clone, Default)]
pub struct Own<'a> {
    /// Addresses of its issuers.
    pub issuers: Vec<&'a str>,
    /// Names of its session cookies.
    pub sessions: Vec<String>,
}

/// How a viewer came.
#[derive(Debug, Clone)]
pub struct Way<'a> {
    /// Request method.
    pub method: &'a Method,
    /// The viewer's address.
    pub ip: Option<IpAddr>,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The protocol by which the request arrived, where that is known.
    pub protocol: Option<&'a str>,
    /// The preview's host.
    pub host: &'a str,
    /// Nobody may be waiting ([`super::is_idle`]).
    pub idle: bool,
}

/// Fields for the sandbox, but for those that depend on its door: [`knock`].
#[must_use]
pub fn head(arrived: &HeaderMap, own: &Own<'_>, way: &Way<'_>) -> HeaderMap {
    let mut headers = forward::without_hop_by_hop(arrived);
    forward::remove_where(&mut headers, |name| {
        forward::is_spoofable(name) || name.starts_with("x-daytona-") || name == ADMIN_KEY
    });
    drop_own(&mut headers, own);
    if forward::is_websocket(way.method, arrived) {
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    forward::add_way(&mut headers, way.ip, way.scheme, way.host, way.protocol);
    headers.insert(SKIP_WARNING, YES);
    headers.insert(DISABLE_CORS, YES);
    if way.idle {
        headers.insert(SKIP_ACTIVITY, YES);
    }
    headers
}

/// The same for this door of a preview that its viewers know by `public`, scheme and host.
#[must_use]
pub fn knock(mut headers: HeaderMap, door: &Door, public: &str) -> HeaderMap {
    set(&mut headers, TOKEN, &door.token);
    if single(&headers, ORIGIN) == Some(public) {
        set(&mut headers, ORIGIN, &door.url);
    }
    headers
}

fn drop_own(headers: &mut HeaderMap, own: &Own<'_>) {
    let tells = |value: &HeaderValue| value.to_str().is_ok_and(|text| is_token_of(&own.issuers, text));
    if headers.get_all(AUTHORIZATION).iter().any(tells) {
        headers.remove(AUTHORIZATION);
    }
    if headers.get_all(API_KEY).iter().any(|value| value.to_str().is_ok_and(is_api_key)) {
        headers.remove(API_KEY);
    }
    let cookies: Vec<_> =
        headers.get_all(COOKIE).iter().filter_map(|field| cookies::sent(field, &own.sessions)).collect();
    headers.remove(COOKIE);
    headers.extend(cookies.into_iter().map(|field| (COOKIE, field)));
}

/// Whether a credential says that it is of these issuers: it need not be good to be kept from others.
fn is_token_of(issuers: &[&str], text: &str) -> bool {
    let token = text.rsplit(' ').next().unwrap_or_default();
    claims(token).get("iss").and_then(Value::as_str).is_some_and(|issuer| issuers.contains(&issuer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{ISSUER, b64};

    fn fields(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let field =
            |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        pairs.iter().map(field).collect()
    }

    fn crossed(pairs: &[(&'static str, &str)], idle: bool) -> HeaderMap {
        let own = Own { issuers: vec![ISSUER], sessions: vec!["sb-ref-auth-token".into()] };
        let ip = "192.0.2.1".parse().ok();
        let way = Way { method: &Method::GET, ip, scheme: "https", protocol: None, host: "p.example", idle };
        let door = Door { url: "https://door.example".into(), token: "the token".into() };
        knock(head(&fields(pairs), &own, &way), &door, "https://p.example")
    }

    fn token(issuer: &str) -> String {
        let payload = json!({ "iss": issuer, "sub": "u" }).to_string();
        format!("Bearer {}.{}.x", b64(b"{}"), b64(payload.as_bytes()))
    }

    #[test]
    fn nothing_of_the_apps_own_reaches_a_sandbox() {
        let ours = token(ISSUER);
        let key = format!("he-{}", "a".repeat(36));
        let seen = crossed(
            &[
                ("authorization", &ours),
                ("x-api-key", &key),
                ("x-admin-api-key", "secret"),
                ("cookie", "sb-ref-auth-token.0=x; theme=dark"),
                ("x-he2-user", "u"),
                ("x-he2-origin-lock", "x"),
                ("x-forwarded-for", "10.0.0.1"),
                ("x-daytona-preview-token", "guessed"),
                ("x-daytona-authorization", "Bearer guessed"),
                ("connection", "x-hop"),
                ("x-hop", "1"),
            ],
            false,
        );
        let expected = fields(&[
            ("cookie", "theme=dark"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "p.example"),
            ("via", "1.1 he2-edge"),
            ("x-daytona-preview-token", "the token"),
            ("x-daytona-skip-preview-warning", "true"),
            ("x-daytona-disable-cors", "true"),
        ]);
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_is_the_sandboxs_own_passes() {
        for credential in [token("https://other.example"), "Basic eDp5".into(), "Bearer opaque".into()] {
            let seen =
                crossed(&[("authorization", &credential), ("x-api-key", "its own"), ("dnt", "1")], false);
            assert_eq!(seen["authorization"], credential.as_str());
            assert_eq!(
                (&seen["x-api-key"], &seen["dnt"]),
                (&"its own".parse().unwrap(), &"1".parse().unwrap())
            );
        }
    }

    #[test]
    fn the_sandbox_is_told_its_own_origin_and_of_strangers_theirs() {
        assert_eq!(crossed(&[("origin", "https://p.example")], false)["origin"], "https://door.example");
        assert_eq!(crossed(&[("origin", "https://evil.example")], false)["origin"], "https://evil.example");
    }

    #[test]
    fn a_websocket_stays_one_and_a_crawler_keeps_nothing_awake() {
        let socket = crossed(&[("upgrade", "websocket"), ("connection", "Upgrade")], false);
        assert_eq!(socket["upgrade"], "websocket");
        assert!(!socket.contains_key(SKIP_ACTIVITY));
        assert_eq!(crossed(&[], true)[SKIP_ACTIVITY], "true");
    }
}
