//! What runs in a sandbox is shown at `{port}-{sandbox}.{domain}`: through Daytona's proxy with the token that only the
//! gateway has, and with nothing of the app's own.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import test, { after } from 'node:test';
import { WebSocket } from 'ws';
import { assertProblem, bearer, send, startAll, startGateway, until, valuesOf } from './harness.mjs';
import { he2 } from './harness/config.mjs';
import { startDaytona } from './harness/daytona.mjs';
import { disturb } from './harness/disturb.mjs';
import { secrets } from './harness/secrets.mjs';

const PORT = 8080;
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };
const daytona = await startDaytona();
after(() => daytona.close());
const { origin, issuer, gateway } = await startAll({ DAYTONA_API: daytona.url, DAYTONA_API_KEY: daytona.key });
const disturbed = await startGateway({
  origin: origin.url,
  issuer: issuer.url,
  vars: { DAYTONA_API: daytona.url, DAYTONA_API_KEY: daytona.key },
  disturbed: true,
});
after(() => disturbed.close());

const hostOf = (sandbox, port = PORT) => `${port}-${sandbox.id ?? sandbox}.${he2.previews.domain}`;

/** A request of a viewer, from an address of its own unless it says one. */
function view(sandbox, path = '/', { port, method = 'GET', headers = {}, through = gateway, ...options } = {}) {
  const fields = { 'cf-connecting-ip': address(), ...BROWSER, ...headers };
  return send(through, method, path, { host: hostOf(sandbox, port), headers: fields, ...options });
}

const address = () => `10.${[...randomBytes(3)].join('.')}`;

/** Calls of the API that were made for a sandbox. */
const callsFor = ({ id }) => daytona.calls.filter((call) => call.includes(id));

/** Lets so many milliseconds pass for the gateway. */
let clock = 0;
const pass = (ms) => disturb(disturbed.isolates[0], { clock: (clock += ms) });

test('a preview is the sandbox, by its token, which is asked for once', async () => {
  const sandbox = daytona.sandbox();
  const door = await sandbox.port(PORT);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => view(sandbox, `/a/${at}?b=c%20d`)));
  assert.deepEqual(
    answers.map(({ status, json }) => [status, json.path]),
    answers.map((_, at) => [200, `/a/${at}?b=c%20d`]),
  );
  assert.ok(door.seen.every(({ headers }) => headers['x-daytona-preview-token'] === sandbox.token));
  assert.deepEqual(callsFor(sandbox), [
    `GET /api/sandbox/${sandbox.id}`,
    `GET /api/sandbox/${sandbox.id}/ports/${PORT}/preview-url`,
  ]);
});

test('content goes both ways, by any method, and errors of the app are its own', async () => {
  const sandbox = daytona.sandbox();
  const door = await sandbox.port(PORT, async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.writeHead(request.method === 'DELETE' ? 404 : 201, { 'content-type': 'application/octet-stream' });
    response.end(Buffer.concat(chunks));
  });
  const body = randomBytes(300_000);
  for (const [method, status] of [['POST', 201], ['PUT', 201], ['PATCH', 201], ['DELETE', 404]]) {
    const answer = await view(sandbox, '/', { method, body, headers: { 'content-length': body.length } });
    assert.equal(answer.status, status);
    assert.ok(answer.body.equals(body), method);
  }
  assert.equal(door.seen[0].headers['content-length'], String(body.length));
});

