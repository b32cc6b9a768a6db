//! Streams pass byte for byte, as they come, in both directions, many at once.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import { route } from './harness/config.mjs';
import { hold } from './harness/held.mjs';
import { bearer, lastSeen, open, runFrames, send, startAll, until } from './harness.mjs';

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

test('50 event streams and an upload of 64 MiB at once pass unharmed', async () => {
  const frames = runFrames(57, 'odd');
  assert.equal(frames.length, 64, 'each MiB of the upload comes with a frame on every stream');
  const streams = await Promise.all(Array.from({ length: 50 }, () => hold(all)));
  const bodies = streams.map(({ response }) => buffer(response));
  const chunk = randomBytes(MIB);
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

test('a long poll waits for its answer, no longer than the way lasts, and may stream instead', async () => {
  const path = '/api/v1/public/threads/t1/response';
  const answer = await send(gateway, 'GET', `${path}?project_id=p&timeout=1`, signedIn);
  assert.equal(answer.json.status, 'completed');
  assert.equal(lastSeen(origin, path).url, `${path}?project_id=p&timeout=1`);
  const { wait } = route('public-api-response');
  for (const query of ['?timeout=600', '?project_id=p', '']) {
    const request = open(gateway, 'GET', path + query, { ...signedIn, signal: AbortSignal.timeout(500) });
    const said = query.startsWith('?p') ? '?project_id=p&' : '?';
    const bounded = `${path}${said}timeout=${wait.most_seconds}`;
    await until(() => origin.seen(bounded).length > 0, `${query} is bounded`);
    await assert.rejects(request);
  }
  const stream = await send(gateway, 'GET', `${path}?timeout=600&realtime=true&gap=1`, signedIn);
  assert.deepEqual(stream.body, Buffer.concat(runFrames(3)));
  assert.equal(lastSeen(origin, path).url, `${path}?timeout=600&realtime=true&gap=1`);
});

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
