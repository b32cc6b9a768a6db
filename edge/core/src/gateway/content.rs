//! The content of requests: how long it may be, and reading it where the gateway itself has to.

use std::mem;

use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use super::Pass;
use crate::fault::Fault;
use crate::headers::single;
use crate::host::{Host, ReadError, Request};

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
}