test("nothing of the app's own reaches a sandbox, and no client's word on Daytona", async () => {
  const sandbox = daytona.sandbox();
  const door = await sandbox.port(PORT);
  const session = `sb-${new URL(issuer.url).hostname.split('.')[0]}-auth-token`;
  await view(sandbox, '/', {
    headers: {
      ...bearer(await issuer.mint()),
      cookie: `${session}.0=${randomUUID()}; theme=dark; daytona-sandbox-auth-${sandbox.id}=x`,
      'x-admin-api-key': gateway.vars.ADMIN_API_KEY,
      'x-he2-user': 'somebody',
      'x-daytona-preview-token': 'guessed',
      'x-daytona-skip-last-activity-update': 'true',
      'x-forwarded-host': 'evil.example',
      'cf-connecting-ip': '10.1.2.3',
    },
  });
  const { headers, rawHeaders } = door.seen.at(-1);
  for (const name of ['authorization', 'x-admin-api-key', 'x-he2-user', 'x-he2-identity', 'x-he2-origin-lock'])
    assert.equal(headers[name], undefined, name);
  assert.ok(!rawHeaders.some((value) => value.includes(gateway.vars.ORIGIN_LOCK)));
  assert.equal(headers.cookie, 'theme=dark');
  assert.deepEqual(valuesOf(rawHeaders, 'x-daytona-preview-token'), [sandbox.token]);
  assert.equal(headers['x-daytona-skip-last-activity-update'], undefined);
  assert.equal(headers['x-daytona-skip-preview-warning'], 'true');
  assert.equal(headers['x-daytona-disable-cors'], 'true');
  assert.equal(headers['x-forwarded-host'], hostOf(sandbox));
  assert.equal(headers['x-forwarded-for'], '10.1.2.3');
});

test("credentials of the sandbox's own app pass", async () => {
  const sandbox = daytona.sandbox();
  const door = await sandbox.port(PORT);
  await view(sandbox, '/', { headers: { authorization: 'Basic eDp5', 'x-api-key': 'mine' } });
  assert.equal(door.seen[0].headers.authorization, 'Basic eDp5');
  assert.equal(door.seen[0].headers['x-api-key'], 'mine');
});

test('what a sandbox says holds for its host alone', async () => {
  const sandbox = daytona.sandbox();
  const session = `sb-${new URL(issuer.url).hostname.split('.')[0]}-auth-token`;
  const door = await sandbox.port(PORT, (request, response) => {
    response.writeHead(302, [
      ['Set-Cookie', 'a=1; Domain=he2.ai; Path=/'],
      ['Set-Cookie', `b=2; domain=${he2.previews.domain}; HttpOnly`],
      ['Set-Cookie', `${session}=x; Path=/`],
      ['Location', `http://${request.headers.host}/next?x=1`],
      ['Clear-Site-Data', '"cookies"'],
      ['Access-Control-Allow-Origin', 'https://elsewhere.example'],
    ].flat());
    response.end();
  });
  const answer = await view(sandbox);
  assert.equal(answer.status, 302);
  assert.deepEqual(answer.headers['set-cookie'], ['a=1; Path=/', 'b=2; HttpOnly']);
  assert.equal(answer.headers.location, `http://${hostOf(sandbox)}/next?x=1`);
  assert.equal(answer.headers['clear-site-data'], undefined);
  assert.equal(answer.headers['access-control-allow-origin'], 'https://elsewhere.example');
  assert.equal(answer.headers['referrer-policy'], 'same-origin');
  assert.equal(answer.headers['x-robots-tag'], 'noindex');
  assert.ok(!JSON.stringify(answer.rawHeaders).includes(String(door.port)), "Daytona's address is not for viewers");
});

