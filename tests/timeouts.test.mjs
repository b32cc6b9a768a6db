//! Content that falls silent, or takes too long, is broken off at both ends; what is in time passes as it is.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { open, send, startGateway, startIssuer, startOrigin, until } from './harness.mjs';

const PATH = '/in-a-hurry'; // of extra.toml
const [IDLE_MS, TOTAL_MS] = [1_000, 6_000];
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

test('what is in time passes byte for byte, as the origin encoded it, with its length', async () => {
  for (const [coding, content] of [[undefined, randomBytes(3 << 20)], ['gzip', gzipSync('x'.repeat(99))]]) {
    const fields = { 'content-length': content.length, ...(coding && { 'content-encoding': coding }) };
    origin.on(PATH, (_request, response) => response.writeHead(200, fields).end(content));
    const answer = await send(worker, 'GET', PATH, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-length'], String(content.length));
    assert.equal(answer.headers['content-encoding'], coding);
    assert.ok(answer.body.equals(content));
    const head = await send(worker, 'HEAD', PATH, { headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual([head.status, head.headers['content-encoding']], [200, coding]);
  }
});

test('a length that no number in JavaScript can hold harms nobody', async () => {
  const both = await opened({ 'content-length': '9007199254740993' });
  both.writer.write('the beginning');
  await once(both.response, 'data');
  both.response.on('error', () => {}).socket.resetAndDestroy();
  await until(() => both.writer.closed, 'the origin sees that its client has left');
});

test('short silences, and a client that takes its time, are no reason to break off', async () => {
  const { response, writer } = await opened();
  for (const part of ['one', 'two', 'three']) {
    writer.write(part);
    await delay(IDLE_MS / 2);
  }
  writer.end();
  assert.equal(String(await buffer(response)), 'onetwothree');
  const slow = await opened({ 'content-length': 2 << 20 });
  slow.writer.end(Buffer.alloc(2 << 20));
  await delay(IDLE_MS * 1.5);
  assert.equal((await buffer(slow.response)).length, 2 << 20);
});

for (const head of [{}, { 'content-length': 1_000 }])
  test(`a silence that is too long ends it (${JSON.stringify(head)})`, async () => {
    const both = await opened(head);
    both.writer.write('the beginning');
    const took = await brokenOff(both, Date.now());
    assert.ok(took > IDLE_MS - 100 && took < IDLE_MS + 1_000, `${took} ms`);
    const said = `content of the answer to ${both.response.headers['x-request-id']}: it was silent`;
    await until(() => gateway.logs.some(({ message }) => message.startsWith(said)), 'the log says why');
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
  await send(worker, 'GET', '/.edge/health'); // what is logged of the first is there by now
  const faults = gateway.logs.slice(before).filter(({ message }) => message.startsWith('content of'));
  assert.deepEqual(faults, []);
});
