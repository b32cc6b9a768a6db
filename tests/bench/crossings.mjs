//! How often a request crosses the border between JavaScript and Wasm: counted in a copy of the built gateway whose
//! imports and exports are wrapped.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, one, writeRequests } from './load.mjs';
import { startPeer } from './peers.mjs';

const COUNTS = '/.bench/crossings';
const COUNTING = `
const counts = (globalThis.crossings = {});
const counted = (prefix, functions) => Object.fromEntries(Object.entries(functions).map(([name, value]) => [name,
  typeof value !== 'function' ? value : (...args) => {
    counts[prefix + name] = (counts[prefix + name] ?? 0) + 1;
    return value(...args);
  }]));
const countedImports = (modules) => Object.fromEntries(
  Object.entries(modules).map(([name, functions]) => [name, counted('js ', functions)]));
const countedInstance = (module, imports) => {
  const { exports } = new WebAssembly.Instance(module, countedImports(imports));
  return { exports: counted('wasm ', exports) };
};
`;
const ENTRY = `
import gateway from './gateway.js';
export * from './gateway.js';
export default {
  fetch(request, env, context) {
    if (request.url.endsWith('${COUNTS}')) return Response.json(globalThis.crossings);
    return gateway.fetch(request, env, context);
  },
};
`;

/** Crossings per request of each scenario: `{ scenario: { total, most: [[name, count], …] } }`. */
export async function crossings(world, folder, scenarios) {
  const place = join(world.place, 'crossings');
  instrument(folder, place);
  const peer = await startPeer('gateway', place, world);
  const found = {};
  for (const scenario of scenarios) found[scenario.name] = await count(world, peer, scenario);
  await peer.stop();
  return found;
}

function instrument(folder, place) {
  mkdirSync(place);
  cpSync(folder, place, { recursive: true });
  const source = readFileSync(join(folder, 'index.js'), 'utf8');
  const counting = source.replace(/new WebAssembly\.Instance\(/g, 'countedInstance(');
  if (counting === source)
    throw new Error('the built Worker does not start its Wasm as it did: see crossings.mjs');
  writeFileSync(join(place, 'gateway.js'), COUNTING + counting);
  writeFileSync(join(place, 'index.js'), ENTRY);
}

async function count(world, peer, scenario) {
  const file = join(world.place, 'crossings.txt');
  writeRequests(file, scenario.requests(world, 1));
  await load(peer, file, { ...scenario, seconds: 1 });
  const before = await counts(peer);
  const { requests } = await load(peer, file, { ...scenario, seconds: 1 });
  const after = await counts(peer);
  const per = Object.entries(after).map(([name, all]) => [name, (all - (before[name] ?? 0)) / requests]);
  const most = per.filter(([, each]) => each > 0.05).sort(([, one], [, other]) => other - one);
  return { total: per.reduce((sum, [, each]) => sum + each, 0), most };
}

const counts = async (peer) => JSON.parse((await one(peer, { path: COUNTS })).text);
