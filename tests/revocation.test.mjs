//! What operators revoke is refused within seconds, everywhere, and in streams that are open; nothing else
//! is.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import test, { suite } from 'node:test';
import { LONGEST_USE } from './harness/config.mjs';
import {
  assertProblem,
  assertUnseen,
  bearer,
  lastSeen,
  nowSeconds,
  open,
  send,
  startGateway,
  startIssuer,
  startOrigin,
  until,
} from './harness.mjs';

const origin = await startOrigin();
const issuer = await startIssuer();
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url, isolates: 2 });
test.after(() => Promise.all([gateway.close(), origin.close(), issuer.close()]));

const PATH = '/.edge/revocations';
const HOST = 'api.he2.ai';
const OPERATOR = { 'x-admin-api-key': gateway.vars.ADMIN_API_KEY };
const [here, elsewhere] = gateway.isolates;

// Node sends no length with DELETE by itself, and so no content.
const write = (method, body, headers = OPERATOR) =>
  send(here, method, PATH, {
    host: HOST,
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    body,
  });
const ask = (method, value, headers = OPERATOR) =>
  value ? write(method, JSON.stringify(value), headers) : send(here, method, PATH, { host: HOST, headers });
const revoke = async (body) => {
  const answer = await ask('POST', body);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
};
const list = async () => (await ask('GET')).json.revocations;
/** A call of a route without a limit, so that it can be asked again and again. */
const call = (token, to = here) =>
  send(to, 'GET', `/api/agent-run/${randomUUID()}/stream?frames=0&gap=0`, {
    host: HOST,
    headers: bearer(token),
  });
const works = async (token, to) => {
  const { status, text } = await call(token, to);
  assert.ok(status === 200 || status === 401, text);
  return status === 200;
};

/** Waits until every isolate refuses a token. */
const refusedEverywhere = (token) =>
  until(
    async () => !(await works(token, here)) && !(await works(token, elsewhere)),
    'both isolates refuse it',
  );

/** A token that both isolates have verified and remember. */
async function usedToken(claims) {
  const token = await issuer.mint({ claims });
  for (const isolate of gateway.isolates) assert.equal((await call(token, isolate)).status, 200);
  return token;
}

// Each waits for the isolates to learn of it, so they wait together.
suite('revocations', { concurrency: true }, () => {
  test('a session is revoked on every isolate, and its user may go on in another', async () => {
    const [sub, session] = [randomUUID(), randomUUID()];
    const [token, other] = [await usedToken({ sub, session_id: session }), await usedToken({ sub })];
    const entry = await revoke({ session_id: session });
    assert.equal(entry.session_id, session);
    await refusedEverywhere(token);
    const run = `/api/agent-run/${randomUUID()}`;
    for (const path of [run, `${run}/stream`, `/api/sandboxes/${randomUUID()}/files`]) {
      const answer = await send(here, 'GET', path, { host: HOST, headers: bearer(token) });
      assertProblem(answer, 401, path);
      assert.match(answer.headers['www-authenticate'], /error="invalid_token"/);
      assert.deepEqual(origin.seen(path), []);
    }
    for (const isolate of gateway.isolates) assert.ok(await works(other, isolate));
  });

  test("a user's tokens up to a time are revoked, later ones and other users' are not", async () => {
    const sub = randomUUID();
    const old = await usedToken({ sub, iat: nowSeconds() - 600 });
    const recent = await usedToken({ sub, iat: nowSeconds() - 60 });
    const stranger = await usedToken({ iat: nowSeconds() - 600 });
    const entry = await revoke({ sub, issued_before: nowSeconds() - 300 });
    assert.equal(entry.sub, sub);
    await refusedEverywhere(old);
    for (const token of [recent, stranger]) assert.ok(await works(token));
    await revoke({ sub }); // up to now
    await refusedEverywhere(recent);
    assert.ok(await works(await issuer.mint({ claims: { sub, iat: nowSeconds() + 1 } })));
    assert.ok(await works(stranger));
  });

  test("a key's tokens are revoked, another key's are not", async () => {
    const key = await issuer.addKey('ES256');
    const token = await issuer.mint({ key });
    assert.ok(await works(token));
    await revoke({ kid: key.kid });
    await refusedEverywhere(token);
    assert.ok(!(await works(await issuer.mint({ key }))));
    assert.ok(await works(await issuer.mint()));
  });

  test('what is revoked is listed until its tokens have expired, and can be taken back', async () => {
    const session = randomUUID();
    const token = await usedToken({ session_id: session });
    const before = nowSeconds();
    const entry = await revoke({ session_id: session });
    const listed = (await list()).filter(({ session_id: id }) => id === session);
    assert.deepEqual(listed, [entry]);
    assert.ok(
      entry.until >= before + LONGEST_USE && entry.until <= nowSeconds() + LONGEST_USE + 60,
      `${entry.until}`,
    );
    await refusedEverywhere(token);
    assert.equal((await ask('DELETE', { session_id: session })).status, 200);
    assertProblem(await ask('DELETE', { session_id: session }), 404);
    assert.deepEqual(
      (await list()).filter(({ session_id: id }) => id === session),
      [],
    );
    for (const isolate of gateway.isolates) await until(() => works(token, isolate), 'it works again');
  });

  test('an open stream of a revoked session ends in good order within seconds, another goes on', async () => {
    const session = randomUUID();
    const [mine, theirs] = [await issuer.mint({ claims: { session_id: session } }), await issuer.mint()];
    const revoked = await openStream(bearer(mine));
    const byQuery = await openStream({}, mine);
    const other = await openStream(bearer(theirs));
    await revoke({ session_id: session });
    for (const stream of [revoked, byQuery]) {
      await until(() => stream.response.readableEnded, 'the stream ends');
      assert.ok(stream.response.complete, 'to its last chunk');
      assert.equal(stream.text(), 'data: 0\n\n', 'nothing is lost of what was written');
      await until(() => lastSeen(origin, stream.path).abandoned, 'the origin sees it');
    }
    other.write('data: 1\n\n');
    await until(() => other.text() === 'data: 0\n\ndata: 1\n\n', 'the other stream goes on');
    assert.equal(other.response.readableEnded, false);
    assertProblem(await send(here, 'GET', revoked.path, { host: HOST, headers: bearer(mine) }), 401);
    other.end();
    await once(other.response, 'end');
  });
});

