//! A limit is exact however many requests come at once, counts callers and not what they claim, and says
//! where it stands.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { assertProblem, bearer, nowSeconds, send, startAll } from './harness.mjs';
import { rateLimit } from './harness/limits.mjs';

const { origin, issuer, gateway } = await startAll();
const START = '/api/agent/initiate';
const QUOTA = 20;
const WINDOW = 60;

const newUser = () => issuer.mint({ claims: { sub: randomUUID() } });
const post = (headers, path = START) => send(gateway, 'POST', path, { host: 'api.he2.ai', headers });
const many = (count, call) => Promise.all(Array.from({ length: count }, (_, index) => call(index)));
const statuses = (answers) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(answers, ({ status }) => status)).map(([status, { length }]) => [
      status,
      length,
    ]),
  );

test('of 100 requests at once exactly the quota passes, and no more reach the origin', async () => {
  const headers = bearer(await newUser());
  const before = origin.seen(START).length;
  const answers = await many(100, () => post(headers));
  assert.deepEqual(statuses(answers), { 200: QUOTA, 429: 100 - QUOTA });
  assert.equal(origin.seen(START).length - before, QUOTA);
});

test('what remains counts down by one with each request', async () => {
  const headers = bearer(await newUser());
  for (let left = QUOTA - 1; left >= 0; left -= 1)
    assert.equal(rateLimit(await post(headers))['runs-1'].r, left);
});

test('every counted answer carries both families of fields, and they agree', async () => {
  const headers = bearer(await newUser());
  const answers = [];
  for (let index = 0; index <= QUOTA; index += 1)
    answers.push({ answer: await post(headers), arrived: nowSeconds() });
  assert.equal(answers.at(-1).answer.status, 429);
  for (const { answer, arrived } of answers) {
    const { 'runs-1': tight, 'runs-2': wide } = rateLimit(answer);
    assert.deepEqual([tight.q, tight.w, wide.q, wide.w], [QUOTA, WINDOW, 100, 3600]);
    assert.ok(tight.t > 0 && tight.t <= WINDOW, `t=${tight.t}`);
    const legacy = (name) => Number(answer.headers[`x-ratelimit-${name}`]);
    assert.equal(legacy('limit'), QUOTA);
    assert.equal(legacy('remaining'), tight.r);
    assert.ok(Math.abs(legacy('reset') - (arrived + tight.t)) <= 2, 'the reset is a time on the clock');
  }
});

test('a refusal is a problem that says when to come back', async () => {
  const headers = { ...bearer(await newUser()), origin: 'https://he2.ai' };
  const answer = (await many(QUOTA + 1, () => post(headers))).find(({ status }) => status === 429);
  const problem = answer.json;
  assert.deepEqual([problem.status, problem['violated-policies']], [429, ['runs-1']]);
  // In the form of the app's pages, which take any 429 here for too many running agents and list those.
  const message = 'Rate limit exceeded. Please try again later.';
  assert.deepEqual(problem.detail, { message, running_thread_ids: [], running_count: 0 });
  const wait = Number(answer.headers['retry-after']);
  assert.ok(wait >= 1 && wait <= WINDOW, `Retry-After: ${wait}`);
  assert.equal(wait, rateLimit(answer)['runs-1'].t);
  assert.equal(rateLimit(answer)['runs-1'].r, 0);
  assert.equal(answer.headers['access-control-allow-origin'], 'https://he2.ai');
});

test('each user has a quota of their own, from whichever address', async () => {
  const [ada, grace] = [await newUser(), await newUser()];
  await many(QUOTA, (index) => post({ ...bearer(ada), 'cf-connecting-ip': `198.51.100.${index}` }));
  assert.equal((await post({ ...bearer(ada), 'cf-connecting-ip': '198.51.100.200' })).status, 429);
  assert.equal((await post(bearer(grace))).status, 200);
});

test('another token of the same user is the same user', async () => {
  const claims = { sub: randomUUID() };
  await many(QUOTA, async () => post(bearer(await issuer.mint({ claims }))));
  assert.equal((await post(bearer(await issuer.mint({ claims })))).status, 429);
});

test('each API key has a quota of its own', async () => {
  const key = (letter) => ({ 'x-api-key': `pk_${letter.repeat(32)}:sk_${letter.repeat(32)}` });
  assert.deepEqual(statuses(await many(QUOTA + 5, () => post(key('a')))), { 200: QUOTA, 429: 5 });
  assert.equal((await post(key('b'))).status, 200);
});

test("claims about one's address or identity do not make another caller", async () => {
  const token = await newUser();
  const spoof = (index) => ({
    'x-forwarded-for': `203.0.113.${index}`,
    'x-real-ip': `203.0.113.${index}`,
    forwarded: `for=203.0.113.${index}`,
    'true-client-ip': `203.0.113.${index}`,
    'x-he2-user': randomUUID(),
  });
  const answers = await many(QUOTA + 10, (index) => post({ ...bearer(token), ...spoof(index) }));
  assert.deepEqual(statuses(answers), { 200: QUOTA, 429: 10 });
});

test('a refused caller is not counted', async () => {
  const token = await newUser();
  await many(QUOTA + 5, () => post(bearer(`${token}x`)));
  await many(QUOTA + 5, () =>
    send(gateway, 'OPTIONS', START, {
      host: 'api.he2.ai',
      headers: { origin: 'https://he2.ai', 'access-control-request-method': 'POST' },
    }),
  );
  assert.equal(rateLimit(await post(bearer(token)))['runs-1'].r, QUOTA - 1);
});

test('without an account the address counts, not what the client says of it', async () => {
  const open = (headers) => send(gateway, 'GET', '/api/triggers/providers', { host: 'api.he2.ai', headers });
  const here = { 'cf-connecting-ip': '192.0.2.1' };
  const answers = await many(310, (index) =>
    open({ ...here, 'x-forwarded-for': `203.0.113.${index % 250}` }),
  );
  assert.deepEqual(statuses(answers), { 200: 300, 429: 10 });
  const refused = answers.find(({ status }) => status === 429);
  assert.equal(assertProblem(refused, 429).detail, 'Rate limit exceeded. Please try again later.');
  assert.equal((await open({ 'cf-connecting-ip': '192.0.2.2' })).status, 200);
});

test('the addresses of one IPv6 network are one caller', async () => {
  const open = (address) =>
    send(gateway, 'GET', '/api/triggers/providers', {
      host: 'api.he2.ai',
      headers: { 'cf-connecting-ip': address },
    });
  const answers = await many(310, (index) => open(`2001:db8:1:2::${index.toString(16)}`));
  assert.deepEqual(statuses(answers), { 200: 300, 429: 10 });
  assert.equal((await open('2001:db8:1:3::1')).status, 200);
});

test('health is not counted', async () => {
  const answer = await send(gateway, 'GET', '/api/health', { host: 'api.he2.ai' });
  assert.equal(answer.status, 200);
  for (const name of ['ratelimit', 'ratelimit-policy', 'x-ratelimit-limit'])
    assert.equal(answer.headers[name], undefined, name);
});
