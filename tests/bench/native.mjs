//! Native floors: proxies in C and C++ in front of the same origin, one thread each, where they are installed.
import { createPublicKey } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, listening, start } from './processes.mjs';

const PASSED = ['pass-through', 'download', 'streams'];
const CACHED = ['hit', 'hit 1 MiB', 'miss'];
const SIGNED = ['seen', 'new ES256', 'new RS256', 'new HS256', 'no token', 'forged', 'limited', 'upload'];

/** `does`: what each is measured for; the rest it cannot, or not as the others do. */
const PROXIES = [
  {
    name: 'nginx',
    config: 'nginx.conf',
    does: ['pass-through', ...CACHED],
    args: (file) => ['-e', 'stderr', '-c', file],
  },
  {
    name: 'haproxy',
    config: 'haproxy.cfg',
    does: [...PASSED, ...CACHED, ...SIGNED],
    args: (file) => ['-db', '-f', file],
  },
  {
    name: 'envoy',
    config: 'envoy.yaml',
    does: [...PASSED, ...SIGNED],
    args: (file) => ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error'],
  },
];

/** Starts those that are there; `skipped` says of the others why not. */
export async function startNative(world) {
  writeKeys(world);
  const peers = [];
  const skipped = [];
  for (const proxy of PROXIES) {
    const version = spawnSync(proxy.name, [proxy.name === 'envoy' ? '--version' : '-v']);
    if (version.error) skipped.push(`${proxy.name}: not installed here`);
    else peers.push(await startProxy(proxy, world));
  }
  return { peers, skipped };
}

async function startProxy({ name, config, does, args }, world) {
  const port = await freePort();
  const text = readFileSync(join(import.meta.dirname, 'peers', config), 'utf8');
  const values = { ...valuesOf(world), PORT: port };
  const file = join(world.place, config);
  writeFileSync(
    file,
    text.replace(/\{\{(\w+)\}\}/g, (_, key) => values[key]),
  );
  const child = start(name, args(file));
  await listening(port, child);
  return { name, does, port, ...child };
}

function valuesOf({ place, originPort, vars, keys }) {
  const secret = {
    kty: 'oct',
    alg: 'HS256',
    kid: keys.HS256.kid,
    k: Buffer.from(keys.HS256.secret).toString('base64url'),
  };
  return {
    PLACE: place,
    ORIGIN: originPort,
    ISSUER: vars.ISSUER,
    LOCK: vars.ORIGIN_LOCK,
    IDENTITY64: Buffer.from(vars.IDENTITY_SECRET).toString('base64'),
    HS256: keys.HS256.secret,
    JWKS: JSON.stringify({ keys: [keys.ES256.jwk, keys.RS256.jwk, secret] }),
  };
}

function writeKeys({ place, keys }) {
  for (const alg of ['ES256', 'RS256']) {
    const pem = createPublicKey({ key: keys[alg].jwk, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    writeFileSync(join(place, `${alg}.pem`), pem);
  }
}
