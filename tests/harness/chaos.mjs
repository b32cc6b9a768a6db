//! An origin that fails in the ways that origins do, and traffic that counts what its clients saw of it.
import { setTimeout as delay } from 'node:timers/promises';
import { send, until } from './client.mjs';
import { startServer } from './server.mjs';

const BODY = Buffer.alloc(20_000, 'x');
const HEAD = { 'Content-Type': 'text/plain', 'Content-Length': BODY.length };

/** What each mode does with a request. */
const MODES = {
  good: (_, response) => response.writeHead(200, HEAD).end(BODY),
  'says 502': (_, response) => response.writeHead(502).end('bad gateway'),
  'says 503': (_, response) => response.writeHead(503, { 'Retry-After': '30' }).end('unavailable'),
  'is frozen': () => {},
  'resets before its head': (request) => request.socket.resetAndDestroy(),
  'resets in mid-body': (request, response) => {
    response.writeHead(200, HEAD);
    response.write(BODY.subarray(0, 5_000), () => request.socket.resetAndDestroy());
  },
  'answers garbage': (request) => request.socket.end('\x16\x03\x01\x00\x02 no HTTP at all\r\n\r\n'),
  'half-closes its sockets': (request) => request.socket.end(),
  'is slow to its head': (...call) => setTimeout(() => MODES.good(...call), 1_500),
  'is slow in its body': async (_, response) => {
    response.writeHead(200, HEAD);
    for (let at = 0; at < BODY.length; at += 5_000) {
      response.write(BODY.subarray(at, at + 5_000));
      await delay(300);
    }
    response.end();
  },
};

/** Starts such an origin; its `mode` may be set at any time. In bursts, it is good in every other 300 ms. */
export async function startChaosOrigin() {
  const origin = { mode: 'good', bursts: false, seen: 0, methods: [] };
  const server = await startServer((request, response) => {
    origin.seen += 1;
    origin.methods.push(request.method);
    request.resume();
    const calm = origin.bursts && Math.floor(Date.now() / 300) % 2;
    MODES[calm ? 'good' : origin.mode](request, response);
  });
  server.server.on('clientError', () => {}); // what it does to others it may meet itself
  return Object.assign(origin, { url: server.url, stop: server.stop, restart: server.restart });
}

/**
 * Sends requests from `clients` at once, each with an address of its own for every request, until `over()`.
 * Gives how many there were, what went wrong with which ones, and the slowest one (ms).
 */
export async function traffic(gateway, { over, clients = 8, method = 'GET', request = page }) {
  const seen = { requests: 0, errors: {}, slowest: 0 };
  let next = 0;
  const client = async () => {
    while (!over(seen)) {
      const started = Date.now();
      const error = await outcome(gateway, method, request((next += 1)));
      seen.requests += 1;
      if (error) seen.errors[error] = (seen.errors[error] ?? 0) + 1;
      seen.slowest = Math.max(seen.slowest, Date.now() - started);
      await delay(15); // the pace of a client
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return seen;
}

/** A page, for the nth of so many callers. */
export const page = (n) => ({
  path: `/page-${n}`,
  options: { headers: { 'cf-connecting-ip': `198.51.${Math.floor(n / 250) % 250}.${n % 250}` } },
  whole: BODY.length,
});

/** What a client saw of one request, unless it was a whole answer. */
async function outcome(gateway, method, { path, options, whole }) {
  try {
    const answer = await send(gateway, method, path, options);
    if (answer.status !== 200) return `status ${answer.status}`;
    return whole === undefined || answer.body.length === whole ? undefined : 'a part of the body';
  } catch (error) {
    return error.code ?? error.message;
  }
}

/** For people, and for those who compare runs. */
export const counted = ({ requests, errors, slowest }) =>
  `${requests} requests, errors: ${JSON.stringify(errors)}, slowest ${slowest} ms`;

/** Waits until every one of the origins is asked again; what has failed is left alone for 15 s at most. */
export async function allAsked(gateway, origins) {
  const before = origins.map(({ seen }) => seen);
  let n = 0;
  await until(async () => {
    const { path, options } = page((n += 1));
    await send(gateway, 'GET', path, options);
    return origins.every(({ seen }, at) => seen > before[at]);
  }, 'every origin is asked', 20_000);
}
