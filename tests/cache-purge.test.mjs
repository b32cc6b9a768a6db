//! What operators purge is gone on every isolate within seconds, also under load, and comes back only new; nothing
//! else is gone.
import assert from 'node:assert/strict';
import test, { suite } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { assertProblem, send, startGateway, startIssuer, startOrigin, until } from './harness.mjs';
import { cacheStatus, untilHit } from './harness/cache.mjs';

const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, isolates: 3 });
test.after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));

/** How long a purge may take to hold on every isolate. */
const WITHIN_MS = 5000;
const OPERATOR = { 'x-admin-api-key': gateway.vars.ADMIN_API_KEY };
const [here] = gateway.isolates;

const purge = (body, headers = OPERATOR) =>
  send(here, 'POST', '/.edge/purge', {
    host: 'api.he2.ai',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const purged = async (body) => {
  const answer = await purge(body);
  assert.equal(answer.status, 202, answer.text);
  return answer.json;
};
const ask = (isolate, path) => send(isolate, 'GET', path);
const everywhere = (path) => Promise.all(gateway.isolates.map((isolate) => ask(isolate, path)));

let paths = 0;
/** A path of its own that answers with a counter, and is stored on every isolate. */
async function storedPath(folder = 'purge', headers = {}) {
  const path = `/_next/static/${folder}/p${(paths += 1)}.js`;
  let count = 0;
  origin.on(path, (_request, response) => {
    count += 1;
    response.writeHead(200, { 'Cache-Control': 'max-age=3600', ...headers }).end(`answer ${count}`);
  });
  for (const isolate of gateway.isolates) await untilHit(() => ask(isolate, path));
  return path;
}

/** Waits until every isolate has another answer than the first. */
const goneEverywhere = (path) =>
  until(
    async () => (await everywhere(path)).every(({ text }) => text !== 'answer 1'),
    `${path} is gone`,
    WITHIN_MS,
  );

async function assertKept(path) {
  for (const answer of await everywhere(path)) {
    assert.equal(answer.text, 'answer 1');
    assert.equal(cacheStatus(answer).hit, true);
  }
}

// Each waits for the isolates to learn of it, so they wait together; everything at once comes after them.
suite('purges', { concurrency: true }, () => {
  test('by URL, with its query, and nothing beside it', async () => {
    const [path, other] = [await storedPath(), await storedPath()];
    const withQuery = `${path}?v=2`;
    await untilHit(() => ask(here, withQuery));
    await purged({ url: `https://he2.ai${path}` });
    await goneEverywhere(path);
    await assertKept(other);
    assert.equal(cacheStatus(await ask(here, withQuery)).hit, true);
  });

  test('by prefix', async () => {
    const [one, two] = [await storedPath('prefixed'), await storedPath('prefixed')];
    const other = await storedPath('prefix');
    await purged({ prefix: 'https://he2.ai/_next/static/prefixed/' });
    await goneEverywhere(one);
    await goneEverywhere(two);
    await assertKept(other);
  });

  test('by tag, from Cache-Tag and from cache groups (RFC 9875)', async () => {
    const tagged = await storedPath('tags', { 'Cache-Tag': 'build-7, marketing' });
    const grouped = await storedPath('tags', { 'Cache-Groups': '"build-7"' });
    const other = await storedPath('tags', { 'Cache-Tag': 'build-77' });
    await purged({ tag: 'build-7' });
    await goneEverywhere(tagged);
    await goneEverywhere(grouped);
    await assertKept(other);
  });

  test('softly: what is stored is stale, and validated', async () => {
    const path = `/_next/static/purge/soft.js`;
    let validated = 0;
    origin.on(path, (request, response) => {
      const same = request.headers['if-none-match'] === '"e1"';
      if (same) validated += 1;
      response.writeHead(same ? 304 : 200, { ETag: '"e1"', 'Cache-Control': 'max-age=3600' });
      response.end(same ? undefined : 'kept');
    });
    for (const isolate of gateway.isolates) await untilHit(() => ask(isolate, path));
    await purged({ url: `https://he2.ai${path}`, soft: true });
    await until(
      async () => {
        assert.equal((await ask(here, path)).text, 'kept');
        return validated > 0;
      },
      'a validation',
      WITHIN_MS,
    );
    assert.equal(cacheStatus(await untilHit(() => ask(here, path))).hit, true);
  });

  test('softly, the stale answer serves while the origin is down', async () => {
    const path = '/_next/static/purge/soft-down.js';
    let down = false;
    origin.on(path, (_request, response) => {
      if (down) response.destroy();
      else response.writeHead(200, { 'Cache-Control': 'max-age=3600, stale-if-error=3600' }).end('kept');
    });
    for (const isolate of gateway.isolates) await untilHit(() => ask(isolate, path));
    down = true;
    await purged({ url: `https://he2.ai${path}`, soft: true });
    const answer = await until(
      async () => {
        const one = await ask(here, path);
        return cacheStatus(one).fwd && one;
      },
      'the origin is asked',
      WITHIN_MS,
    );
    assert.equal(answer.status, 200);
    assert.equal(answer.text, 'kept');
  });

  test('under load an old answer never comes back', async (t) => {
    const path = '/_next/static/purge/load.js';
    let version = 1;
    // The old answer is still under way when the purge comes.
    origin.on(path, async (_request, response) => {
      const mine = version;
      await delay(Math.random() * 300);
      response.writeHead(200, { 'Cache-Control': 'max-age=3600' });
      response.write(`version ${mine}`);
      await delay(Math.random() * 300);
      response.end();
    });
    for (let round = 1; round <= 3; round += 1) {
      let purgedAt = Infinity;
      let ended = false;
      const late = [];
      let answers = 0;
      const load = Array.from({ length: 24 }, async (_, index) => {
        while (!ended) {
          const sent = Date.now();
          const { text, status } = await ask(gateway.isolates[index % 3], path);
          assert.equal(status, 200);
          answers += 1;
          if (sent > purgedAt + WITHIN_MS && text !== `version ${version}`) late.push(text);
        }
      });
      await delay(700);
      version += 1;
      await purged({ url: `https://he2.ai${path}` });
      purgedAt = Date.now();
      await delay(WITHIN_MS + 1500);
      ended = true;
      await Promise.all(load);
      t.diagnostic(`round ${round}: ${answers} answers`);
      assert.deepEqual(late, []);
    }
  });
});

test('everything', async () => {
  const stored = [await storedPath('all'), await storedPath('every')];
  await purged({ everything: true });
  for (const path of stored) await goneEverywhere(path);
});

for (const [what, body] of [
  ['nothing', {}],
  ['two things', { url: 'https://he2.ai/', tag: 'x' }],
  ['no address', { url: 'he2' }],
  ['an unknown member', { everything: true, hard: true }],
  ['everything: false', { everything: false }],
]) {
  test(`a purge of ${what} is refused`, async () => {
    assertProblem(await purge(body), 400);
  });
}

test('only operators may purge', async () => {
  assertProblem(await purge({ everything: true }, {}), 401);
  assertProblem(await purge({ everything: true }, { 'x-admin-api-key': 'guess' }), 403);
});
