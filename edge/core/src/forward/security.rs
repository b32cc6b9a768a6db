//! What answers tell browsers to refuse: by the route's policy, where the origin did not say so itself.
//!
//! What the gateway answers itself, and routes without a policy, get [`API`]: nothing of it is a page. For an API that is
//! what <https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html> lists. It serves users' files too, at
//! the address of the pages: without a policy one of them could be opened there as a page of the app.
//!
//! Left out: `Server` and `X-Powered-By`, which [`crate::forward`] drops; HSTS for subdomains and preloading, which bind
//! names that are not the gateway's; `Cross-Origin-Opener-Policy`, which cuts a page off from the pop-up in which its user
//! signs in, even when it is only on a redirect on the way there.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY};

use crate::plan::Security;

/// Of data, for programs.
pub const API: Security = Security {
    fields: &[
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ],
    replaces: false,
};

/// Adds a policy's fields to an answer. `tls`: the caller came over TLS; `Strict-Transport-Security` is not for others
/// (RFC 6797 §7.2).
pub fn secure(headers: &mut HeaderMap, policy: &Security, tls: bool) {
    for &(name, value) in policy.fields {
        let name = HeaderName::from_static(name);
        let unwanted = name == STRICT_TRANSPORT_SECURITY && !tls;
        if !unwanted && (policy.replaces || !headers.contains_key(&name)) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_SECURITY_POLICY;

    use super::*;

    #[test]
    fn rfc6797_7_2_hsts_is_not_sent_in_the_clear() {
        for tls in [true, false] {
            let mut headers = HeaderMap::new();
            secure(&mut headers, &API, tls);
            assert_eq!(headers.contains_key(STRICT_TRANSPORT_SECURITY), tls);
            assert!(headers.contains_key("x-content-type-options"));
        }
    }

    #[test]
    fn what_the_origin_says_stands_unless_the_policy_replaces_it() {
        let mut headers = HeaderMap::new();
        for policy in ["default-src 'self'", "frame-ancestors https://partner.example"] {
            headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        }
        let before = headers.clone();
        secure(&mut headers, &API, true);
        assert!(headers.get_all(CONTENT_SECURITY_POLICY).iter().eq(before.get_all(CONTENT_SECURITY_POLICY)));
        secure(&mut headers, &Security { replaces: true, ..API }, true);
        let left: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(left, ["default-src 'none'; frame-ancestors 'none'"]);
    }
}
