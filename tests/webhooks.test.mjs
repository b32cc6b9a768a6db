//! A webhook reaches the app when its sender proves itself, with the bytes that were signed, and once it is
//! acknowledged not again.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import test from 'node:test';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { route } from './harness/config.mjs';
import { standardFields, stripeFields } from './harness/webhooks.mjs';
import {
  assertProblem,
  assertUnseen,
  lastSeen,
  nowSeconds,
  send,
  startAll,
  startGateway,
  until,
} from './harness.mjs';

const { origin, issuer, gateway } = await startAll();
const { STRIPE_WEBHOOK_SECRET, COMPOSIO_WEBHOOK_SECRET, TRIGGER_WEBHOOK_SECRET } = gateway.vars;
const STRIPE = '/api/billing/webhook';
const COMPOSIO = '/api/composio/webhook';
const trigger = () => `/api/triggers/${randomUUID()}/webhook`;

const post = (path, headers, body, { to = gateway, host = 'api.he2.ai' } = {}) =>
  send(to, 'POST', path, { host, headers, body });
const eventId = () => `evt_${randomBytes(12).toString('hex')}`;
const event = (id = eventId()) => JSON.stringify({ id, object: 'event', type: 'checkout.session.completed' });
const messageId = () => `msg_${randomBytes(12).toString('hex')}`;
const flip = (text) => text.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function assertForwarded(answer, path, body) {
  assert.equal(answer.status, 200, answer.text);
  const seen = lastSeen(origin, path);
  assert.equal(seen.bodySha256, sha256(body));
  assert.equal(seen.bodyBytes, Buffer.byteLength(body));
  return seen;
}

async function assertRefused(path, headers, body, options) {
  return assertProblem(
    await assertUnseen(origin, () => post(path, headers, body, options)),
    400,
    JSON.stringify(headers),
  );
}

test("Stripe's own library signs what passes, and takes what the origin receives", async () => {
  const payload = event();
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: STRIPE_WEBHOOK_SECRET });
  const received = Promise.withResolvers();
  const { promise } = received;
  origin.on(STRIPE, async (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    await once(request, 'end');
    received.resolve({ body: Buffer.concat(chunks), signature: request.headers['stripe-signature'] });
    response.writeHead(200).end('{}');
  });
  assert.equal((await post(STRIPE, { 'stripe-signature': signature }, payload)).status, 200);
  origin.on(STRIPE, undefined);
  const { body, signature: seen } = await promise;
  assert.equal(seen, signature);
  assert.deepEqual(Stripe.webhooks.constructEvent(body, seen, STRIPE_WEBHOOK_SECRET), JSON.parse(payload));
});

test('the library of Standard Webhooks signs what passes', async () => {
  const [id, body] = [messageId(), '{"type":"trigger","data":{"é":1}}'];
  const fields = standardFields(COMPOSIO_WEBHOOK_SECRET, id, body);
  const signature = new Webhook(COMPOSIO_WEBHOOK_SECRET).sign(
    id,
    new Date(1_000 * fields['webhook-timestamp']),
    body,
  );
  assert.equal(signature, fields['webhook-signature']);
  const seen = await assertForwarded(await post(COMPOSIO, fields, body), COMPOSIO, body);
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
    assert.equal(seen.headers[name], fields[name]);
});

test('the exact bytes go on, whatever they are', async () => {
  const bodies = [
    Buffer.from([0xff, 0xfe, 0, 0xc3, 0x28, 13, 10]),
    Buffer.alloc(0),
    randomBytes(100_000),
    '{ "a" : 1 }\r\n',
  ];
  for (const body of bodies) {
    const stripe = await post(STRIPE, stripeFields(STRIPE_WEBHOOK_SECRET, body), body);
    await assertForwarded(stripe, STRIPE, body);
    const composio = await post(COMPOSIO, standardFields(COMPOSIO_WEBHOOK_SECRET, messageId(), body), body);
    await assertForwarded(composio, COMPOSIO, body);
    const path = trigger();
    await assertForwarded(await post(path, { 'x-trigger-secret': TRIGGER_WEBHOOK_SECRET }, body), path, body);
  }
});

test('any one good signature among several is enough', async () => {
  const body = event();
  const time = nowSeconds();
  const [good] = stripeFields(STRIPE_WEBHOOK_SECRET, body, time)['stripe-signature'].match(/v1=.*/);
  const bad = good.replace(/.{8}$/, '00000000');
  const fields = { 'stripe-signature': `t=${time},v0=ab,${bad},${good},${bad}` };
  await assertForwarded(await post(STRIPE, fields, body), STRIPE, body);
  const standard = standardFields(COMPOSIO_WEBHOOK_SECRET, messageId(), body);
  standard['webhook-signature'] = `v2,abcd v1a,efgh v1,AAAA ${standard['webhook-signature']}`;
  await assertForwarded(await post(COMPOSIO, standard, body), COMPOSIO, body);
});

