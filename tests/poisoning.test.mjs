//! One caller cannot shape what the store gives to others, and nothing half made or personal is stored.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { lastSeen, send, startAll, until } from './harness.mjs';

const { origin, gateway } = await startAll();
const site = (path, headers) => send(gateway, 'GET', path, { headers });
const isStored = (answer) => /; (stored|hit)/.test(answer.headers['cache-status']);

/** Asks until the answer comes from the store. */
const untilHit = (path, headers) =>
  until(async () => {
    const answer = await site(path, headers);
    return /; hit/.test(answer.headers['cache-status']) && answer;
  }, 'a hit');

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

test('what is too long for an isolate to hold is passed on whole and not stored', async () => {
  const path = '/_next/static/chunks/long.js';
  const length = 9 << 20;
  origin.on(path, (_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600' });
    response.end(Buffer.alloc(length, 'x'));
  });
  for (let asked = 1; asked <= 3; asked += 1) {
    assert.equal((await site(path)).body.length, length);
    assert.equal(origin.seen(path).length, asked);
  }
});

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
