//! The gateway owns CORS: preflights end here, and every answer a page may read says so once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertProblem, assertUnseen, bearer, send, startAll, valuesOf } from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const PAGE = 'https://he2.ai';
const preflight = (page, path = '/api/agents', method = 'POST') =>
  send(gateway, 'OPTIONS', path, {
    host: 'api.he2.ai',
    headers: {
      origin: page,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type',
    },
  });
const list = (value) => (value ?? '').toLowerCase().split(/, */);

test("a preflight of the app's pages is answered without the origin", async () => {
  for (const page of [PAGE, 'https://www.he2.ai']) {
    const answer = await assertUnseen(origin, () => preflight(page));
    assert.equal(answer.status, 204);
    assert.equal(answer.body.length, 0);
    assert.equal(answer.headers['access-control-allow-origin'], page);
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
    assert.match(answer.headers['access-control-max-age'], /^[1-9]\d*$/);
    assert.ok(list(answer.headers.vary).includes('origin'));
  }
});

test('a preflight allows the methods and fields that the app uses', async () => {
  const { headers } = await preflight(PAGE);
  for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
    assert.ok(list(headers['access-control-allow-methods']).includes(method), method);
  }
  for (const name of [
    'content-type',
    'authorization',
    'x-project-id',
    'x-mcp-url',
    'x-mcp-type',
    'x-mcp-headers',
    'x-refresh-token',
    'x-api-key',
  ]) {
    assert.ok(list(headers['access-control-allow-headers']).includes(name), name);
  }
});

test('a preflight of any other page is refused', async () => {
  for (const page of [
    'https://evil.example',
    'https://he2.ai.evil.example',
    'http://he2.ai',
    'https://xhe2.ai',
    'null',
  ]) {
    const answer = await assertUnseen(origin, () => preflight(page));
    assertProblem(answer, 403, page);
    assert.equal(answer.headers['access-control-allow-origin'], undefined, page);
  }
});

test("an answer of the origin carries the page's origin once, and what it may read", async () => {
  const answer = await send(gateway, 'GET', '/api/agents', {
    host: 'api.he2.ai',
    headers: { origin: PAGE, ...bearer(await issuer.mint()) },
  });
  assert.equal(answer.status, 200);
  assert.deepEqual(valuesOf(answer.rawHeaders, 'access-control-allow-origin'), [PAGE]);
  assert.deepEqual(valuesOf(answer.rawHeaders, 'access-control-allow-credentials'), ['true']);
  assert.ok(list(answer.headers.vary).includes('origin'));
  const exposed = list(answer.headers['access-control-expose-headers']);
  for (const name of [
    'x-request-id',
    'x-ratelimit-limit',
    'x-ratelimit-remaining',
    'x-ratelimit-reset',
    'retry-after',
  ]) {
    assert.ok(exposed.includes(name), name);
  }
});

test("a foreign page gets no leave to read, and the origin's star does not give it", async () => {
  const run = '/api/agent-run/8d2f3a10-0f0e-4a8e-9a37-2f6f1f1d4e55/stream';
  const headers = { origin: 'https://evil.example', ...bearer(await issuer.mint()) };
  for (const path of ['/api/agents', `${run}?gap=1`]) {
    const answer = await send(gateway, 'GET', path, { host: 'api.he2.ai', headers });
    assert.deepEqual(valuesOf(answer.rawHeaders, 'access-control-allow-origin'), [], path);
    assert.deepEqual(valuesOf(answer.rawHeaders, 'access-control-allow-credentials'), [], path);
  }
});

test("refusals can be read by the app's pages", async () => {
  const refusals = [
    ['/api/agents', 401],
    ['/nothing', 404],
  ];
  for (const [path, status] of refusals) {
    const answer = await send(gateway, 'GET', path, { host: 'api.he2.ai', headers: { origin: PAGE } });
    assertProblem(answer, status, path);
    assert.equal(answer.headers['access-control-allow-origin'], PAGE, path);
  }
});

test('an OPTIONS that is no preflight is an ordinary request', async () => {
  const ask = (headers) => send(gateway, 'OPTIONS', '/api/agents', { host: 'api.he2.ai', headers });
  assertProblem(await assertUnseen(origin, () => ask({ origin: PAGE })), 401);
  assert.equal((await ask(bearer(await issuer.mint()))).json.method, 'OPTIONS');
});
