//! A caller sees what remains; operators see any key, free it, and raise it for a time.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { assertProblem, assertUnseen, bearer, nowSeconds, send, startAll, until } from './harness.mjs';
import { he2 } from './harness/config.mjs';

const { origin, issuer, gateway } = await startAll();
const [{ quota: QUOTA }] = he2.limit.runs.windows;
const OPERATOR = { 'x-admin-api-key': gateway.vars.ADMIN_API_KEY };
const START = '/api/agent/initiate';

const api = (method, path, headers, content) =>
  send(gateway, method, path, {
    host: 'api.he2.ai',
    headers: content ? { ...headers, 'content-length': Buffer.byteLength(content) } : headers,
    body: content,
  });
const mine = async (headers, name) => {
  const answer = await api('GET', '/.edge/limits/me', headers);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  return answer.json.policies.find(({ policy }) => policy === name).windows;
};
const operate = (method, body) => api(method, '/.edge/limits', OPERATOR, JSON.stringify(body));

async function usedUp() {
  const sub = randomUUID();
  const headers = bearer(await issuer.mint({ claims: { sub } }));
  for (let sent = 0; sent < QUOTA; sent += 1) assert.equal((await api('POST', START, headers)).status, 200);
  assert.equal((await api('POST', START, headers)).status, 429);
  return { headers, key: `runs/user/${sub}` };
}

test('a caller sees each limit, and what remains of it', async () => {
  const headers = bearer(await issuer.mint({ claims: { sub: randomUUID() } }));
  assert.deepEqual(
    (await mine(headers, 'runs')).map(({ quota, seconds, remaining }) => ({ quota, seconds, remaining })),
    he2.limit.runs.windows.map(({ quota, seconds }) => ({ quota, seconds, remaining: quota })),
  );
  await api('POST', START, headers);
  const [window] = await mine(headers, 'runs');
  assert.equal(window.remaining, QUOTA - 1);
  assert.ok(window.reset_seconds > 0 && window.reset_seconds <= window.seconds);
  await assertUnseen(origin, async () => assertProblem(await api('GET', '/.edge/limits/me', {}), 401));
});

test('what isolates hold for a caller still counts as theirs', async () => {
  const headers = bearer(await issuer.mint({ claims: { sub: randomUUID() } }));
  const [{ quota }] = he2.limit.api.windows;
  for (let sent = 0; sent < 30; sent += 1) await api('GET', '/api/agents', headers);
  // A permit that was spent from a lease is known to the object when the lease comes back.
  const [{ remaining }] = await mine(headers, 'api');
  assert.ok(remaining >= quota - 30 && remaining <= quota, `${remaining} of ${quota}`);
});

test('operators see a key and free it', async () => {
  const { headers, key } = await usedUp();
  const seen = await api('GET', `/.edge/limits?key=${encodeURIComponent(key)}`, OPERATOR);
  assert.deepEqual([seen.status, seen.json.key, seen.json.windows[0].remaining], [200, key, 0]);
  const freed = await operate('DELETE', { key });
  assert.deepEqual([freed.status, freed.json.windows[0].remaining], [200, QUOTA]);
  await until(async () => (await api('POST', START, headers)).status === 200, 'the refusal is looked at again');
});

test('operators raise a key for a time', async () => {
  const { headers, key } = await usedUp();
  const raised = await operate('POST', { key, percent: 200, until: nowSeconds() + 600 });
  assert.deepEqual([raised.status, raised.json.windows[0].quota], [200, QUOTA * 2], raised.text);
  await until(async () => (await api('POST', START, headers)).status === 200, 'the refusal is looked at again');
  const ended = await operate('POST', { key, percent: 200, until: nowSeconds() - 1 });
  assert.equal(ended.json.windows[0].quota, QUOTA);
});

test('nobody else may, and what is not understood is refused', async () => {
  await assertUnseen(origin, async () => {
    assertProblem(await api('GET', '/.edge/limits?key=a', {}), 401);
    assertProblem(await api('GET', '/.edge/limits?key=a', { 'x-admin-api-key': 'wrong' }), 403);
    assertProblem(await api('GET', '/.edge/limits', OPERATOR), 400);
    assertProblem(await api('GET', '/.edge/limits?key=nothing/user/u', OPERATOR), 404);
    assertProblem(await operate('POST', { key: 'runs/user/u' }), 400);
    assertProblem(await operate('DELETE', { key: 'runs/user/u', all: true }), 400);
  });
});
