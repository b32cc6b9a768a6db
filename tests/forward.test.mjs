//! What the origin receives and what comes back: nothing a client forged, nothing meant for one hop, nothing
//! lost.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import {
  COOKIES,
  assertProblem,
  assertUnseen,
  bearer,
  lastSeen,
  raw,
  rawGet,
  send,
  startAll,
  startGateway,
  statusOf,
  until,
  valuesOf,
} from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const token = await issuer.mint();
const CALLER = '198.51.100.7';

/** A signed-in call, and what the origin saw of it. */
async function call(path, headers = {}, options = {}) {
  const answer = await send(gateway, options.method ?? 'GET', path, {
    host: 'api.he2.ai',
    headers: { ...bearer(token), ...headers },
    ...options,
  });
  return { answer, seen: lastSeen(origin, path.split('?')[0]) };
}

test('method, query, body and plain fields pass', async () => {
  const body = JSON.stringify({ name: 'agent', text: 'ünïcode' });
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const path = {
      POST: '/api/agents',
      PUT: '/api/agents/a1',
      PATCH: '/api/api-keys/k1/revoke',
      DELETE: '/api/agents/a2',
    }[method];
    const { answer } = await call(
      `${path}?q=a+b&q=%C3%A9`,
      { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-project-id': 'p1' },
      { method, body },
    );
    assert.equal(answer.status, 200, method);
    assert.equal(answer.json.method, method);
    assert.equal(answer.json.path, `${path}?q=a+b&q=%C3%A9`);
    assert.equal(answer.json.bodyBytes, Buffer.byteLength(body));
    assert.equal(answer.json.headers['content-type'], 'application/json');
    assert.equal(answer.json.headers['x-project-id'], 'p1');
  }
});

test('fields for one hop end here, those that Connection names too', async () => {
  const { seen } = await call('/api/threads', {
    connection: 'close, x-one-hop',
    'x-one-hop': '1',
    'keep-alive': 'timeout=5',
    te: 'trailers',
    'proxy-connection': 'keep-alive',
    'proxy-authorization': 'Basic eDp5',
    upgrade: 'h2c',
  });
  for (const name of [
    'x-one-hop',
    'keep-alive',
    'te',
    'proxy-connection',
    'proxy-authorization',
    'upgrade',
  ]) {
    assert.deepEqual(valuesOf(seen.rawHeaders, name), [], name);
  }
});

test('Connection cannot take away what the gateway adds or has checked', async () => {
  const names = 'authorization, x-he2-user, x-he2-origin-lock, x-forwarded-for, x-request-id, via';
  const { answer, seen } = await call('/api/threads', { connection: names, 'cf-connecting-ip': CALLER });
  assert.equal(answer.status, 200);
  assert.equal(seen.headers.authorization, `Bearer ${token}`);
  assert.match(seen.headers['x-he2-user'], /^[0-9a-f-]{36}$/);
  assert.equal(seen.headers['x-he2-origin-lock'], gateway.vars.ORIGIN_LOCK);
  assert.equal(seen.headers['x-forwarded-for'], CALLER);
  assert.ok(seen.headers['x-request-id']);
});

test('the address of the caller is the one the platform saw, whatever the client claims', async () => {
  const { seen } = await call('/api/threads', {
    'cf-connecting-ip': CALLER,
    'x-forwarded-for': '10.0.0.1, 10.0.0.2',
    forwarded: 'for=10.0.0.1',
    'x-real-ip': '10.0.0.1',
    'true-client-ip': '10.0.0.1',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'gopher',
    'x-forwarded-port': '1',
    'x-forwarded-prefix': '/evil',
  });
  assert.deepEqual(valuesOf(seen.rawHeaders, 'x-forwarded-for'), [CALLER]);
  assert.deepEqual(valuesOf(seen.rawHeaders, 'x-forwarded-host'), ['api.he2.ai']);
  assert.equal(valuesOf(seen.rawHeaders, 'x-forwarded-proto').length, 1);
  assert.match(seen.headers['x-forwarded-proto'], /^https?$/);
  for (const name of ['forwarded', 'x-real-ip', 'true-client-ip', 'x-forwarded-port', 'x-forwarded-prefix']) {
    assert.deepEqual(valuesOf(seen.rawHeaders, name), [], name);
  }
});

