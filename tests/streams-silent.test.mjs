//! A silent event stream is kept alive, read by nobody on the way, and left by both sides when one is gone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import test, { suite } from 'node:test';
import { gzipSync } from 'node:zlib';
import { assertProblem, bearer, lastSeen, send, startAll, until } from './harness.mjs';
import { he2 } from './harness/config.mjs';
import { hold } from './harness/held.mjs';

const all = await startAll();
const { origin, issuer, gateway } = all;
const BEAT_MS = 1000 * (he2.streams?.heartbeat_seconds ?? 15);
const EVENTS = { accept: 'text/event-stream' };
const EVENT = 'data: {"type": "ping", "text": "a"}\n\n';

/** What has come of a stream so far. */
function gather(response) {
  const got = { text: '', beats: [] };
  response.on('data', (bytes) => {
    got.text += bytes;
    if (bytes.toString() === ':\n\n') got.beats.push(Date.now());
  });
  return got;
}

// Each waits for a heartbeat or two, so they wait together.
suite('silence', { concurrency: true }, () => {
  test('a comment breaks each silence, and nothing else is added', async () => {
    const { response, writer } = await hold(all);
    const [got, begun] = [gather(response), Date.now()];
    writer.write(EVENT);
    await until(() => got.text === `${EVENT}:\n\n:\n\n`, 'two heartbeats', 2 * BEAT_MS + 3_000);
    const [one, two] = got.beats;
    for (const wait of [one - begun, two - one])
      assert.ok(wait > BEAT_MS - 500 && wait < BEAT_MS + 2_000, `${wait} ms`);
    writer.end(EVENT);
    await once(response, 'end');
    assert.equal(got.text, `${EVENT}:\n\n:\n\n${EVENT}`);
  });

  test('within an event there is none, however long it takes', async () => {
    const [whole, halved] = [await hold(all), await hold(all)];
    const [seen, other] = [gather(whole.response), gather(halved.response)];
    whole.writer.write(EVENT);
    halved.writer.write(EVENT.slice(0, 9));
    await until(() => seen.text.endsWith(':\n\n:\n\n'), 'two heartbeats of another', 2 * BEAT_MS + 3_000);
    halved.writer.end(EVENT.slice(9));
    await once(halved.response, 'end');
    assert.equal(other.text, EVENT);
  });

  test('a client that merely ends its side is noticed by the next heartbeat', async () => {
    const path = `/api/agent-run/half-closed/stream`;
    origin.on(path, (_request, response) =>
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(EVENT),
    );
    const socket = net.connect(gateway.rawPort, '127.0.0.1');
    const { authorization } = bearer(await issuer.mint());
    socket.write(`GET ${path} HTTP/1.1\r\nHost: api.he2.ai\r\nAuthorization: ${authorization}\r\n\r\n`);
    await once(socket, 'data');
    socket.end().destroy(); // a FIN, and a reset only for what comes after it
    await until(() => lastSeen(origin, path).abandoned, 'the origin sees it', BEAT_MS + 2_000);
  });

  test('the same holds for a stream that a long poll has become, and not for JSON', async () => {
    const path = '/api/v1/public/threads/t1/response';
    origin.on(path, (request, response) => {
      const type = request.url.includes('realtime') ? 'text/event-stream' : 'application/json';
      response.writeHead(200, { 'Content-Type': type }).flushHeaders();
      setTimeout(() => response.end('{}'), BEAT_MS + 1_000);
    });
    const of = async (query) =>
      send(gateway, 'GET', path + query, { host: 'api.he2.ai', headers: bearer(await issuer.mint()) });
    const [events, json] = await Promise.all([of('?realtime=true'), of('')]);
    assert.equal(events.text, ':\n\n{}');
    assert.equal(json.text, '{}');
  });
});

test('browsers are told at once when to come back, each at another time', async () => {
  const streams = await Promise.all(Array.from({ length: 40 }, () => hold(all, { headers: EVENTS })));
  const times = await Promise.all(
    streams.map(async ({ response }) => {
      const [bytes] = await once(response, 'data');
      const [, ms] = /^retry: (\d+)\n\n$/.exec(bytes.toString());
      return Number(ms);
    }),
  );
  for (const ms of times) assert.ok(ms >= 2_000 && ms < 5_000, `${ms}`);
  assert.ok(new Set(times).size > 30, `${times}`);
  for (const { writer } of streams) writer.end();
});

test('behind that, an event stream is what the origin wrote', async () => {
  const { response, writer } = await hold(all, { headers: EVENTS });
  writer.end(`retry: 10\n\n${EVENT}`);
  assert.match(
    await text(response),
    /^retry: \d{4}\n\nretry: 10\n\ndata: \{"type": "ping", "text": "a"\}\n\n$/,
  );
});

test('nobody encodes events or holds them back', async () => {
  const headers = { ...EVENTS, 'accept-encoding': 'gzip, br' };
  for (const answer of [{}, { 'Cache-Control': 'no-cache' }, { 'Cache-Control': 'no-transform' }]) {
    const { path, response, writer } = await hold(all, { headers, answer });
    assert.equal(lastSeen(origin, path).headers['accept-encoding'], 'identity');
    assert.equal(response.headers['content-encoding'], undefined);
    const directives = response.headers['cache-control'].split(', ');
    assert.equal(directives.filter((directive) => directive === 'no-transform').length, 1);
    const got = gather(response);
    writer.write(EVENT);
    await until(() => got.text.endsWith(EVENT), 'the event is here before another is written');
    writer.end();
  }
});

test('events that an origin encodes nevertheless are read by who did not ask for it', async () => {
  const { response, writer } = await hold(all, { answer: { 'Content-Encoding': 'gzip' } });
  assert.equal(response.headers['content-encoding'], undefined);
  writer.end(gzipSync(EVENT));
  assert.equal(await text(response), EVENT);
});

test('an EventSource outlasts whatever the origin fails with, and gives up only on its own faults', async () => {
  const path = `/api/agent-run/failing/stream`;
  const ask = async (status, headers = EVENTS) => {
    origin.on(path, (_request, response) => response.writeHead(status, { 'Retry-After': '1' }).end('no'));
    const own = { host: 'api.he2.ai', headers: { ...bearer(await issuer.mint()), ...headers } };
    return send(gateway, 'GET', path, own);
  };
  for (const status of [429, 500, 502, 503, 504]) {
    const answer = await ask(status);
    assert.equal(answer.status, 200, `${status}`);
    assert.match(answer.headers['content-type'], /^text\/event-stream/);
    assert.match(answer.text, /^retry: \d+\n: .*\n\n$/);
    assert.equal((await ask(status, {})).status, status, 'who reads no events is told as it is');
  }
  for (const status of [400, 403, 404, 410]) assert.equal((await ask(status)).status, status);
});

test('an EventSource comes back to an origin that was away, and is not told of it', async (t) => {
  t.after(() => origin.restart());
  const path = `/api/agent-run/away/stream`;
  const own = async () => ({ host: 'api.he2.ai', headers: { ...bearer(await issuer.mint()), ...EVENTS } });
  await origin.stop();
  const down = await send(gateway, 'GET', path, await own());
  assert.equal(down.status, 200);
  assert.match(down.text, /^retry: \d+\n: the service cannot be reached\n\n$/);
  assertProblem(await send(gateway, 'GET', path, { ...(await own()), headers: {} }), 401);
  await origin.restart();
  const back = await send(gateway, 'GET', `${path}?frames=1&gap=1`, await own());
  assert.match(back.text, /^retry: \d+\n\ndata: .*"status": "completed"\}\n\n$/s);
});
