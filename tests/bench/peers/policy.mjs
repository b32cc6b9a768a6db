//! he2.toml as the peers take it: the routes, most specific first, each with all that applies to it. So every peer
//! decides about the same requests; what only the gateway has (webhooks, operators' routes, concurrency, tiers) is left
//! out, and costs the peers nothing.
import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';

const CHECKED = ['public', 'optional', 'user', 'any_of', 'blocked'];

/** The policy of a description in `he2.toml`'s form. */
export function policyOf(file) {
  const toml = parse(readFileSync(file, 'utf8'));
  const routes = toml.route.flatMap((route) => route.paths.map((path) => ({ ...entry(route, toml), path })));
  return {
    routes: routes.filter(({ auth }) => CHECKED.includes(auth)).sort(bySpecificity),
    cors: toml.cors,
  };
}

function entry({ name, hosts, methods = [], auth, limit, cache, ...route }, toml) {
  return {
    name,
    hosts,
    methods,
    auth: auth.class ?? auth,
    byQuery: auth.sources?.includes('query') ?? false,
    windows: toml.limit[limit]?.windows ?? [],
    limit,
    cache: toml.cache[cache],
    service: route.service,
  };
}

/** Text before `{param}` before `{*tail}`, segment by segment; then methods before all. */
function bySpecificity(one, other) {
  const ranks = (route) => route.path.slice(1).split('/').map(rank);
  const [ours, theirs] = [ranks(one), ranks(other)];
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 1) {
    const difference = (ours[at] ?? 3) - (theirs[at] ?? 3);
    if (difference !== 0) return difference;
  }
  return other.methods.length - one.methods.length;
}

const rank = (segment) => (segment.startsWith('{*') ? 2 : segment.startsWith('{') ? 1 : 0);
