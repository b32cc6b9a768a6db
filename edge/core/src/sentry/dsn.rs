//! Where reports go: `https://PUBLIC_KEY@HOST/PROJECT` (<https://develop.sentry.dev/sdk/foundations/envelopes/>).

/// An address of Sentry's. Its key is public: pages carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn {
    secure: bool,
    key: String,
    /// With its port, in lower case.
    host: String,
    /// Between the host and the project, for a Sentry that does not stand at its host's root: `/sentry`, or nothing.
    prefix: String,
    project: String,
}

impl Dsn {
    /// Reads a DSN; none if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (user, rest) = rest.split_once('@')?;
        // The secret after a colon is of old clients, and of no use any more.
        let key = user.split(':').next()?;
        let (place, project) = rest.rsplit_once('/')?;
        let (host, prefix) = place.find('/').and_then(|at| place.split_at_checked(at)).unwrap_or((place, ""));
        let valid = matches!(scheme, "http" | "https")
            && consists(key, |byte| byte.is_ascii_alphanumeric())
            && consists(host, |byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
            && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte))
            && consists(project, |byte| byte.is_ascii_digit());
        valid.then(|| Self {
            secure: scheme == "https",
            key: key.to_owned(),
            host: host.to_ascii_lowercase(),
            prefix: prefix.to_owned(),
            project: project.to_owned(),
        })
    }

    /// Where envelopes are posted to, as `application/x-sentry-envelope`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let Self { host, prefix, project, .. } = self;
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{host}{prefix}/api/{project}/envelope/")
    }

    /// The value of `X-Sentry-Auth`, by which every version of Sentry knows whose they are.
    #[must_use]
    pub fn auth(&self) -> String {
        format!("Sentry sentry_version=7, sentry_client=he2-edge/1, sentry_key={}", self.key)
    }

    /// Whether both are of the same project at the same host.
    #[must_use]
    pub fn is_same_project(&self, other: &Self) -> bool {
        (&self.host, &self.prefix, &self.project) == (&other.host, &other.prefix, &other.project)
    }
}

fn consists(text: &str, of: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(of)
}

#[cfg(test)]
mod tests {
    use super::Dsn;

    fn endpoint(dsn: &str) -> Option<String> {
        Dsn::parse(dsn).map(|dsn| dsn.endpoint())
    }

    #[test]
    fn a_dsn_leads_to_its_projects_endpoint() {
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(
            endpoint("https://ab1@O1.ingest.sentry.io/42"),
            at("https://o1.ingest.sentry.io/api/42/envelope/")
        );
        assert_eq!(endpoint("https://ab1:old@sentry.io/42"), at("https://sentry.io/api/42/envelope/"));
        assert_eq!(
            endpoint("http://ab1@127.0.0.1:9000/sub/42"),
            at("http://127.0.0.1:9000/sub/api/42/envelope/")
        );
        assert!(Dsn::parse("https://ab1@sentry.io/42").unwrap().auth().ends_with("sentry_key=ab1"));
    }

    #[test]
    fn what_is_no_dsn_leads_nowhere() {
        for text in [
            "",
            "https://sentry.io/42",
            "https://@sentry.io/42",
            "https://ab1@/42",
            "https://ab1@sentry.io",
            "https://ab1@sentry.io/",
            "https://ab1@sentry.io/42/",
            "https://ab1@sentry.io/x",
            "ftp://ab1@sentry.io/42",
            "https://ab1@evil.example#@sentry.io/42",
            "https://ab1@evil.example?@sentry.io/42",
            "https://ab1@sentry.io\\evil/42",
            "https://ab1\r\nX: y@sentry.io/42",
        ] {
            assert_eq!(endpoint(text), None, "{text:?}");
        }
    }
}
