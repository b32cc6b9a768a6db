//! Limits hold by the clock of the objects that count, however wrong an isolate's is, and when theirs goes back.
import assert from 'node:assert/strict';
import test, { after, afterEach } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startGateway, startIssuer, startOrigin, until } from './harness.mjs';
import { he2 } from './harness/config.mjs';
import { disturb, setClocks } from './harness/disturb.mjs';
import {
  CALLS,
  assertSane,
  isCounted,
  newCallers,
  operate,
  passedOf,
  rateLimit,
  startLoad,
} from './harness/limits.mjs';
import { seeded } from './harness/random.mjs';

const HOUR = 3_600_000;
const MINUTE = 61_000; // somewhat more, so that windows of a minute are over
const [{ quota: QUOTA }] = he2.limit.api.windows;
const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, isolates: 4, disturbed: true });
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));
const load = startLoad(gateway);
/** The first isolate has the objects, so its clock is theirs; requests come by way of the others. */
const [objects, ...others] = gateway.isolates;
const mixed = (caller, count) => load.mixed([caller], count, CALLS.api, [1, 2, 3]);
const random = seeded(1);
afterEach(() => setClocks(gateway, 0));

/** Does `jump` again and again until the work is done. */
async function whileJumping(jump, work) {
  let done = false;
  const jumping = async () => {
    while (!done) {
      await jump();
      await delay(50);
    }
  };
  const [result] = await Promise.all([work.finally(() => (done = true)), jumping()]);
  return result;
}

function assertAllSane(answers) {
  assert.ok(answers.every(isCounted));
  answers.forEach(assertSane);
}

test('isolates an hour ahead and behind: exactly the quota passes, told by each clock', async () => {
  const [caller] = await newCallers(issuer, 'api', 1);
  const offsets = [0, HOUR, -HOUR, 0];
  await Promise.all(offsets.map((clock, at) => disturb(gateway.isolates[at], { clock })));
  const answers = await mixed(caller, QUOTA * 4);
  assert.equal(passedOf(caller, answers), QUOTA);
  assertAllSane(answers);
  for (const answer of answers) {
    const { t } = Object.values(rateLimit(answer)).find((window) => window.t !== undefined);
    const reset = Number(answer.headers['x-ratelimit-reset']);
    const now = (answer.at + offsets[answer.isolate]) / 1000;
    assert.ok(Math.abs(reset - now - t) <= 2, `reset ${reset}, t ${t} at ${now}`);
  }
});

test('clocks of isolates that jump back and forth under load: never more than the quota passes', async (t) => {
  const [caller] = await newCallers(issuer, 'api', 1);
  let jumps = 0;
  const jump = () => {
    jumps += 1;
    return disturb(random.pick(others), { clock: random.int(2 * HOUR) - HOUR });
  };
  const answers = await whileJumping(jump, mixed(caller, QUOTA * 5));
  t.diagnostic(`${answers.length} requests, ${jumps} jumps, ${passedOf(caller, answers)} of ${QUOTA} passed`);
  assert.ok(jumps >= 10);
  assert.ok(passedOf(caller, answers) <= QUOTA);
  await until(async () => {
    answers.push(...(await mixed(caller, QUOTA)));
    return passedOf(caller, answers) >= QUOTA;
  }, 'what isolates held comes back');
  assert.equal(passedOf(caller, answers), QUOTA);
  assertAllSane(answers);
});

test("the objects' clock going back under load lets time stand still", async (t) => {
  const [caller] = await newCallers(issuer, 'api', 1);
  let clock = 0;
  const back = () => disturb(objects, { clock: (clock -= random.int(HOUR / 10)) });
  const answers = await whileJumping(back, mixed(caller, QUOTA * 5));
  t.diagnostic(`${answers.length} requests, the clock went back by ${-clock / 1000} s in all`);
  assert.equal(passedOf(caller, answers), QUOTA);
  assertAllSane(answers);
  // The window that was open is over a minute after it opened, not a minute and all that the clock went back.
  await operate(gateway, 'GET', { key: caller.key }); // the object sees where its clock is by now
  await Promise.all(others.map((isolate) => disturb(isolate, { clock: MINUTE })));
  await disturb(objects, { clock: clock + MINUTE });
  const later = await mixed(caller, QUOTA * 4);
  assert.equal(passedOf(caller, later), QUOTA);
  assertAllSane(later);
});
