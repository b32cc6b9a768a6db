//! The platform's streams: read to their end, and ended before it.

use std::pin::pin;

use edge_core::plan::Timeouts;
use edge_core::stream::Heartbeat;
use futures_util::future::{Either, select};
use js_sys::{Array, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, StreamPipeOptions, WritableStream};

use crate::pipe::Pipe;
use crate::rim::Arriving;

/// All chunks of a stream, or none when there are more than `most` bytes of them. They stay in JavaScript's memory.
pub(crate) async fn chunks(stream: &ReadableStream, most: u32) -> Result<Option<Array>, JsValue> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().dyn_into()?;
    let (chunks, mut length) = (Array::new(), 0_u32);
    while let Some(chunk) = next(&reader).await? {
        length = length.saturating_add(chunk.byte_length());
        if length > most {
            JsFuture::from(reader.cancel()).await?;
            return Ok(None);
        }
        chunks.push(&chunk);
    }
    Ok(Some(chunks))
}

async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let step = JsFuture::from(reader.read()).await?;
    match Reflect::get(&step, &"done".into())?.is_truthy() {
        true => Ok(None),
        false => Reflect::get(&step, &"value".into())?.dyn_into().map(Some),
    }
}

/// The content of chunks, in Wasm's memory.
pub(crate) fn bytes(chunks: &Array) -> Vec<u8> {
    let chunks: Vec<_> = chunks.iter().map(|chunk| chunk.unchecked_into::<Uint8Array>().to_vec()).collect();
    chunks.concat()
}

#[wasm_bindgen(module = "/src/heartbeat.js")]
extern "C" {
    #[wasm_bindgen(js_name = pipeAlive)]
    fn pipe_alive(source: &ReadableStream, target: &WritableStream, silence_ms: u32, first: &str) -> Promise;
}

/// A timer takes no more (ms).
const FOR_EVER_MS: u32 = i32::MAX as u32;

#[wasm_bindgen(module = "/src/timeouts.js")]
extern "C" {
    #[wasm_bindgen(js_name = pipeWithTimeouts)]
    fn pipe_with_timeouts(
        source: &ReadableStream,
        target: &WritableStream,
        idle_ms: u32,
        total_ms: u32,
    ) -> Promise;
}

/// The same content, broken off where it takes longer; and the work that sees to it, for the background.
pub(crate) fn with_timeouts(
    stream: &ReadableStream,
    length: Option<u64>,
    timeouts: Timeouts,
) -> (ReadableStream, impl Future<Output = Result<(), JsValue>> + 'static) {
    let Timeouts { idle_ms, total_ms } = timeouts;
    let pipe = Pipe::new(length);
    let limit = |ms: Option<u32>| ms.unwrap_or(FOR_EVER_MS);
    let piped = pipe_with_timeouts(stream, &pipe.writable(), limit(idle_ms), limit(total_ms));
    (pipe.readable(), async { JsFuture::from(piped).await.map(drop) })
}

/// The same event stream, kept alive where a heartbeat is given, which ends in good order as soon as `over` is; and the
/// work that sees to it, for the background.
///
/// It is ended at its source, by `origin`, because a pipe that is stopped by itself may lose a write half way, and
/// could then not be closed any more.
pub(crate) fn events(
    stream: &ReadableStream,
    origin: Arriving,
    heartbeat: Option<Heartbeat>,
    over: impl Future<Output = ()> + 'static,
) -> (ReadableStream, impl Future<Output = Result<(), JsValue>> + 'static) {
    let pipe = Pipe::new(None);
    let piped = piped(stream, &pipe.writable(), heartbeat);
    (pipe.readable(), end(piped, pipe.writable(), origin, over))
}

/// Settles when the stream is over; one that broke off leaves the other end as it is.
fn piped(stream: &ReadableStream, writable: &WritableStream, heartbeat: Option<Heartbeat>) -> Promise {
    if let Some(Heartbeat { silence_ms, first }) = heartbeat {
        return pipe_alive(stream, writable, silence_ms, &first);
    }
    let options = StreamPipeOptions::new();
    options.set_prevent_abort(true);
    stream.pipe_to_with_options(writable, &options)
}

/// A client that left or an origin that broke off is an end too: `over` is dropped, and the client's end broken.
async fn end(
    piped: Promise,
    writable: WritableStream,
    origin: Arriving,
    over: impl Future<Output = ()>,
) -> Result<(), JsValue> {
    let ended = match select(pin!(JsFuture::from(piped)), pin!(over)).await {
        Either::Left((Ok(_), _)) => return Ok(()),
        Either::Left((Err(reason), _)) => writable.abort_with_reason(&reason),
        Either::Right(((), piped)) => {
            origin.abort();
            // It fails, as was asked for, once what is under way is written.
            let _ = piped.await;
            writable.close()
        }
    };
    JsFuture::from(ended).await.map(drop)
}
