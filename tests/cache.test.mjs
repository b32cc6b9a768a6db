//! What is stored serves many; what belongs to one caller, or differs by a request field, is never served to
//! another.
//!
//! Each test has paths of its own; the origin's answers are set where the app's own are not what is tested.
import assert from 'node:assert/strict';
import test from 'node:test';
import { bearer, lastSeen, send, startAll } from './harness.mjs';
import { cacheStatus, untilHit } from './harness/cache.mjs';

const { origin, issuer, gateway } = await startAll();
const site = (path, headers, method = 'GET') => send(gateway, method, path, { headers });
const api = (path, headers, method = 'GET') => send(gateway, method, path, { host: 'api.he2.ai', headers });

/** Answers `path` with `headers` and a body that counts. */
function serve(path, headers, status = 200) {
  let count = 0;
  origin.on(path, (_request, response) => {
    count += 1;
    response.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end(`answer ${count}`);
  });
}

/** Asserts that an answer is the origin's and is not kept; a kept one would be a hit only a little later. */
function assertNotStored(answer) {
  const { hit, stored } = cacheStatus(answer) ?? {};
  assert.ok(!hit && !stored, answer.headers['cache-status']);
}

/** Asserts that three requests in a row all go to the origin, and leave nothing for a fourth. */
async function assertNeverHit(path, ask) {
  for (let index = 1; index <= 3; index += 1) {
    assertNotStored(await ask());
    assert.equal(origin.seen(path).length, index);
  }
}

test('an asset is fetched once and then served with its age, without the origin', async () => {
  const path = '/_next/static/chunks/one.js';
  const first = await site(path);
  assert.equal(cacheStatus(first).fwd, 'uri-miss');
  const hit = await untilHit(() => site(path));
  const fetches = origin.seen(path).length;
  const again = await site(path);
  assert.equal(cacheStatus(again).hit, true);
  assert.equal(origin.seen(path).length, fetches);
  assert.match(again.headers.age, /^\d+$/);
  assert.ok(cacheStatus(again).ttl > 31_000_000);
  assert.deepEqual(hit.body, first.body);
  for (const name of ['etag', 'cache-control', 'content-type'])
    assert.equal(again.headers[name], first.headers[name], name);
});

test('a stored answer has a request id of its own', async () => {
  const path = '/_next/static/chunks/id.js';
  const first = await site(path);
  const hit = await untilHit(() => site(path));
  assert.ok(hit.headers['x-request-id']);
  assert.notEqual(hit.headers['x-request-id'], first.headers['x-request-id']);
});

test('the query is part of what is stored', async () => {
  await untilHit(() => site('/_next/static/chunks/query.js?v=1'));
  assert.equal(cacheStatus(await site('/_next/static/chunks/query.js?v=2')).fwd, 'uri-miss');
});

test('a lifetime of he2.toml holds where the origin states none, and one for all callers', async () => {
  const path = '/api/feature-flags/assigned';
  serve(path, {});
  await untilHit(() => api(path));
  const hit = await api(path, bearer(await issuer.mint()));
  assert.equal(cacheStatus(hit).hit, true);
  assert.ok(cacheStatus(hit).ttl > 0 && cacheStatus(hit).ttl <= 60);
});

for (const control of ['private, max-age=60', 'no-store', 'private']) {
  test(`an answer that says ${control} is not stored`, async () => {
    const path = `/_next/static/chunks/${control.replace(/\W/g, '')}.js`;
    serve(path, { 'Cache-Control': control });
    await assertNeverHit(path, () => site(path));
  });
}

test('a missing chunk is not remembered', async () => {
  const path = '/_next/static/chunks/missing-1.js';
  await assertNeverHit(path, () => site(path));
});

test('an answer that sets a cookie is never stored, whatever else it says', async () => {
  const path = '/_next/static/chunks/cookie.js';
  serve(path, { 'Cache-Control': 'public, max-age=600', 'Set-Cookie': 'session=ada' });
  await assertNeverHit(path, () => site(path));
});

test('where he2.toml names no cache nothing is stored, even when the origin calls it public', async () => {
  const path = '/api/agents/a1';
  origin.on(path, (request, response) =>
    response.writeHead(200, { 'Cache-Control': 'public, max-age=600' }).end(request.headers['x-he2-user']),
  );
  for (const sub of ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']) {
    const answer = await api(path, bearer(await issuer.mint({ claims: { sub } })));
    assert.equal(answer.text, sub);
    assert.equal(cacheStatus(answer), undefined);
  }
});

test('a shared route is stored once for all users, after each was checked', async () => {
  const path = '/api/composio/toolkits';
  serve(path, {});
  await untilHit(async () => api(path, bearer(await issuer.mint())));
  const fetches = origin.seen(path).length;
  assert.equal(cacheStatus(await api(path, bearer(await issuer.mint()))).hit, true);
  assert.equal(origin.seen(path).length, fetches);
  assert.equal((await api(path)).status, 401);
  assert.equal((await api(path, bearer('forged'))).status, 401);
});

