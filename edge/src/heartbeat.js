//! The JavaScript side of `stream.rs`: an event stream on its way, with a comment for each silence, so that nobody
//! between here and the client takes it for dead. Chunk by chunk through Wasm it would cost more than all the rest.
//!
//! A comment and an empty line mean nothing to a client where they stand between events (HTML §9.2.6). Whether a stream
//! stands there can be seen from its last three bytes: it does after an empty line, however its lines end. After a
//! comment without an empty line it does too, but then the next empty line is waited for.

const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** A byte order mark in UTF-8, with which a stream may begin (HTML §9.2.5). */
const MARK = [0xef, 0xbb, 0xbf];

/** The comment, and the empty line without which some clients would keep it for the next event. */
const heartbeat = () => Uint8Array.of(0x3a, NEWLINE, NEWLINE);

const endsLine = (byte) => byte === NEWLINE || byte === RETURN;

/** Where a stream stands: its last three bytes, and how it began. */
export class Place {
  // A stream begins as if after an empty line.
  #before = NEWLINE;
  #first = NEWLINE;
  #second = NEWLINE;
  /** Nothing was passed on yet. */
  #ahead = true;
  /** So many bytes of a mark are held back, since something was put in first; -1 where there is none to look for. */
  #held = -1;

  /** Notes a chunk, and gives what of it is to be passed on, in parts. */
  pass(chunk) {
    if (chunk.length === 0) return [];
    this.#ahead = false;
    const parts = this.#held < 0 ? [chunk] : this.#withoutMark(chunk);
    for (const part of parts) this.#note(part);
    return parts;
  }

  /** Whether the stream stands between events. */
  isBetween() {
    if (this.#first === RETURN && this.#second === NEWLINE) return endsLine(this.#before);
    return endsLine(this.#first) && endsLine(this.#second);
  }

  /** Notes that something was put in. */
  putIn() {
    if (this.#ahead) this.#held = 0;
    this.#ahead = false;
  }

  #note(part) {
    for (let at = Math.max(0, part.length - 3); at < part.length; at += 1) {
      this.#before = this.#first;
      this.#first = this.#second;
      this.#second = part[at];
    }
  }

  /** Behind what was put in, a mark is not the first character any more: it would belong to a field's name. */
  #withoutMark(chunk) {
    const held = this.#held;
    let same = 0;
    while (same < chunk.length && held + same < MARK.length && chunk[same] === MARK[held + same]) same += 1;
    const ended = held + same === MARK.length;
    this.#held = ended || same < chunk.length ? -1 : held + same;
    if (ended) return same < chunk.length ? [chunk.subarray(same)] : [];
    if (same === chunk.length) return [];
    return held > 0 ? [Uint8Array.from(MARK.slice(0, held)), chunk] : [chunk];
  }
}

/**
 * As `source.pipeTo(target, { preventAbort: true })`, and a comment for each `silenceMs` milliseconds of silence
 * between events, unless the client takes nothing just then. `first` goes ahead of it all. Nothing is read ahead.
 */
export async function pipeAlive(source, target, silenceMs, first) {
  const [reader, writer, place] = [source.getReader(), target.getWriter(), new Place()];
  let [last, waiting, timer] = [Date.now(), 0, undefined];
  // A silent source must not keep what nobody reads any more; one that has failed is over already.
  const leave = (reason) => reader.cancel(reason).catch(() => {});

  async function write(bytes) {
    last = Date.now();
    waiting += 1;
    await writer.write(bytes);
    waiting -= 1;
  }
  function putIn(bytes) {
    place.putIn();
    write(bytes).catch(leave);
  }
  // One timer for many chunks: it looks how long ago the last one was.
  function look() {
    const due = last + silenceMs - Date.now();
    if (due <= 0 && waiting === 0 && place.isBetween()) putIn(heartbeat());
    timer = setTimeout(look, due > 0 ? Math.min(due, silenceMs) : silenceMs);
  }

  writer.closed.catch(leave);
  if (first) putIn(new TextEncoder().encode(first));
  look();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read())
      for (const part of place.pass(step.value)) await write(part);
    await writer.close();
  } catch (reason) {
    leave(reason);
    throw reason;
  } finally {
    clearTimeout(timer);
    writer.releaseLock();
  }
}
