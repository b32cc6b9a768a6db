//! What clients see while an origin fails under traffic and another one does not: of what is idempotent,
//! nothing. Each test prints its counts.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bearer, send, startGateway, startIssuer } from './harness.mjs';
import { allAsked, counted, page, startChaosOrigin, traffic } from './harness/chaos.mjs';
import { he2 } from './harness/config.mjs';
import { disturb } from './harness/disturb.mjs';

const [main, canary] = [await startChaosOrigin(), await startChaosOrigin()];
const issuer = await startIssuer();
const ORIGINS = { ORIGIN: main.url, ORIGIN_CANARY: canary.url };
after(() => Promise.all([main.stop(), canary.stop(), issuer.close()]));

/** A gateway that has seen no trouble yet. */
async function start(t, options = {}) {
  const gateway = await startGateway({ origin: main.url, issuer: issuer.url, vars: ORIGINS, ...options });
  t.after(() => gateway.close());
  return gateway;
}

const sent = (count) => ({ over: ({ requests }) => requests >= count });
const failures = ({ errors }) => Object.values(errors).reduce((sum, count) => sum + count, 0);
const TRY = he2.origin.try_seconds * 1_000;

/** Traffic while `main` is in trouble: what its clients saw, and how often origins were asked meanwhile. */
async function during(t, trouble, { end = () => {}, ...options }) {
  const gateway = await start(t);
  await allAsked(gateway, [main, canary]);
  const before = [main.seen, canary.seen];
  await trouble(gateway);
  const seen = await traffic(gateway, options);
  await end(gateway);
  Object.assign(main, { mode: 'good', bursts: false });
  const [bad, other] = [main.seen - before[0], canary.seen - before[1]];
  t.diagnostic(`${counted(seen)}; ${bad} tries at the bad one, ${other} at the other`);
  return { ...seen, tries: bad + other };
}

test('an origin that restarts for ten seconds is not noticed, and is asked again', async (t) => {
  let over = false;
  const trouble = async () => {
    await main.stop();
    delay(10_000).then(() => (over = true));
  };
  const end = async (gateway) => {
    await main.restart();
    await allAsked(gateway, [main]);
  };
  const seen = await during(t, trouble, { over: () => over, end });
  assert.deepEqual(seen.errors, {});
  assert.ok(seen.requests > 500, `${seen.requests}`);
});

for (const mode of [
  'says 502',
  'says 503',
  'resets before its head',
  'answers garbage',
  'half-closes its sockets',
  'is slow to its head',
  'is slow in its body',
]) {
  test(`an origin that ${mode} is not noticed`, async (t) => {
    const seen = await during(t, () => (main.mode = mode), sent(mode.startsWith('is slow') ? 100 : 400));
    assert.deepEqual(seen.errors, {});
  });
}

test('bursts of 502 are not noticed', async (t) => {
  const seen = await during(t, () => Object.assign(main, { mode: 'says 502', bursts: true }), sent(600));
  assert.deepEqual(seen.errors, {});
});

test('an origin that is killed is not noticed, and no POST is sent again', async (t) => {
  const methods = () => [...main.methods, ...canary.methods];
  const posts = () => methods().filter((method) => method === 'POST').length;
  const before = posts();
  let posting;
  const kill = async (gateway) => {
    await main.stop();
    posting = traffic(gateway, { ...sent(200), method: 'POST', clients: 2 });
  };
  const gets = await during(t, kill, { ...sent(400), end: () => posting.finally(() => main.restart()) });
  const writes = await posting;
  t.diagnostic(`POST: ${counted(writes)}`);
  assert.deepEqual(gets.errors, {});
  const [reached, failed] = [posts() - before, failures(writes)];
  assert.equal(reached, writes.requests - failed, 'who was told of a failure has not done it');
  assert.ok(failed < writes.requests / 4, 'they go where an origin answers');
});

test('an origin that is frozen delays who was on it, and fails nobody', async (t) => {
  const seen = await during(t, () => (main.mode = 'is frozen'), sent(400));
  assert.deepEqual(seen.errors, {});
  assert.ok(seen.slowest < 2 * TRY + 5_000, `${seen.slowest} ms`);
});

test('what breaks off in its body is not asked for again, and its client can tell', async (t) => {
  const seen = await during(t, () => (main.mode = 'resets in mid-body'), sent(100));
  assert.ok(failures(seen) > 0, 'some were on it');
  const statuses = Object.keys(seen.errors).filter((error) => error.startsWith('status'));
  assert.deepEqual(statuses, []);
  assert.equal(seen.tries, seen.requests, 'each is asked for once');
});

test('a name that is gone from the DNS is not noticed', async (t) => {
  const vars = { ORIGIN: 'http://gone.invalid', ORIGIN_CANARY: canary.url };
  const seen = await traffic(await start(t, { vars }), sent(300));
  t.diagnostic(counted(seen));
  assert.deepEqual(seen.errors, {});
});

test('an issuer and a limiter that fail are not noticed by who is signed in', async (t) => {
  const gateway = await start(t, { disturbed: true });
  const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.mint({ sub: randomUUID() })));
  const request = (n) => ({
    path: '/api/agents',
    options: { host: 'api.he2.ai', headers: bearer(tokens[n % tokens.length]) },
  });
  await Promise.all(tokens.map((_, n) => send(gateway, 'GET', request(n).path, request(n).options)));
  const faults = ['throws', 'garbles', 'hangs'];
  await disturb(gateway.isolates[0], { objects: { Limiter: { faults, every: 1 } } });
  await issuer.stop();
  const seen = await traffic(gateway, { ...sent(400), request });
  await disturb(gateway.isolates[0], {});
  await issuer.restart();
  t.diagnostic(counted(seen));
  assert.deepEqual(seen.errors, {});
});
