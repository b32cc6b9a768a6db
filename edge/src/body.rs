//! Content of requests and responses, as the platform has it: never looked into.

use wasm_bindgen::JsCast;
use web_sys::ReadableStream;

/// Content on its way through.
#[derive(Debug)]
pub(crate) enum Body {
    /// None.
    Empty,
    /// The platform's stream.
    Stream(ReadableStream),
    /// The gateway's own words.
    Text(String),
    /// A response that must go on as it is: an upgraded connection hangs on the object itself.
    Upgraded(web_sys::Response),
}

impl From<Option<ReadableStream>> for Body {
    fn from(stream: Option<ReadableStream>) -> Self {
        stream.map_or(Self::Empty, Self::Stream)
    }
}

impl Body {
    /// Two streams of the same content. What the faster reader has had, the platform keeps for the slower one.
    pub(crate) fn tee(self) -> (Self, Self) {
        let Self::Stream(stream) = self else { return (self, Self::Empty) };
        let branches = stream.tee();
        let branch = |at| Self::from(branches.get(at).dyn_into().ok());
        (branch(0), branch(1))
    }
}
