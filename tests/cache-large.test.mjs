//! Large objects stream through the cache in both directions, and workerd's memory does not grow with them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { open, send, startAll, until } from './harness.mjs';
import { cacheStatus } from './harness/cache.mjs';

const { origin, gateway } = await startAll();
const MIB = 1024 * 1024;
/** What workerd may grow by, whatever the object's size. */
const GROWTH_MIB = 128;
const CHUNK = Buffer.alloc(MIB);
for (let at = 0; at < MIB; at += 1) CHUNK[at] = (at * 31 + (at >> 8)) & 255;

/** Resident memory of this test's workerd, in MiB. */
function resident() {
  const mine = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => statusOf(pid))
    .filter((status) => /^Name:\s+workerd/m.test(status) && status.includes(`\nPPid:\t${process.pid}\n`));
  assert.equal(mine.length, 1, 'one workerd');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(mine[0])[1]) / 1024;
}

function statusOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // has just ended
  }
}

/** Runs `act` and tells by how many MiB workerd was larger meanwhile than before. */
async function growth(act) {
  const before = resident();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, resident());
  }, 50);
  try {
    await act();
  } finally {
    clearInterval(watch);
  }
  return Math.round(peak - before);
}

/** Answers `path` with so many MiB, as fast as they are taken; with their hash, and what is sent so far. */
function serve(path, mib, headers = { 'Cache-Control': 'max-age=3600', 'Content-Length': mib * MIB }) {
  const hash = createHash('sha256');
  for (let sent = 0; sent < mib; sent += 1) hash.update(CHUNK);
  const served = { sha256: hash.digest('hex'), mib: 0 };
  origin.on(path, async (_request, response) => {
    response.writeHead(200, headers);
    for (let sent = 0; sent < mib && !response.closed; sent += 1) {
      served.mib = sent + 1;
      if (!response.write(CHUNK)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  });
  return served;
}

/** Reads a whole answer without keeping it. */
async function read(path, pace = () => {}) {
  const response = await open(gateway, 'GET', path);
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of response) {
    hash.update(chunk);
    length += chunk.length;
    await pace(length);
  }
  const { statusCode: status, headers } = response;
  return { status, headers, length, sha256: hash.digest('hex') };
}

test('an object of 512 MiB streams through, is stored and streams out, with flat memory', async (t) => {
  const path = '/_next/static/large/whole.bin';
  const served = serve(path, 512);
  let first;
  const grownIn = await growth(async () => {
    first = await read(path);
  });
  assert.equal(first.sha256, served.sha256);
  assert.equal(cacheStatus(first).stored, true);
  t.diagnostic(`on its way in, workerd grew by ${grownIn} MiB`);
  assert.ok(grownIn < GROWTH_MIB, `grew by ${grownIn} MiB`);
  await until(async () => {
    const head = await send(gateway, 'HEAD', path);
    return cacheStatus(head).hit;
  }, 'it is stored');
  let hit;
  const grownOut = await growth(async () => {
    hit = await read(path);
  });
  assert.equal(cacheStatus(hit).hit, true);
  assert.equal(hit.sha256, served.sha256);
  assert.equal(origin.seen(path).filter(({ method }) => method === 'GET').length, 1);
  t.diagnostic(`on its way out, workerd grew by ${grownOut} MiB`);
  assert.ok(grownOut < GROWTH_MIB, `grew by ${grownOut} MiB`);
});

test('a slow client slows the origin down, and memory stays flat', async (t) => {
  const path = '/_next/static/large/slow.bin';
  const served = serve(path, 256);
  let ahead = 0;
  const grown = await growth(async () => {
    const answer = await read(path, async (length) => {
      ahead = Math.max(ahead, served.mib - length / MIB);
      if (length < 24 * MIB) await delay(20);
    });
    assert.equal(answer.sha256, served.sha256);
  });
  t.diagnostic(`the origin was ${Math.round(ahead)} MiB ahead; workerd grew by ${grown} MiB`);
  assert.ok(ahead < GROWTH_MIB, `the origin was ${ahead} MiB ahead of the client`);
  assert.ok(grown < GROWTH_MIB, `grew by ${grown} MiB`);
});

test('what is longer than the storage takes is passed on whole, and Cache-Status says that it is not stored', async (t) => {
  const path = '/_next/static/large/longer.bin';
  const served = serve(path, 513);
  let answer;
  const grown = await growth(async () => {
    answer = await read(path);
  });
  assert.equal(answer.sha256, served.sha256);
  assert.notEqual(cacheStatus(answer).stored, true);
  assert.ok(cacheStatus(answer).detail, answer.headers['cache-status']);
  t.diagnostic(`workerd grew by ${grown} MiB`);
  assert.ok(grown < GROWTH_MIB, `grew by ${grown} MiB`);
});

test('a client that leaves a large object does not leave half of it in the store', async () => {
  const path = '/_next/static/large/left.bin';
  const served = serve(path, 64);
  const leaving = await open(gateway, 'GET', path);
  await once(leaving, 'data');
  leaving.destroy();
  const again = await read(path);
  assert.equal(again.length, 64 * MIB);
  assert.equal(again.sha256, served.sha256);
});

test('a range of a stored large object comes from the store', async () => {
  const path = '/_next/static/large/ranged.bin';
  serve(path, 32);
  await read(path);
  await until(async () => cacheStatus(await send(gateway, 'HEAD', path)).hit, 'it is stored');
  const part = await send(gateway, 'GET', path, {
    headers: { range: `bytes=${20 * MIB + 5}-${20 * MIB + 104}` },
  });
  assert.equal(part.status, 206);
  assert.deepEqual(part.body, CHUNK.subarray(5, 105));
  assert.equal(part.headers['content-range'], `bytes ${20 * MIB + 5}-${20 * MIB + 104}/${32 * MIB}`);
  assert.equal(cacheStatus(part).hit, true);
});
