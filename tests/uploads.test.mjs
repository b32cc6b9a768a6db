//! Uploads stream with their length, and one that is too long is refused before it is read; answers without content
//! stay without.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { Readable } from 'node:stream';
import test from 'node:test';
import { assertProblem, assertUnseen, bearer, lastSeen, raw, rawGet } from './harness.mjs';
import { send, startAll, statusOf, until } from './harness.mjs';
import { he2 } from './harness/config.mjs';

const { origin, issuer, gateway } = await startAll();
const token = await issuer.mint();
const signedIn = { host: 'api.he2.ai', headers: bearer(token) };
const MIB = 1024 * 1024;
const MOST = he2.request.max_body_bytes;
const UPLOAD = '/api/transcription';

test('an upload arrives whole', async () => {
  const form = multipart(randomBytes(3 * MIB));
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
  const chunk = randomBytes(256 * 1024);
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
    body: randomBytes(MIB),
  });
  assertProblem(answer, 401);
  assert.equal(origin.requests.length, before);
});

/** Writes the head of an upload that says it is so long, and nothing of its content. */
function begin(length) {
  const socket = net.connect(gateway.rawPort, '127.0.0.1');
  const head = ['Host: api.he2.ai', `Authorization: Bearer ${token}`, `Content-Length: ${length}`];
  socket.write(`POST ${UPLOAD} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  return socket;
}

test('RFC 9110 15.5.14: content that is too long is refused before it is read, and the limit is named', async () => {
  const answer = await assertUnseen(origin, async () => {
    const socket = begin(MOST + 1);
    let said = '';
    socket.on('data', (bytes) => (said += bytes));
    await until(() => said.endsWith('}'), 'it is answered whole');
    socket.destroy();
    return said;
  });
  assert.equal(statusOf(answer), 413);
  assert.match(answer, new RegExp(`"detail":"the content is longer than ${MOST} bytes"`));
});

test('content that is just short enough goes on to the origin', async () => {
  const before = origin.requests.length;
  const socket = begin(MOST);
  const seen = await until(() => origin.requests[before], 'the origin sees its head');
  assert.equal(seen.headers['content-length'], String(MOST));
  socket.destroy();
  await until(() => seen.abandoned, 'and that it was given up');
});

test('content without a length is counted, and refused once it is too long', async () => {
  const chunk = randomBytes(MIB);
  const chunks = Array.from({ length: Math.ceil(MOST / MIB) + 1 }, () => chunk);
  const answer = await send(gateway, 'POST', UPLOAD, { ...signedIn, body: Readable.from(chunks) });
  const problem = assertProblem(answer, 413);
  assert.equal(problem.detail, `the content is longer than ${MOST} bytes`);
  const seen = lastSeen(origin, UPLOAD);
  await until(() => seen.abandoned, 'the origin sees that it broke off');
  assert.equal(seen.bodySha256, undefined, 'and does not take it for whole');
});

test('RFC 9110 10.1.1: an upload that expects 100 arrives, and the origin hears nothing of that', async () => {
  const body = randomBytes(MIB);
  const headers = { ...signedIn.headers, 'content-length': body.length, expect: '100-continue' };
  const answer = await send(gateway, 'POST', UPLOAD, { ...signedIn, headers, body });
  assert.equal(answer.json.bodySha256, sha256(body));
  assert.equal(lastSeen(origin, UPLOAD).headers.expect, undefined);
});

test('RFC 9110 9.3.2 and 15.3.5: HEAD, 204 and 304 have no content, and what they say of it stays', async () => {
  const head = await send(gateway, 'HEAD', '/api/threads/head', signedIn);
  const get = await send(gateway, 'GET', '/api/threads/head', signedIn);
  assert.deepEqual([head.status, head.body.length], [200, 0]);
  assert.equal(head.headers['content-type'], get.headers['content-type']);
  for (const [status, fields] of [
    [204, {}],
    [304, { ETag: '"a"' }],
  ]) {
    const path = `/api/threads/bare-${status}`;
    origin.on(path, (_request, response) => response.writeHead(status, fields).end());
    const answer = await raw(
      gateway.rawPort,
      rawGet(path, 'api.he2.ai', `Authorization: Bearer ${token}\r\n`),
    );
    assert.equal(statusOf(answer), status);
    assert.ok(answer.endsWith('\r\n\r\n'), 'nothing behind the head');
    assert.doesNotMatch(answer, /transfer-encoding|content-length: [1-9]/i);
    if (fields.ETag) assert.match(answer, /etag: "a"/i);
  }
});

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

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
