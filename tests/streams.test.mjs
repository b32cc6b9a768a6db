//! Streams pass byte for byte, as they come, in both directions, many at once.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import { hold } from './harness/held.mjs';
import { assertProblem, bearer, lastSeen, open, runFrames, send, startAll, until } from './harness.mjs';

const all = await startAll();
const { origin, issuer, gateway } = all;
const token = await issuer.mint();
const MIB = 1024 * 1024;
const signedIn = { host: 'api.he2.ai', headers: bearer(token) };
const newRun = () => `/api/agent-run/${randomUUID()}/stream`;

for (const style of ['plain', 'odd']) {
  test(`an event stream in ${style} form arrives byte for byte`, async () => {
    const answer = await send(gateway, 'GET', `${newRun()}?frames=50&gap=1&style=${style}`, signedIn);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/event-stream/);
    assert.match(answer.headers['cache-control'], /no-transform/);
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.deepEqual(answer.body, Buffer.concat(runFrames(50, style)));
  });
}

test('a frame arrives before the origin has written the next', async () => {
  const { response, writer } = await hold(all); // its head comes before any frame
  for (let index = 0; index < 3; index += 1) {
    writer.write(`data: ${index}\n\n`);
    const [bytes] = await once(response, 'data');
    assert.equal(bytes.toString(), `data: ${index}\n\n`);
  }
  writer.end();
  await once(response, 'end');
});

test("a client that leaves ends the origin's stream", async () => {
  const path = newRun();
  const stream = await open(gateway, 'GET', `${path}?frames=endless&gap=5`, signedIn);
  await once(stream, 'data');
  assert.equal(lastSeen(origin, path).abandoned, false);
  stream.destroy();
  await until(() => lastSeen(origin, path).abandoned, 'the origin sees that the client left');
});

test('an upload arrives whole', async () => {
  const form = multipart(randomBytesOf(3 * MIB));
  const answer = await send(gateway, 'POST', '/api/sandboxes/sb1/files', {
    ...signedIn,
    headers: { ...signedIn.headers, 'content-type': form.type, 'content-length': form.body.length },
    body: form.body,
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.bodyBytes, form.body.length);
  assert.equal(answer.json.bodySha256, sha256(form.body));
  assert.equal(answer.json.headers['content-type'], form.type);
  assert.equal(answer.json.headers['content-length'], String(form.body.length));
});

test('an upload without a length streams too', async () => {
  const chunk = randomBytesOf(256 * 1024);
  const answer = await send(gateway, 'POST', '/api/transcription', {
    ...signedIn,
    body: Readable.from([chunk, chunk, chunk]),
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.bodySha256, sha256(Buffer.concat([chunk, chunk, chunk])));
});

test('a refused upload is not read into the origin', async () => {
  const before = origin.requests.length;
  const answer = await send(gateway, 'POST', '/api/transcription', {
    host: 'api.he2.ai',
    body: randomBytesOf(MIB),
  });
  assertProblem(answer, 401);
  assert.equal(origin.requests.length, before);
});

test('50 event streams and an upload of 64 MiB at once pass unharmed', async () => {
  const frames = runFrames(57, 'odd');
  assert.equal(frames.length, 64, 'each MiB of the upload comes with a frame on every stream');
  const streams = await Promise.all(Array.from({ length: 50 }, () => hold(all)));
  const bodies = streams.map(({ response }) => buffer(response));
  const chunk = randomBytesOf(MIB);
  const hash = createHash('sha256');
  const upload = await send(gateway, 'POST', '/api/transcription', {
    ...signedIn,
    headers: { ...signedIn.headers, 'content-length': 64 * MIB },
    body: Readable.from(
      (function* body() {
        for (const frame of frames) {
          for (const { writer } of streams) writer.write(frame);
          hash.update(chunk);
          yield chunk;
        }
      })(),
    ),
  });
  assert.equal(upload.status, 200, upload.text);
  assert.equal(upload.json.bodyBytes, 64 * MIB);
  assert.equal(upload.json.bodySha256, hash.digest('hex'));
  for (const { writer } of streams) writer.end();
  for (const body of await Promise.all(bodies)) assert.deepEqual(body, Buffer.concat(frames));
});

test('a long poll waits for its answer, and may stream instead', async () => {
  const path = '/api/v1/public/threads/t1/response';
  const answer = await send(gateway, 'GET', `${path}?project_id=p&timeout=1`, signedIn);
  assert.equal(answer.json.status, 'completed');
  const stream = await send(gateway, 'GET', `${path}?project_id=p&realtime=true&gap=1`, signedIn);
  assert.deepEqual(stream.body, Buffer.concat(runFrames(3)));
});

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Bytes with no pattern, the same in every run. */
function randomBytesOf(length) {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

function multipart(file) {
  const boundary = '----he2test7d1f';
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="path"\r\n\r\n/workspace/a.bin\r\n` +
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}
