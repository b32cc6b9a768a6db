//! The search for secrets finds them, so that its silence in every other file means something.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { Secrets, secrets } from './harness/secrets.mjs';
import { newKey, send, signToken, startAll, startGateway, until } from './harness.mjs';

const { issuer, gateway } = await startAll();
const random = () => randomBytes(24).toString('base64url');

test('a secret is found whole, cut and inside other text, by its name and not its value', () => {
  for (const part of [(value) => value, (value) => value.slice(1), (value) => value.slice(0, -1)]) {
    const [own, value] = [new Secrets(), random() + random()];
    own.keep('the key', value);
    own.emitted('the log', `{"message":"before${part(value)}after"}`);
    assert.deepEqual(own.leaks(), ['the key in the log']);
  }
});

test('text without a secret has none, and is looked at once', () => {
  const own = new Secrets();
  const value = own.keep('the key', random());
  own.emitted('the log', random() + random());
  assert.deepEqual(own.leaks(), []);
  own.emitted('the log', value);
  assert.equal(own.leaks().length, 1);
  assert.deepEqual(own.leaks(), []);
});

test('minted tokens and what a client sends are among those looked for', async () => {
  const [cookie, refresh, mcp] = [random(), random(), random()];
  await send(gateway, 'GET', '/api/health', {
    headers: {
      cookie: `theme=dark; sb-x=${cookie}`,
      'X-Refresh-Token': refresh,
      'x-mcp-headers': `{"a":"${mcp}"}`,
    },
  });
  const token = await issuer.mint();
  const used = {
    'a token': token.split('.')[2],
    'a cookie': cookie,
    'X-Refresh-Token': refresh,
    'X-MCP-Headers': mcp,
    'a token of any key': (await signToken({ sub: 'x' }, await newKey())).split('.')[2],
    ...Object.fromEntries(gateway.secretNames.map((name) => [name, gateway.vars[name]])),
  };
  assert.deepEqual(secrets.leaks(), []);
  for (const [name, value] of Object.entries(used)) {
    secrets.emitted('a test', value);
    assert.equal(secrets.leaks().length, 1, name);
  }
});

test('a gateway that let a secret out does not close quietly', async () => {
  const other = await startGateway({ origin: gateway.vars.ORIGIN, issuer: issuer.url });
  secrets.emitted('a test', other.vars.ORIGIN_LOCK);
  await assert.rejects(other.close(), /ORIGIN_LOCK in a test/);
});

test('log lines, own answers and stored keys are among what is searched', async (t) => {
  const other = await startGateway({ origin: gateway.vars.ORIGIN, issuer: issuer.url });
  t.after(() => assert.rejects(other.close(), /the canary/));
  const word = secrets.keep('the canary', `he2-canary-${randomBytes(12).toString('hex')}`);
  await send(other, 'GET', `/_next/static/${word}.js`);
  await send(other, 'GET', `/${word}`, { host: 'www.he2.ai' });
  const places = new Set();
  const expected = ['the log', 'the field location', 'stored by cache'].map(
    (place) => `the canary in ${place}`,
  );
  await until(() => {
    for (const place of other.leaks()) places.add(place);
    return expected.every((place) => places.has(place));
  }, `the canary in all of ${expected}`);
});
