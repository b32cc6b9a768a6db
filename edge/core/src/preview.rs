//! Previews: what runs in a sandbox of Daytona, shown under a host name of its own, `{port}-{sandbox}.{domain}`.
//!
//! Decides which port of which sandbox a host name means, and whether that port is shown ([`name`]); what Daytona's API
//! says of a sandbox ([`api`]), and for how long ([`known`]); which fields cross, and how ([`request`], [`response`],
//! [`cookies`]). A sandbox runs what anybody has had written, so nothing of the app's own reaches it, and nothing that it
//! says holds beyond its host. The app makes its sandboxes public, which means that whoever has the address gets in: so
//! it is here, for those, and no other sandbox is shown. Left out: viewers who must be signed in.
//!
//! Sources: <https://www.daytona.io/docs/en/preview/>, <https://www.daytona.io/docs/en/custom-preview-proxy/>, and
//! Daytona's own proxy, <https://github.com/daytonaio/daytona> (`apps/proxy/pkg/proxy`).

pub mod api;
pub mod cookies;
pub mod known;
pub mod name;
pub mod request;
pub mod response;

use http::{HeaderMap, Method};

use crate::headers::single;
use crate::path::{self, Normal, PathFault};

/// Worker variable: the address of Daytona's API, where it is not the plan's.
pub const API: &str = "DAYTONA_API";
/// Worker secret: the API key. Where it is not set, nothing is shown.
pub const KEY: &str = "DAYTONA_API_KEY";

/// Ports that are never shown: SSH, and Daytona's own toolbox (every file and process of the sandbox), terminal and
/// dashboard of recordings (`apps/proxy/pkg/proxy/proxy.go`).
pub const RESERVED: [u16; 4] = [22, 2_280, 22_222, 33_333];

/// Seconds after which a sandbox that is starting may be asked for again: Daytona's own proxy says 5 too (`wake.go`).
pub const RETRY_SECONDS: &str = "5";

/// Why a preview is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The port is none of those that are shown.
    Port,
    /// There is no such sandbox for anybody here: why, for the log.
    Unknown(&'static str),
    /// The sandbox sleeps, or is on its way.
    Starting,
}

/// The path as the sandbox gets it. Daytona's proxy decodes a path and makes a longer one of it, below the port's: what
/// any number of decodings could turn into a way up is refused. Encoded and empty segments are the sandbox's affair.
pub fn path(raw: &str) -> Result<String, PathFault> {
    let Normal { text, .. } = path::normalise(raw)?;
    let decoded = path::decode_all(&text);
    match path::decode_all(&String::from_utf8_lossy(&decoded)) == String::from_utf8_lossy(&decoded).as_bytes()
    {
        true => Ok(text),
        false => Err(PathFault::DoubleEscape),
    }
}

/// Whether nobody may be waiting for the answer: a sandbox is neither woken nor kept awake for those that look ahead or
/// around, nor for programs that say that they are crawlers.
#[must_use]
pub fn is_idle(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: &str, part: &str| {
        single(headers, name).is_some_and(|value| value.to_ascii_lowercase().contains(part))
    };
    matches!(*method, Method::HEAD | Method::OPTIONS)
        || says("sec-purpose", "prefetch")
        || ["bot", "crawler", "spider"].iter().any(|part| says("user-agent", part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_path_leads_out_of_its_port_however_often_it_is_decoded() {
        for raw in [
            "/../2280/process",
            "/%2e%2e/2280",
            "/x%2f..%2f..%2f2280",
            "/%252e%252e%252f2280",
            "/a%2f%252e%252e%2f2280",
            "//%25252e%25252e/2280",
            "/..%5c2280",
            "/a%00",
        ] {
            assert!(path(raw).is_err(), "{raw}");
        }
        for raw in ["/", "/@fs/home/user/a.ts", "//double", "/a%2Fb", "/100%25", "/caf%C3%A9", "/x.y..z"] {
            assert_eq!(path(raw).as_deref(), Ok(raw));
        }
    }

    proptest! {
        #[test]
        fn a_path_that_passes_has_no_dot_segment_after_any_decoding(raw in "/([a-z./;]|%2[5eEfF]|%25|2e|2f){0,12}") {
            let Ok(text) = path(&raw) else { return Ok(()) };
            let mut decoded = text;
            for _ in 0..8 {
                let dots = decoded.split('/').any(|segment| {
                    matches!(segment.split(';').next(), Some("." | ".."))
                });
                prop_assert!(!dots, "{raw} becomes {decoded}");
                decoded = String::from_utf8_lossy(&path::decode_all(&decoded)).into_owned();
            }
        }
    }

    #[test]
    fn what_nobody_waits_for_keeps_no_sandbox_awake() {
        let fields = |name: &'static str, value: &str| {
            HeaderMap::from_iter([(http::HeaderName::from_static(name), value.parse().unwrap())])
        };
        let browser =
            fields("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        assert!(!is_idle(&Method::GET, &browser) && !is_idle(&Method::POST, &browser));
        assert!(is_idle(&Method::HEAD, &browser) && is_idle(&Method::OPTIONS, &browser));
        assert!(is_idle(&Method::GET, &fields("sec-purpose", "prefetch;prerender")));
        assert!(is_idle(
            &Method::GET,
            &fields("user-agent", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)")
        ));
    }
}
