//! How the load balancer is asked: the origin lock's header, and how long an answer may take.

use edge_core::forward::IDENTITY;

use super::text::is_token;
use crate::fault::Report;
use crate::leak;
use crate::read::Lined;

/// No caller waits longer for an answer to begin, and the load balancer's idle timeout must be above it.
const LONGEST_FIRST_BYTE_SECONDS: u32 = 3600;

/// The header that carries the origin-lock secret, of the family that no client can set.
pub(crate) fn lock_header(header: &Lined<String>, report: &Report) -> Option<&'static str> {
    let lower = header.value.to_ascii_lowercase();
    let own = is_token(&lower) && lower.strip_prefix("x-he2-").is_some_and(|rest| !rest.is_empty());
    let fault = match () {
        () if !own => "must be a header name that begins with `x-he2-`",
        // The secret is set last: it would take the place of the checked identity.
        () if IDENTITY.iter().any(|name| name.as_str() == lower) => {
            "tells the app who calls; choose another name"
        }
        () => return Some(leak::text(&lower)),
    };
    report.add(header.line, format!("lock_header `{}` {fault}", header.value));
    None
}

/// How long a route may wait, in seconds.
pub(crate) fn first_byte(seconds: &Lined<u32>, report: &Report) -> u32 {
    if seconds.value > LONGEST_FIRST_BYTE_SECONDS {
        let text = format!("first_byte_seconds {}: give at most {LONGEST_FIRST_BYTE_SECONDS}", seconds.value);
        report.add(seconds.line, text);
    }
    seconds.value.min(LONGEST_FIRST_BYTE_SECONDS)
}
