//! What careless clients send and careless origins answer ends in an answer that can be understood.
import assert from 'node:assert/strict';
import test from 'node:test';
import { stripeFields } from './harness/webhooks.mjs';
import {
  assertProblem,
  bearer,
  lastSeen,
  raw,
  send,
  startAll,
  startGateway,
  startIssuer,
  statusOf,
  until,
} from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const token = await issuer.mint();
const api = (path, headers = {}, method = 'GET', body) =>
  send(gateway, method, path, { host: 'api.he2.ai', headers: { ...bearer(token), ...headers }, body });

test('a GET that announces no content is a GET', async () => {
  const answer = await raw(
    gateway.port,
    'GET /api/health HTTP/1.1\r\nHost: he2.ai\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  );
  assert.equal(statusOf(answer), 200);
});

test('an upload that asks to be continued is, and the origin is not asked again', async () => {
  const answer = await api('/api/transcription', { expect: '100-continue' }, 'POST', 'content');
  assert.equal(answer.status, 200);
  assert.equal(lastSeen(origin, '/api/transcription').headers.expect, undefined);
});

test('a name that is not ASCII passes in both directions', async () => {
  const path = '/api/sandboxes/s1/files/content';
  const name = 'attachment; filename="отчёт-€.pdf"';
  const bytes = Buffer.from(name).toString('latin1'); // Node writes fields as Latin-1
  origin.on(path, (_request, response) => {
    response.writeHead(200, { 'Content-Disposition': bytes }).end();
  });
  const answer = await api(path, { 'x-name': bytes });
  const utf8 = (text) => Buffer.from(text, 'latin1').toString();
  assert.equal(utf8(answer.headers['content-disposition']), name);
  assert.equal(utf8(lastSeen(origin, path).headers['x-name']), name);
});

test('a redirect to the address of the origin leads to the public host', async () => {
  const path = '/api/agents/';
  origin.on(path, (_request, response) => {
    response.writeHead(307, { Location: `${origin.url}/api/agents?x=1` }).end();
  });
  const { status, headers } = await api(path);
  assert.equal(status, 307);
  assert.match(headers.location, /^https?:\/\/api\.he2\.ai\/api\/agents\?x=1$/);
});

test('a bearer token on a webhook that is not signed by it stays behind', async () => {
  const headers = { ...stripeFields(gateway.vars.STRIPE_WEBHOOK_SECRET, '{}'), ...bearer('forged') };
  const answer = await send(gateway, 'POST', '/api/billing/webhook', {
    host: 'api.he2.ai',
    headers,
    body: '{}',
  });
  assert.equal(answer.status, 200);
  assert.equal(lastSeen(origin, '/api/billing/webhook').headers.authorization, undefined);
});

test('a status that no response can have is a 502 with its request id', async () => {
  const path = '/api/odd-status';
  origin.on(path, (_request, response) => {
    response.socket.end('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  assertProblem(await api(path), 502);
});

test('an issuer that is slow to fail is a 503, soon, and no good token is called bad meanwhile', async (t) => {
  const fragile = await startIssuer();
  const other = await startGateway({ origin: origin.url, issuer: fragile.url });
  t.after(() => Promise.all([other.close(), fragile.close()]));
  const call = async (headers) => send(other, 'GET', '/api/agents', { host: 'api.he2.ai', headers });
  const first = bearer(await fragile.mint());
  fragile.failing = true;
  fragile.slow = 1_500;
  assertProblem(await call(first), 503);
  fragile.failing = false;
  fragile.slow = 0;
  await until(async () => (await call(first)).status === 200);
  await fragile.rotate();
  const second = bearer(await fragile.mint());
  fragile.failing = true;
  assertProblem(await call(second), 503);
  assert.equal((await call(first)).status, 200);
  fragile.failing = false;
  // It is not asked again before the cool-down is over, and until then nobody can tell.
  const { status } = await call(second);
  assert.ok(status === 200 || status === 503, `${status}`);
});
