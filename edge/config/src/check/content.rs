//! How long the content of requests may be.

use std::ops::RangeInclusive;

use super::text::check_range;
use crate::fault::Report;
use crate::written::Route;
use crate::written::heads::Request;

/// What Cloudflare takes on its smaller plans, of which "MB" is the less of two readings
/// (<https://developers.cloudflare.com/workers/platform/limits/#request-limits>).
pub(super) const MOST_BYTES: u32 = 100_000_000;
/// It takes no more on any.
const BYTES: RangeInclusive<u32> = 1..=500_000_000;

/// What holds for all routes.
pub(super) fn check(request: &Request, report: &Report) {
    check_range("max_body_bytes", request.max_body.good(), &BYTES, report);
}

/// What holds for one.
pub(super) fn max_body_bytes(route: &Route, request: &Request, report: &Report) -> u32 {
    let own = route.max_body.good();
    check_range("max_body_bytes", own, &BYTES, report);
    let given = own.or_else(|| request.max_body.good());
    given.map_or(MOST_BYTES, |bytes| bytes.value)
}
