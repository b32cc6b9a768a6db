//! The JavaScript side of `Host::limit_time`: content on its way that may take only so long.

/** Bytes read at once. */
const CHUNK = 16 << 10;

/**
 * As `source.pipeTo(target)`, but broken off at both ends where the source is silent for `idleMs` milliseconds, or all of
 * it takes more than `totalMs`: only that is an error here. Nothing is read ahead, so a client that takes its time is no
 * silence.
 */
export async function pipeWithTimeouts(source, target, idleMs, totalMs) {
  const [reader, writer] = [source.getReader({ mode: 'byob' }), target.getWriter()];
  const ends = Date.now() + totalMs;
  // Since when the source is waited for; it is not while the client is.
  let [since, late, timer] = [Date.now(), undefined, undefined];

  function leave(reason) {
    reader.cancel(reason).catch(() => {});
    writer.abort(reason).catch(() => {});
  }
  // One timer for many chunks: it looks how long ago the last one was.
  function look() {
    const due = Math.min(ends, since + idleMs) - Date.now();
    if (due > 0) return (timer = setTimeout(look, Math.min(due, idleMs)));
    leave((late = new Error(Date.now() < ends ? 'it was silent for too long' : 'all of it took too long')));
  }
  async function next(buffer) {
    since = Date.now();
    const step = await reader.read(new Uint8Array(buffer));
    since = Infinity;
    return step;
  }

  look();
  try {
    let step = await next(new ArrayBuffer(CHUNK));
    for (; !step.done; step = await next(step.value.buffer)) await writer.write(step.value);
    if (!late) await writer.close();
  } catch (reason) {
    leave(reason);
  } finally {
    clearTimeout(timer);
  }
  if (late) throw late;
}
