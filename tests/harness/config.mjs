//! he2.toml as it is written, for tests of promises that name a number in it.
import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';

export const he2 = parse(readFileSync(new URL('../../he2.toml', import.meta.url), 'utf8'));

/** The route of this name. */
export const route = (name) => he2.route.find((one) => one.name === name);

/** Longest time that a token is of use, in seconds: its life, and the grace of any route. */
export const LONGEST_USE =
  he2.auth.max_lifetime_seconds + Math.max(...he2.route.map(({ auth }) => auth.grace_seconds ?? 0));

/** From then on (Unix ms) no token by the shared secret is taken: the end of the day, UTC. */
export const HS256_ENDS = Date.parse(he2.issuer.supabase.hs256.until.toISOString()) + 86_400_000;
