//! Who is measured: Workers on the same workerd, each with the same variables, origin and cache.
import { build } from 'esbuild';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readFileSync, readdirSync } from 'node:fs';
import { policyOf } from './peers/policy.mjs';
import { GATEWAY, PROJECT, startWorker } from './workerd.mjs';

/** In the order of the tables. */
export const WORKERS = ['gateway', 'bare', 'plain', 'hono'];

/** Bundles the peers into folders of `place`; gives for each Worker where it lies. */
export async function buildWorkers(place) {
  const policy = join(place, 'policy.json');
  writeFileSync(policy, JSON.stringify(policyOf(join(PROJECT, 'he2.toml'))));
  const folders = { gateway: GATEWAY };
  for (const name of WORKERS.slice(1)) {
    folders[name] = join(place, name);
    mkdirSync(folders[name]);
    await build({
      entryPoints: [join(import.meta.dirname, 'peers', name, 'worker.mjs')],
      outfile: join(folders[name], 'index.js'),
      alias: { policy },
      bundle: true,
      minify: true,
      format: 'esm',
      conditions: ['workerd', 'worker', 'browser'],
      logLevel: 'error',
    });
  }
  return folders;
}

/** Starts a Worker: one of the peers, or else a build of the gateway. */
export const startPeer = (name, folder, { vars, cachePort }, options = {}) =>
  startWorker({
    folder,
    vars,
    cache: cachePort,
    objects: name === 'gateway' || !WORKERS.includes(name),
    ...options,
  });

/** What a Worker's modules weigh, raw and compressed (bytes). */
export function weigh(folder) {
  const modules = readdirSync(folder).filter((file) => /\.(js|wasm)$/.test(file));
  const contents = modules.map((file) => readFileSync(join(folder, file)));
  const total = (sizes) => sizes.reduce((sum, { length }) => sum + length, 0);
  return { raw: total(contents), gzipped: total(contents.map((content) => gzipSync(content, { level: 9 }))) };
}
