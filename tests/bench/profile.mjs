//! Where the CPU time goes: V8's sampling profiler over a loaded workerd, as the time that each function itself takes.
import { join } from 'node:path';
import { load, writeRequests } from './load.mjs';
import { startPeer } from './peers.mjs';
import { freePort, listening } from './processes.mjs';

const INTERVAL_MICROS = 100;

/**
 * Shares of the profiled time by function, the greatest first: `[[name, share], …]`. `(program)` is native code: HTTP,
 * system calls, the platform's own C++ that no JavaScript called.
 */
export async function profile(world, name, folder, scenario, { seconds = 5 } = {}) {
  const inspector = await freePort();
  const peer = await startPeer(name, folder, world, { args: [`--inspector-addr=127.0.0.1:${inspector}`] });
  await listening(inspector, peer);
  const file = join(world.place, 'profile.txt');
  writeRequests(file, scenario.requests(world, seconds + 3));
  await load(peer, file, { ...scenario, seconds: 3 });
  const client = await connect(`ws://127.0.0.1:${inspector}/worker`);
  await client.ask('Profiler.enable');
  await client.ask('Profiler.setSamplingInterval', { interval: INTERVAL_MICROS });
  await client.ask('Profiler.start');
  const { requests } = await load(peer, file, { ...scenario, seconds });
  const { profile: recorded } = await client.ask('Profiler.stop');
  client.close();
  await peer.stop();
  return { requests, shares: shares(recorded), recorded };
}

/** Chrome DevTools Protocol: questions by number. */
async function connect(url) {
  const socket = new WebSocket(url);
  const waiting = new Map();
  socket.addEventListener('message', ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const settle = waiting.get(id);
    waiting.delete(id);
    if (error) settle?.reject(new Error(error.message));
    else settle?.resolve(result);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)));
  });
  let id = 0;
  const ask = (method, params = {}) =>
    new Promise((resolve, reject) => {
      waiting.set((id += 1), { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
  return { ask, close: () => socket.close() };
}

function shares({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const micros = new Map();
  samples.forEach((id, at) => {
    const name = names.get(id);
    if (name !== '(idle)') micros.set(name, (micros.get(name) ?? 0) + timeDeltas[at]);
  });
  const total = [...micros.values()].reduce((sum, one) => sum + one, 0);
  return [...micros].map(([name, took]) => [name, took / total]).sort(([, one], [, other]) => other - one);
}

const nameOf = ({ functionName, url, lineNumber, columnNumber }) =>
  functionName || `${url.split('/').at(-1)}:${lineNumber}:${columnNumber}`;
