//! Supabase's session cookie: where a browser keeps its access token.
//!
//! Decides which cookies make up the session, and reads the access token out of it. Nothing else of it is kept, the
//! refresh token least of all. The form is that of <https://github.com/supabase/ssr> (`src/utils/chunker.ts`,
//! `src/cookies.ts`): one cookie, or pieces with the suffixes `.0`, `.1` and so on up to the first gap.
//!
//! A host below the same domain can set cookies for all of it (RFC 6265 §8.6), and which of two sessions counts then
//! differs from reader to reader. So what could be read as two is refused: one name twice, and a whole session beside
//! pieces of one. A foreign cookie that stands alone cannot be told from the right one. Left out: whether the token is
//! good ([`super::token`]).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, Uri};
use serde_json::Value;

use super::members::Members;
use crate::path::decode_all;

/// Pieces of a session at most. A browser keeps 4 KiB of each, and supabase/ssr fills 3180 bytes.
const MOST_PIECES: usize = 16;
/// Longest session, in bytes of all its pieces as they were sent.
pub const LONGEST: usize = 32 * 1024;
/// Stands before a session in base64url; without it the session is JSON, with URI escapes.
const BASE64: &[u8] = b"base64-";

/// Why a session cookie cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieFault {
    /// There is more than one session to choose from.
    Ambiguous,
    /// More or longer pieces than a session has.
    TooLong,
    /// What it holds is not a session with an access token.
    Malformed,
}

impl CookieFault {
    /// What may be told to the caller.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Ambiguous => "the session cookie was sent more than once",
            Self::TooLong => "the session cookie is too long",
            Self::Malformed => "the session cookie does not hold a session",
        }
    }
}

/// The session cookie's name for the issuer at this address: supabase-js takes the first label of its host.
/// `None` for what is not an address with a host name.
#[must_use]
pub fn name(issuer: &str) -> Option<String> {
    let address: Uri = issuer.parse().ok()?;
    address.scheme()?;
    let label = address.host()?.split('.').next()?;
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (!label.is_empty() && label.bytes().all(is_label))
        .then(|| format!("sb-{}-auth-token", label.to_ascii_lowercase()))
}

/// The access token of the session in the cookie of this name; `None` where there is none, or only an empty one, as
/// sign-out leaves it.
pub fn access_token(headers: &HeaderMap, name: &str) -> Result<Option<String>, CookieFault> {
    let cookies = Cookies::of(headers, name);
    let whole = cookies.value("")?;
    let mut parts = cookies.pieces()?;
    match whole {
        Some(_) if !parts.is_empty() => return Err(CookieFault::Ambiguous),
        Some(value) => parts.push(value),
        None if parts.is_empty() => return Ok(None),
        None => {}
    }
    token(&joined(&parts)?).map(Some)
}

/// Suffix and value of every cookie whose name begins with the session's.
struct Cookies<'h>(Vec<(&'h [u8], &'h [u8])>);

impl<'h> Cookies<'h> {
    /// From all `Cookie` fields: HTTP/2 and HTTP/3 allow several (RFC 9113 §8.2.3).
    fn of(headers: &'h HeaderMap, name: &str) -> Self {
        let fields = headers.get_all(COOKIE).iter();
        let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
        Self(pairs.filter_map(|pair| suffix_and_value(pair, name)).collect())
    }

    /// The one value that is not empty under a suffix.
    fn value(&self, suffix: &str) -> Result<Option<&'h [u8]>, CookieFault> {
        let mut values = self.0.iter().filter(|(other, _)| *other == suffix.as_bytes());
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Err(CookieFault::Ambiguous),
            (first, _) => Ok(first.map(|(_, value)| *value).filter(|value| !value.is_empty())),
        }
    }

    fn pieces(&self) -> Result<Vec<&'h [u8]>, CookieFault> {
        let mut pieces = Vec::new();
        while let Some(value) = self.value(&format!(".{}", pieces.len()))? {
            pieces.push(value);
            if pieces.len() > MOST_PIECES {
                return Err(CookieFault::TooLong);
            }
        }
        Ok(pieces)
    }
}

fn suffix_and_value<'h>(pair: &'h [u8], name: &str) -> Option<(&'h [u8], &'h [u8])> {
    let mut halves = pair.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
    Some((halves.next()?.strip_prefix(name.as_bytes())?, halves.next()?))
}

/// The session's text, without URI escapes.
fn joined(parts: &[&[u8]]) -> Result<Vec<u8>, CookieFault> {
    let text = parts.concat();
    if text.len() > LONGEST {
        return Err(CookieFault::TooLong);
    }
    str::from_utf8(&text).map(decode_all).map_err(|_| CookieFault::Malformed)
}

fn token(session: &[u8]) -> Result<String, CookieFault> {
    let decoded = session.strip_prefix(BASE64).map(|text| BASE64_URL_SAFE_NO_PAD.decode(text)).transpose();
    let json = decoded.map_err(|_| CookieFault::Malformed)?;
    let members = serde_json::from_slice(json.as_deref().unwrap_or(session));
    let Members(mut members) = members.map_err(|_| CookieFault::Malformed)?;
    match members.remove("access_token") {
        Some(Value::String(token)) if !token.is_empty() => Ok(token),
        _ => Err(CookieFault::Malformed),
    }
}

#[cfg(test)]
mod tests;