test('a made-up API key never gets what is stored for users', async () => {
  const path = '/api/composio/triggers/apps';
  serve(path, {});
  await untilHit(async () => api(path, bearer(await issuer.mint())));
  const fetches = origin.seen(path).length;
  const key = `he-${'x'.repeat(36)}`;
  const answer = await api(path, { 'x-api-key': key });
  assert.deepEqual(cacheStatus(answer), { fwd: 'bypass', detail: 'identity' });
  assert.equal(origin.seen(path).length, fetches + 1);
  assert.equal(lastSeen(origin, path).headers['x-api-key'], key);
});

test('an answer that varies is served only to requests with the same fields', async () => {
  const path = '/_next/static/chunks/vary.js';
  origin.on(path, (request, response) =>
    response
      .writeHead(200, { 'Cache-Control': 'public, max-age=600', Vary: 'X-Variant' })
      .end(`variant ${request.headers['x-variant']}`),
  );
  const ask = (variant) => site(path, { 'x-variant': variant });
  assert.equal((await untilHit(() => ask('a'))).text, 'variant a');
  assert.equal((await ask('b')).text, 'variant b');
  assert.equal((await ask('a')).text, 'variant a');
});

test('an answer that varies by everything is never served again', async () => {
  const path = '/_next/static/chunks/star.js';
  serve(path, { 'Cache-Control': 'public, max-age=600', Vary: '*' });
  await assertNeverHit(path, () => site(path));
});

test('a page and its RSC form never stand in for each other', async () => {
  const path = '/_next/static/rsc-like';
  origin.on(path, (request, response) =>
    response
      .writeHead(200, { 'Cache-Control': 's-maxage=31536000', Vary: 'RSC, Next-Router-State-Tree' })
      .end(request.headers.rsc ? 'react' : 'html'),
  );
  const forms = { html: {}, react: { rsc: '1' } };
  for (const [stored, other] of [
    ['html', 'react'],
    ['react', 'html'],
  ]) {
    assert.equal((await untilHit(() => site(path, forms[stored]))).text, stored);
    assert.equal((await site(path, forms[other])).text, other);
  }
});

test('HEAD is answered from the stored GET', async () => {
  const path = '/_next/static/chunks/head.js';
  const stored = await untilHit(() => site(path));
  const fetches = origin.seen(path).length;
  const head = await site(path, {}, 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.equal(head.headers.etag, stored.headers.etag);
  assert.equal(cacheStatus(head).hit, true);
  assert.equal(origin.seen(path).length, fetches);
});

test('a client that has the stored answer gets 304 without the origin', async () => {
  const path = '/_next/static/chunks/etag.js';
  const {
    headers: { etag },
  } = await untilHit(() => site(path));
  const fetches = origin.seen(path).length;
  const same = await site(path, { 'if-none-match': `"other", W/${etag}` });
  assert.equal(same.status, 304);
  assert.equal(same.body.length, 0);
  assert.equal(same.headers.etag, etag);
  const other = await site(path, { 'if-none-match': '"other"' });
  assert.equal(other.status, 200);
  assert.equal(origin.seen(path).length, fetches);
});

test("a client's conditions never make the store hold a 304", async () => {
  const path = '/_next/static/chunks/cond.js';
  const etag = '"e1"';
  origin.on(path, (request, response) => {
    const same = request.headers['if-none-match'] === etag;
    response
      .writeHead(same ? 304 : 200, { ETag: etag, 'Cache-Control': 'public, max-age=600' })
      .end(same ? undefined : 'whole');
  });
  await site(path, { 'if-none-match': etag });
  const plain = await untilHit(() => site(path));
  assert.equal(plain.status, 200);
  assert.equal(plain.text, 'whole');
});

test('a part is never served for the whole', async () => {
  const path = '/_next/static/chunks/range.js';
  origin.on(path, (request, response) =>
    request.headers.range
      ? response
          .writeHead(206, { 'Cache-Control': 'public, max-age=600', 'Content-Range': 'bytes 0-0/5' })
          .end('w')
      : response.writeHead(200, { 'Cache-Control': 'public, max-age=600' }).end('whole'),
  );
  const part = await site(path, { range: 'bytes=0-0' });
  assert.equal(part.text, 'w');
  assertNotStored(part);
  assert.equal((await untilHit(() => site(path))).text, 'whole');
});

test('a method that changes things always reaches the origin', async () => {
  const path = '/api/feature-flags/changed';
  serve(path, {});
  await untilHit(() => api(path));
  const fetches = origin.seen(path).length;
  const answer = await api(path, bearer(await issuer.mint()), 'POST');
  assert.notEqual(cacheStatus(answer)?.hit, true);
  assert.equal(lastSeen(origin, path).method, 'POST');
  assert.equal(origin.seen(path).length, fetches + 1);
});

test('CORS fields are those of the page that asks, not of the one that was first', async () => {
  const path = '/api/feature-flags/cors';
  serve(path, {});
  await untilHit(() => api(path, { origin: 'https://www.he2.ai' }));
  const other = await api(path, { origin: 'https://he2.ai' });
  assert.equal(cacheStatus(other).hit, true);
  assert.equal(other.headers['access-control-allow-origin'], 'https://he2.ai');
  assert.equal((await api(path)).headers['access-control-allow-origin'], undefined);
});

test('documents are not stored, nor their RSC form', async () => {
  await assertNeverHit('/legal', () => site('/legal'));
  await assertNeverHit('/changelog', () => site('/changelog', { rsc: '1' }));
});
