//! Clocks that are wrong, a cache that does not store, and Durable Objects that fail, die and are evicted, as a test says: of a gateway that
//! was started as `disturbed`.
import { setTimeout as delay } from 'node:timers/promises';
import { send } from './client.mjs';

/**
 * Sets an isolate's clock this far off (`clock`, in ms), lets its cache store as `disturbed.mjs` says (`storing`), or
 * lets every so many calls of an object class meet faults of `disturbed.mjs` by turns: `objects: { Limiter: { faults:
 * ['dies after'], every: 5 } }`; with `only: 'take'` of those that ask for that. The objects live in the first isolate
 * and go by its clock. Gives, by class, how many objects were `made`, and how many of these calls were `asked` and
 * `disturbed` so far.
 */
export async function disturb(isolate, what = {}) {
  const body = JSON.stringify(what);
  const headers = { 'content-length': Buffer.byteLength(body) };
  const answer = await send(isolate, 'PUT', '/', { host: 'disturb.test', headers, body });
  return answer.json;
}

/** Sets the clocks of all isolates as far off. */
export const setClocks = (gateway, clock) =>
  Promise.all(gateway.isolates.map((isolate) => disturb(isolate, { clock })));

/** Evicts the object of this name so many times, each as soon as it is in memory and idle. */
export async function evict(gateway, className, name, times) {
  const ends = Date.now() + 50_000;
  for (let evicted = 0; evicted < times; await delay(5)) {
    if (Date.now() > ends) throw new Error(`evicted only ${evicted} times in 50 s`);
    const error = await gateway.evict(className, String(name)).catch((failed) => failed);
    if (!error) evicted += 1;
    else if (!/not currently running|active references/.test(error.message)) throw error;
  }
}
