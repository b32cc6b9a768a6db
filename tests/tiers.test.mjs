//! Who has paid has more: a limit's tier follows from what the caller's token proves.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after } from 'node:test';
import { nowSeconds, send, startGateway, startIssuer, startOrigin } from './harness.mjs';
import { he2 } from './harness/config.mjs';
import * as limits from './harness/limits.mjs';

const NAME = 'public-api';
const { windows, tiers } = he2.limit[NAME];
const HOURLY = {
  none: windows[0].quota,
  ...Object.fromEntries(tiers.map((tier) => [tier.name, tier.windows[0].quota])),
};
const CALL = limits.CALLS[NAME];

const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, isolates: 4 });
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
const load = limits.startLoad(gateway);

const callerOf = async (claims) => (await limits.newCallers(issuer, NAME, 1, claims))[0];
const onPlan = (plan, claims = {}) => callerOf({ ...claims, app_metadata: { plan } });
const quota = (answer) => limits.rateLimit(answer)[`${NAME}-1`].q;
const call = (caller) => load.call(caller, 0, CALL);
const mine = async ({ headers }) => {
  const answer = await send(gateway, 'GET', '/.edge/limits/me', { host: 'api.he2.ai', headers });
  assert.equal(answer.status, 200, answer.text);
  return answer.json.policies.find(({ policy }) => policy === NAME);
};

const newKey = () => ({ headers: { 'x-api-key': `pk_${random32()}:sk_${random32()}` } });
const random32 = () => randomUUID().replaceAll('-', '');

for (const [who, tier, caller] of [
  ['a user on the plan free', 'free', () => onPlan('free')],
  ['a user on the plan enterprise', 'enterprise', () => onPlan('enterprise')],
  ['a user on any other plan', 'none', () => onPlan('pro')],
  ['a user of whose plan nothing is known', 'none', () => callerOf({})],
  ['an API key', 'none', newKey],
]) {
  test(`${who} has ${HOURLY[tier]} requests an hour, and is told so`, async () => {
    const one = await caller();
    const answer = await call(one);
    assert.equal(answer.status, 200);
    limits.assertSane(answer);
    assert.equal(quota(answer), HOURLY[tier]);
    assert.equal(answer.headers['x-ratelimit-limit'], String(HOURLY[tier]));
    const [line] = await limits.linesOf(gateway, [answer]);
    assert.equal(line.tier, tier === 'none' ? undefined : tier);
    const {
      tier: told,
      windows: [window],
    } = await mine(one);
    assert.equal(told, tier === 'none' ? null : tier);
    assert.deepEqual([window.quota, window.remaining], [HOURLY[tier], HOURLY[tier] - 1]);
  });
}

test('exactly the quota of the tier passes, from several isolates at once', async () => {
  const caller = await onPlan('free');
  const answers = await load.mixed([caller], HOURLY.free * 5, CALL);
  assert.equal(limits.passedOf(caller, answers), HOURLY.free);
  answers.forEach(limits.assertSane);
  const {
    tier,
    windows: [window],
  } = await mine(caller);
  assert.deepEqual([tier, window.remaining], ['free', 0]);
});

test('what a client says of itself makes no tier', async () => {
  const caller = await onPlan('free', { user_metadata: { plan: 'enterprise' } });
  caller.headers = { ...caller.headers, 'x-he2-plan': 'enterprise', 'x-plan': 'enterprise' };
  assert.equal(quota(await call(caller)), HOURLY.free);
});

test('who changes the plan has what that leaves at once, and what was used stays used', async () => {
  const sub = randomUUID();
  const free = await onPlan('free', { sub });
  await load.mixed([free], HOURLY.free, CALL, [0]);
  assert.equal((await call(free)).status, 429);
  const paying = await onPlan('pro', { sub });
  const answers = await load.mixed([paying], 10, CALL, [1]);
  assert.equal(limits.passedOf(paying, answers), 10);
  const {
    windows: [window],
  } = await mine(paying);
  const left = HOURLY.none - HOURLY.free; // an isolate may yet have to say what it spent of a lease
  assert.equal(window.quota, HOURLY.none);
  assert.ok(window.remaining >= left - 10 && window.remaining < left, `${window.remaining} of ${left}`);
  // And back: the free hour is still used up.
  assert.equal((await load.call(free, 2, CALL)).status, 429);
});

test('operators see and raise a key by its tier', async () => {
  const sub = randomUUID();
  const [caller, key] = [await onPlan('free', { sub }), `${NAME}/user/${sub}`];
  await call(caller);
  const seen = await limits.operate(gateway, 'GET', { key, tier: 'free' });
  assert.deepEqual([seen.windows[0].quota, seen.windows[0].remaining], [HOURLY.free, HOURLY.free - 1]);
  await limits.operate(gateway, 'POST', { key, tier: 'free', percent: 200, until: nowSeconds() + 600 });
  const answers = await load.mixed([caller], HOURLY.free * 3, CALL);
  assert.equal(limits.passedOf(caller, answers), HOURLY.free * 2 - 1);
});
