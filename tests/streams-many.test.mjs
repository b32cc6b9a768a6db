//! A hundred event streams at once, silent for longer than proxies wait: nothing is lost, and who leaves is noticed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startAll } from './harness.mjs';
import { manyStreams } from './soak/streams.mjs';

const all = await startAll();

test('100 streams with silent gaps lose and reorder nothing, and each leaving is seen within 2 s', async () => {
  const { all: streams, left } = await manyStreams(all, { streams: 100, seconds: 20 });
  for (const { sent, got } of streams) assert.deepEqual(got, sent);
  assert.ok(
    streams.every(({ sent }) => sent.length >= 20),
    'on both sides of a silence',
  );
  assert.ok(Math.max(...left) <= 2_000, `the last was seen after ${Math.max(...left)} ms`);
});