test("CORS is the sandbox's affair, preflights too", async () => {
  const sandbox = daytona.sandbox();
  await sandbox.port(PORT, (request, response) => {
    response.writeHead(204, { 'access-control-allow-origin': request.headers.origin, vary: 'Origin' }).end();
  });
  const answer = await view(sandbox, '/api', {
    method: 'OPTIONS',
    headers: { origin: 'https://he2.ai', 'access-control-request-method': 'POST' },
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers['access-control-allow-origin'], 'https://he2.ai');
  assert.equal(answer.headers['access-control-allow-credentials'], undefined);
});

test('only ports that he2.toml shows are asked for, reserved ones never', async () => {
  const sandbox = daytona.sandbox();
  for (const port of [22, 2280, 22222, 33333, 9229, 1, 65535])
    assertProblem(await view(sandbox, '/', { port }), 403, `port ${port}`);
  assert.deepEqual(callsFor(sandbox), []);
});

test('what is no name of a preview is not served here', async () => {
  const { id } = daytona.sandbox();
  for (const label of ['8080', `08080-${id}`, `8080-${id}-x`, '8080-my-sandbox', id, `x.8080-${id}`]) {
    const answer = await send(gateway, 'GET', '/', { host: `${label}.${he2.previews.domain}` });
    assertProblem(answer, 421, label);
  }
  assertProblem(await send(gateway, 'GET', '/', { host: he2.previews.domain }), 421);
  assert.deepEqual(callsFor({ id }), []);
});

test('without the API key there are no previews', async (t) => {
  const without = await startGateway({ origin: origin.url, issuer: issuer.url });
  t.after(() => without.close());
  const sandbox = daytona.sandbox();
  assertProblem(await view(sandbox, '/', { through: without }), 421);
});

test('a sandbox that is private or not there is no preview, and is not asked for again and again', async () => {
  const hidden = daytona.sandbox('started', { isPublic: false });
  const door = await hidden.port(PORT);
  for (let count = 0; count < 3; count += 1) assertProblem(await view(hidden), 404);
  assert.deepEqual(callsFor(hidden), [`GET /api/sandbox/${hidden.id}`]);
  assert.deepEqual(door.seen, []);
  const missing = { id: randomUUID() };
  for (let count = 0; count < 3; count += 1) assertProblem(await view(missing), 404);
  assert.deepEqual(callsFor(missing), [`GET /api/sandbox/${missing.id}`]);
});

test('no path leads out of its port', async () => {
  const sandbox = daytona.sandbox();
  const door = await sandbox.port(PORT);
  for (const path of ['/x%2f..%2f..%2f2280', '/%252e%252e/2280', '/a%5c..%5cb'])
    assertProblem(await view(sandbox, path, { through: { port: gateway.rawPort } }), 400, path);
  assert.deepEqual(door.seen, []);
  assert.equal((await view(sandbox, '/@fs/home//a%2Fb.ts')).json.path, '/@fs/home//a%2Fb.ts');
});

test('a sandbox that sleeps is woken once, and viewers are told when to come again', async () => {
  const sandbox = daytona.sandbox('stopped');
  await sandbox.port(PORT);
  for (let count = 0; count < 3; count += 1) {
    const asleep = await view(sandbox);
    assertProblem(asleep, 503);
    assert.equal(asleep.headers['retry-after'], '5');
    assert.equal(asleep.headers.refresh, '5', 'browsers come again by themselves');
    assert.equal(asleep.headers['cache-control'], 'no-store');
  }
  assert.equal(sandbox.starts, 1);
  sandbox.restart();
  await until(async () => (await view(sandbox)).status === 200, 'it is awake');
});

test('an archived sandbox is woken as well, and one that is on its way is left to it', async () => {
  const archived = daytona.sandbox('archived');
  assertProblem(await view(archived), 503);
  assert.equal(archived.starts, 1);
  const stopping = daytona.sandbox('stopping');
  assertProblem(await view(stopping), 503);
  assert.deepEqual(callsFor(stopping), [`GET /api/sandbox/${stopping.id}`]);
});

test('crawlers and prefetches neither wake a sandbox nor keep it awake', async () => {
  const asleep = daytona.sandbox('stopped');
  const awake = daytona.sandbox();
  const door = await awake.port(PORT);
  for (const headers of [{ 'user-agent': 'Slackbot-LinkExpanding 1.0' }, { 'sec-purpose': 'prefetch' }]) {
    assertProblem(await view(asleep, '/', { headers }), 503);
    await view(awake, '/', { headers });
    assert.equal(door.seen.at(-1).headers['x-daytona-skip-last-activity-update'], 'true');
  }
  assert.equal(asleep.starts, 0);
});

test('a sandbox that fell asleep meanwhile is noticed by its first answer, and woken', async () => {
  const sandbox = daytona.sandbox();
  await sandbox.port(PORT);
  assert.equal((await view(sandbox, '/', { through: disturbed })).status, 200);
  await pass(6_000);
  sandbox.state = 'stopped';
  assertProblem(await view(sandbox, '/', { through: disturbed }), 503);
  assert.equal(sandbox.starts, 1);
});

for (const [how, signsIn] of [['by a sign-in', true], ['by a 401', false]]) {
  test(`after a restart the new token is fetched, where Daytona refuses the old one ${how}`, async () => {
    const sandbox = daytona.sandbox();
    sandbox.signsIn = signsIn;
    const door = await sandbox.port(PORT);
    assert.equal((await view(sandbox, '/', { through: disturbed })).status, 200);
    await pass(6_000);
    sandbox.restart();
    assert.equal((await view(sandbox, '/again', { through: disturbed })).json.path, '/again');
    assert.equal(door.seen.at(-1).headers['x-daytona-preview-token'], sandbox.token);
    assert.equal(callsFor(sandbox).length, 4);
  });
}

test('content that is gone is not sent again: its sender is told to', async () => {
  const sandbox = daytona.sandbox();
  await sandbox.port(PORT);
  assert.equal((await view(sandbox, '/', { through: disturbed })).status, 200);
  await pass(6_000);
  sandbox.restart();
  const post = () => view(sandbox, '/', { through: disturbed, method: 'POST', body: 'x', headers: { 'content-length': 1 } });
  const refused = await post();
  assertProblem(refused, 503);
  assert.ok(refused.headers['retry-after']);
  assert.equal((await post()).status, 200);
});

test("an app's own 401 is the app's, and Daytona is not asked for each", async () => {
  const sandbox = daytona.sandbox();
  await sandbox.port(PORT, (request, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end('no'));
  for (let count = 0; count < 3; count += 1) {
    const answer = await view(sandbox, '/', { through: disturbed });
    assert.deepEqual([answer.status, answer.text, answer.headers['www-authenticate']], [401, 'no', 'Basic']);
  }
  assert.equal(callsFor(sandbox).length, 2);
  await pass(6_000);
  assert.equal((await view(sandbox, '/', { through: disturbed })).status, 401);
  assert.equal(callsFor(sandbox).length, 4);
});

test('nobody is sent to sign in with Daytona', async () => {
  const sandbox = daytona.sandbox();
  const door = await sandbox.port(PORT);
  sandbox.token = 'which no longer is what the API says';
  daytona.faults.api = (request, response) =>
    response
      .writeHead(200)
      .end(JSON.stringify({ state: 'started', public: true, url: door.url, token: 'an-old-one' }));
  try {
    const answer = await view(sandbox);
    assertProblem(answer, 502);
    assert.equal(answer.headers.location, undefined);
  } finally {
    daytona.faults.api = undefined;
  }
});

test("while Daytona's API is down, open previews go on and others are told when to come again", async () => {
  const [open, closed] = [daytona.sandbox(), daytona.sandbox()];
  await open.port(PORT);
  assert.equal((await view(open, '/', { through: disturbed })).status, 200);
  await pass(200_000);
  daytona.faults.api = (request, response) => response.writeHead(500).end();
  try {
    assert.equal((await view(open, '/', { through: disturbed })).status, 200);
    const refused = await view(closed, '/', { through: disturbed });
    assertProblem(refused, 503);
    assert.ok(refused.headers['retry-after']);
    for (let count = 0; count < 20; count += 1) await view({ id: randomUUID() }, '/', { through: disturbed });
    assert.ok(daytona.calls.filter((call) => !call.includes(open.id)).length);
    const before = daytona.calls.length;
    assertProblem(await view(closed, '/', { through: disturbed }), 503);
    assert.equal(daytona.calls.length, before, 'an API that keeps failing is left alone');
  } finally {
    daytona.faults.api = undefined;
  }
  await pass(6_000);
  assert.equal((await view(open, '/', { through: disturbed })).status, 200);
});

test('WebSockets pass, with their protocol, binary messages and closing codes', async () => {
  const sandbox = daytona.sandbox();
  const door = await sandbox.port(6080);
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/websockify?x=1`, ['binary'], {
    headers: { host: hostOf(sandbox, 6080), origin: `http://${hostOf(sandbox, 6080)}` },
  });
  await once(socket, 'open');
  assert.equal(socket.protocol, 'binary');
  const message = randomBytes(70_000);
  socket.send(message);
  const [echoed, binary] = await once(socket, 'message');
  assert.ok(binary && echoed.equals(message));
  socket.send('close 4001 bye');
  const [code, reason] = await once(socket, 'close');
  assert.deepEqual([code, reason.toString()], [4001, 'bye']);
  const { url, headers } = door.seen[0];
  assert.equal(url, '/websockify?x=1');
  assert.equal(headers['x-daytona-preview-token'], sandbox.token);
  assert.equal(headers.origin, door.url, 'the app knows itself by its own address');
});