test('what only confuses or leaks stays outside', async () => {
  const { seen } = await call('/api/threads', {
    'x-refresh-token': randomUUID(),
    'x-middleware-subrequest': 'middleware:middleware',
  });
  for (const name of ['x-refresh-token', 'x-middleware-subrequest'])
    assert.deepEqual(valuesOf(seen.rawHeaders, name), [], name);
});

test("one request id for client, origin and log, never the client's own", async () => {
  const { answer, seen } = await call('/api/threads', { 'x-request-id': 'mine' });
  const id = answer.headers['x-request-id'];
  assert.notEqual(id, 'mine');
  assert.deepEqual(valuesOf(seen.rawHeaders, 'x-request-id'), [id]);
  await until(() => gateway.logs.some(({ message }) => message.includes(id)), 'a log line with the id');
});

test('a trace goes on with a span of its own; a malformed one starts anew', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const { seen } = await call('/api/threads', { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
  assert.match(seen.headers.traceparent, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  assert.ok(!seen.headers.traceparent.includes('00f067aa0ba902b7'));
  for (const bad of ['junk', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `ff-${trace}-00f067aa0ba902b7-01`]) {
    const { seen: other } = await call('/api/threads', { traceparent: bad });
    assert.match(other.headers.traceparent, /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/, bad);
    assert.ok(!other.headers.traceparent.includes(trace), bad);
  }
});

test('Via names the gateway, after those before it', async () => {
  assert.match((await call('/api/threads')).seen.headers.via, /^1\.1 he2-edge$/);
  assert.match(
    (await call('/api/threads', { via: '1.0 fred' })).seen.headers.via,
    /^1\.0 fred, 1\.1 he2-edge$/,
  );
});

test('a request that was here before is a loop', async () => {
  for (const via of ['1.1 he2-edge', '1.0 fred, 1.1 he2-edge, 1.1 other']) {
    assertProblem(
      await assertUnseen(origin, () =>
        send(gateway, 'GET', '/api/health', { host: 'api.he2.ai', headers: { via } }),
      ),
      508,
    );
  }
});

test('redirects of the origin are passed on, not followed', async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { answer } = await call(`/api/threads?_status=${status}&to=/api/agents`);
    assert.equal(answer.status, status);
    assert.equal(answer.headers.location, '/api/agents');
  }
  assert.deepEqual(
    origin.seen('/api/agents').filter(({ method }) => method === 'GET'),
    [],
  );
});

test('each Set-Cookie stays a field of its own', async () => {
  const answer = await send(gateway, 'GET', '/auth/callback?code=abc');
  assert.equal(answer.status, 307);
  assert.deepEqual(answer.headers['set-cookie'], COOKIES);
});

test('answers without a body stay without one', async () => {
  for (const status of [204, 304]) {
    const { answer } = await call(`/api/threads?_status=${status}`);
    assert.equal(answer.status, status);
    assert.equal(answer.body.length, 0);
  }
  const head = await send(gateway, 'HEAD', '/api/threads', { host: 'api.he2.ai', headers: bearer(token) });
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.equal(head.headers['content-type'], 'application/json');
});

test('trailer fields are not taken for content, nor for fields', async (t) => {
  t.after(() => origin.on('/api/threads'));
  origin.on('/api/threads', (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', trailer: 'x-checksum' });
    response.write('{"whole":');
    response.addTrailers({ 'x-checksum': 'abc' });
    response.end('true}');
  });
  const { answer } = await call('/api/threads');
  assert.deepEqual(answer.json, { whole: true });
  for (const name of ['x-checksum', 'trailer']) assert.equal(answer.headers[name], undefined, name);
});

// Cloudflare's network takes interim answers away. workerd alone takes one for the answer, and the answer for its content.
test('an interim answer is never passed on as the answer, and spoils none after it', async (t) => {
  t.after(() => origin.on('/api/threads'));
  for (const interim of ['writeContinue', 'writeProcessing', 'writeEarlyHints']) {
    origin.on('/api/threads', (_request, response) => {
      response[interim]({ link: '</style.css>; rel=preload; as=style' });
      response.end('{"whole":true}');
    });
    const { answer } = await call('/api/threads');
    if (answer.status === 200) assert.deepEqual(answer.json, { whole: true });
    else assertProblem(answer, 502);
    origin.on('/api/threads');
    for (let after = 0; after < 5; after += 1)
      assert.equal((await call(`/api/threads?after=${after}`)).answer.json.path, `/api/threads?after=${after}`);
  }
});

