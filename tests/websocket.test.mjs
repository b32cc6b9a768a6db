//! WebSockets pass untouched in both directions, down to how they end (RFC 6455).
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import test, { afterEach } from 'node:test';
import WebSocket from 'ws';
import { assertProblem, bearer, lastSeen, startAll, until } from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const token = await issuer.mint();
const PATH = '/api/agent-run/ws';
const MIB = 1024 * 1024;
const opened = [];

afterEach(() => {
  for (const socket of opened.splice(0)) socket.terminate();
});

/** A client's socket; `url` and `protocols` as the `ws` package takes them. */
function connect({ query = '', protocols = [], headers = bearer(token), ...options } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.rawPort}${PATH}${query}`, protocols, {
    headers: { ...headers, host: 'api.he2.ai' },
    ...options,
  });
  return socket.once('open', () => opened.push(socket));
}

/** The same once it is open, and the origin's record of it. */
async function open(options) {
  const socket = connect(options);
  await once(socket, 'open');
  return { socket, seen: await until(() => origin.seen(PATH).at(-1), 'the origin sees it') };
}

/** The next message: its bytes, and whether they are text. */
async function next(socket) {
  const [data, binary] = await once(socket, 'message');
  return [data, binary];
}

test('text and bytes pass in both directions, empty ones too', async () => {
  const { socket } = await open();
  for (const message of [
    'hello',
    'gr\u00fc\u00df dich \u{1f600}',
    '',
    Buffer.from([0, 255, 128, 10]),
    Buffer.alloc(0),
  ]) {
    socket.send(message);
    const [data, binary] = await next(socket);
    assert.equal(binary, typeof message !== 'string');
    assert.deepEqual(data, Buffer.from(message));
  }
});

test('messages of 10 MiB arrive whole, of both kinds', async () => {
  const { socket } = await open();
  const hash = (data) => createHash('sha256').update(data).digest('hex');
  for (const message of [randomBytes(10 * MIB), randomBytes(5 * MIB).toString('hex')]) {
    socket.send(message);
    const [data, binary] = await next(socket);
    assert.equal(binary, typeof message !== 'string');
    assert.equal(hash(data), hash(message));
  }
});

test('RFC 6455 5.4: a message in fragments is one message', async () => {
  const { socket } = await open();
  for (const binary of [false, true]) {
    for (const [index, part] of ['one ', 'two ', 'three'].entries())
      socket.send(part, { binary, fin: index === 2 });
    const [data, isBinary] = await next(socket);
    assert.equal(isBinary, binary);
    assert.equal(data.toString(), 'one two three');
  }
});

test('many messages keep their order', async () => {
  const { socket } = await open();
  const got = [];
  socket.on('message', (data) => got.push(Number(data)));
  const sent = Array.from({ length: 2_000 }, (_, index) => index);
  for (const index of sent) socket.send(String(index));
  await until(() => got.length === sent.length, 'all come back');
  assert.deepEqual(got, sent);
});

test('RFC 6455 5.5.2: a ping is answered, with its own content', async () => {
  const { socket } = await open();
  socket.ping('are you there');
  const [data] = await once(socket, 'pong');
  assert.equal(data.toString(), 'are you there');
});

for (const [code, reason] of [
  [1000, 'done'],
  [1001, ''],
  [1011, 'broken'],
  [3000, 'x'.repeat(123)],
  [4001, 'gen\u00fcgt'],
  [4999, ''],
]) {
  test(`RFC 6455 7.4: closing with ${code} is heard on the other side, from either`, async () => {
    const byOrigin = await open();
    byOrigin.socket.send(`close ${code} ${reason}`);
    const [heard, why] = await once(byOrigin.socket, 'close');
    assert.deepEqual([heard, why.toString()], [code, reason]);
    const byClient = await open();
    byClient.socket.close(code, reason);
    await until(() => byClient.seen.close, 'the origin hears it');
    assert.deepEqual(byClient.seen.close, [code, reason]);
  });
}

test('RFC 6455 7.4.1: a close without a code is one', async () => {
  const { socket, seen } = await open();
  socket.close();
  await until(() => seen.close, 'the origin hears it');
  assert.deepEqual(seen.close, [1005, '']);
});

test('a side that just goes is missed by the other', async () => {
  const left = await open();
  left.socket.terminate();
  await until(() => left.seen.close, 'the origin notices');
  assert.equal(left.seen.close[0], 1006);
  const cut = await open();
  cut.socket.on('error', () => {});
  cut.socket.send('vanish');
  const [code] = await once(cut.socket, 'close');
  assert.equal(code, 1006);
});

test('RFC 6455 4.1: the subprotocol that the origin chooses is the one that holds', async () => {
  const { socket, seen } = await open({ protocols: ['binary', 'base64'] });
  assert.equal(seen.headers['sec-websocket-protocol'], 'binary,base64');
  assert.equal(socket.protocol, 'binary');
});

test('who calls is told to the origin before the upgrade, and the token is checked there', async () => {
  const { seen } = await open();
  assert.match(seen.headers['x-he2-user'], /^[0-9a-f-]{36}$/);
  assert.match(seen.headers['x-he2-identity'], /^t=\d+,v1=[0-9a-f]{64}$/);
  const before = origin.requests.length;
  for (const headers of [{}, bearer(`${token}x`)]) {
    const socket = connect({ headers });
    const [request, response] = await once(socket, 'unexpected-response');
    const problem = await text(response);
    const answer = { status: response.statusCode, headers: response.headers, text: problem };
    assertProblem({ ...answer, json: JSON.parse(problem) }, 401);
    request.destroy();
  }
  assert.equal(origin.requests.length, before);
});

test("an origin's refusal of an upgrade is the client's answer", async () => {
  const socket = connect({ query: '?refuse=403' });
  const [request, response] = await once(socket, 'unexpected-response');
  assert.equal(response.statusCode, 403);
  assert.equal(lastSeen(origin, PATH).headers.upgrade, 'websocket');
  request.destroy();
});
