//! What the cache did, in the words of RFC 9211.

use std::fmt;

use super::Bypass;
use super::reuse::{Serve, Stale, Why};

/// The cache's name in `Cache-Status`.
const NAME: &str = "he2";

/// What happened to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was answered with what is stored, with so many seconds left of its life.
    Hit {
        /// Below zero where it is stale.
        ttl: i64,
        /// By whose permission it was served stale.
        stale: Option<Stale>,
        /// The request waited for another's answer.
        collapsed: bool,
    },
    /// The cache stayed out of it.
    Bypass(Bypass),
    /// The origin was asked.
    Forward(Forward),
}

/// The origin was asked, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// Why.
    pub why: Why,
    /// The origin's status, where the caller got another.
    pub status: Option<u16>,
    /// The answer is being stored.
    pub stored: bool,
    /// What else there is to say.
    pub detail: Option<&'static str>,
}

impl Forward {
    /// For this reason; nothing is known of the answer yet.
    #[must_use]
    pub fn new(why: Why) -> Self {
        Self { why, status: None, stored: false, detail: None }
    }
}

impl Status {
    /// Of a response that is served without asking the origin.
    #[must_use]
    pub fn hit(serve: &Serve<'_>, collapsed: bool) -> Self {
        Self::Hit { ttl: serve.ttl, stale: serve.stale, collapsed }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}; ")?;
        match *self {
            Self::Hit { ttl, stale, collapsed } => {
                write!(f, "hit; ttl={ttl}")?;
                let collapsed = if collapsed { "; collapsed" } else { "" };
                write!(
                    f,
                    "{collapsed}{}",
                    stale.map(|stale| format!("; detail={}", stale.token())).unwrap_or_default()
                )
            }
            Self::Bypass(why) => write!(f, "fwd={}", why.token()),
            Self::Forward(Forward { why, status, stored, detail }) => {
                write!(f, "fwd={}", why.token())?;
                write!(f, "{}", status.map(|code| format!("; fwd-status={code}")).unwrap_or_default())?;
                let stored = if stored { "; stored" } else { "" };
                write!(f, "{stored}{}", detail.map(|detail| format!("; detail={detail}")).unwrap_or_default())
            }
        }
    }
}

impl Bypass {
    fn token(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Route => "bypass; detail=route",
            Self::Identity => "bypass; detail=identity",
            Self::Condition => "bypass; detail=condition",
            Self::Content => "bypass; detail=content",
            Self::Long => "bypass; detail=long-url",
        }
    }
}

impl Why {
    fn token(self) -> &'static str {
        match self {
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Stale => "stale",
            Self::Request => "request",
        }
    }
}

impl Stale {
    /// In the directive's words.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::WhileRevalidate => "stale-while-revalidate",
            Self::IfError => "stale-if-error",
            Self::MaxStale => "max-stale",
        }
    }
}
