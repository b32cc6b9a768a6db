//! `make bench`: the gateway beside what a user would write in its place.
//!
//! - `QUICK=1`: what matters most, in two minutes. `CHECK=1`: fails where a bound is passed.
//! - `ONLY=seen,hit`: these scenarios alone; `ROUNDS`, `SECONDS`: how many and how long.
//! - `ALSO=folder,…`: further builds of the gateway, such as the one before a change, measured in the same rounds.
//! - `PROFILE=seen`: instead, where the gateway's CPU time goes in that scenario.
import { mkdtempSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { crossings } from './crossings.mjs';
import { beyond } from './goals.mjs';
import { growth } from './growth.mjs';
import { measure } from './measure.mjs';
import { startNative } from './native.mjs';
import { buildWorkers, startPeer, weigh, WORKERS } from './peers.mjs';
import { profile } from './profile.mjs';
import { report, reportProfile } from './report.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { coldStarts, memory } from './start.mjs';
import { startWorld } from './world.mjs';

const { QUICK, CHECK, ROUNDS, SECONDS, ONLY, ALSO, PROFILE, ORIGIN_PROGRAM, GROWTH_PROGRAM } = process.env;
const quick = Boolean(QUICK);
const rounds = Number(ROUNDS ?? (quick ? 2 : 7));
const seconds = Number(SECONDS ?? (quick ? 1 : 3));
const say = (text) => console.error(`bench: ${text}`);

const world = await startWorld(ORIGIN_PROGRAM);
const folders = await buildWorkers(mkdtempSync(join(world.place, 'workers-')));
for (const folder of ALSO?.split(',') ?? []) folders[basename(folder)] = resolve(folder);
const workers = Object.keys(folders);
const whole = !quick && !ONLY;

async function main() {
  const wanted = ONLY?.split(',');
  const isWanted = ({ name, quick: short }) => (wanted ? wanted.includes(name) : short || !quick);
  const scenarios = SCENARIOS.filter(isWanted);
  say(`starting ${workers.join(', ')}`);
  const starts = await coldStarts(world, folders, workers, quick ? 3 : 11);
  const { samples, names, skipped } = await loaded(scenarios);
  const result = { quick, rounds, seconds, scenarios, samples, starts, names, skipped };
  result.weights = Object.fromEntries(workers.map((name) => [name, weigh(folders[name])]));
  const few = quick ? scenarios.slice(0, 1) : scenarios.filter(({ connections }) => !connections);
  result.crossings = await crossings(world, folders.gateway, few);
  if (whole) {
    say('memory over 100,000 requests');
    result.memory = await memory(world, folders, WORKERS, { steps: [10_000, 50_000, 100_000] });
    result.growth = await growth(world, folders, GROWTH_PROGRAM, { seconds, say });
  }
  console.log(report(result, join(import.meta.dirname, whole ? 'results' : 'results/quick')));
  const fallen = beyond(result);
  for (const { what, bound, found } of fallen) say(`${what}: ${found}, which must not be over ${bound}`);
  return CHECK && fallen.length > 0 ? 1 : 0;
}

/** All rounds, with every peer running. */
async function loaded(scenarios) {
  const peers = [];
  for (const name of workers) {
    const peer = await startPeer(name, folders[name], world);
    peers.push({ name, remembers: name !== 'bare', ...peer });
  }
  const native = whole
    ? await startNative(world)
    : { peers: [], skipped: ['native floors: in a whole run only'] };
  peers.push(...native.peers);
  const samples = await measure(world, peers, scenarios, { rounds, seconds, say });
  for (const peer of peers) await peer.stop();
  return { samples, names: peers.map(({ name }) => name), skipped: native.skipped };
}

async function profiled() {
  const scenario = SCENARIOS.find(({ name }) => name === PROFILE);
  if (!scenario) throw new Error(`no scenario ${PROFILE}`);
  console.log(reportProfile(await profile(world, 'gateway', folders.gateway, scenario)));
  return 0;
}

const code = await (PROFILE ? profiled() : main());
world.stop();
process.exit(code);
