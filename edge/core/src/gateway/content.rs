//! Content: how long that of requests may be, reading it where the gateway itself has to, and how long that of answers
//! may take.

use std::mem;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Response};

use super::Pass;
use crate::fault::Fault;
use crate::headers::single;
use crate::host::{Host, ReadError, Request};
use crate::plan::{Route, Timeouts};
use crate::stream;

/// Whether a request says that it has more than `most` bytes of content: before any of them is read.
pub(super) fn check_length(headers: &HeaderMap, most: u32) -> Result<(), Fault> {
    let length = single(headers, CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    match length.is_some_and(|length| length > most.into()) {
        true => Err(Fault::TooLong(most)),
        false => Ok(()),
    }
}

impl<H: Host> Pass<'_, H> {
    /// All content of a request, if there is no more than `most` bytes of it.
    pub(super) async fn content(&self, request: &mut Request<H::Body>, most: u32) -> Result<Vec<u8>, Fault> {
        check_length(&request.headers, most)?;
        let body = mem::replace(&mut request.body, self.host.empty());
        self.host.read(body, most).await.map_err(|error| match error {
            ReadError::TooLong => Fault::TooLong(most),
            ReadError::Failed(_) => Fault::Content("the content did not arrive whole"),
        })
    }

    /// Breaks an answer's content off where its sender is silent, or all of it takes, longer than the route lets it. Event
    /// streams are silent and last.
    pub(super) fn limit_time(
        &self,
        route: &Route,
        response: Response<H::Body>,
        request_id: &str,
    ) -> Response<H::Body> {
        let Some(Timeouts { idle_ms, total_ms }) = route.timeouts else { return response };
        if stream::is_events(response.headers()) {
            return response;
        }
        let length = single(response.headers(), CONTENT_LENGTH).and_then(|length| length.parse().ok());
        let spent_ms = self.host.now_ms().saturating_sub(self.started_ms).try_into().unwrap_or(u32::MAX);
        let total_ms = total_ms.map(|ms| ms.saturating_sub(spent_ms));
        response.map(|body| self.host.limit_time(body, length, Timeouts { idle_ms, total_ms }, request_id))
    }
}
