//! While the origin is down, what is stored goes on where that is allowed, and says so; where a refresh is allowed
//! behind the back of a request, nobody waits for it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { send, startAll, startGateway, startIssuer, startOrigin, until } from './harness.mjs';
import { cacheStatus, untilHit } from './harness/cache.mjs';

const { origin, gateway } = await startAll();
const site = (path) => send(gateway, 'GET', path);
const api = (path) => send(gateway, 'GET', path, { host: 'api.he2.ai' });
/** For how long the origin is down under load: `SECONDS=60` for a whole minute. */
const OUTAGE_MS = 1000 * Number(process.env.SECONDS ?? 8);
let paths = 0;
const newPath = () => `/_next/static/chunks/stale-${(paths += 1)}.js`;

/** Answers a path with this life and a body that counts. */
function serve(path, control) {
  let count = 0;
  origin.on(path, (_request, response) => {
    count += 1;
    response.writeHead(200, { 'Cache-Control': control }).end(`answer ${count}`);
  });
}

/** Asks until the answer is no longer fresh: a hit with a negative `ttl`, or an answer of the origin. */
const untilStale = (ask) =>
  until(async () => {
    const answer = await ask();
    const { hit, ttl } = cacheStatus(answer) ?? {};
    return !(hit && ttl >= 0) && answer;
  }, 'what is stored is no longer fresh');

test('an origin that is down under load gives no error where stale-if-error is allowed', async (t) => {
  const own = await startOrigin();
  const issuer = await startIssuer();
  const edge = await startGateway({ origin: own.url, issuer: issuer.url, isolates: 2 });
  t.after(() => Promise.all([edge.close(), own.close(), issuer.close()]));
  // The origin allows it itself, or the route does where the origin gives a life and no more. No limit on either.
  const controls = {
    '/_next/static/chunks/down.js': 'max-age=1, stale-if-error=3600',
    '/api/edge-flags': 'max-age=1',
  };
  const routes = Object.keys(controls);
  for (const path of routes)
    own.on(path, (_request, response) =>
      response.writeHead(200, { 'Cache-Control': controls[path] }).end(path),
    );
  for (const path of routes) await untilHit(() => send(edge.isolates[0], 'GET', path));
  const stored = Date.now();
  await own.stop();
  const answers = [];
  const client = async (index) => {
    let age = 0;
    while (Date.now() - stored < OUTAGE_MS) {
      const path = routes[index % 2];
      const answer = await send(edge.isolates[(index >> 1) % 2], 'GET', path);
      const { status, headers, text } = answer;
      assert.equal(status, 200, `${path}: ${text} ${headers['cache-status']}`);
      answers.push({ path, status, headers, text, cache: cacheStatus(answer) });
      const now = Number(answer.headers.age);
      assert.ok(now >= age, `Age went from ${age} to ${now}`);
      assert.ok(Math.abs(now - (Date.now() - stored) / 1000) <= 3, `an Age of ${now}`);
      age = now;
    }
  };
  await Promise.all(Array.from({ length: 24 }, (_, index) => client(index)));
  t.diagnostic(`${answers.length} answers in ${OUTAGE_MS / 1000} s while the origin was down`);
  for (const { path, text } of answers) assert.equal(text, path);
  const late = answers.filter(({ headers }) => Number(headers.age) > 2);
  assert.ok(late.length > 100, `${late.length} stale answers`);
  for (const { cache } of late) assert.ok(cache.ttl === undefined || cache.ttl < 0, JSON.stringify(cache));
  await own.restart();
  for (const path of routes)
    await until(async () => {
      const answer = await send(edge.isolates[0], 'GET', path);
      return Number(answer.headers.age ?? 0) <= 1;
    }, 'answers are new once the origin is back');
});

for (const [how, break_] of [
  ['answers 503', (response) => response.writeHead(503).end('trouble')],
  ['cuts the connection', (response) => response.destroy()],
]) {
  test(`stale-if-error serves on when the origin ${how}, and says why`, async () => {
    const path = newPath();
    let broken = false;
    origin.on(path, (_request, response) => {
      if (broken) break_(response);
      else response.writeHead(200, { 'Cache-Control': 'max-age=1, stale-if-error=600' }).end('good');
    });
    await untilHit(() => site(path));
    broken = true;
    const stale = await untilStale(() => site(path));
    assert.equal(stale.status, 200);
    assert.equal(stale.text, 'good');
    assert.ok(Number(stale.headers.age) >= 1);
    assert.match(stale.headers['cache-status'], /he2;.*(fwd=stale|stale-if-error)/);
  });
}

for (const control of ['must-revalidate', 'proxy-revalidate', 's-maxage=1', 'no-cache']) {
  test(`${control} forbids what is stale, even while the origin is down`, async () => {
    const path = newPath();
    let down = false;
    origin.on(path, (_request, response) => {
      if (down) response.destroy();
      else
        response.writeHead(200, { 'Cache-Control': `max-age=1, stale-if-error=600, ${control}` }).end('good');
    });
    await site(path);
    down = true;
    const answer = await until(async () => {
      const one = await site(path);
      return one.status !== 200 && one;
    }, 'an error');
    assert.equal(answer.status, 502);
  });
}

test('without permission nothing stale is served', async () => {
  const path = newPath();
  let down = false;
  origin.on(path, (_request, response) => {
    if (down) response.destroy();
    else response.writeHead(200, { 'Cache-Control': 'max-age=1' }).end('good');
  });
  await untilHit(() => site(path));
  down = true;
  assert.equal((await untilStale(() => site(path))).status, 502);
});

test('stale-while-revalidate answers at once and refreshes with one request', async () => {
  const path = newPath();
  const held = [];
  let first = true;
  origin.on(path, (_request, response) => {
    const answer = () =>
      response.writeHead(200, { 'Cache-Control': 'max-age=2, stale-while-revalidate=600' });
    if (first) answer().end('old');
    else held.push(() => answer().end('new'));
    first = false;
  });
  await untilHit(() => site(path));
  const stale = await until(async () => {
    const answer = await site(path);
    return cacheStatus(answer).ttl < 0 && answer;
  }, 'a stale answer');
  assert.equal(stale.text, 'old');
  assert.equal(cacheStatus(stale).hit, true);
  assert.equal(cacheStatus(stale).detail, 'stale-while-revalidate');
  const many = await Promise.all(Array.from({ length: 50 }, () => site(path)));
  for (const answer of many) assert.equal(answer.text, 'old');
  await until(() => held.length, 'the refresh reaches the origin');
  assert.equal(origin.seen(path).length, 2);
  held[0]();
  await until(async () => (await site(path)).text === 'new', 'the refreshed answer');
});

test('a health check tells of a dead backend within seconds', async () => {
  const path = '/api/health';
  assert.equal((await api(path)).status, 200);
  origin.on(path, (_request, response) => response.destroy());
  const started = Date.now();
  await until(async () => (await api(path)).status === 502, 'a 502', 15_000);
  assert.ok(Date.now() - started < 10_000);
  origin.on(path);
});

test('a life that ends is asked about anew', async () => {
  const path = newPath();
  serve(path, 'max-age=1');
  await untilHit(() => site(path));
  await delay(1100);
  const answer = await site(path);
  assert.equal(answer.text, 'answer 2');
  assert.equal(cacheStatus(answer).fwd, 'stale');
});