test('errors of the app pass with their body', async () => {
  for (const status of [400, 402, 404, 422, 429, 500, 503]) {
    const { answer } = await call(`/api/threads?_status=${status}`);
    assert.equal(answer.status, status);
    assert.deepEqual(answer.json, { detail: `the app says ${status}` });
  }
});

test('what the origin says about itself and its hop stays inside', async () => {
  const page = await send(gateway, 'GET', '/auth');
  assert.equal(page.headers['x-powered-by'], undefined);
  const { answer } = await call(
    '/api/threads?_header=Keep-Alive:timeout%3D5&_header=Connection:x-inner&_header=X-Inner:1',
  );
  for (const name of ['x-powered-by', 'x-inner']) assert.equal(answer.headers[name], undefined, name);
  assert.ok(!/uvicorn/.test(answer.headers.server ?? ''));
});

test('an answer that dies within its body is not made to look whole', async () => {
  const path = '/api/threads?_die=body';
  await assert.rejects(call(path));
});

test('of two framings the origin sees one, and what follows the body is a request of its own', async () => {
  const path = '/api/agents/framed';
  const smuggled =
    `POST ${path} HTTP/1.1\r\nHost: api.he2.ai\r\nAuthorization: Bearer ${token}\r\nContent-Length: 3\r\n` +
    'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
  const answers = await raw(gateway.rawPort, smuggled + rawGet('/api/agents/hidden', 'api.he2.ai'));
  const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '401']);
  const seen = lastSeen(origin, path);
  assert.deepEqual(valuesOf(seen.rawHeaders, 'transfer-encoding'), ['chunked']);
  assert.deepEqual(valuesOf(seen.rawHeaders, 'content-length'), []);
  assert.equal(seen.bodyBytes, 'hello'.length);
  assert.deepEqual(origin.seen('/api/agents/hidden'), []);
});

test('lengths that contradict each other, and codings that are none, never reach the origin', async () => {
  for (const fields of [
    'Content-Length: 3\r\nContent-Length: 5\r\n',
    'Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
  ]) {
    const head = `POST /api/agents HTTP/1.1\r\nHost: api.he2.ai\r\nAuthorization: Bearer ${token}\r\n`;
    const answer = await assertUnseen(origin, () =>
      raw(gateway.rawPort, `${head}${fields}Connection: close\r\n\r\nhello`),
    );
    assert.notEqual(statusOf(answer), 200, fields);
  }
});

test('an origin that hangs up gives 502', async () => {
  assertProblem(await send(gateway, 'GET', '/api/triggers/providers?_die=head', { host: 'api.he2.ai' }), 502);
});

test('an origin that is down gives 502, and works again when it is back', async (t) => {
  t.after(() => origin.restart());
  await origin.stop();
  const down = await send(gateway, 'GET', '/api/triggers/providers', { host: 'api.he2.ai' });
  assertProblem(down, 502);
  assert.ok(!down.text.includes(String(origin.port)), 'the address of the origin is not for clients');
  await origin.restart();
  assert.equal((await send(gateway, 'GET', '/api/triggers/providers', { host: 'api.he2.ai' })).status, 200);
});

test('an origin that is too slow gives 504, and is let go', async () => {
  const path = '/api/health?_slow=30000';
  assertProblem(await send(gateway, 'GET', path, { host: 'api.he2.ai' }), 504);
  await until(() => origin.seen(path)[0].abandoned, 'the origin sees that nobody waits');
});

test("a slash at the end of the origin's address changes nothing", async (t) => {
  const other = await startGateway({ origin: `${origin.url}/`, issuer: issuer.url });
  t.after(() => other.close());
  assert.equal((await send(other, 'GET', '/api/composio/health', { host: 'api.he2.ai' })).status, 200);
  assert.equal(origin.requests.at(-1).url, '/api/composio/health');
});
