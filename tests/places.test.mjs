//! Only so many requests of a caller are under way at once; whoever is over or leaves frees the place.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import test, { afterEach } from 'node:test';
import { EventSource } from 'undici';
import { assertProblem, open, send, until } from './harness.mjs';
import { he2 } from './harness/config.mjs';
import { disturb, setClocks } from './harness/disturb.mjs';
import { newCallers, operate } from './harness/limits.mjs';
import { LEASE, MOST, STREAM } from './harness/places.mjs';
import { assertCrowded, assertPolicy, leave, startPlaces, statuses } from './harness/places.mjs';

const EVENTS = { accept: 'text/event-stream' };
const places = await startPlaces();
const { origin, issuer, gateway, random, stream, streams, held, taken, newUser, disturbPlaces } = places;

test(`of a user's ${MOST + 1} streams the last is refused, another user's is not`, async () => {
  const [ada, grace] = [await newUser(), await newUser()];
  assert.deepEqual(statuses(await streams(ada, MOST)), Array(MOST).fill(200));
  const before = held.length;
  await assertCrowded(await stream(ada), 'streams');
  assert.equal(held.length, before, 'the origin saw nothing of it');
  assert.equal((await stream(grace)).statusCode, 200);
});

test('an EventSource is told to come again by an empty stream', async () => {
  const user = await newUser();
  await streams(user, MOST, { fields: EVENTS });
  const refused = await stream(user, { fields: EVENTS });
  assert.equal(refused.statusCode, 200);
  assert.match(refused.headers['content-type'], /^text\/event-stream/);
  assert.equal(refused.headers['cache-control'], 'no-store');
  assert.equal(refused.headers['retry-after'], undefined);
  assertPolicy(refused, 'streams');
  const [, retry] = /^retry: (\d+)\n(:.*\n)?\n$/.exec(await text(refused));
  assert.ok(retry >= 1000 && retry <= LEASE, `retry: ${retry}`);
});

test('an EventSource comes back by itself, and is let in once there is a place', async () => {
  const user = await newUser();
  const [first] = await streams(user, MOST);
  // So that it need not wait long: the first leases are about to be over.
  await disturb(gateway.isolates[0], { clock: LEASE - 3000 });
  const token = user.headers.authorization.slice('Bearer '.length);
  const source = new EventSource(`${gateway.url}${STREAM}?token=${token}`);
  const [opens, errors] = [[], []];
  source.onopen = () => opens.push(Date.now());
  source.onerror = () => errors.push(source.readyState);
  const before = held.length;
  await until(() => errors.length > 0, 'it is refused');
  assert.deepEqual(errors, [EventSource.CONNECTING], 'it does not give up');
  leave(first);
  const mine = await until(() => held[before], 'it comes back');
  mine.write('data: hello\n\n');
  const [{ data }] = await once(source, 'message');
  assert.equal(data, 'hello');
  assert.equal(opens.length, 2);
  source.close();
});

for (const [how, end] of [
  ['that the client leaves', leave],
  [
    'that the client leaves between two events',
    (response, other) => {
      response.destroy();
      other.write(': still there?\n\n');
    },
  ],
  ['that the origin ends', (_, response) => response.end()],
  ['that the origin breaks off', (_, response) => response.destroy()],
]) {
  test(`a stream ${how} frees its place within two seconds`, async () => {
    const user = await newUser();
    const last = await stream(user);
    const [other] = held.slice(-1);
    for (const response of [last, ...(await streams(user, MOST - 1))]) response.resume();
    end(last, other);
    await until(async () => (await taken(user.key)) === MOST - 1, 'one place is free', 2_000);
    assert.equal((await stream(user)).statusCode, 200);
    await assertCrowded(await stream(user), 'streams');
  });
}

test('what is refused, ends or fails holds no place', async () => {
  const user = await newUser();
  const of = (path, headers = user.headers) => send(gateway, 'GET', path, { host: 'api.he2.ai', headers });
  assert.equal((await of(STREAM, {})).status, 401);
  assert.equal((await of('/api/agent-run/x/stream?gap=1')).status, 200);
  assert.equal((await of('/api/agent-run/x/stream?_die=head')).status, 502);
  await until(async () => (await taken(user.key)) === 0, 'no place is taken');
});

