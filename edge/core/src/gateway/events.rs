//! Event streams between origin and caller: kept alive through the origin's silence, ended with the sign-in that opened
//! them, and refused so that a browser comes back.

use std::rc::Rc;

use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING};

use super::Pass;
use super::places::Place;
use super::revoked::watch;
use crate::auth::token::Statement;
use crate::fault::{Fault, event_stream};
use crate::headers::append;
use crate::host::Host;
use crate::plan::Route;
use crate::stream::{self, Heartbeat};

/// By what an answer was opened, and what it holds.
pub(super) struct Opened {
    /// What the caller's token says.
    pub(super) statement: Option<Rc<Statement>>,
    /// The token stood in the query.
    pub(super) by_query: bool,
    pub(super) places: Vec<Place>,
}

impl<H: Host> Pass<'_, H> {
    /// Refuses in the origin's place where it could not open a stream, and a new try may help: on its own status a
    /// browser would give up for good (HTML §9.2.3).
    pub(super) fn outlasts(&self, route: &Route, response: &Response<H::Body>) -> Result<(), Fault> {
        let status = response.status();
        match self.listens && route.event_stream && event_stream::passes(status) {
            true => Err(Fault::Origin(format!("it answered {status}"))),
            false => Ok(()),
        }
    }

    /// Ends an event stream within seconds of its user's revocation, keeps its places until it ends, and keeps it alive
    /// until then; and keeps other caches from what came by a token in the query, which is part of their key (RFC 6750
    /// §2.3).
    pub(super) fn guard(
        &self,
        route: &Route,
        mut response: Response<H::Body>,
        opened: Opened,
    ) -> Response<H::Body> {
        let Opened { statement, by_query, places } = opened;
        if by_query {
            append(response.headers_mut(), CACHE_CONTROL, "private");
        }
        if !stream::is_events(response.headers()) {
            return response;
        }
        stream::keep_plain(response.headers_mut());
        // There content passes as the origin encoded it: nothing can be put in.
        let passes_encoded = route.cache.is_some() || route.timeouts.is_some();
        let encoded = passes_encoded && response.headers().contains_key(CONTENT_ENCODING);
        let heartbeat = route.heartbeat_ms.filter(|_| !encoded).map(|silence_ms| self.heartbeat(silence_ms));
        if heartbeat.is_none() && statement.is_none() && places.is_empty() {
            return response;
        }
        if !encoded {
            stream::describe_read(response.headers_mut());
        }
        let over = watch(self.host.clone(), self.plan, statement, places);
        response.map(|body| self.host.events(body, heartbeat, over))
    }

    /// Whoever asks for events by their type reads them by their standard, and is told when to come back.
    fn heartbeat(&self, silence_ms: u32) -> Heartbeat {
        let [first, second, ..] = self.host.random();
        let retry = || stream::retry(u16::from_be_bytes([first, second]));
        Heartbeat { silence_ms, first: if self.listens { retry() } else { String::new() } }
    }
}
