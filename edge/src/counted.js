//! The JavaScript side of `stream.rs`: content whose length nobody has declared is counted on its way.

/**
 * The same content. Where it has more than `most` bytes, it breaks off, and the request with it, by `stop`: one that
 * failed of its content alone would leave the origin waiting for the rest. `isOver` then.
 */
export function counted(stream, most, stop) {
  let length = 0;
  const transform = (chunk, controller) => {
    length += chunk.byteLength;
    if (length <= most) return controller.enqueue(chunk);
    stop.abort();
    throw new RangeError('too long');
  };
  return { readable: stream.pipeThrough(new TransformStream({ transform })), isOver: () => length > most };
}
