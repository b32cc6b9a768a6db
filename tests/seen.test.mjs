//! What can be seen of the gateway from outside: by watchers, a collector of OpenTelemetry, Sentry.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import test, { after } from 'node:test';
import { startServer } from './harness/server.mjs';
import { assertProblem, bearer, lastSeen, send, startAll, startGateway, until } from './harness.mjs';

const PROJECT = resolve(import.meta.dirname, '..');
const REQUESTS = 200;

/** Whoever is posted to: keeps what came, and answers as `answer` says; not at all where it says nothing. */
async function startReceiver(answer = (response) => response.end('{}')) {
  const posts = [];
  const server = await startServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    posts.push({ path: request.url, headers: request.headers, text: Buffer.concat(chunks).toString() });
    answer(response);
  });
  after(server.stop);
  return { ...server, posts, to: (path) => posts.filter((post) => post.path === path) };
}

const sentry = await startReceiver();
const dsn = `${sentry.url.replace('//', '//ab1@')}/42`;
const { origin, issuer, gateway } = await startAll({ MONITORED_DSN: dsn });

async function gatewayWith(vars, options = {}) {
  const other = await startGateway({ origin: origin.url, issuer: issuer.url, vars, ...options });
  after(() => other.close());
  return other;
}

test('the gateway says that it runs, and the origin hears nothing of it', async () => {
  const before = origin.requests.length;
  const answer = await send(gateway, 'GET', '/.edge/health');
  assert.deepEqual([answer.status, answer.json], [200, { status: 'ok' }]);
  assert.equal(origin.requests.length, before);
});

test('the gateway says whether it can do its work, and which part is missing', async () => {
  const ready = await send(gateway, 'GET', '/.edge/ready', { host: 'api.he2.ai' });
  assert.deepEqual(ready.json, { ready: true, settings: true, keys: true, origin: true });
  assert.equal(ready.status, 200);
  const lame = await startGateway({
    origin: 'http://127.0.0.1:9',
    issuer: 'http://127.0.0.1:9/auth/v1',
    vars: { STRIPE_WEBHOOK_SECRET: '' },
  });
  after(() => lame.close());
  const answer = await send(lame, 'GET', '/.edge/ready');
  assert.deepEqual(answer.json, { ready: false, settings: false, keys: false, origin: false });
  assert.equal(answer.status, 503);
  assert.match(lame.logs.map(({ message }) => message).join(), /STRIPE_WEBHOOK_SECRET is not set/);
});

test("a page's report reaches its own Sentry project, byte for byte and without cookies; no other", async () => {
  const report = (to) => `{"dsn":"${to}"}\n{"type":"event"}\n{"message":"schön"}\n`;
  const headers = { cookie: 'a=b', 'content-type': 'text/plain;charset=UTF-8' };
  const answer = await send(gateway, 'POST', '/monitoring?o=1', { headers, body: report(dsn) });
  assert.equal(answer.status, 200, answer.text);
  const [post] = sentry.to('/api/42/envelope/');
  assert.equal(post.text, report(dsn));
  assert.equal(post.headers.cookie, undefined);
  assert.equal(post.headers['content-type'], 'application/x-sentry-envelope');
  const foreign = await send(gateway, 'POST', '/monitoring', { body: report(`${dsn}3`) });
  assertProblem(foreign, 400);
  assert.equal(sentry.posts.length, 1);
});

test('a collector gets traces and metrics that OpenTelemetry reads, as OTLP over HTTP', async () => {
  const collector = await startReceiver();
  const told = await gatewayWith({ OTLP_ENDPOINT: `${collector.url}/`, OTLP_HEADERS: 'x-scope=he2%20edge' });
  const trace = 'a'.repeat(32);
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
  await send(told, 'GET', '/api/health?seen', { headers });
  const [, , span] = lastSeen(origin, '/api/health').headers.traceparent.split('-');
  const got = (path) => async () => {
    await send(told, 'GET', '/.edge/health');
    return collector.to(path)[0];
  };
  const [traces, metrics] = [
    await until(got('/v1/traces'), 'traces', 30_000),
    await until(got('/v1/metrics'), 'metrics', 30_000),
  ];
  for (const { headers: fields } of [traces, metrics]) {
    assert.equal(fields['content-type'], 'application/json');
    assert.equal(fields['x-scope'], 'he2 edge');
  }
  const { spans } = JSON.parse(traces.text).resourceSpans[0].scopeSpans[0];
  const asked = spans.find(({ spanId }) => spanId === span);
  assert.equal(asked.traceId, trace, 'the span that the origin was told is there');
  const above = spans.find(({ spanId }) => spanId === asked.parentSpanId);
  assert.equal(above.parentSpanId, '00f067aa0ba902b7');
  const input = collector.posts.map(({ path, text }) => `${path} ${text}\n`).join('');
  const run = spawnSync(resolve(PROJECT, '.tools/python'), ['python', 'tests/harness/otlp.py'], {
    cwd: PROJECT,
    input,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  assert.equal(run.status, 0);
  const read = run.stdout.toString().trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(read.length, collector.posts.length);
  assert.ok(read.flat().includes('GET /api/health') && read.flat().includes('http.server.request.duration'));
});

const FAILURES = {
  'that is not there': () => 'http://127.0.0.1:9',
  'that fails': async () => startReceiver((response) => response.writeHead(500).end()),
  'that asks for a minute': async () =>
    startReceiver((response) => response.writeHead(429, { 'retry-after': '60' }).end()),
  'that never answers': async () => startReceiver(() => {}),
};
for (const [what, start] of Object.entries(FAILURES)) {
  test(`a collector ${what} harms no request`, async (t) => {
    const collector = await start();
    const told = await gatewayWith({ OTLP_ENDPOINT: collector.url ?? collector });
    const answers = [];
    for (let batch = 0; batch < REQUESTS / 20; batch += 1) {
      const headers = bearer(await issuer.mint({ claims: { sub: randomUUID() } }));
      const one = () => send(told, 'GET', '/api/threads', { host: 'api.he2.ai', headers });
      answers.push(...(await Promise.all(Array.from({ length: 20 }, one))));
    }
    const failed = answers.filter(({ status }) => status !== 200);
    if (collector.posts) await until(() => collector.posts.length > 0, 'the collector was asked');
    t.diagnostic(`${answers.length} requests, ${failed.length} failed; asked ${collector.posts?.length ?? 0} times`);
    assert.equal(failed.length, 0);
    if (what === 'that asks for a minute') assert.equal(collector.to('/v1/traces').length, 1);
  });
}

test('each request is a data point, its numbers and names in the order that is documented', async () => {
  const own = await gatewayWith({}, { metrics: true });
  await send(own, 'GET', '/api/health');
  await send(own, 'GET', '/api/agents');
  await until(() => own.points.length === 2, 'both points are written');
  const [{ indexes, blobs, doubles }, refused] = own.points;
  assert.deepEqual(indexes, ['health']);
  assert.deepEqual(blobs, ['health', 'he2.ai', 'GET', '', 'fwd=uri-miss', 'anonymous', '']);
  assert.deepEqual([doubles.length, doubles[0], doubles[1], doubles[4], doubles[5]], [6, 1, 200, 0, 0]);
  assert.deepEqual([refused.blobs[0], refused.blobs[5], refused.doubles[1]], ['api', '', 401]);
});