test('while a secret is rotated, deliveries signed with either pass', async (t) => {
  const fresh = () => `whsec_${randomBytes(32).toString('base64')}`;
  const [old, new_] = [fresh(), fresh()];
  const vars = { STRIPE_WEBHOOK_SECRET: `${old} ${new_}`, COMPOSIO_WEBHOOK_SECRET: `${new_} ${old}` };
  vars.TRIGGER_WEBHOOK_SECRET = `${old} ${new_}`;
  const to = await startGateway({ origin: origin.url, issuer: issuer.url, vars });
  t.after(() => to.close());
  for (const secret of [old, new_]) {
    const [body, path] = [event(), trigger()];
    await assertForwarded(await post(STRIPE, stripeFields(secret, body), body, { to }), STRIPE, body);
    const fields = standardFields(secret, messageId(), body);
    await assertForwarded(await post(COMPOSIO, fields, body, { to }), COMPOSIO, body);
    await assertForwarded(await post(path, { 'x-trigger-secret': secret }, body, { to }), path, body);
  }
  // And one that was signed with both by its sender, of which this deployment has one.
  const [body, other] = [event(), fresh()];
  await assertForwarded(await post(STRIPE, stripeFields([other, new_], body), body, { to }), STRIPE, body);
  await assertRefused(STRIPE, stripeFields(other, body), body, { to });
});

test("Stripe's delivery is refused that is unsigned, old, changed or not ours", async () => {
  const [body, secret, now] = [event(), STRIPE_WEBHOOK_SECRET, nowSeconds()];
  const { tolerance_seconds: tolerance } = route('stripe').auth;
  const good = stripeFields(secret, body)['stripe-signature'];
  await assertRefused(STRIPE, {}, body);
  const wrong = [
    flip(good),
    good.toUpperCase(),
    good.replace('v1=', 'v0='),
    good.replace(/t=\d+/, `t=${now - 1}`),
    good.replace(/t=\d+,/, ''),
    good.replace(/,v1=.*/, ''),
    `${good},t=${now}`,
    good.slice(0, -2),
    't=,v1=',
    '',
    stripeFields(secret, body, now - tolerance - 5)['stripe-signature'],
    stripeFields(secret, body, now + tolerance + 60)['stripe-signature'],
    stripeFields(TRIGGER_WEBHOOK_SECRET, body)['stripe-signature'],
    stripeFields(secret.slice('whsec_'.length), body)['stripe-signature'],
    stripeFields('', body)['stripe-signature'],
  ];
  for (const signature of wrong) await assertRefused(STRIPE, { 'stripe-signature': signature }, body);
  for (const changed of [`${body} `, body.slice(1), '', body.replace('evt_', 'evt-')])
    await assertRefused(STRIPE, { 'stripe-signature': good }, changed);
  await assertForwarded(await post(STRIPE, { 'stripe-signature': good }, body), STRIPE, body);
});

test("Standard Webhooks' delivery is refused that is unsigned, old, changed or not ours", async () => {
  const [body, id, secret, now] = ['{"a":1}', messageId(), COMPOSIO_WEBHOOK_SECRET, nowSeconds()];
  const { tolerance_seconds: tolerance } = route('composio').auth;
  const good = standardFields(secret, id, body);
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    const { [name]: _, ...others } = good;
    await assertRefused(COMPOSIO, others, body);
    await assertRefused(COMPOSIO, { ...good, [name]: `${good[name]}0` }, body);
    await assertRefused(COMPOSIO, { ...good, [name]: '' }, body);
  }
  const wrong = [
    { ...good, 'webhook-id': messageId() },
    { ...good, 'webhook-timestamp': String(now - 1) },
    { ...good, 'webhook-signature': good['webhook-signature'].replace('v1,', 'v2,') },
    { ...good, 'webhook-signature': good['webhook-signature'].replace('v1,', '') },
    standardFields(secret, id, body, now - tolerance - 5),
    standardFields(secret, id, body, now + tolerance + 60),
    standardFields(STRIPE_WEBHOOK_SECRET, id, body),
    standardFields('', id, body),
  ];
  for (const fields of wrong) await assertRefused(COMPOSIO, fields, body);
  for (const changed of [`${body} `, '{"a":2}', '']) await assertRefused(COMPOSIO, good, changed);
  await assertForwarded(await post(COMPOSIO, good, body), COMPOSIO, body);
});

test('a trigger needs its shared secret, to the letter, on both hosts', async () => {
  const secret = TRIGGER_WEBHOOK_SECRET;
  for (const [path, host] of [
    [trigger(), 'api.he2.ai'],
    [trigger(), 'he2.ai'],
    [`/api/webhooks/trigger/${randomUUID()}`, 'he2.ai'],
  ]) {
    const wrong = [
      '',
      flip(secret),
      secret.slice(0, -1),
      `${secret}0`,
      secret.toLowerCase(),
      STRIPE_WEBHOOK_SECRET,
    ];
    for (const value of wrong) await assertRefused(path, { 'x-trigger-secret': value }, '{}', { host });
    await assertRefused(path, { 'x-trigger-secret': [secret, secret] }, '{}', { host });
    await assertRefused(path, { authorization: `Bearer ${secret}` }, '{}', { host });
    await assertForwarded(await post(path, { 'x-trigger-secret': secret }, '{}', { host }), path, '{}');
  }
});

