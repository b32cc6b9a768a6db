//! How the load balancer is asked: the origin lock's header, and how long an answer may take.

use edge_core::forward::IDENTITY;

use super::text::is_token;
use crate::fault::Report;
use crate::leak;
use crate::read::Lined;
use crate::written::Origin;

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

/// How long an answer may take, in milliseconds.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_field_names, reason = "the unit of each")]
pub(crate) struct Times {
    pub(crate) first_byte_ms: u32,
    /// One try, where another upstream can be asked instead.
    pub(crate) try_ms: u32,
    /// Until another upstream is asked too.
    pub(crate) hedge_ms: Option<u32>,
}

/// What holds for routes that say nothing; some time where that is missing, which is reported.
pub(crate) fn times(origin: Option<&Origin>, report: &Report) -> Times {
    let first_byte = origin.and_then(|origin| origin.first_byte.as_ref());
    let first_byte_ms = first_byte.map_or(1_000, |seconds| first_byte_ms(seconds, report));
    let own = origin.and_then(|origin| origin.try_seconds.good());
    Times { first_byte_ms, try_ms: try_ms(own, first_byte_ms, first_byte_ms, report), hedge_ms: None }
}

/// How long a route may wait.
pub(crate) fn first_byte_ms(seconds: &Lined<u32>, report: &Report) -> u32 {
    if seconds.value > LONGEST_FIRST_BYTE_SECONDS {
        let text = format!("first_byte_seconds {}: give at most {LONGEST_FIRST_BYTE_SECONDS}", seconds.value);
        report.add(seconds.line, text);
    }
    seconds.value.min(LONGEST_FIRST_BYTE_SECONDS).saturating_mul(1_000)
}

/// How long one try may: no longer than all of them.
pub(crate) fn try_ms(own: Option<&Lined<u32>>, default: u32, first_byte_ms: u32, report: &Report) -> u32 {
    let Some(own) = own else { return default.min(first_byte_ms) };
    let ms = own.value.saturating_mul(1_000);
    if ms > first_byte_ms {
        let text = format!("try_seconds {} is more than first_byte_seconds; give less", own.value);
        report.add(own.line, text);
    }
    ms.min(first_byte_ms)
}
