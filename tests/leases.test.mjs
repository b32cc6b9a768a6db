//! Limits are exact over all isolates together, and cost a round trip on few requests only.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bearer, startGateway, startIssuer, startOrigin } from './harness.mjs';
import { he2 } from './harness/config.mjs';

const ISOLATES = 4;
const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, isolates: ISOLATES });
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
const [{ quota: QUOTA, seconds: SECONDS }] = he2.limit.api.windows;

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
after(() => agent.destroy());

const newUser = () => issuer.mint({ claims: { sub: randomUUID() } });

/** One call of an API route by way of an isolate: its status, and how long it took. */
async function call(token, isolate, path = '/api/agents') {
  const started = performance.now();
  const headers = { host: 'api.he2.ai', ...bearer(token) };
  const request = http.get({ host: '127.0.0.1', port: gateway.isolates[isolate].port, path, headers, agent });
  const [response] = await once(request, 'response');
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, headers: response.headers, ms: performance.now() - started };
}

/** The log lines of calls since `from`. */
const logged = (from) =>
  gateway.logs
    .slice(from)
    .map(({ message }) => JSON.parse(message))
    .filter(({ path }) => path === '/api/agents');

test(`ten times the quota from ${ISOLATES} isolates at once: exactly the quota passes`, async (t) => {
  const token = await newUser();
  const started = Date.now();
  const seen = origin.seen('/api/agents').length;
  const answers = [];
  const isolate = async (at) => {
    for (let sent = 0; sent < (QUOTA * 10) / ISOLATES / 4; sent += 1) answers.push(await call(token, at));
  };
  await Promise.all(Array.from({ length: ISOLATES * 4 }, (_, index) => isolate(index % ISOLATES)));
  assert.ok(Date.now() - started < SECONDS * 1000, 'all within one window');
  const passed = answers.filter(({ status }) => status === 200).length;
  t.diagnostic(`${answers.length} requests, ${passed} passed, in ${Date.now() - started} ms`);
  assert.equal(answers.length, QUOTA * 10);
  assert.equal(passed, QUOTA);
  assert.equal(origin.seen('/api/agents').length - seen, QUOTA);
  assert.ok(answers.every(({ status }) => status === 200 || status === 429));
});

test('a user at a steady pace is asked about on fewer than one request in twenty', async (t) => {
  const token = await newUser();
  const from = gateway.logs.length;
  const times = [];
  const count = QUOTA - 100;
  for (let sent = 0; sent < count; sent += 1) {
    const { status, ms } = await call(token, 0);
    assert.equal(status, 200);
    times.push(ms);
    await delay(5);
  }
  times.sort((a, b) => a - b);
  const lines = logged(from);
  const asked = lines.filter((line) => line.limit_asked).length;
  t.diagnostic(`${asked} of ${lines.length} requests asked the limiter: ${(asked / lines.length).toFixed(4)}`);
  t.diagnostic(`p50 ${times[Math.floor(count / 2)].toFixed(1)} ms, p99 ${times[Math.floor(count * 0.99)].toFixed(1)} ms`);
  assert.equal(lines.length, count);
  assert.ok(asked / lines.length < 0.05, `${asked} of ${lines.length}`);
});

test('whoever is refused costs no round trip until the refusal is looked at again', async () => {
  const token = await newUser();
  for (let sent = 0; sent < QUOTA; sent += 1) await call(token, 0);
  const from = gateway.logs.length;
  const started = Date.now();
  const answers = [];
  for (let sent = 0; sent < 200; sent += 1) answers.push(await call(token, 0));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [429]);
  const asked = logged(from).filter((line) => line.limit_asked).length;
  assert.ok(asked <= 1 + Math.ceil((Date.now() - started) / 1000), `${asked} of 200 asked`);
  const waits = answers.map(({ headers }) => Number(headers['retry-after']));
  assert.ok(waits.every((wait) => wait >= 1 && wait <= SECONDS), 'each says when to come again');
});
