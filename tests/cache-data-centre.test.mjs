//! Where he2.toml says so, requests of a whole data centre that come while an answer is fetched wait for the one
//! answer, whichever isolate they came to; and nobody waits long for one that does not come.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { open, send, startGateway, startIssuer, startOrigin, until } from './harness.mjs';
import { cacheStatus } from './harness/cache.mjs';
import { he2 } from './harness/config.mjs';
import { disturb } from './harness/disturb.mjs';

const ISOLATES = 4;
const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({
  origin: origin.url,
  issuer: issuer.url,
  isolates: ISOLATES,
  disturbed: true,
});
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));

/** How long one waits at most for another isolate, with what this machine takes besides. */
const BOUND_MS = 5000 + 2000;
/** How workerd hears from who stands in front of it where a request came to. */
const from = (colo) => ({ 'mf-cf-blob': JSON.stringify({ colo }) });
const FRANKFURT = from('FRA');

let names = 0;
/** A path whose policy collapses by data centre, and that nobody has asked for. */
const newPath = () => `/api/pipedream/apps/app-${(names += 1)}/icon`;
const ask = (index, path, headers = FRANKFURT) =>
  send(gateway.isolates[index % ISOLATES], 'GET', path, { host: 'api.he2.ai', headers });
const many = (count, path) => Promise.all(Array.from({ length: count }, (_, index) => ask(index, path)));
const leases = (plan = {}) => disturb(gateway.isolates[0], { objects: { Places: plan } });

test(`200 concurrent misses over ${ISOLATES} isolates make one origin request, and all get the same bytes`, async () => {
  assert.equal(he2.cache[he2.route.find(({ name }) => name === 'pipedream-apps').cache].collapse, 'data-centre');
  const path = newPath();
  const body = Buffer.alloc(50_000, 'the one answer ');
  origin.on(path, async (_request, response) => {
    await delay(300);
    response.writeHead(200).end(body);
  });
  const answers = await many(200, path);
  assert.equal(origin.seen(path).length, 1);
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, body);
  }
  assert.equal(answers.filter((answer) => cacheStatus(answer).hit).length, 199);
});

test('each data centre asks for itself', async () => {
  const path = newPath();
  const held = [];
  origin.on(path, (_request, response) => held.push(response));
  const answers = ['FRA', 'SYD'].map((colo, index) => ask(index, path, from(colo)));
  await until(() => held.length === 2, 'both reach the origin');
  for (const response of held) response.end('theirs');
  await Promise.all(answers);
});

test('a leader without an answer holds the other isolates no longer than the bound', async (t) => {
  const path = newPath();
  const held = [];
  origin.on(path, (_request, response) => {
    if (origin.seen(path).length === 1) held.push(response);
    else response.end('theirs');
  });
  const leader = ask(0, path);
  await until(() => held.length === 1, 'the leader asks');
  const started = Date.now();
  const others = Array.from({ length: 30 }, (_, index) => ask(1 + (index % 3), path));
  for (const answer of await Promise.all(others)) assert.equal(answer.text, 'theirs');
  const took = Date.now() - started;
  t.diagnostic(`answered after ${took} ms, with ${origin.seen(path).length - 1} requests`);
  assert.ok(took < BOUND_MS, `${took} ms`);
  assert.ok(origin.seen(path).length <= ISOLATES, 'one of each isolate asks');
  held[0].end('at last');
  assert.equal((await leader).text, 'at last');
});

test('a leader whose client leaves does not take the answer from the other isolates', async () => {
  const path = newPath();
  let answer;
  origin.on(path, (_request, response) => {
    answer ??= () => response.writeHead(200, { 'Content-Length': 3 }).end('one');
  });
  const leaving = new AbortController();
  const options = { host: 'api.he2.ai', headers: FRANKFURT, signal: leaving.signal };
  open(gateway.isolates[0], 'GET', path, options).catch(() => {});
  await until(() => answer, 'the leader asks');
  const others = [1, 2, 3].map((index) => ask(index, path));
  leaving.abort();
  answer();
  for (const { text } of await Promise.all(others)) assert.equal(text, 'one');
  assert.equal(origin.seen(path).length, 1);
});

test('a leader whose origin fails, or whose answer is not stored, lets the others ask at once', async () => {
  for (const fail of [
    (response) => response.destroy(),
    (response) => response.writeHead(200, { 'Cache-Control': 'no-store' }).end('his own'),
  ]) {
    const path = newPath();
    const held = [];
    origin.on(path, (_request, response) => {
      if (origin.seen(path).length === 1) held.push(response);
      else response.end('theirs');
    });
    const leader = ask(0, path);
    await until(() => held.length === 1, 'the leader asks');
    const others = [1, 2, 3].map((index) => ask(index, path));
    const started = Date.now();
    fail(held[0]);
    for (const { text } of await Promise.all(others)) assert.equal(text, 'theirs');
    assert.ok(Date.now() - started < 2500, 'sooner than the bound');
    await leader;
  }
});

test('what is stale is refreshed by one isolate', async () => {
  const path = newPath();
  let refreshes = 0;
  origin.on(path, async (_request, response) => {
    const first = origin.seen(path).length === 1;
    if (!first) await delay((refreshes += 1) && 500);
    const life = first ? 'max-age=1' : 'max-age=600';
    response.writeHead(200, { 'Cache-Control': `${life}, stale-while-revalidate=600` });
    response.end(first ? 'old' : 'new');
  });
  await ask(0, path);
  await until(async () => cacheStatus((await many(ISOLATES, path)).at(-1)).ttl <= 0, 'it is stale');
  await until(async () => (await many(ISOLATES, path)).every(({ text }) => text === 'new'), 'it is new');
  assert.equal(refreshes, 1);
});

test('hits ask no object', async () => {
  const path = newPath();
  origin.on(path, (_request, response) => response.end('whole'));
  await until(async () => (await many(ISOLATES, path)).every((answer) => cacheStatus(answer).hit), 'hits');
  const before = (await leases()).Places.asked;
  for (const answer of await many(40, path)) assert.equal(cacheStatus(answer).hit, true);
  assert.equal((await leases()).Places.asked, before);
});

test('those who come while the limiter is asked for the leader wait for the one answer too', async () => {
  const path = '/api/feature-flags/limited';
  origin.on(path, (_request, response) => response.end('whole'));
  await disturb(gateway.isolates[0], { objects: { Limiter: { faults: ['hangs'] } } });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(0, path, {})));
  await leases();
  for (const { status, text } of answers) assert.deepEqual([status, text], [200, 'whole']);
  assert.equal(origin.seen(path).length, 1);
});

// Last, for an isolate leaves objects that keep failing alone for a while.
for (const fault of ['throws', 'garbles', 'hangs', 'dies after', 'dies before']) {
  test(`an object that ${fault} takes no answer away`, async () => {
    await leases({ faults: [fault] });
    const path = newPath();
    origin.on(path, (_request, response) => response.end('whole'));
    const started = Date.now();
    for (const { status, text } of await many(20, path)) assert.deepEqual([status, text], [200, 'whole']);
    assert.ok(Date.now() - started < BOUND_MS);
    await leases();
  });
}