test('a caller sees how many places are taken, operators see it of any, and free them', async () => {
  const user = await newUser();
  await streams(user, 3);
  const { json } = await send(gateway, 'GET', '/.edge/limits/me', {
    host: 'api.he2.ai',
    headers: user.headers,
  });
  const own = json.policies.filter(({ places }) => places !== undefined);
  assert.deepEqual(own.map(({ policy, places, taken }) => [policy, places, taken]).sort(), [
    ['streams', MOST, 3],
    ['uploads', he2.concurrency.uploads.most, 0],
    ['waits', he2.concurrency.waits.most, 0],
  ]);
  const seen = await operate(gateway, 'GET', { key: user.key });
  assert.deepEqual([seen.places, seen.taken], [MOST, 3]);
  assert.equal((await operate(gateway, 'DELETE', { key: user.key })).taken, 0);
});

test('the streams of all users have no more places than the backend', async () => {
  const { most } = he2.concurrency['backend-streams'];
  const users = await newCallers(issuer, 'streams', Math.ceil((most + 1) / MOST));
  const all = await Promise.all(users.map((user) => streams(user, MOST)));
  const refused = all.flat().filter(({ statusCode }) => statusCode === 503);
  assert.equal(refused.length, users.length * MOST - most);
  const [{ headers }] = refused;
  const answer = { status: 503, headers, text: await text(refused[0]) };
  assert.match(assertProblem({ ...answer, json: JSON.parse(answer.text) }, 503).type, /#temporary-reduced-capacity$/);
  assert.doesNotMatch(headers['ratelimit-policy'], /backend/, 'what others do is not told');
  assert.ok(Number(headers['retry-after']) >= 1);
  // Who found no place there holds none of their own.
  await until(
    async () => (await sum(users.map(({ key }) => taken(key)))) === most,
    'places are as many as streams',
  );
});

const sum = async (numbers) => (await Promise.all(numbers)).reduce((one, other) => one + other, 0);

/** What holds a place until its answer begins; the origin's side waits in `waiting`. */
const BRIEF = [
  { name: 'uploads', method: 'POST', path: '/api/transcription' },
  { name: 'waits', method: 'GET', path: '/api/v1/public/threads/held/response' },
];
const waiting = [];
for (const { path } of BRIEF) origin.on(path, (_request, response) => waiting.push(response));
// They are answered: what breaks off before its answer is asked for again.
afterEach(() =>
  waiting.splice(0).forEach((response) =>
    response.headersSent ? response.destroy() : response.writeHead(204).end(),
  ),
);

/** Requests under way, on connections of this agent: their answers' heads, which are yet to come. */
async function underWay(user, count, { method, path }, agent = false) {
  const [before, options] = [waiting.length, { host: 'api.he2.ai', headers: user.headers, agent }];
  const answers = Array.from({ length: count }, () =>
    open(random.pick(gateway.isolates), method, path, options),
  );
  answers.forEach((answer) => answer.catch(() => {})); // whoever leaves gets none
  await until(() => waiting.length === before + count, 'all are under way');
  return answers;
}

for (const call of BRIEF) {
  const { most } = he2.concurrency[call.name];
  const oneMore = async (user) => {
    const options = { host: 'api.he2.ai', headers: user.headers };
    await assertCrowded(
      await open(random.pick(gateway.isolates), call.method, call.path, options),
      call.name,
    );
  };

  test(`${call.name} hold a place until their answer begins, and no longer`, async () => {
    const [user] = await newCallers(issuer, call.name, 1);
    const answers = await underWay(user, most, call);
    await oneMore(user);
    for (const response of waiting)
      response.writeHead(200, { 'Content-Type': 'text/plain' }).write('the first half');
    assert.deepEqual(statuses(await Promise.all(answers)), Array(most).fill(200));
    await until(
      async () => (await taken(user.key)) === 0,
      'all places are free, while all answers go on',
      2_000,
    );
    await setClocks(gateway, 1_000); // that there was no place is remembered for a second
    await underWay(user, most, call);
  });

  test(`${call.name} whose clients leave before that free their places within two seconds`, async () => {
    const [user] = await newCallers(issuer, call.name, 1);
    const agent = new http.Agent();
    await underWay(user, most, call, agent);
    for (const socket of Object.values(agent.sockets).flat()) leave({ socket });
    await until(() => waiting.every(({ closed }) => closed), 'the origin sees that they left');
    await until(async () => (await taken(user.key)) === 0, 'all places are free', 2_000);
  });

  test(`${call.name} that last longer than a lease keep their places`, async () => {
    const [user] = await newCallers(issuer, call.name, 1);
    await underWay(user, most, call);
    for (const times of [1, 2, 3]) {
      const { asked } = await disturbPlaces({ only: 'enter' });
      await setClocks(gateway, times * (LEASE / 2 + 1000));
      await until(
        async () => (await disturbPlaces({ only: 'enter' })).asked >= asked + most,
        'they are renewed',
      );
    }
    await oneMore(user);
  });
}
