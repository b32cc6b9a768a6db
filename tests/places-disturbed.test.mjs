//! Places hold, and are free again, while isolates vanish and the objects that keep them are evicted or fail.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startGateway, until } from './harness.mjs';
import { disturb, evict, setClocks } from './harness/disturb.mjs';
import { linesOf, newCallers } from './harness/limits.mjs';
import { LEASE, MOST, assertCrowded, leave, startPlaces, statuses } from './harness/places.mjs';

const SHARD = 7; // any: its keys share one object
const places = await startPlaces();
const { addresses, issuer, gateway, random, stream, streams, opened, taken, newUser, disturbPlaces } = places;

test('streams that come and go while their object is evicted: never more, and no place is lost', async (t) => {
  const [visitors, visits] = [60, 12];
  const users = await newCallers(issuer, 'streams', 2, { shard: SHARD });
  const inside = new Map(users.map((user) => [user, 0]));
  let [visited, refused, most] = [0, 0, 0];
  const visit = async () => {
    const user = random.pick(users);
    const response = await stream(user);
    visited += 1;
    if (response.statusCode !== 200) return (refused += 1);
    inside.set(user, inside.get(user) + 1);
    most = Math.max(most, inside.get(user));
    await delay(50 + random.int(100));
    inside.set(user, inside.get(user) - 1);
    return leave(response);
  };
  let evicted = false;
  const evicting = evict(gateway, 'Places', SHARD, 10).finally(() => (evicted = true));
  const visitor = async () => {
    for (let times = 0; times < visits || !evicted; times += 1) await visit();
  };
  await Promise.all([evicting, ...Array.from({ length: visitors }, visitor)]);
  t.diagnostic(`${visited} streams, ${refused} refused, ${most} at once`);
  assert.ok(most <= MOST, `${most} at once`);
  assert.ok(refused > 0, 'nobody was refused');
  for (const { key } of users) await until(async () => (await taken(key)) === 0, 'all have left');
});

test('a stream keeps its place for longer than a lease, because it is renewed', async () => {
  const user = await newUser();
  const response = await stream(user, { by: gateway.isolates[1] });
  const { asked } = await disturbPlaces({ only: 'enter' });
  for (const times of [1, 2]) {
    await setClocks(gateway, times * (LEASE / 2 + 1000));
    // Both its own place and the backend's.
    await until(
      async () => (await disturbPlaces({ only: 'enter' })).asked >= asked + times * 2,
      'it is renewed',
    );
  }
  assert.equal(await taken(user.key), 1);
  leave(response);
  await until(async () => (await taken(user.key)) === 0, 'its place is free', 2_000);
});

test('a place whose holder vanished is free when its lease is over, and no earlier', async () => {
  const user = await newUser();
  await streams(user, MOST);
  const plan = { faults: ['throws'], only: 'leave' };
  const { disturbed } = await disturbPlaces(plan);
  opened.forEach(leave);
  const lost = async () => (await disturbPlaces(plan)).disturbed - disturbed;
  await until(async () => (await lost()) === MOST * 2, 'all that they say is lost');
  await disturb(gateway.isolates[0], { clock: LEASE - 10_000 });
  await assertCrowded(await stream(user), 'streams');
  await disturb(gateway.isolates[0], { clock: LEASE + 1000 });
  assert.equal((await stream(user)).statusCode, 200);
});

test('places of a Worker that is killed with its streams are free when their leases are over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'he2-places-'));
  const start = () => startGateway({ ...addresses, disturbed: true, persist: folder });
  const user = await newUser();
  const killed = await start();
  await streams(user, MOST, { by: killed }).finally(() => killed.close());
  const next = await start();
  try {
    assert.equal(await taken(user.key, next), MOST);
    await assertCrowded(await stream(user, { by: next }), 'streams');
    await setClocks(next, LEASE + 1000);
    assert.equal((await stream(user, { by: next })).statusCode, 200);
  } finally {
    await next.close();
    await rm(folder, { recursive: true });
  }
});

for (const fault of ['throws', 'garbles', 'dies before', 'dies after', 'hangs']) {
  test(`where the object of places ${fault}, streams go on, and the log says so`, async () => {
    const user = await newUser();
    await disturbPlaces({ faults: [fault], only: 'enter' });
    const all = await streams(user, MOST + 5);
    assert.deepEqual(statuses(all), Array(MOST + 5).fill(200));
    for (const { headers } of all) {
      assert.doesNotMatch(headers['ratelimit-policy'], /streams/, 'nothing is made up');
      assert.equal(headers['retry-after'], undefined);
    }
    for (const { degraded } of await linesOf(gateway, all))
      assert.deepEqual(
        degraded.map((line) => line.split(':')[0]),
        ['places of streams', 'places of backend-streams'],
      );
  });
}
