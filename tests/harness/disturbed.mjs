//! The built Worker with a hand on what the platform does to it: its clock, its cache, and the life of its
//! Durable Objects. It runs in workerd in place of the built entry; `disturb.mjs` is the tests' side of it.
import gateway, * as built from './index.js';

export * from './index.js';

/** How far the clock is off (ms), how the cache stores, and what happens to the objects of each class. */
const control = { clock: 0, storing: 'works', objects: {} };

globalThis.Date = class extends Date {
  constructor(...args) {
    super(...(args.length ? args : [Date.now()]));
  }

  static now() {
    return super.now() + control.clock;
  }
};

/** What can become of storing: it never ends, and takes nothing of the content, or its first chunk. */
const STORING = {
  hangs: () => new Promise(() => {}),
  async stalls(content) {
    await content.body?.getReader().read();
    return STORING.hangs();
  },
};

const { put } = Cache.prototype;
Cache.prototype.put = function store(request, content) {
  return STORING[control.storing]?.(content) ?? put.call(this, request, content);
};

/**
 * Until the platform's next turn. It ends objects between turns; within one, what Wasm has put off to the
 * turn's end would be lost, and with it the whole isolate.
 */
const moment = () => scheduler.wait(0);

/** What can happen to an object's call: each gives the answer, if there is one. */
const FAULTS = {
  throws() {
    throw new Error('as the test says');
  },
  garbles: () => new Response('no JSON'),
  async hangs(object) {
    await scheduler.wait(5_000); // longer than any caller waits
    return object.answer();
  },
  'dies before': (object) => object.die(),
  async 'dies meanwhile'(object) {
    await Promise.race([object.answer(), moment()]);
    return object.die();
  },
  async 'dies after'(object) {
    await object.answer();
    await moment();
    return object.die();
  },
};

/** Whether a call asks this of its object. */
const asksFor = async (what, request) => {
  const { ask } = await request.clone().json();
  return ask === what || what in Object(ask);
};

/** How many objects of each class were made, and how many calls were counted and disturbed. */
const counts = {};

/** The class with its calls counted, and every so many of them disturbed. */
function disturbed(name) {
  const seen = (counts[name] = { made: 0, asked: 0, disturbed: 0 });
  return class {
    constructor(ctx, env) {
      this.ctx = ctx;
      this.built = new built[name](ctx, env);
      seen.made += 1;
    }

    async fetch(request) {
      const { faults = [], every = 1, only } = control.objects[name] ?? {};
      const answer = () => this.built.fetch(request);
      if (only && !(await asksFor(only, request))) return answer();
      const asked = (seen.asked += 1);
      if (faults.length === 0 || asked % every) return answer();
      seen.disturbed += 1;
      const die = () => this.ctx.abort('as the test says');
      return FAULTS[faults[(asked / every) % faults.length]]({ answer, die });
    }

    alarm() {
      return this.built.alarm();
    }
  };
}

export const Limiter = disturbed('Limiter');
export const Places = disturbed('Places');

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).hostname !== 'disturb.test') return gateway.fetch(request, env, context);
    Object.assign(control, await request.json());
    return Response.json(counts);
  },
};
