//! The parts of a request's URL. The path stays as it arrived: [`crate::path`] judges it.

/// Scheme, host, path and query of an absolute `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `http` or `https`.
    pub scheme: String,
    /// In lower case, without user information and port.
    pub host: String,
    /// Starts with `/`.
    pub path: String,
    /// Without `?`; none where there was no `?`.
    pub query: Option<String>,
}

/// Splits a URL (RFC 3986 §3); a fragment is dropped. `None` if it has another scheme or no host, or carries user
/// information, which RFC 9110 §4.2.4 has a recipient treat as an error.
#[must_use]
pub fn parse(url: &str) -> Option<Target> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (before, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    let (authority, path) =
        before.find('/').and_then(|at| before.split_at_checked(at)).unwrap_or((before, "/"));
    let host = without_port(authority);
    (!host.is_empty() && !authority.contains('@')).then(|| Target {
        scheme: scheme.to_owned(),
        host: host.to_ascii_lowercase(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
    })
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_and_its_path_left_alone() {
        let target = parse("https://API.he2.ai:8443/a%2Fb//c?x=/?y#z").unwrap();
        assert_eq!((target.scheme.as_str(), target.host.as_str()), ("https", "api.he2.ai"));
        assert_eq!((target.path.as_str(), target.query.as_deref()), ("/a%2Fb//c", Some("x=/?y")));
        let root = parse("http://[::1]:8787").unwrap();
        assert_eq!((root.host.as_str(), root.path.as_str(), root.query), ("[::1]", "/", None));
        assert_eq!(parse("http://he2.ai?q").unwrap().path, "/");
    }

    #[test]
    fn rfc9110_4_2_4_user_information_is_refused() {
        assert_eq!(parse("https://he2.ai@evil.example/"), None);
        assert_eq!(parse("ftp://he2.ai/"), None);
        assert_eq!(parse("https:///path"), None);
    }
}
