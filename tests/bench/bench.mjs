//! `make bench`: the gateway beside what a user would write in its place. QUICK=1 is a short run of what matters most.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { growth } from './growth.mjs';
import { buildWorkers, startPeer, weigh, WORKERS } from './peers.mjs';
import { measure } from './measure.mjs';
import { startNative } from './native.mjs';
import { report } from './report.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { coldStarts, memory } from './start.mjs';
import { startWorld } from './world.mjs';

const { QUICK, NATIVE, ROUNDS, SECONDS, ONLY, ORIGIN_PROGRAM, GROWTH_PROGRAM } = process.env;
const quick = Boolean(QUICK);
const rounds = Number(ROUNDS ?? (quick ? 2 : 7));
const seconds = Number(SECONDS ?? (quick ? 1 : 3));
const say = (text) => console.error(`bench: ${text}`);

const world = await startWorld(ORIGIN_PROGRAM);
const folders = await buildWorkers(mkdtempSync(join(world.place, 'workers-')));
const wanted = ONLY?.split(',');
const scenarios = SCENARIOS.filter(({ name, quick: short }) => (wanted ? wanted.includes(name) : short || !quick));

say(`starting: ${WORKERS.join(', ')}`);
const starts = await coldStarts(world, folders, WORKERS, quick ? 3 : 11);
const peers = [];
for (const name of WORKERS) peers.push({ name, remembers: name !== 'bare', ...(await startPeer(name, folders[name], world)) });
const native = quick && !NATIVE ? { peers: [], skipped: [] } : await startNative(world);
peers.push(...native.peers);
const names = peers.map(({ name }) => name);
const samples = await measure(world, peers, scenarios, { rounds, seconds, say });
for (const peer of peers) await peer.stop();

if (!quick) say('memory over 100,000 requests');
const resident = quick ? undefined : await memory(world, folders, WORKERS, { steps: [10_000, 50_000, 100_000] });
const grown = GROWTH_PROGRAM ? await growth(world, folders, GROWTH_PROGRAM, { seconds, say }) : undefined;

const weights = Object.fromEntries(WORKERS.map((name) => [name, weigh(folders[name])]));
const folder = join(import.meta.dirname, quick ? 'results/quick' : 'results');
console.log(report({ quick, rounds, seconds, scenarios, samples, starts, weights, memory: resident, growth: grown, names, skipped: native.skipped }, folder));
world.stop();
process.exit();
