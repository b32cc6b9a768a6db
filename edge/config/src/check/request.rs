//! How large a request's head may be.

use std::ops::RangeInclusive;

use edge_core::plan::HeadLimits;

use super::text::check_range;
use crate::fault::Report;
use crate::read::{Given, Lined};
use crate::written::{self, heads};

/// RFC 9110 §4.1 asks for 8000 bytes at least; AWS's load balancer takes request lines of 16 KiB
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>).
const TARGET: RangeInclusive<u32> = 8_000..=16_000;
/// Python's and Apache's servers take a hundred
/// (<https://httpd.apache.org/docs/2.4/mod/core.html#limitrequestfields>); browsers and Cloudflare send some forty.
const FIELDS: RangeInclusive<u32> = 50..=1_000;
/// The load balancer takes heads of 64 KiB, less what the gateway adds.
const HEAD: RangeInclusive<u32> = 8_000..=60_000;

const DEFAULT_TARGET: u32 = 12 << 10;
/// Room for the longest token that is usually taken, 8 KiB, and a kilobyte beside it.
const DEFAULT_QUERY: u32 = 9 << 10;
const DEFAULT_FIELDS: u32 = 100;
/// Node's servers take 16 KiB (<https://nodejs.org/api/cli.html#--max-http-header-sizesize>); the last one is for what the
/// gateway adds.
const DEFAULT_HEAD: u32 = 15 << 10;

pub(crate) fn check(request: &heads::Request, auth: Option<&written::Auth>, report: &Report) -> HeadLimits {
    let heads::Request { target, query, fields, head, .. } = request;
    let bounds =
        [("target_bytes", target, &TARGET), ("fields", fields, &FIELDS), ("head_bytes", head, &HEAD)];
    for (key, given, range) in bounds {
        check_range(key, given.good(), range, report);
    }
    let limits = HeadLimits {
        target_bytes: value(target, DEFAULT_TARGET),
        query_bytes: value(query, DEFAULT_QUERY),
        fields: value(fields, DEFAULT_FIELDS),
        head_bytes: value(head, DEFAULT_HEAD),
    };
    check_order(request, &limits, report);
    let token = auth.and_then(|auth| auth.max_token.as_ref());
    if let Some(token) = token.filter(|token| token.value >= limits.query_bytes) {
        let text = format!(
            "max_token_bytes {}: a query of query_bytes {} has no room for it; give less",
            token.value, limits.query_bytes
        );
        report.add(token.line, text);
    }
    limits
}

/// The query is a part of the target, and that of the head.
fn check_order(request: &heads::Request, limits: &HeadLimits, report: &Report) {
    let HeadLimits { target_bytes, query_bytes, head_bytes, .. } = *limits;
    let parts = [
        ("query_bytes", &request.query, query_bytes, "target_bytes", &request.target, target_bytes),
        ("target_bytes", &request.target, target_bytes, "head_bytes", &request.head, head_bytes),
    ];
    for (part, part_given, part_bytes, whole, whole_given, whole_bytes) in parts {
        let line = line(part_given).or(line(whole_given));
        if let Some(line) = line.filter(|_| part_bytes > whole_bytes) {
            report
                .add(line, format!("{part} {part_bytes} is more than {whole} {whole_bytes}, which holds it"));
        }
    }
}

fn value(given: &Given<u32>, default: u32) -> u32 {
    given.good().map_or(default, |given| given.value)
}

fn line(given: &Given<u32>) -> Option<u32> {
    given.good().map(|Lined { line, .. }| *line)
}
