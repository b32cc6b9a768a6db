//! What the origin says of something stored when it is asked whether that still holds: it is believed, and no word of
//! it makes one caller's answer everybody's.
import assert from 'node:assert/strict';
import test, { suite } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { bearer, send, startAll, until } from './harness.mjs';
import { cacheStatus, untilHit } from './harness/cache.mjs';

const { origin, issuer, gateway } = await startAll();
const site = (path, headers) => send(gateway, 'GET', path, { headers });
let paths = 0;
const newPath = () => `/_next/static/chunks/validation-${(paths += 1)}.js`;
const isConditional = ({ headers }) => headers['if-none-match'] !== undefined;

/** Asks until the stored answer's life is over, and gives the first answer after it. */
const untilOver = (ask) =>
  until(async () => {
    const answer = await ask();
    return cacheStatus(answer).fwd && answer;
  }, 'the origin is asked again');

suite('validation', { concurrency: true }, () => {
  for (const [what, fields] of [
    ['a cookie', { 'Set-Cookie': 'session=ada', 'Cache-Control': 'max-age=600' }],
    ['private', { 'Cache-Control': 'private, max-age=600' }],
  ]) {
    test(`a 304 with ${what} neither prolongs what is stored nor becomes a part of it (RFC 9111 §3, §7.3)`, async () => {
      const path = newPath();
      let confirmed = 0;
      origin.on(path, (request, response) => {
        if (isConditional(request)) {
          confirmed += 1;
          return response.writeHead(304, { ETag: '"a"', ...fields }).end();
        }
        return response.writeHead(200, { ETag: '"a"', 'Cache-Control': 'max-age=1' }).end('for all');
      });
      await untilHit(() => site(path));
      await untilOver(() => site(path));
      assert.ok(confirmed > 0, 'it was asked');
      for (let asked = 0; asked < 20; asked += 1) {
        const { headers, text } = await site(path);
        const { hit, ttl } = cacheStatus({ headers });
        assert.equal(text, 'for all');
        assert.ok(!hit || (ttl <= 1 && headers['set-cookie'] === undefined), headers['cache-status']);
        await delay(20);
      }
    });
  }

  test('a weak tag that all codings share does not give one coding’s bytes for another’s (RFC 9110 §8.8.1)', async () => {
    const path = newPath();
    const coded = { gzip: gzipSync('let a;'), br: brotliCompressSync('let a;') };
    origin.on(path, (request, response) => {
      const fields = { ETag: 'W/"a"', Vary: 'Accept-Encoding', 'Cache-Control': 'max-age=1' };
      if (isConditional(request)) return response.writeHead(304, fields).end();
      const coding = request.headers['accept-encoding'];
      return response.writeHead(200, { ...fields, 'Content-Encoding': coding }).end(coded[coding]);
    });
    // Miniflare's own entry would ask for both.
    const direct = { port: gateway.rawPort };
    const ask = (coding) => send(direct, 'GET', path, { headers: { 'accept-encoding': coding } });
    const end = Date.now() + 2500; // fresh, and stale, and confirmed
    while (Date.now() < end)
      for (const coding of ['gzip', 'br']) {
        const { headers, body } = await ask(coding);
        assert.equal(headers['content-encoding'], coding);
        assert.deepEqual(body, coded[coding]);
      }
  });

  test('values beyond ASCII select too (RFC 9111 §4.1)', async () => {
    const path = newPath();
    origin.on(path, (request, response) =>
      response
        .writeHead(200, { 'Cache-Control': 'max-age=600', Vary: 'X-Name' })
        .end(Buffer.from(request.headers['x-name'], 'latin1')),
    );
    const ask = (name) => site(path, { 'x-name': Buffer.from(name).toString('latin1') });
    for (const name of ['é', 'è', 'ë']) assert.equal((await untilHit(() => ask(name))).text, name);
    for (const name of ['é', 'è', 'ë']) assert.equal((await ask(name)).text, name);
  });

  test('where one copy is for all callers, what one of them may not have is not the others’', async () => {
    const path = '/api/composio/toolkits/forbidden/icon';
    const [one, other] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
    origin.on(path, (request, response) => {
      const may = request.headers['x-he2-user'] !== one;
      response.writeHead(may ? 200 : 403, { 'Cache-Control': 'max-age=600' }).end(may ? 'icon' : 'no');
    });
    const ask = async (sub) => {
      const headers = bearer(await issuer.mint({ claims: { sub } }));
      return send(gateway, 'GET', path, { host: 'api.he2.ai', headers });
    };
    for (let asked = 0; asked < 3; asked += 1) assert.equal((await ask(one)).status, 403);
    assert.equal(origin.seen(path).length, 3);
    assert.equal((await ask(other)).text, 'icon');
  });

  for (const status of [404, 410]) {
    test(`a ${status} takes back what is stored, also for when the origin fails (RFC 9111 §4.3.3)`, async () => {
      const path = newPath();
      let answer = (response) => {
        const words = 'max-age=1, stale-if-error=600';
        response.writeHead(200, { ETag: '"a"', 'Cache-Control': words }).end('taken back');
      };
      origin.on(path, (_request, response) => answer(response));
      await untilHit(() => site(path));
      answer = (response) => response.writeHead(status, { 'Cache-Control': 'no-store' }).end();
      assert.equal((await untilOver(() => site(path))).status, status);
      answer = (response) => response.destroy();
      for (let asked = 0; asked < 5; asked += 1) assert.equal((await site(path)).status, 502);
    });
  }

  test('a purge while the origin confirms what is stored is not undone by that', async () => {
    const path = newPath();
    let text = 'old';
    const held = [];
    origin.on(path, (request, response) => {
      const words = 'max-age=1';
      if (isConditional(request) && text === 'old') return held.push(response);
      return response.writeHead(200, { ETag: `"${text}"`, 'Cache-Control': words }).end(text);
    });
    await untilHit(() => site(path));
    const validating = untilOver(() => site(path));
    await until(() => held.length, 'the origin is asked whether it still holds');
    const purge = await send(gateway, 'POST', '/.edge/purge', {
      headers: { 'x-admin-api-key': gateway.vars.ADMIN_API_KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `https://he2.ai${path}` }),
    });
    assert.equal(purge.status, 202);
    text = 'new';
    for (const response of held)
      response.writeHead(304, { ETag: '"old"', 'Cache-Control': 'max-age=600' }).end();
    await validating;
    await until(async () => (await site(path)).text === 'new', 'the new answer', 5000);
    for (let asked = 0; asked < 20; asked += 1) {
      assert.equal((await site(path)).text, 'new');
      await delay(50);
    }
  });
});
