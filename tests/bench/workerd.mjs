//! Workers in workerd itself, one process each, as `wrangler.toml` deploys the gateway: same compatibility date and
//! flags for all. No development proxy in between, and the cache's store is another process, as on the platform.
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { freePort, listening, scratch, start } from './processes.mjs';

export const PROJECT = resolve(import.meta.dirname, '../..');
const WORKERD = join(PROJECT, 'tests/node_modules/workerd/bin/workerd');
const { env, ...top } = parse(readFileSync(join(PROJECT, 'wrangler.toml'), 'utf8'));
const OBJECTS = env.production.durable_objects.bindings;

/** Where the entry module of the built gateway lies. */
export const GATEWAY = resolve(PROJECT, top.main, '..');

/**
 * Starts the Worker whose modules lie in `folder`, `index.js` first. `objects`: with the gateway's Durable Objects,
 * stored in memory. `cache` is the port of the cache's store. `flags` are further compatibility flags, `args`
 * further arguments of workerd.
 */
export async function startWorker({ folder, vars, cache, objects = false, flags = [], args = [] }) {
  const port = await freePort();
  const place = scratch();
  cpSync(folder, place, { recursive: true });
  writeFileSync(join(place, 'config.capnp'), config({ place, port, vars, cache, objects, flags }));
  const child = start(WORKERD, ['serve', join(place, 'config.capnp'), '--experimental', ...args]);
  await listening(port, child);
  return { ...child, port };
}

function config({ place, port, vars, cache, objects, flags }) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "cache", external = (address = "127.0.0.1:${cache}", http = (style = proxy))),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [${modulesIn(place).join(', ')}],
  compatibilityDate = "${top.compatibility_date}",
  compatibilityFlags = ${list([...top.compatibility_flags, ...flags].map(text))},
  bindings = ${list([...Object.entries(vars).map(variable), ...(objects ? OBJECTS.map(namespace) : [])])},
  cacheApiOutbound = "cache",
  ${objects ? storage() : ''}
);
`;
}

const text = (value) => JSON.stringify(value);
const list = (items) => `[${items.join(', ')}]`;
const variable = ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`;
const namespace = ({ name, class_name: type }) =>
  `(name = ${text(name)}, durableObjectNamespace = ${text(type)})`;

function storage() {
  const types = OBJECTS.map(({ class_name: type }) => type);
  const namespaces = types.map((type) => `(className = "${type}", uniqueKey = "${type}", enableSql = true)`);
  return `durableObjectNamespaces = ${list(namespaces)}, durableObjectStorage = (inMemory = void),`;
}

/** The entry first; what lies deeper is embedded in it already. */
function modulesIn(place) {
  const files = readdirSync(place).filter((file) => ['.js', '.wasm'].includes(extname(file)));
  const entryFirst = files.sort((one, other) => (other === 'index.js') - (one === 'index.js'));
  return entryFirst.map((file) => {
    const kind = extname(file) === '.wasm' ? 'wasm' : 'esModule';
    return `(name = "${file}", ${kind} = embed "${file}")`;
  });
}
