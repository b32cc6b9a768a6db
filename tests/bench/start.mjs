//! What it costs to start: workerd from its start to its first answer, and memory over many requests.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, one, writeRequests } from './load.mjs';
import { residentKiB } from './processes.mjs';
import { startPeer } from './peers.mjs';
import { median } from './measure.mjs';
import { BROWSER } from './scenarios.mjs';

/** Wall time and CPU time from start to first answer, medians of interleaved starts (ms). */
export async function coldStarts(world, folders, names, times) {
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < times; round += 1)
    for (const name of names) samples[name].push(await coldStart(world, name, folders[name]));
  return Object.fromEntries(names.map((name) => [name, middle(samples[name])]));
}

const middle = (samples) => ({
  wallMs: median(samples.map(({ wallMs }) => wallMs)),
  cpuMs: median(samples.map(({ cpuMs }) => cpuMs)),
});

async function coldStart(world, name, folder) {
  const began = performance.now();
  const peer = await startPeer(name, folder, world);
  const { status } = await one(peer, { path: '/dashboard' });
  const measured = { wallMs: performance.now() - began, cpuMs: ranMs(peer.pid) };
  await peer.stop();
  if (status !== 200) throw new Error(`${name} answered ${status}`);
  return measured;
}

/** As `cpuMs`, but to the nanosecond: the time that each thread there is has run. */
function ranMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ran = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return ran.reduce((sum, one) => sum + one, 0) / 1e6;
}

/** Resident memory (MiB) after so many requests of 10,000 users, by their number. */
export async function memory(world, folders, names, { steps, users = 10_000 }) {
  const file = join(mkdtempSync(join(world.place, 'memory-')), 'requests.txt');
  const headers = (user) => ({ ...BROWSER, Authorization: `Bearer ${world.seen(user)}` });
  writeRequests(
    file,
    Array.from({ length: users }, (_, user) => ({ path: '/api/agents?page=1', headers: headers(user) })),
  );
  const found = {};
  for (const name of names)
    found[name] = await memoryOf(await startPeer(name, folders[name], world), file, steps);
  return found;
}

async function memoryOf(peer, file, steps) {
  const found = [];
  let requests = 0;
  for (const step of steps) {
    while (requests < step) requests += (await load(peer, file, { seconds: 1 })).requests;
    found.push({ requests, mib: residentKiB(peer.pid) / 1024 });
  }
  await peer.stop();
  return found;
}
