//! How cost grows: routes natively, by the gateway's own function; users, header fields and keys in workerd.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { load, one, writeRequests } from './load.mjs';
import { startPeer } from './peers.mjs';
import { BROWSER } from './scenarios.mjs';
import { newKey, newToken } from './tokens.mjs';
import { PROJECT } from './workerd.mjs';
import { publish } from './world.mjs';

const ROUTES = [10, 100, 1_000, 5_000];
const USERS = [10, 100, 1_000, 10_000, 100_000];
const FIELDS = [5, 10, 20, 40, 80];
/** The gateway takes no more of one issuer. */
const KEYS = [1, 4, 16, 32];
const FASTEST = 8_000;
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const signed = (token) => ({ ...BROWSER, Authorization: `Bearer ${token}` });

/** For each dimension its name, the unit, and lines of `[size, cost]`. */
export async function growth(world, folders, program, { seconds, say }) {
  say('growth by routes, users, header fields and keys');
  return [
    { title: 'routes', unit: 'ns per look-up', series: routes(program) },
    {
      title: 'users, each with a token',
      unit: 'µs CPU per request',
      series: await users(world, folders, seconds),
    },
    { title: 'request fields', unit: 'µs CPU per request', series: await fields(world, folders, seconds) },
    {
      title: 'keys of the issuer, new tokens',
      unit: 'µs CPU per request',
      series: await keys(world, folders, seconds),
    },
  ];
}

function routes(program) {
  const printed = execFileSync(program, [join(PROJECT, 'he2.toml'), ...ROUTES.map(String)]).toString();
  const found = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const names = { last: 'the last', middle: 'in the middle', none: 'none' };
  return Object.entries(names).map(([name, says]) => ({
    name: says,
    points: found.map((line) => [line.routes, line[name]]),
  }));
}

/** Round after round of all users: beyond what the isolate remembers, every token is verified again. */
async function users(world, folders, seconds) {
  const path = '/api/v1/public/threads/7';
  const points = [];
  for (const count of USERS)
    points.push([
      count,
      await gatewayMicros(
        world,
        folders,
        times(count, (user) => ({ path, headers: signed(world.seen(user)) })),
        seconds,
      ),
    ]);
  return [{ name: 'this gateway', points }];
}

async function fields(world, folders, seconds) {
  const series = [];
  for (const name of ['gateway', 'bare']) {
    const points = [];
    for (const count of FIELDS) {
      const extra = Object.fromEntries(times(count, (at) => [`X-Field-${at}`, 'a value of some length']));
      const requests = [{ path: '/dashboard', headers: extra }];
      points.push([count, await gatewayMicros(world, folders, requests, seconds, { name })]);
    }
    series.push({ name: name === 'bare' ? 'bare Worker' : 'this gateway', points });
  }
  return series;
}

async function keys(world, folders, seconds) {
  const points = [];
  for (const count of KEYS) {
    const made = times(count, () => newKey('ES256'));
    publish(world.place, `issuer-${count}`, made);
    const ISSUER = world.vars.ISSUER.replace('/issuer/', `/issuer-${count}/`);
    const token = (at) => newToken(made[at % count], ISSUER, at % 200);
    const requests = times(FASTEST * seconds, (at) => ({
      path: '/api/agents?page=1',
      headers: signed(token(at)),
    }));
    points.push([
      count,
      await gatewayMicros(world, folders, requests, seconds, { vars: { ISSUER }, warm: token }),
    ]);
  }
  return [{ name: 'this gateway', points }];
}

/** CPU time per request (µs) of a Worker that was started for this alone, and has seen some seconds of such requests. */
async function gatewayMicros(world, folders, requests, seconds, { name = 'gateway', vars = {}, warm } = {}) {
  const peer = await startPeer(name, folders[name], { ...world, vars: { ...world.vars, ...vars } });
  const file = join(world.place, 'growth.txt');
  const { status, text } = await one(peer, requests[0]);
  if (status !== 200) throw new Error(`growth: ${status} ${text}`);
  writeRequests(
    file,
    warm ? times(FASTEST, (at) => ({ ...requests[0], headers: signed(warm(at)) })) : requests,
  );
  await load(peer, file, { seconds: warm ? 1 : seconds });
  if (warm) writeRequests(file, requests);
  const { cpuMicros, refused } = await load(peer, file, { seconds });
  await peer.stop();
  if (refused > 0) throw new Error(`growth: ${refused} refused`);
  return cpuMicros;
}
