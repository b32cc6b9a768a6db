//! Limits are exact over all isolates together, and cost a round trip on few requests only.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { nowSeconds, startGateway, startIssuer, startOrigin } from './harness.mjs';
import { he2 } from './harness/config.mjs';
import { CALLS, assertSane, linesOf, newCallers, operate, passedOf, startLoad } from './harness/limits.mjs';

const ISOLATES = 4;
const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, isolates: ISOLATES });
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
const [{ quota: QUOTA, seconds: SECONDS }, { quota: HOURS }] = he2.limit.api.windows;
const load = startLoad(gateway);

const newCaller = async () => (await newCallers(issuer, 'api', 1))[0];
const call = (caller) => load.call(caller, 0, CALLS.api);

test(`10,000 requests from ${ISOLATES} isolates against a limit of 1,000: exactly 1,000 pass`, async (t) => {
  const caller = await newCaller();
  await operate(gateway, 'POST', { key: caller.key, quotas: [1000, HOURS], until: nowSeconds() + 600 });
  const started = Date.now();
  const seen = origin.seen(CALLS.api.path).length;
  const answers = await load.mixed([caller], 10_000, CALLS.api);
  const took = Date.now() - started;
  assert.ok(took < SECONDS * 1000, 'all within one window');
  const asked = (await linesOf(gateway, answers)).filter((line) => line.limit_asked).length;
  t.diagnostic(`${passedOf(caller, answers)} passed, in ${took} ms, with ${asked} calls of the object`);
  assert.equal(passedOf(caller, answers), 1000);
  assert.equal(origin.seen(CALLS.api.path).length - seen, 1000);
  assert.ok(answers.every(({ status }) => status === 200 || status === 429));
  answers.forEach(assertSane);
});

test('a user at a steady pace is asked about on fewer than one request in twenty', async (t) => {
  const caller = await newCaller();
  const answers = [];
  const count = QUOTA - 100;
  while (answers.length < count) {
    answers.push(await call(caller));
    await delay(5);
  }
  assert.equal(passedOf(caller, answers), count);
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  const quantile = (part) => times[Math.floor(count * part)].toFixed(1);
  const asked = (await linesOf(gateway, answers)).filter((line) => line.limit_asked).length;
  t.diagnostic(`${asked} of ${count} requests asked the limiter: ${(asked / count).toFixed(4)}`);
  t.diagnostic(`p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`);
  assert.ok(asked / count < 0.05, `${asked} of ${count}`);
});

test('whoever is refused costs no round trip until the refusal is looked at again', async () => {
  const caller = await newCaller();
  for (let sent = 0; sent < QUOTA; sent += 1) await call(caller);
  const started = Date.now();
  const answers = [];
  for (let sent = 0; sent < 200; sent += 1) answers.push(await call(caller));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [429]);
  const asked = (await linesOf(gateway, answers)).filter((line) => line.limit_asked).length;
  assert.ok(asked <= 1 + Math.ceil((Date.now() - started) / 1000), `${asked} of 200 asked`);
  answers.forEach(assertSane); // each says when to come again
});
