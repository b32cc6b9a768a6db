//! Requests for the same thing that come while it is being fetched wait for the one answer, and are never held by one
//! that does not come or is not for them.
import assert from 'node:assert/strict';
import test, { suite } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { open, send, startAll, until } from './harness.mjs';
import { cacheStatus } from './harness/cache.mjs';

const { origin, gateway } = await startAll();
/** How long a request waits for another's at most, with what this machine takes besides. */
const BOUND_MS = 10_000 + 3000;

const site = (path, options) => send(gateway, 'GET', path, options);
const many = (count, ask) => Promise.all(Array.from({ length: count }, (_, index) => ask(index)));
let paths = 0;
const newPath = () => `/_next/static/chunks/collapse-${(paths += 1)}.js`;
const STORABLE = { 'Cache-Control': 'max-age=600' };

suite('collapsing', { concurrency: true }, () => {
  test('200 concurrent misses make one origin request, and all get the same bytes', async () => {
    const path = newPath();
    const body = Buffer.alloc(100_000, 'the one answer ');
    origin.on(path, async (_request, response) => {
      await delay(300);
      response.writeHead(200, STORABLE).end(body);
    });
    const answers = await many(200, () => site(path));
    assert.equal(origin.seen(path).length, 1);
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, body);
    }
    assert.equal(answers.filter((answer) => cacheStatus(answer).hit).length, 199);
  });

  test('an answer that may not be stored frees those who wait as soon as its head is there', async () => {
    const path = newPath();
    let count = 0;
    const held = [];
    origin.on(path, (_request, response) => {
      count += 1;
      response.writeHead(200, { 'Cache-Control': 'no-store' });
      response.write(`answer ${count}`);
      held.push(response); // no body ends before every request has arrived
    });
    const asked = many(20, () => site(path));
    await until(() => held.length === 20, 'every request reaches the origin by itself');
    for (const response of held) response.end();
    const answers = await asked;
    assert.equal(new Set(answers.map(({ text }) => text)).size, 20);
  });

  test('what was not storable a moment ago is not waited for again', async () => {
    const path = newPath();
    const held = [];
    origin.on(path, (_request, response) => {
      const first = origin.seen(path).length === 1;
      response.writeHead(200, { 'Cache-Control': 'no-store' });
      if (first) response.end();
      else held.push(response.flushHeaders() ?? response);
    });
    await site(path);
    const asked = many(5, () => site(path));
    await until(() => held.length === 5, 'all five ask the origin at once');
    for (const response of held) response.end();
    await asked;
  });

  test('a leader without an answer holds the others no longer than the bound', async () => {
    const path = newPath();
    const held = [];
    origin.on(path, (_request, response) => {
      if (origin.seen(path).length === 1) held.push(response);
      else response.writeHead(200, STORABLE).end('theirs');
    });
    const leader = site(path);
    await until(() => held.length === 1, 'the leader asks');
    const started = Date.now();
    const answers = await many(10, () => site(path));
    assert.ok(Date.now() - started < BOUND_MS, `${Date.now() - started} ms`);
    for (const answer of answers) assert.equal(answer.text, 'theirs');
    held[0].writeHead(200, STORABLE).end('at last');
    assert.equal((await leader).text, 'at last');
  });

  test('a leader whose origin fails leaves the others to ask for themselves', async () => {
    const path = newPath();
    origin.on(path, async (_request, response) => {
      if (origin.seen(path).length > 1) return response.writeHead(200, STORABLE).end('whole');
      await delay(200);
      return response.destroy();
    });
    const answers = await many(20, () => site(path));
    const failed = answers.filter(({ status }) => status !== 200);
    assert.ok(failed.length <= 1, `${failed.length} failed with the leader`);
    assert.ok(failed.every(({ status }) => status === 502));
  });

  test('a leader whose client leaves does not take the answer from the others', async () => {
    const path = newPath();
    let begun;
    const started = new Promise((resolve) => {
      begun = resolve;
    });
    origin.on(path, async (_request, response) => {
      begun();
      await delay(500);
      response.writeHead(200, STORABLE).end('for the others');
    });
    const leaving = new AbortController();
    const leader = open(gateway, 'GET', path, { signal: leaving.signal }).catch(() => {});
    await started;
    const others = many(10, () => site(path));
    leaving.abort();
    await leader;
    for (const answer of await others) {
      assert.equal(answer.status, 200);
      assert.equal(answer.text, 'for the others');
    }
  });

  test('requests that select different variants do not get one another’s', async () => {
    const path = newPath();
    origin.on(path, async (request, response) => {
      await delay(100);
      response
        .writeHead(200, { ...STORABLE, Vary: 'X-Variant' })
        .end(`variant ${request.headers['x-variant']}`);
    });
    const answers = await many(40, (index) => site(path, { headers: { 'x-variant': String(index % 4) } }));
    for (const [index, { text }] of answers.entries()) assert.equal(text, `variant ${index % 4}`);
  });
});
