//! One caller cannot shape what the store gives to others, and nothing half made or personal is stored.
import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { bearer, lastSeen, send, startAll, until } from './harness.mjs';
import { cacheStatus, untilHit as hitOf } from './harness/cache.mjs';

const { origin, issuer, gateway } = await startAll();
const site = (path, headers) => send(gateway, 'GET', path, { headers });
const isStored = (answer) => /; (stored|hit)/.test(answer.headers['cache-status']);
const untilHit = (path, headers) => hitOf(() => site(path, headers));
const STORABLE = { 'Cache-Control': 'public, max-age=600' };

test('a cookie does not reach the origin where the answer is for all', async () => {
  const path = '/api/edge-flags';
  await site(path, { cookie: 'session=alice' });
  assert.equal(lastSeen(origin, path).headers.cookie, undefined);
});

test('a field that is dropped on the way does not select an answer', async () => {
  const path = '/_next/static/chunks/selected.js';
  origin.on(path, (request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', Vary: 'RSC' });
    response.end(request.headers.rsc ? 'data' : 'page');
  });
  assert.equal((await site(path, { rsc: '1', connection: 'RSC' })).text, 'page');
  await untilHit(path, {});
  assert.equal((await site(path, { rsc: '1' })).text, 'data');
});

test('an answer that varies by a credential is not stored', async () => {
  const path = '/_next/static/chunks/personal.js';
  origin.on(path, (_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', Vary: 'Cookie' }).end('x');
  });
  assert.ok(!isStored(await site(path)));
});

test('an error is not stored on the route’s word alone', async () => {
  const path = '/api/pipedream/apps/gone/icon';
  origin.on(path, (_request, response) => response.writeHead(404).end('{}'));
  assert.ok(!isStored(await site(path)));
});

test('a client cannot shorten the life that the route assigned', async () => {
  const path = '/api/pipedream/apps/popular';
  await site(path);
  await untilHit(path);
  const asked = origin.seen(path).length;
  for (const wish of ['no-cache', 'max-age=0']) await site(path, { 'cache-control': wish });
  assert.equal(origin.seen(path).length, asked);
});

for (const [how, fields] of [
  ['of a declared length', { 'Content-Length': 10 }],
  ['in chunks', {}],
]) {
  test(`an answer ${how} that breaks off is never served as the whole`, async () => {
    const path = `/_next/static/chunks/broken-${Object.keys(fields).length}.js`;
    let whole = false;
    origin.on(path, (_request, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=600', ...fields });
      if (whole) response.end('0123456789');
      else response.write('01234', () => response.destroy());
    });
    await site(path).catch(() => {}); // that it breaks off may show here or not
    whole = true;
    const hit = await untilHit(path);
    assert.equal(hit.text, '0123456789');
  });
}

for (const [coding, compress] of [
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
]) {
  test(`an answer in ${coding} is the same bytes, stored or not`, async () => {
    const path = `/_next/static/chunks/coded-${coding}.js`;
    const body = compress('let compressed = true;\n'.repeat(100));
    origin.on(path, (_request, response) => {
      response.writeHead(200, { ...STORABLE, 'Content-Encoding': coding, 'Content-Length': body.length });
      response.end(body);
    });
    const accepting = { 'accept-encoding': coding };
    const first = await site(path, accepting);
    const hit = await untilHit(path, accepting);
    for (const answer of [first, hit]) {
      assert.equal(answer.headers['content-encoding'], coding);
      assert.deepEqual(answer.body, body);
    }
  });
}

test('a compressed asset is the same bytes to a reader, stored or not', async () => {
  const path = '/_next/static/chunks/zipped.js';
  const text = 'let compressed = true;\n'.repeat(100);
  origin.on(path, (_request, response) => {
    const body = gzipSync(text);
    response.writeHead(200, {
      'Cache-Control': 'max-age=600',
      'Content-Encoding': 'gzip',
      'Content-Length': body.length,
    });
    response.end(body);
  });
  const read = async () => {
    const answer = await fetch(`${gateway.url}${path}`);
    return { hit: /; hit/.test(answer.headers.get('cache-status')), text: await answer.text() };
  };
  assert.equal((await read()).text, text);
  const hit = await until(async () => {
    const answer = await read();
    return answer.hit && answer;
  }, 'a hit');
  assert.equal(hit.text, text);
});

test('an account page under the name of an asset is not stored', async () => {
  const names = [
    '/account/x.css',
    '/account;x.css',
    '/account/%2Fx.css',
    '/account%00.css',
    '/account/..%2fx.js',
  ];
  for (const path of names) {
    origin.on(path, (_request, response) => response.writeHead(200, STORABLE).end('private'));
    for (let asked = 0; asked < 3; asked += 1) assert.ok(!isStored(await site(path)), path);
  }
});

