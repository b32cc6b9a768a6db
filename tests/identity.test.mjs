//! The signed field tells the origin who calls, so that it can check that only the gateway said so.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import test from 'node:test';
import WebSocket from 'ws';
import { bearer, lastSeen, nowSeconds, send, startAll, startGateway, valuesOf } from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const FIELD = 'x-he2-identity';
const api = (path, options = {}) =>
  send(gateway, options.method ?? 'GET', path, { host: 'api.he2.ai', ...options });

/** What the field must be for what the origin saw: recomputed from the other fields and the request line. */
function expected({ method, url, headers }, time) {
  const fields = ['user', 'role', 'session', 'aal'].map((name) => headers[`x-he2-${name}`] ?? '');
  const message = [time, method, url, ...fields].join('\n');
  return createHmac('sha256', gateway.vars.IDENTITY_SECRET).update(message).digest('hex');
}

/** Asserts that a request carries one good field, and returns its signature. */
function assertSigned(seen) {
  const values = valuesOf(seen.rawHeaders, FIELD);
  assert.equal(values.length, 1);
  const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(values[0]) ?? assert.fail(values[0]);
  assert.equal(signature, expected(seen, time));
  assert.ok(Math.abs(nowSeconds() - time) <= 5, `t=${time}`);
  return signature;
}

test('of a user it signs user, role, session and aal, with method, path and query as forwarded', async () => {
  const claims = { sub: randomUUID(), session_id: randomUUID(), aal: 'aal2' };
  const token = await issuer.mint({ claims });
  for (const [method, path] of [
    ['GET', '/api/agents'],
    ['POST', '/api/agents?q=a+b&q=%C3%A9&x'],
    ['DELETE', '/api/%61gents/a1?'],
    ['HEAD', '/api/threads/t-1'],
  ]) {
    await api(path, { method, headers: bearer(token) });
    const seen = origin.requests.at(-1);
    assertSigned(seen);
    assert.equal(seen.headers['x-he2-user'], claims.sub, path);
    assert.equal(seen.headers['x-he2-session'], claims.session_id, path);
    assert.equal(seen.headers['x-he2-aal'], 'aal2', path);
  }
});

test('of a caller who is no user it signs that nobody is known', async () => {
  const key = { 'x-api-key': `pk_${'a1'.repeat(16)}:sk_${'b2'.repeat(16)}` };
  for (const [path, headers] of [
    ['/api/triggers/providers', {}],
    ['/api/sandboxes/s1/files', {}],
    ['/api/threads', key],
  ]) {
    assert.equal((await api(path, { headers })).status, 200, path);
    const seen = lastSeen(origin, path);
    assertSigned(seen);
    assert.equal(seen.headers['x-he2-user'], undefined);
  }
});

test('a token in the query is not among what is signed: it does not go on', async () => {
  const path = `/api/agent-run/${randomUUID()}/stream`;
  assert.equal((await api(`${path}?gap=1&token=${await issuer.mint()}&frames=1`)).status, 200);
  const seen = lastSeen(origin, path);
  assert.equal(seen.url, `${path}?gap=1&frames=1`);
  assertSigned(seen);
});

test('a request to upgrade to a WebSocket is signed too', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/api/agent-run/ws`, {
    headers: { ...bearer(await issuer.mint()), host: 'api.he2.ai' },
  });
  await once(socket, 'open');
  assertSigned(lastSeen(origin, '/api/agent-run/ws'));
  socket.close();
  await once(socket, 'close');
});

test('a signature for one request is no good for another', async () => {
  const headers = bearer(await issuer.mint());
  const signatures = new Set();
  for (const [method, path] of [
    ['GET', '/api/agents'],
    ['POST', '/api/agents'],
    ['GET', '/api/agents?x=1'],
    ['GET', '/api/agents/a1'],
  ]) {
    await api(path, { method, headers });
    signatures.add(assertSigned(origin.requests.at(-1)));
  }
  await api('/api/agents', { headers: bearer(await issuer.mint()) });
  signatures.add(assertSigned(origin.requests.at(-1)));
  assert.equal(signatures.size, 5);
});

test("a client's own field never arrives", async () => {
  const forged = { [FIELD]: `t=${nowSeconds()},v1=${'0'.repeat(64)}` };
  await api('/api/triggers/providers', { headers: { ...forged, 'x-he2-user': randomUUID() } });
  const seen = lastSeen(origin, '/api/triggers/providers');
  assertSigned(seen);
  assert.equal(seen.headers['x-he2-user'], undefined);
});

test('a deployment without the secret sends no such field, and lets none through', async (t) => {
  const other = await startGateway({
    origin: origin.url,
    issuer: issuer.url,
    vars: { IDENTITY_SECRET: undefined },
  });
  t.after(() => other.close());
  const headers = { ...bearer(await issuer.mint()), [FIELD]: 't=1,v1=00' };
  assert.equal((await send(other, 'GET', '/api/agents', { host: 'api.he2.ai', headers })).status, 200);
  const seen = lastSeen(origin, '/api/agents');
  assert.deepEqual(valuesOf(seen.rawHeaders, FIELD), []);
  assert.match(seen.headers['x-he2-user'], /^[0-9a-f-]{36}$/);
});
