//! The JavaScript side of `Host::hurry`: content on its way that may take only so long.
import { within } from './rim.js';

class TooSlow extends Error {}

/** What is promised, where it is here within `ms` milliseconds. */
async function inTime(promised, ms) {
  const done = await within(promised.then((value) => ({ value })), Math.max(0, ms));
  if (!done) throw new TooSlow('it was silent for too long, or all of it took too long');
  return done.value;
}

/**
 * As `source.pipeTo(target)`, but broken off at both ends where the source is silent for `idleMs` milliseconds, or all of
 * it takes more than `totalMs`: only that is an error here. Nothing is read ahead, so a client that takes its time is no
 * silence.
 */
export async function pipePatiently(source, target, idleMs, totalMs) {
  const [reader, writer, ends] = [source.getReader(), target.getWriter(), Date.now() + totalMs];
  const left = () => ends - Date.now();
  const next = () => inTime(reader.read(), Math.min(idleMs, left()));
  try {
    for (let step = await next(); !step.done; step = await next())
      await inTime(writer.write(step.value), left());
    await writer.close();
  } catch (reason) {
    reader.cancel(reason).catch(() => {});
    writer.abort(reason).catch(() => {});
    if (reason instanceof TooSlow) throw reason;
  }
}
