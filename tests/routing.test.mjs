//! Hosts, paths and methods lead where he2.toml says; what is not there or is blocked ends at the edge.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertProblem, assertUnseen, bearer, lastSeen, send, startAll } from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const token = await issuer.mint();

test('the API answers on its own host and on the site', async () => {
  for (const host of ['api.he2.ai', 'he2.ai']) {
    const answer = await send(gateway, 'GET', '/api/health', { host });
    assert.equal(answer.status, 200);
    assert.equal(answer.json.status, 'ok');
  }
});

test('host names are compared without case', async () => {
  assert.equal((await send(gateway, 'GET', '/auth', { host: 'HE2.AI' })).status, 200);
});

test('pages are on the site only', async () => {
  const page = await send(gateway, 'GET', '/auth');
  assert.equal(page.status, 200);
  assert.match(page.text, /<h1>\/auth<\/h1>/);
  await assertUnseen(origin, async () =>
    assertProblem(await send(gateway, 'GET', '/auth', { host: 'api.he2.ai' }), 404),
  );
});

test('the pages of the app are reached with path and query unchanged', async () => {
  const paths = [
    '/',
    '/dashboard',
    '/agents/0b1c?a=1&b=%20x',
    '/projects/p1/thread/t1',
    '/settings/billing',
    '/share/t1',
    '/favicon.ico',
    '/_next/image?url=%2Fbanner.png&w=640&q=75',
    '/api/edge-flags',
    '/api/share-page/og-image',
  ];
  for (const path of paths) {
    await send(gateway, 'GET', path);
    assert.equal(lastSeen(origin, path.split('?')[0]).url, path);
  }
});

test('www is redirected to the same path and query', async () => {
  await assertUnseen(origin, async () => {
    const answer = await send(gateway, 'GET', '/share/a%20b?x=1&y=%2F', { host: 'www.he2.ai' });
    assert.equal(answer.status, 308);
    assert.equal(answer.headers.location, 'https://he2.ai/share/a%20b?x=1&y=%2F');
  });
});

test('any other host is misdirected', async () => {
  for (const host of ['example.com', 'he2.ai.example.com', 'xhe2.ai', 'origin.he2.ai']) {
    await assertUnseen(origin, async () =>
      assertProblem(await send(gateway, 'GET', '/api/health', { host }), 421, host),
    );
  }
});

test('a request to the loopback address means the site', async () => {
  for (const host of [`127.0.0.1:${gateway.port}`, `localhost:${gateway.port}`]) {
    assert.equal((await send(gateway, 'GET', '/auth', { host })).status, 200);
  }
});

test('a path that nobody serves is 404 at the edge, signed in or not', async () => {
  for (const path of ['/', '/api', '/nothing', '/apis/agents', '/API/agents']) {
    for (const headers of [{}, bearer(token)]) {
      await assertUnseen(origin, async () =>
        assertProblem(await send(gateway, 'GET', path, { host: 'api.he2.ai', headers }), 404, path),
      );
    }
  }
});

test('an API path that he2.toml does not name needs a user', async () => {
  const path = '/api/brand/new';
  await assertUnseen(origin, async () =>
    assertProblem(await send(gateway, 'GET', path, { host: 'api.he2.ai' }), 401),
  );
  assert.equal(
    (await send(gateway, 'GET', path, { host: 'api.he2.ai', headers: bearer(token) })).status,
    200,
  );
});

test('what must not be public is 404 for everyone', async () => {
  const blocked = [
    ['GET', '/api/admin/env-vars'],
    ['POST', '/api/admin/env-vars'],
    ['POST', '/api/admin/master-login/authenticate'],
    ['GET', '/api/health-docker'],
  ].flatMap((one) => [
    ['api.he2.ai', ...one],
    ['he2.ai', ...one],
  ]);
  for (const path of ['/docs', '/docs/oauth2-redirect', '/redoc', '/openapi.json'])
    blocked.push(['api.he2.ai', 'GET', path]);
  const headers = { ...bearer(token), 'x-admin-api-key': gateway.vars.ADMIN_API_KEY };
  for (const [host, method, path] of blocked) {
    await assertUnseen(origin, async () =>
      assertProblem(await send(gateway, method, path, { host, headers }), 404, `${method} ${host}${path}`),
    );
  }
});

test("what one method of a path needs, another does not: a webhook's secret, or a user", async () => {
  const path = '/api/triggers/t1/webhook';
  const headers = { 'x-trigger-secret': gateway.vars.TRIGGER_WEBHOOK_SECRET };
  assert.equal((await send(gateway, 'POST', path, { host: 'api.he2.ai', headers })).status, 200);
  await assertUnseen(origin, async () =>
    assertProblem(await send(gateway, 'PUT', path, { host: 'api.he2.ai', headers }), 401),
  );
});

test('a method that no route of the path takes is 405, and Allow says which it does', async () => {
  await assertUnseen(origin, async () => {
    const answer = await send(gateway, 'PATCH', '/dashboard');
    assertProblem(answer, 405);
    assert.equal(answer.headers.allow, 'GET, HEAD, POST');
  });
});
