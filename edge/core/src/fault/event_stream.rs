//! A refusal that an `EventSource` survives.
//!
//! On any status but 200 a browser gives the stream up for good (HTML §9.2.3, "fail the connection"), and the page waits for
//! ever. What may pass by itself is therefore an empty stream that tells when to come again: somewhat later for each
//! client, so that those who were cut off together do not all come back together. Whatever a new try cannot mend, a bad
//! token above all, is refused by its status.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::Fault;
use crate::headers::single;
use crate::limit::told::Taken;

/// When to come again where nothing else is said (ms).
const RETRY_MS: u64 = 5_000;
/// At most so much later (ms): who waits for a run should not wait for an hourly quota.
const LONGEST_MS: u64 = 60_000;

/// Whether what an answer's status says may pass by itself.
#[must_use]
pub fn passes(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

impl Fault {
    /// The refusal as an event stream, if a new try may help. `random` spreads the tries.
    #[must_use]
    pub fn as_event_stream(&self, taken: Option<&Taken>, random: u16) -> Option<Response<String>> {
        if !passes(self.status()) {
            return None;
        }
        let mut headers = self.headers(taken);
        let asked = single(&headers, RETRY_AFTER).and_then(|seconds| seconds.parse::<u64>().ok());
        let retry_ms = asked.map_or(RETRY_MS, |seconds| seconds.saturating_mul(1_000)).min(LONGEST_MS);
        headers.remove(RETRY_AFTER);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let spread_ms = retry_ms.saturating_mul(random.into()) / 65_536;
        let text = format!("retry: {}\n: {}\n\n", retry_ms.saturating_add(spread_ms), self.detail());
        let mut response = Response::new(text);
        *response.headers_mut() = headers;
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Refusal;

    fn retry(fault: &Fault, random: u16) -> Option<(u16, String)> {
        let response = fault.as_event_stream(None, random)?;
        Some((response.status().as_u16(), response.into_body()))
    }

    #[test]
    fn what_may_pass_ends_in_good_order_and_tells_when_to_come_again() {
        let down = Fault::Origin("refused".to_owned());
        let (status, text) = retry(&down, 0).unwrap();
        assert_eq!((status, &*text), (200, "retry: 5000\n: the service cannot be reached\n\n"));
        assert!(retry(&down, u16::MAX).unwrap().1.starts_with("retry: 9999\n"), "spread over as long again");
        let response = down.as_event_stream(None, 0).unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers().get(RETRY_AFTER), None);
    }

    #[test]
    fn what_a_new_try_cannot_mend_keeps_its_status() {
        for fault in [Fault::NotFound, Fault::Refused(Refusal::Missing), Fault::Content("bad")] {
            assert_eq!(retry(&fault, 0), None, "{fault:?}");
        }
    }
}
