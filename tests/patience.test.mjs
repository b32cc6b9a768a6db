//! Content that falls silent, or takes too long, is broken off at both ends; what is in time passes as it is.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { open, send, startGateway, startIssuer, startOrigin, until } from './harness.mjs';

const PATH = '/in-a-hurry'; // of extra.toml
const [IDLE_MS, TOTAL_MS] = [1_000, 3_000];
const [origin, issuer] = [await startOrigin(), await startIssuer()];
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, build: 'build-extra' });
const [worker] = gateway.isolates; // Miniflare's own entry would stand between
after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));

/** Opens an answer that says `head`; the origin's side of it, and the client's. */
async function opened(head = {}) {
  const writer = Promise.withResolvers();
  origin.on(PATH, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', ...head }).flushHeaders();
    writer.resolve(response);
  });
  const response = await open(worker, 'GET', PATH);
  return { response, writer: await writer.promise };
}

/**
 * After how long an answer broke off (ms). Its client can tell where it had a length; content in chunks workerd itself
 * ends in good order, whoever breaks it off. The origin sees it.
 */
async function brokenOff({ response, writer }, begun) {
  const isWhole = await buffer(response).then(() => true, () => false);
  const took = Date.now() - begun;
  assert.equal(isWhole, response.headers['content-length'] === undefined);
  await until(() => writer.closed, 'the origin sees that nobody waits');
  return took;
}

test('what is in time passes byte for byte, with its length', async () => {
  const content = randomBytes(3 << 20);
  origin.on(PATH, (_request, response) => response.writeHead(200, { 'content-length': content.length }).end(content));
  const answer = await send(worker, 'GET', PATH, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-length'], String(content.length));
  assert.ok(answer.body.equals(content));
  assert.equal(origin.seen(PATH).at(-1).headers['accept-encoding'], 'identity');
});

test('short silences, and a client that takes its time, are no reason to break off', async () => {
  const { response, writer } = await opened();
  for (const part of ['one', 'two', 'three']) {
    writer.write(part);
    await delay(IDLE_MS / 2);
  }
  writer.end();
  assert.equal(String(await buffer(response)), 'onetwothree');
  const slow = await opened({ 'content-length': 8 << 20 });
  slow.writer.end(Buffer.alloc(8 << 20));
  await delay(IDLE_MS * 1.5);
  assert.equal((await buffer(slow.response)).length, 8 << 20);
});

for (const head of [{}, { 'content-length': 1_000 }])
  test(`a silence that is too long ends it (${JSON.stringify(head)})`, async () => {
    const both = await opened(head);
    both.writer.write('the beginning');
    const took = await brokenOff(both, Date.now());
    assert.ok(took > IDLE_MS - 100 && took < IDLE_MS + 1_000, `${took} ms`);
  });

test('content without an end is ended, however lively it is', async () => {
  const begun = Date.now();
  const both = await opened();
  const lively = setInterval(() => both.writer.write('more'), 50);
  const took = await brokenOff(both, begun).finally(() => clearInterval(lively));
  assert.ok(took > TOTAL_MS - 200 && took < TOTAL_MS + 1_000, `${took} ms`);
});

test('a client that leaves is no fault, and is seen by the origin at once', async () => {
  const both = await opened();
  both.writer.write('the beginning');
  await once(both.response, 'data');
  const before = gateway.logs.length;
  both.response.on('error', () => {}).socket.resetAndDestroy();
  await until(() => both.writer.closed, 'the origin sees it', 900);
  const faults = gateway.logs.slice(before).filter(({ message }) => message.startsWith('content on its way'));
  assert.deepEqual(faults, []);
});