test('a WebSocket that would set a cookie for other hosts is refused', async () => {
  const sandbox = daytona.sandbox();
  await sandbox.port(6080);
  const open = (cookie) => {
    const path = `/?cookie=${encodeURIComponent(cookie)}`;
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, { headers: { host: hostOf(sandbox, 6080) } });
    socket.on('error', () => {});
    return socket;
  };
  const [, refused] = await once(open(`a=1; Domain=${he2.previews.domain}`), 'unexpected-response');
  assert.equal(refused.statusCode, 502);
  refused.resume();
  const fine = open('a=1; Path=/');
  const [[response]] = await Promise.all([once(fine, 'upgrade'), once(fine, 'open')]);
  assert.deepEqual(response.headers['set-cookie'], ['a=1; Path=/']);
  fine.close();
  await once(fine, 'close');
});

test('an address that asks too often is refused, whatever it looks at', async () => {
  const [{ burst }] = he2.limit.previews.windows;
  const sandbox = daytona.sandbox();
  await sandbox.port(PORT);
  const ip = address();
  const ask = async () => (await view(sandbox, '/', { headers: { 'cf-connecting-ip': ip } })).status;
  const statuses = [];
  while (statuses.length < burst + 200 && !statuses.includes(429))
    statuses.push(...(await Promise.all(Array.from({ length: 50 }, ask))));
  assert.ok(statuses.includes(429), `none of ${statuses.length} is refused`);
  assert.ok(statuses.filter((status) => status === 200).length >= burst);
  assert.equal((await view(sandbox)).status, 200, 'another address');
});

test('the log names sandbox and port, and neither token nor query', async () => {
  const sandbox = daytona.sandbox();
  await sandbox.port(6080);
  const password = secrets.keep('the password of a desktop', randomBytes(16).toString('hex'));
  const answer = await view(sandbox, `/vnc_lite.html?password=${password}`, { port: 6080 });
  assert.equal(answer.status, 200);
  const id = answer.headers['x-request-id'];
  const line = await until(() => gateway.logs.map(({ message }) => message).find((text) => text.includes(id)));
  const record = JSON.parse(line);
  assert.deepEqual([record.route, record.sandbox, record.port], ['previews', sandbox.id, 6080]);
  assert.equal(record.path, '/vnc_lite.html');
  assert.deepEqual(gateway.leaks(), []);
});

test('what a preview answers is told apart from what it is of: the app is untouched', () => {
  assert.deepEqual(origin.requests, []);
});
