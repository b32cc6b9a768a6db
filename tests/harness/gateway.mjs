//! The built Worker in workerd. Everything a deployment fixes (entry, compatibility date and flags, bindings,
//! vars, the names of secrets) is read from `wrangler.toml`, so that tests run what is deployed; only
//! addresses and the secrets' values are given here.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare, Log, LogLevel } from 'miniflare';
import { parse } from 'smol-toml';
import { secrets } from './secrets.mjs';

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const NAME = 'he2-edge';
/** Analytics Engine, as far as workerd goes: a data point is a line of the log. */
const POINT = 'data point: ';
const ANALYTICS_ENGINE = {
  name: 'analytics-engine',
  modules: true,
  script: `export default () => ({
    writeDataPoint: (point) => console.log(${JSON.stringify(POINT)} + JSON.stringify(point)),
  });`,
};

/**
 * Starts the gateway in front of `origin` and `issuer`, both addresses. `vars` adds or overrides bindings,
 * and `undefined` takes one away. `onLog` gets each line the Worker logs; the lines are kept in `logs` either
 * way. Of several `isolates` each has a memory of its own; they share the Cache API and the Durable Objects,
 * as those of one data centre do. A `disturbed` one does what `disturb.mjs` says. What Durable Objects store
 * outlives it in the folder `persist`, if there is one. `build` is the folder of another build in
 * edge/. `outbound` answers in place of everybody whom the Worker asks. Its data points for
 * Analytics Engine are kept in `points` where there are `metrics`.
 */
export async function startGateway({
  origin,
  issuer,
  port = 0,
  vars = {},
  isolates = 1,
  disturbed = false,
  persist,
  build = 'build',
  outbound,
  metrics = false,
  onLog = () => {},
}) {
  const deployment = deploymentOf(build);
  const [logs, points] = [[], []];
  const bindings = {
    ...deployment.vars,
    ...Object.fromEntries(deployment.secrets.map((name) => [name, randomSecret(name)])),
    ORIGIN: origin,
    ISSUER: issuer,
    DEFAULT_HOST: 'he2.ai',
    ...vars,
  };
  for (const name of deployment.secrets) secrets.keep(name, bindings[name] ?? '');
  const names = Array.from({ length: isolates }, (_, index) => (index ? `${NAME}-${index + 1}` : NAME));
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    durableObjectsPersist: persist,
    cf: false, // the real one would be fetched from the network
    handleStructuredLogs: (line) => {
      secrets.emitted('the log', line.message);
      if (line.message.startsWith(POINT)) points.push(JSON.parse(line.message.slice(POINT.length)));
      else {
        logs.push(line);
        onLog(line);
      }
    },
    workers: [
      ...names.map((name) => ({
        ...workerOptions(name, deployment, bindings, disturbed),
        outboundService: outbound,
        wrappedBindings: metrics ? { METRICS: ANALYTICS_ENGINE.name } : {},
      })),
      ...(metrics ? [ANALYTICS_ENGINE] : []),
    ],
  });
  const url = await miniflare.ready;
  const direct = await Promise.all(names.map((name) => miniflare.unsafeGetDirectURL(name)));
  const ports = direct.map((one) => Number(one.port));
  return {
    port: Number(url.port),
    /** A socket straight into the Worker: Miniflare's own entry tidies paths before the Worker sees them. */
    rawPort: ports[0],
    /** Straight into each isolate. */
    isolates: ports.map((one) => ({ port: one })),
    url: url.origin,
    vars: bindings,
    secretNames: deployment.secrets,
    logs,
    points,
    /** Evicts the object of this name from memory, once nobody is using it. */
    evict: (className, name) => miniflare.unsafeEvictDurableObject(NAME, className, { name }),
    /** What stands in the cache's database, or that of the Durable Objects (`do`). */
    stored: (plugin) => storedBy(miniflare, plugin),
    /** Where the gateway has let out secrets by itself since the last look; see `secrets.mjs`. */
    leaks() {
      for (const plugin of ['cache', 'do']) secrets.emitted(`stored by ${plugin}`, this.stored(plugin));
      return secrets.leaks();
    },
    /** Ends it, and fails if it let out a secret. */
    async close() {
      try {
        assert.deepEqual(this.leaks(), []);
      } finally {
        await miniflare.dispose();
      }
    },
  };
}

