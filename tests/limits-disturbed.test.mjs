//! Limits hold while the objects that count are killed in the midst of it, are evicted, and cannot be asked.
import assert from 'node:assert/strict';
import test, { after, afterEach } from 'node:test';
import { assertProblem, send, startGateway, startIssuer, startOrigin } from './harness.mjs';
import { he2 } from './harness/config.mjs';
import { disturb, evict, setClocks } from './harness/disturb.mjs';
import * as limits from './harness/limits.mjs';

const { CALLS, assertSane, isCounted, passedOf } = limits;
const SHARD = 7; // any: its keys share one object
const REST = 5_000; // of an object that failed three times in a row, in each isolate
const MINUTE = 61_000; // somewhat more, so that windows of a minute are over
const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, isolates: 4, disturbed: true });
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
const load = limits.startLoad(gateway);
const [objects] = gateway.isolates;

const newCallers = (limit, count) => limits.newCallers(issuer, limit, count, { shard: SHARD });
const fields = ['ratelimit', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'retry-after'];
let clock = 0;
const advance = (ms) => setClocks(gateway, (clock += ms));
const disturbLimiter = async (plan = {}) => (await disturb(objects, { objects: { Limiter: plan } })).Limiter;
afterEach(() => disturbLimiter());

for (const { limit, count, each, every } of [
  { limit: 'runs', count: 12, each: 10, every: 15 }, // asked about nearly each time
  { limit: 'api', count: 2, each: 200, every: 7 }, // mostly spent from leases
]) {
  test(`objects that are killed in the midst of calls never let more pass: ${limit}`, async (t) => {
    const [minute, hour] = he2.limit[limit].windows;
    const callers = await newCallers(limit, count);
    const answers = [];
    const plan = { faults: ['dies before', 'dies after', 'dies meanwhile'], every };
    const before = await disturbLimiter(plan);
    for (let minutes = 0; minutes < 3; minutes += 1) {
      const inMinute = [];
      for (let round = 0; round < 6; round += 1) {
        inMinute.push(...(await load.mixed(callers, each, CALLS[limit])));
        await advance(REST); // isolates that gave up asking try again
      }
      for (const caller of callers) assert.ok(passedOf(caller, inMinute) <= minute.quota);
      answers.push(...inMinute);
      await advance(MINUTE);
    }
    const { made, asked, disturbed } = await disturbLimiter();
    const counted = answers.filter(isCounted);
    t.diagnostic(
      `${answers.length} requests, ${counted.length} of them counted, in ${asked - before.asked} calls of the object`,
    );
    t.diagnostic(`${made - before.made} objects, ${disturbed - before.disturbed} killed`);
    counted.forEach(assertSane);
    await assertDegraded(answers.filter((answer) => !isCounted(answer)));
    // Whatever was lent and lost is charged by now; the rest is there, and all of it.
    const left = [];
    for (const { key } of callers)
      left.push((await limits.operate(gateway, 'GET', { key })).windows[1].remaining);
    callers.forEach((caller, at) => assert.ok(passedOf(caller, answers) <= hour.quota - left[at]));
    const calm = await load.mixed(callers, minute.quota * 2, CALLS[limit]);
    callers.forEach((caller, at) => assert.equal(passedOf(caller, calm), Math.min(minute.quota, left[at])));
  });
}

/** That these requests went on without their limit, nothing was made up for them, and the log says so. */
async function assertDegraded(answers) {
  for (const { status, headers } of answers) {
    assert.equal(status, 200);
    for (const name of fields) assert.equal(headers[name], undefined, name);
  }
  for (const line of await limits.linesOf(gateway, answers)) {
    assert.match(line.limit, /: not asked$/);
    assert.match(line.degraded.join(), /^limiter: /);
  }
}

test('objects that are evicted under load count on as if they had stayed', async (t) => {
  await advance(MINUTE);
  const callers = await newCallers('runs', 10);
  const answers = [];
  let evicted = false;
  const evicting = evict(gateway, 'Limiter', SHARD, 10).finally(() => (evicted = true));
  while (answers.length < 1000 || !evicted) answers.push(...(await load.mixed(callers, 20, CALLS.runs)));
  await evicting;
  t.diagnostic(`${answers.length} requests while it was evicted ten times`);
  assert.ok(answers.every(isCounted));
  for (const caller of callers) assert.equal(passedOf(caller, answers), he2.limit.runs.windows[0].quota);
});

for (const fault of ['throws', 'garbles', 'dies before', 'hangs']) {
  test(`an object that ${fault}: callers go on, and it is left alone for a while`, async () => {
    await advance(MINUTE);
    const [caller] = await newCallers('api', 1);
    const call = (count) => load.mixed([caller], count, CALLS.api, [1]);
    const asked = async (ones) =>
      (await limits.linesOf(gateway, ones)).filter((line) => line.limit_asked).length;
    await disturbLimiter({ faults: [fault] });
    const failed = await Promise.all(Array.from({ length: 3 }, () => load.call(caller, 1, CALLS.api)));
    assert.equal(await asked(failed), 3);
    const resting = await call(30);
    assert.equal(await asked(resting), 0);
    await advance(REST);
    const looking = await call(5);
    assert.equal(await asked(looking), 1, 'one request looks whether it is back');
    await assertDegraded([...failed, ...resting, ...looking]);
    await disturbLimiter();
    await advance(REST);
    const healed = await call(1);
    healed.push(...(await call(4)));
    assert.ok(healed.every(isCounted));
    healed.forEach(assertSane);
  });
}

test('while nobody can be asked, each isolate counts alone', async () => {
  await advance(MINUTE);
  const [{ quota, seconds }] = he2.limit.runs.windows;
  const [caller] = await newCallers('runs', 1);
  await disturbLimiter({ faults: ['throws'] });
  for (const isolate of [1, 2]) {
    const answers = await load.mixed([caller], quota + 10, CALLS.runs, [isolate]);
    assert.equal(answers.filter(({ status }) => status === 200).length, quota);
    for (const { headers } of answers.filter(({ status }) => status === 429))
      assert.ok(Number(headers['retry-after']) >= 1 && Number(headers['retry-after']) <= seconds);
  }
});

test('what cannot be known is not told', async () => {
  const [caller] = await newCallers('api', 1);
  await disturbLimiter({ faults: ['throws'] });
  const answer = await send(gateway, 'GET', '/.edge/limits/me', {
    host: 'api.he2.ai',
    headers: caller.headers,
  });
  assertProblem(answer, 503);
});
