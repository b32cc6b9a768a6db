//! Interleaved rounds: in each, every scenario loads every peer for a slice of time, in another order each time. So what
//! else the machine does meets all of them alike, and ratios are taken within a round.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { load, one, writeRequests } from './load.mjs';

/** Seconds in which code becomes as fast as it gets. */
const WARM_UP = 4;

/** Samples by scenario and peer: `samples[scenario][peer][round]`. */
export async function measure(world, peers, scenarios, { rounds, seconds, say }) {
  const samples = {};
  for (const { name } of scenarios) samples[name] = Object.fromEntries(peers.map((peer) => [peer.name, []]));
  for (const scenario of scenarios) {
    const file = requestsOf(world, scenario, WARM_UP);
    // The compilers of V8 have most to do in the first scenario; the others share its code.
    const warmUp = scenario === scenarios[0] ? WARM_UP : 1;
    for (const peer of peersOf(scenario, peers)) await prepare(peer, scenario, file, warmUp);
  }
  for (let round = 0; round < rounds; round += 1) {
    say(`round ${round + 1} of ${rounds}`);
    for (const scenario of scenarios) {
      const file = requestsOf(world, scenario, seconds);
      for (const peer of rotated(peersOf(scenario, peers), round)) {
        const sample = await load(peer, file.path, { ...scenario, seconds });
        check(peer, scenario, sample, file);
        samples[scenario.name][peer.name].push(sample);
      }
    }
  }
  return samples;
}

const peersOf = ({ name }, peers) => peers.filter(({ does }) => !does || does.includes(name));

const rotated = (list, by) => list.map((_, at) => list[(at + by) % list.length]);

/** Writes the scenario's requests, unless they are the same in every round and written already. */
function requestsOf(world, scenario, seconds) {
  scenario.file ??= { path: join(world.place, `${scenario.name}.txt`) };
  if (scenario.fresh || !scenario.file.count) {
    const requests = scenario.requests(world, seconds);
    writeRequests(scenario.file.path, requests);
    Object.assign(scenario.file, { count: requests.length, first: requests[0] });
  }
  return scenario.file;
}

/** Sees that the peer does what it is measured for, then warms it up. */
async function prepare(peer, scenario, file, seconds) {
  for (let sent = 0; sent < (scenario.primed ?? 0); sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => one(peer, file.first)));
  const answer = await first(peer, scenario, file);
  if (!isExpected(peer, scenario, answer)) {
    const said = `${answer.headers['cache-status']} ${answer.text.slice(0, 200)} ${peer.complaints()}`;
    throw new Error(`${peer.name}, ${scenario.name}: ${answer.status} ${said}`);
  }
  await load(peer, file.path, { ...scenario, seconds });
}

function isExpected(peer, { status, cached }, answer) {
  if (status && peer.name !== 'bare') return answer.status === status;
  return answer.status < 300 && (!cached || isHit(peer, answer));
}

/** An answer to judge the peer by; it may be stored in the background, so a hit is asked for until it is one. */
async function first(peer, { cached }, file) {
  for (let tries = 0; ; tries += 1) {
    const answer = await one(peer, file.first);
    if (!cached || isHit(peer, answer) || tries === 50) return answer;
    await delay(20);
  }
}

const isHit = (peer, { headers }) =>
  peer.name === 'bare' || /hit/i.test(headers['cache-status'] ?? headers['x-cache']);

/** A slice counts only if all of it was what is measured; of limits, windows may open meanwhile. */
function check(peer, scenario, { requests, refused, broken }, file) {
  const fail = (why) => {
    throw new Error(`${peer.name}, ${scenario.name}: ${why}`);
  };
  const expected = peer.name !== 'bare' && scenario.status ? requests : 0;
  const allowed = scenario.primed ? requests * 0.5 : 0;
  if (Math.abs(expected - refused) > allowed || broken > 0)
    fail(`${refused} of ${requests} refused, ${broken} broken ${peer.complaints()}`);
  const mustBeNew = scenario.fresh === 'paths' || (scenario.fresh && peer.remembers);
  if (mustBeNew && requests > file.count) fail(`${requests} requests, but only ${file.count} were new`);
}

/** The middle value. */
export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** CPU time per request of one peer over that of another, in each round. */
export function ratios(samples, peer, other) {
  return samples[peer].map(({ cpuMicros }, round) => cpuMicros / samples[other][round].cpuMicros);
}