/** Every isolate but the first uses the first's Durable Objects. */
function workerOptions(name, { entry, compatibility, durableObjects }, bindings, disturbed) {
  const elsewhere = name === NAME ? {} : { scriptName: NAME };
  const objects = Object.entries(durableObjects).map(([binding, object]) => [
    binding,
    { ...object, ...elsewhere },
  ]);
  return {
    name,
    rootPath: dirname(entry),
    modulesRoot: dirname(entry),
    modules: [...(disturbed ? [disturbedEntry(entry)] : []), ...modulesOf(entry)],
    ...compatibility,
    bindings: Object.fromEntries(Object.entries(bindings).filter(([, value]) => value !== undefined)),
    durableObjects: Object.fromEntries(objects),
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  };
}

/**
 * The texts that stand in the databases of the cache (`cache`) or the Durable Objects (`do`): of what is
 * cached keys and fields, not content.
 */
function storedBy(miniflare, plugin) {
  const folder = miniflare.unsafeGetPersistPaths().get(plugin);
  const files = folder && existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  const databases = files.filter((file) => /\.sqlite(-wal)?$/.test(file));
  return databases.flatMap((file) => textsIn(join(folder, file))).join('\n');
}

function textsIn(file) {
  try {
    return readFileSync(file, 'latin1').match(/[\x20-\x7e]{8,}/g) ?? [];
  } catch (error) {
    if (error.code === 'ENOENT') return []; // a log that has just become part of its database
    throw error;
  }
}

/** What `wrangler.toml` says of production, in Miniflare's words, with the entry of this build. */
export function deploymentOf(build = 'build') {
  const file = join(PROJECT, 'wrangler.toml');
  const { env, ...top } = parse(readFileSync(file, 'utf8'));
  const toml = { ...top, ...env?.production };
  const entry = resolve(PROJECT, dirname(toml.main), '..', build, basename(toml.main));
  if (!existsSync(entry)) throw new Error(`${relative(PROJECT, entry)} is missing: build it first (.tools/build)`);
  const sqlite = new Set((toml.migrations ?? []).flatMap((migration) => migration.new_sqlite_classes ?? []));
  const objects = toml.durable_objects?.bindings ?? [];
  return {
    entry,
    vars: toml.vars ?? {},
    secrets: toml.secrets?.required ?? [],
    compatibility: {
      compatibilityDate: toml.compatibility_date,
      compatibilityFlags: toml.compatibility_flags ?? [],
    },
    durableObjects: Object.fromEntries(
      objects.map(({ name, class_name: className }) => [
        name,
        { className, useSQLite: sqlite.has(className) },
      ]),
    ),
  };
}

const MODULE_TYPES = { '.js': 'ESModule', '.mjs': 'ESModule', '.wasm': 'CompiledWasm' };

/** The entry first, then every other module beside or below it. */
function modulesOf(entry) {
  const files = readdirSync(dirname(entry), { recursive: true }).map((file) => join(dirname(entry), file));
  const others = files.filter((file) => file !== entry && MODULE_TYPES[extname(file)]);
  return [entry, ...others].map((path) => ({ type: MODULE_TYPES[extname(path)], path }));
}

/** The module that stands in front of the entry, as if it were beside it. */
function disturbedEntry(entry) {
  const contents = readFileSync(new URL('disturbed.mjs', import.meta.url), 'utf8');
  return { type: 'ESModule', path: join(dirname(entry), 'disturbed.mjs'), contents };
}

/** In the form that the senders of webhooks give theirs, where it is one's. */
function randomSecret(name) {
  const bytes = randomBytes(32);
  return name.endsWith('_WEBHOOK_SECRET') ? `whsec_${bytes.toString('base64')}` : bytes.toString('hex');
}
