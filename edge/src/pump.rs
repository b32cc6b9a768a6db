//! One stream, copied to two readers: the caller and the storage.
//!
//! A chunk is read when both have taken the last one, so neither has to be buffered for the other, and a long content
//! takes no more memory than a short one. (`tee()` would keep for the slower reader all that the faster one has had.)
//! The bytes stay in JavaScript's memory.
//!
//! The caller's pace is the storage's too, but not the other way round: a storage that keeps the caller waiting is given
//! up.

use std::future::Future;
use std::pin::{Pin, pin};

use edge_core::cache::storable::is_worth_finishing;
use futures_util::FutureExt;
use futures_util::future::{Either, FusedFuture, join, select};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    ReadableStream, ReadableStreamByobReader, ReadableStreamGetReaderOptions, ReadableStreamReaderMode,
    WritableStream, WritableStreamDefaultWriter,
};

use crate::time;

/// Bytes read at once.
const CHUNK: u32 = 64 << 10;
/// A storage that takes a chunk no sooner is given up (ms).
const SLOWEST_MS: u32 = 1_000;

/// One that is written to, until it fails.
struct Sink(Option<WritableStreamDefaultWriter>);

impl Sink {
    fn new(stream: Option<WritableStream>) -> Result<Self, JsValue> {
        Ok(Self(stream.map(|stream| stream.get_writer()).transpose()?))
    }

    async fn write(&mut self, chunk: &Uint8Array) {
        let Some(writer) = &self.0 else { return };
        if JsFuture::from(writer.write_with_chunk(chunk)).await.is_err() {
            self.0 = None;
        }
    }

    async fn close(&mut self) {
        if let Some(writer) = self.0.take() {
            // Who reads has gone: nothing to do about it.
            let _ = JsFuture::from(writer.close()).await;
        }
    }

    /// Breaks it off without waiting for it.
    fn leave(&mut self) {
        if let Some(writer) = self.0.take() {
            drop(writer.abort_with_reason(&"too slow".into()));
        }
    }

    async fn abort(&mut self, reason: &JsValue) {
        if let Some(writer) = self.0.take() {
            let _ = JsFuture::from(writer.abort_with_reason(reason)).await;
        }
    }
}

/// Copies a stream to its end. `storing` ends when the storage has taken it all, or cannot. The length, if all of it was
/// stored.
pub(crate) async fn copy(
    source: &ReadableStream,
    client: Option<WritableStream>,
    storage: WritableStream,
    storing: impl Future<Output = worker::Result<()>>,
    declared: Option<u64>,
) -> Result<Option<u64>, JsValue> {
    let mut storing = pin!(storing.fuse());
    let waits = client.is_some();
    let mut sinks = Sinks { client: Sink::new(client)?, storage: Sink::new(Some(storage))? };
    let mut source = Source::new(source)?;
    let mut length: u64 = 0;
    while let Some(chunk) = source.next().await.transpose() {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(reason) => {
                sinks.abort(&reason).await;
                return Err(reason);
            }
        };
        length = length.saturating_add(chunk.byte_length().into());
        let taken = sinks.write(&chunk, storing.as_mut()).await;
        let left = waits && sinks.client.0.is_none();
        if sinks.are_gone() || (left && !is_worth_finishing(length, declared)) {
            join(sinks.abort(&"nobody wants the rest".into()), source.cancel()).await;
            return Ok(None);
        }
        source.renew(Some(&chunk).filter(|_| taken));
    }
    let (stored, ()) = join(stored(&mut sinks.storage, storing), sinks.client.close()).await;
    Ok(stored.then_some(length))
}

struct Sinks {
    client: Sink,
    storage: Sink,
}

impl Sinks {
    /// Writes a chunk; whether nobody has anything of it left to take.
    async fn write(
        &mut self,
        chunk: &Uint8Array,
        storing: Pin<&mut impl FusedFuture<Output = worker::Result<()>>>,
    ) -> bool {
        // The storage is done before its time: it has failed.
        if storing.is_terminated() {
            self.storage.0 = None;
        }
        let written = async {
            let (client, storage) = (pin!(self.client.write(chunk)), pin!(self.storage.write(chunk)));
            match select(client, storage).await {
                Either::Left(((), storage)) => time::within(SLOWEST_MS, storage).await.is_some(),
                Either::Right(((), client)) => {
                    client.await;
                    true
                }
            }
        };
        let taken = alongside(written, storing).await;
        if !taken {
            self.storage.leave();
        }
        taken
    }

    fn are_gone(&self) -> bool {
        self.client.0.is_none() && self.storage.0.is_none()
    }

    async fn abort(&mut self, reason: &JsValue) {
        join(self.client.abort(reason), self.storage.abort(reason)).await;
    }
}

/// What `work` gives, while the storage goes on.
async fn alongside<T>(
    work: impl Future<Output = T>,
    storing: Pin<&mut impl FusedFuture<Output = worker::Result<()>>>,
) -> T {
    if storing.is_terminated() {
        return work.await;
    }
    match select(pin!(work), storing).await {
        Either::Left((done, _)) => done,
        Either::Right((_, work)) => work.await,
    }
}

/// Whether the storage has taken all.
async fn stored(
    storage: &mut Sink,
    storing: Pin<&mut impl FusedFuture<Output = worker::Result<()>>>,
) -> bool {
    if storing.is_terminated() || storage.0.is_none() {
        return false;
    }
    let (stored, ()) = join(storing, storage.close()).await;
    stored.is_ok()
}

/// A stream that is read into one buffer, again and again.
struct Source {
    reader: ReadableStreamByobReader,
    buffer: Uint8Array,
}

impl Source {
    fn new(stream: &ReadableStream) -> Result<Self, JsValue> {
        let options = ReadableStreamGetReaderOptions::new();
        options.set_mode(ReadableStreamReaderMode::Byob);
        let reader = stream.get_reader_with_options(&options).dyn_into()?;
        Ok(Self { reader, buffer: Uint8Array::new_with_length(CHUNK) })
    }

    async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let step = JsFuture::from(self.reader.read_with_array_buffer_view(&self.buffer)).await?;
        match Reflect::get(&step, &"done".into())?.is_truthy() {
            true => Ok(None),
            false => Reflect::get(&step, &"value".into())?.dyn_into().map(Some),
        }
    }

    /// The memory for the next chunk: that of the last one, if everybody has had it.
    fn renew(&mut self, had: Option<&Uint8Array>) {
        self.buffer = match had {
            Some(chunk) => Uint8Array::new(&chunk.buffer()),
            None => Uint8Array::new_with_length(CHUNK),
        };
    }

    async fn cancel(&self) {
        let _ = JsFuture::from(self.reader.cancel()).await;
    }
}