test('content is taken up to the cap and no further, whether its length is known or not', async () => {
  const chunked = (body) => Readable.from([body.subarray(0, 1_000), body.subarray(1_000)]);
  const sized = (name) => {
    const { max_body_bytes: most } = route(name).auth;
    return [Buffer.alloc(most, 'x'), Buffer.alloc(most + 1, 'x')];
  };
  for (const [name, path, fields] of [
    ['stripe', STRIPE, (body) => stripeFields(STRIPE_WEBHOOK_SECRET, body)],
    ['composio', COMPOSIO, (body) => standardFields(COMPOSIO_WEBHOOK_SECRET, messageId(), body)],
  ]) {
    const [fits, tooLong] = sized(name);
    await assertForwarded(await post(path, fields(fits), fits), path, fits);
    await assertForwarded(await post(path, fields(fits), chunked(fits)), path, fits);
    for (const body of [tooLong, chunked(tooLong)])
      assertProblem(await assertUnseen(origin, () => post(path, fields(tooLong), body)), 413, path);
  }
  const fields = { 'x-trigger-secret': TRIGGER_WEBHOOK_SECRET };
  const [, tooLong] = sized('triggers');
  assertProblem(await assertUnseen(origin, () => post(trigger(), fields, tooLong)), 413);
});

/** Posts until a delivery is answered without the origin. */
const untilReplayed = (deliver, path) =>
  until(async () => {
    const before = origin.seen(path).length;
    const answer = await deliver();
    assert.equal(answer.status, 200);
    return origin.seen(path).length === before;
  }, 'it is answered without the origin');

for (const [what, path, newDelivery] of [
  [
    'an event of Stripe',
    STRIPE,
    () => {
      const body = event();
      // Stripe signs anew each time it sends one again.
      return (shift) => post(STRIPE, stripeFields(STRIPE_WEBHOOK_SECRET, body, nowSeconds() - shift), body);
    },
  ],
  [
    'a message of Standard Webhooks',
    COMPOSIO,
    () => {
      const id = messageId();
      return (shift) =>
        post(COMPOSIO, standardFields(COMPOSIO_WEBHOOK_SECRET, id, '{}', nowSeconds() - shift), '{}');
    },
  ],
]) {
  test(`${what} that was acknowledged is answered 200 when it comes again, without the origin`, async () => {
    const deliver = newDelivery();
    assert.equal((await deliver(5)).status, 200);
    await untilReplayed(() => deliver(5), path);
    const again = await assertUnseen(origin, () => deliver(0));
    assert.equal(again.status, 200);
    const other = origin.seen(path).length;
    assert.equal((await newDelivery()(0)).status, 200);
    assert.equal(origin.seen(path).length, other + 1, 'another one passes');
  });

  test(`${what} that the origin did not acknowledge is forwarded again`, async () => {
    const deliver = newDelivery();
    for (const status of [500, 503, 400, 302]) {
      origin.on(path, (_request, response) => response.writeHead(status, { Location: '/' }).end());
      const before = origin.seen(path).length;
      assert.equal((await deliver(0)).status, status);
      assert.equal(origin.seen(path).length, before + 1);
    }
    origin.on(path, undefined);
    const before = origin.seen(path).length;
    assert.equal((await deliver(0)).status, 200);
    assert.equal(origin.seen(path).length, before + 1);
    await untilReplayed(() => deliver(0), path);
  });
}

test('a forged copy of an acknowledged delivery is refused all the same', async () => {
  const body = event();
  const fields = stripeFields(STRIPE_WEBHOOK_SECRET, body);
  await untilReplayed(() => post(STRIPE, fields, body), STRIPE);
  await assertRefused(STRIPE, { ...fields, 'stripe-signature': flip(fields['stripe-signature']) }, body);
});

test('a trigger that comes twice is two: it has no name', async () => {
  const path = trigger();
  for (let count = 0; count < 3; count += 1)
    await post(path, { 'x-trigger-secret': TRIGGER_WEBHOOK_SECRET }, '{"same":true}');
  assert.equal(origin.seen(path).length, 3);
});

test('without its secret a deployment says 503, so that senders come again', async (t) => {
  const names = ['STRIPE_WEBHOOK_SECRET', 'COMPOSIO_WEBHOOK_SECRET', 'TRIGGER_WEBHOOK_SECRET'];
  for (const value of [undefined, '']) {
    const vars = Object.fromEntries(names.map((name) => [name, value]));
    const to = await startGateway({ origin: origin.url, issuer: issuer.url, vars });
    t.after(() => to.close());
    for (const [path, fields] of [
      [STRIPE, stripeFields('', '{}')],
      [COMPOSIO, standardFields('', messageId(), '{}')],
      [trigger(), { 'x-trigger-secret': '' }],
      [trigger(), {}],
    ])
      assertProblem(await assertUnseen(origin, () => post(path, fields, '{}', { to })), 503, path);
  }
});
