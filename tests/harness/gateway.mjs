//! The built Worker in workerd. Everything a deployment fixes (entry, compatibility date and flags, bindings,
//! vars) is read from `wrangler.toml`, so that tests run what is deployed; only addresses and secrets are
//! given here.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import { Miniflare, Log, LogLevel } from 'miniflare';
import { parse } from 'smol-toml';

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const NAME = 'he2-edge';

/**
 * Starts the gateway in front of `origin` and `issuer`, both addresses. `vars` adds or overrides bindings.
 * `onLog` gets each line the Worker logs; the lines are kept in `logs` either way.
 */
export async function startGateway({ origin, issuer, port = 0, vars = {}, onLog = () => {} }) {
  const deployment = readDeployment();
  const logs = [];
  const secrets = { ORIGIN_LOCK: randomHex(), ADMIN_API_KEY: randomHex() };
  const bindings = {
    ...deployment.vars,
    ...secrets,
    ORIGIN: origin,
    ISSUER: issuer,
    DEFAULT_HOST: 'he2.ai',
    ...vars,
  };
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    cf: false, // the real one would be fetched from the network
    handleStructuredLogs: (line) => {
      logs.push(line);
      onLog(line);
    },
    workers: [workerOptions(deployment, bindings)],
  });
  const url = await miniflare.ready;
  return {
    port: Number(url.port),
    /** A socket straight into the Worker: Miniflare's own entry tidies paths before the Worker sees them. */
    rawPort: Number((await miniflare.unsafeGetDirectURL(NAME)).port),
    url: url.origin,
    vars: bindings,
    logs,
    close: () => miniflare.dispose(),
  };
}

function workerOptions({ entry, compatibility, durableObjects }, bindings) {
  return {
    name: NAME,
    rootPath: dirname(entry),
    modulesRoot: dirname(entry),
    modules: modulesOf(entry),
    ...compatibility,
    bindings: Object.fromEntries(Object.entries(bindings).filter(([, value]) => value !== undefined)),
    durableObjects,
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  };
}

/** What `wrangler.toml` says of production, in Miniflare's words. */
function readDeployment() {
  const file = join(PROJECT, 'wrangler.toml');
  const { env, ...top } = parse(readFileSync(file, 'utf8'));
  const toml = { ...top, ...env?.production };
  const entry = resolve(PROJECT, toml.main);
  if (!existsSync(entry)) throw new Error(`${relative(PROJECT, entry)} is missing: run \`make build\` first`);
  const sqlite = new Set((toml.migrations ?? []).flatMap((migration) => migration.new_sqlite_classes ?? []));
  const objects = toml.durable_objects?.bindings ?? [];
  return {
    entry,
    vars: toml.vars ?? {},
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

const randomHex = () => randomBytes(16).toString('hex');
