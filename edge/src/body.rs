//! Content of requests and responses, as the platform has it: looked into only by [`Body::read`].

use edge_core::host::ReadError;
use web_sys::ReadableStream;

use crate::rim::Arriving;
use crate::{glue, stream, time};

/// Content that is read is not waited for longer (ms).
const READ_TIMEOUT_MS: u32 = 15_000;

/// Content on its way through.
#[derive(Debug)]
pub(crate) enum Body {
    /// None.
    Empty,
    /// The platform's stream.
    Stream(ReadableStream),
    /// The origin's answer.
    Arriving(Arriving),
    /// As the origin encoded it, and so it goes out.
    Encoded(ReadableStream),
    /// The gateway's own words, or what it has read.
    Bytes(Vec<u8>),
    /// A response that must go on as it is: an upgraded connection hangs on the object itself.
    Upgraded(web_sys::Response),
}

impl From<Option<ReadableStream>> for Body {
    fn from(stream: Option<ReadableStream>) -> Self {
        stream.map_or(Self::Empty, Self::Stream)
    }
}

impl Body {
    /// The same once more; none of a stream, which is read only once.
    pub(crate) fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            _ => None,
        }
    }

    /// Tells its sender that nobody wants it.
    pub(crate) fn discard(self) {
        match self {
            Self::Arriving(origin) => origin.abort(),
            Self::Stream(stream) | Self::Encoded(stream) => drop(stream.cancel()),
            Self::Empty | Self::Bytes(_) | Self::Upgraded(_) => {}
        }
    }

    /// The platform's stream, if that is what it is.
    pub(crate) fn stream(self) -> Option<ReadableStream> {
        match self {
            Self::Stream(stream) | Self::Encoded(stream) => Some(stream),
            Self::Arriving(arriving) => arriving.content(),
            Self::Empty | Self::Bytes(_) | Self::Upgraded(_) => None,
        }
    }

    /// All of it, if there are no more than `most` bytes.
    pub(crate) async fn read(self, most: u32) -> Result<Vec<u8>, ReadError> {
        let stream = match self {
            Self::Bytes(bytes) => {
                return (bytes.len() <= most as usize).then_some(bytes).ok_or(ReadError::TooLong);
            }
            Self::Upgraded(_) => return Err(ReadError::Failed("an upgraded connection".to_owned())),
            body => match body.stream() {
                Some(stream) => stream,
                None => return Ok(Vec::new()),
            },
        };
        // Whoever sends it has not proven anything yet, and what has arrived is held in memory.
        let chunks = time::within(READ_TIMEOUT_MS, stream::chunks(&stream, most)).await;
        let chunks = chunks.ok_or_else(|| ReadError::Failed("too slow".to_owned()))?;
        let chunks = chunks.map_err(|error| ReadError::Failed(glue::reason(&error)))?;
        Ok(stream::bytes(&chunks.ok_or(ReadError::TooLong)?))
    }
}