test('a call under the name of an asset is neither stored nor answered to others', async () => {
  const path = '/api/billing/subscription/x.css';
  origin.on(path, (request, response) =>
    response.writeHead(200, STORABLE).end(request.headers['x-he2-user']),
  );
  for (const sub of ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']) {
    const answer = await site(path, bearer(await issuer.mint({ claims: { sub } })));
    assert.equal(answer.text, sub);
    assert.ok(!isStored(answer));
  }
});

/** What origins have been seen to put into their answers, or to answer otherwise for. */
const UNKEYED = {
  forwarded: 'host=evil.example',
  'x-forwarded-for': '192.0.2.66',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-port': '6666',
  'x-forwarded-prefix': '/evil',
  'x-forwarded-proto': 'evil',
  'x-forwarded-scheme': 'evil',
  'x-forwarded-server': 'evil.example',
  'x-host': 'evil.example',
  'x-http-host-override': 'evil.example',
  'x-http-method-override': 'DELETE',
  'x-http-method': 'DELETE',
  'x-method-override': 'DELETE',
  'x-middleware-prefetch': 'evil',
  'x-middleware-subrequest': 'middleware',
  'x-nextjs-data': 'evil',
  'x-original-host': 'evil.example',
  'x-original-url': '/evil',
  'x-rewrite-url': '/evil',
  'x-url-scheme': 'evil',
};

test('what a caller sends beside the key reaches no answer that others get', async () => {
  const path = '/_next/static/chunks/unkeyed.js';
  origin.on(path, (request, response) => {
    const named = Object.entries(request.headers).filter(([name]) => name in UNKEYED);
    response.writeHead(200, STORABLE).end(JSON.stringify(Object.fromEntries(named)));
  });
  for (const [name, value] of Object.entries(UNKEYED)) {
    const answer = await site(`${path}?${name}`, { [name]: value });
    assert.ok(!answer.text.includes(value), `${name}: ${value} reached the origin and may be stored`);
  }
});

test('a GET with content is not answered from the store, and not stored', async () => {
  const path = '/_next/static/chunks/fat.js';
  origin.on(path, (_request, response) => {
    response.writeHead(200, STORABLE).end(`answer ${origin.seen(path).length}`);
  });
  const fat = () => send(gateway, 'GET', path, { headers: { 'content-length': 5 }, body: 'evil!' });
  assert.equal((await fat()).text, 'answer 1');
  assert.equal((await fat()).text, 'answer 2');
  assert.equal((await site(path)).text, 'answer 3');
  assert.equal((await untilHit(path)).text, 'answer 3');
  const last = await fat();
  assert.equal(last.text, 'answer 4');
  assert.equal(cacheStatus(last).fwd, 'bypass');
  assert.equal((await site(path)).text, 'answer 3');
});

test('a path that two parsers could read differently is refused or one plain path, never another answer', async () => {
  const path = '/_next/static/chunks/plain.js';
  origin.on(path, (_request, response) => response.writeHead(200, STORABLE).end('plain'));
  await untilHit(path);
  const tricks = [
    '/_next/static/chunks/../chunks/plain.js',
    '/_next/static/chunks/%2e%2e/chunks/plain.js',
    '/_next/static/chunks%2fplain.js',
    '/_next/static/chunks//plain.js',
    '/_next/static/chunks\\plain.js',
    '/_next/static/chunks/plain.js%00',
    '/_next/static/chunks/plain.js%0d%0aX:y',
    '/_next/static/chunks/%252e%252e/plain.js',
  ];
  for (const trick of tricks) {
    const { status, text } = await send({ port: gateway.rawPort }, 'GET', trick);
    assert.ok(status === 400 || status === 404 || text === 'plain', `${trick}: ${status} ${text}`);
  }
});

test('escapes that say the same share one answer, and a query never becomes a path', async () => {
  const path = '/_next/static/chunks/escaped.js';
  origin.on(path, (request, response) => response.writeHead(200, STORABLE).end(request.url));
  await untilHit(path);
  const escaped = await site('/_next/static/chunks/%65scaped.js');
  assert.equal(escaped.text, path);
  assert.equal(cacheStatus(escaped).hit, true);
  const asked = await site(`${path}%3Fv=1`);
  assert.notEqual(cacheStatus(asked)?.hit, true);
});

test('a page and its RSC data are never stored, on whatever s-maxage', async () => {
  for (const headers of [{}, { rsc: '1' }, { rsc: '1', 'next-router-prefetch': '1' }]) {
    const path = `/changelog-${Object.keys(headers).length}`;
    for (let asked = 0; asked < 3; asked += 1) assert.ok(!isStored(await site(path, headers)));
    assert.equal(origin.seen(path).length, 3);
  }
});