/** An event stream with one frame read, which the test goes on writing. */
async function openStream(headers, token) {
  const path = `/api/agent-run/${randomUUID()}/stream`;
  const written = Promise.withResolvers();
  origin.on(path, (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 0\n\n');
    written.resolve(response);
  });
  const response = await open(here, 'GET', token ? `${path}?token=${token}` : path, { host: HOST, headers });
  assert.equal(response.statusCode, 200);
  let text = '';
  response.on('data', (bytes) => {
    text += bytes;
  });
  await until(() => text === 'data: 0\n\n', 'the first frame');
  const writer = await written.promise;
  return { path, response, text: () => text, write: (bytes) => writer.write(bytes), end: () => writer.end() };
}

test("only operators reach the list, on either host", async () => {
  const [session, user] = [{ session_id: randomUUID() }, bearer(await issuer.mint())];
  await assertUnseen(origin, async () => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const body = method === 'GET' ? undefined : session;
      for (const headers of [{}, user]) assertProblem(await ask(method, body, headers), 401, method);
      for (const key of ['wrong', `${gateway.vars.ADMIN_API_KEY}0`, ''])
        assertProblem(await ask(method, body, { 'x-admin-api-key': key }), 403, method);
    }
    for (const method of ['PUT', 'PATCH']) assertProblem(await ask(method, session), 404, method);
    for (const path of ['/.edge/revocation', '/.edge', `${PATH}/x`])
      assertProblem(await send(here, 'POST', path, { host: 'he2.ai', headers: OPERATOR }), 404, path);
    assert.equal((await send(here, 'GET', PATH, { host: 'he2.ai', headers: OPERATOR })).status, 200);
  });
  assert.ok(!JSON.stringify(await list()).includes(session.session_id));
});

const BAD = {
  'no content': '',
  'no JSON': 'session_id',
  'an array': '[{"session_id":"a"}]',
  'a text': '"a"',
  'nothing in it': '{}',
  'two things at once': '{"session_id":"a","kid":"b"}',
  'a member nobody knows': '{"session_id":"a","why":"b"}',
  'an end of its own': '{"session_id":"a","until":9999999999}',
  'a number for an id': '{"session_id":1}',
  'an empty id': '{"session_id":""}',
  null: '{"session_id":null}',
  'an id that is too long': JSON.stringify({ session_id: 'a'.repeat(257) }),
  'a member twice': '{"session_id":"a","session_id":"b"}',
  'a time alone': '{"issued_before":1}',
  'a time for a session': '{"session_id":"a","issued_before":1}',
  'a time that is text': '{"sub":"a","issued_before":"1"}',
  'a negative time': '{"sub":"a","issued_before":-1}',
  'a time to come': JSON.stringify({ sub: 'a', issued_before: nowSeconds() + 3_600 }),
  'a time in milliseconds': JSON.stringify({ sub: 'a', issued_before: Date.now() }),
  'more behind it': '{"session_id":"a"} {}',
};

for (const [what, body] of Object.entries(BAD)) {
  test(`a request with ${what} is refused and revokes nothing`, async () => {
    const before = await list();
    for (const method of ['POST', 'DELETE']) assertProblem(await write(method, body), 400, method);
    assert.deepEqual(await list(), before);
  });
}

test('a request without end is not read to its end', async () => {
  assertProblem(await ask('POST', { session_id: 'a'.repeat(100_000) }), 413);
});
