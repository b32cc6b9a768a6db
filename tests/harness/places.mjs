//! What tests of places share: a gateway of several isolates, and event streams that a test ends itself.
import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { after, afterEach } from 'node:test';
import { parseList } from 'structured-headers';
import { open, until } from './client.mjs';
import { he2 } from './config.mjs';
import { disturb, setClocks } from './disturb.mjs';
import { assertProblem } from './expect.mjs';
import { startGateway } from './gateway.mjs';
import { startIssuer } from './issuer.mjs';
import { newCallers, operate } from './limits.mjs';
import { startOrigin } from './origin.mjs';
import { seeded } from './random.mjs';

export const STREAM = '/api/agent-run/held/stream';
/** Places for a user's streams. */
export const MOST = he2.concurrency.streams.most;
/** How long a place is held that nobody renews (ms). */
export const LEASE = (he2.concurrency.streams.lease_seconds ?? 60) * 1000;
const BACKEND = 'backend-streams/service/backend';

/** Origin, issuer, gateway, and how to open streams. After each test all are over, and the clocks right. */
export async function startPlaces() {
  const [origin, issuer] = [await startOrigin(), await startIssuer()];
  const addresses = { origin: origin.url, issuer: issuer.url };
  const gateway = await startGateway({ ...addresses, isolates: 4, disturbed: true });
  after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
  const random = seeded(1);
  const [held, opened] = [[], new Set()];
  origin.on(STREAM, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    held.push(response);
  });
  /** Opens a stream and gives its head. */
  const stream = async (user, { by = random.pick(gateway.isolates), fields = {} } = {}) => {
    const headers = { ...user.headers, ...fields };
    const response = await open(by, 'GET', STREAM, { host: 'api.he2.ai', headers });
    opened.add(response);
    return response.on('error', () => {}).once('close', () => opened.delete(response));
  };
  const taken = async (key, of = gateway) => (await operate(of, 'GET', { key })).taken;
  const disturbPlaces = async (plan = {}) =>
    (await disturb(gateway.isolates[0], { objects: { Places: plan } })).Places;
  afterEach(async () => {
    await disturbPlaces();
    opened.forEach(leave);
    for (const response of held.splice(0)) response.end();
    await until(async () => (await taken(BACKEND)) === 0, 'all places are free again');
    await setClocks(gateway, 0);
  });
  return {
    ...{ addresses, origin, issuer, gateway, random, stream, taken, disturbPlaces },
    /** The origin's side of the streams, in the order in which they came. */
    held,
    /** The client's side of those that are open. */
    opened,
    newUser: async () => (await newCallers(issuer, 'streams', 1))[0],
    /** So many streams at once. */
    streams: (user, count, options) =>
      Promise.all(Array.from({ length: count }, () => stream(user, options))),
  };
}

/** The client leaves. If it merely ended its side, workerd's own server would see it at the next event only. */
export const leave = ({ socket }) => socket.resetAndDestroy();

export const statuses = (answers) => answers.map(({ statusCode }) => statusCode);

/** The refusal of whoever does not read events. */
export async function assertCrowded(response, name) {
  const answer = { status: response.statusCode, headers: response.headers, text: await text(response) };
  const problem = assertProblem({ ...answer, json: JSON.parse(answer.text) }, 429);
  assert.match(problem.type, /#quota-exceeded$/);
  assert.deepEqual(problem['violated-policies'], [name]);
  assertPolicy(response, name);
  const wait = Number(response.headers['retry-after']);
  assert.ok(wait >= 1 && wait <= LEASE / 1000, `Retry-After: ${wait}`);
}

/** That an answer names these places after how often the caller may call, and that there are none left. */
export function assertPolicy({ headers }, name) {
  const policy = Object.entries({ q: he2.concurrency[name].most, qu: 'concurrent-requests' });
  assert.deepEqual(parseList(headers['ratelimit-policy']).at(-1), [name, new Map(policy)]);
  assert.deepEqual(parseList(headers.ratelimit).at(-1), [name, new Map([['r', 0]])]);
}
