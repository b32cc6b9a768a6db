//! What all peers stand between: the origin with its key sets, the cache, and who calls.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { scratch } from './processes.mjs';
import { newKey, newToken } from './tokens.mjs';

/** Starts the origin, built at `program`. */
export async function startWorld(program) {
  const place = scratch();
  const keys = Object.fromEntries(['ES256', 'RS256', 'HS256'].map((alg) => [alg, newKey(alg)]));
  publish(place, 'issuer', [keys.ES256, keys.RS256]);
  const child = spawn(program, [place], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const [originPort, cachePort] = String(line).split(' ').map(Number);
  const origin = `http://127.0.0.1:${originPort}`;
  const issuer = `${origin}/issuer/auth/v1`;
  const seen = new Map();
  const secret = () => randomBytes(32).toString('hex');
  const webhook = () => `whsec_${randomBytes(32).toString('base64')}`;
  return {
    place,
    originPort,
    cachePort,
    keys,
    vars: {
      ORIGIN: origin,
      ISSUER: issuer,
      // Peers are asked without TLS, from which the gateway redirects in production.
      DEFAULT_HOST: 'he2.ai',
      JWT_HS256_SECRET: keys.HS256.secret,
      ORIGIN_LOCK: secret(),
      IDENTITY_SECRET: secret(),
      ADMIN_API_KEY: secret(),
      STRIPE_WEBHOOK_SECRET: webhook(),
      COMPOSIO_WEBHOOK_SECRET: webhook(),
      TRIGGER_WEBHOOK_SECRET: secret(),
    },
    /** The one token of a user, the same at every call. */
    seen(user) {
      if (!seen.has(user)) seen.set(user, this.token(user));
      return seen.get(user);
    },
    /** Another token at every call. */
    token: (user, { alg = 'ES256', ...options } = {}) => newToken(keys[alg], issuer, user, options),
    /** Ends with its standard input. */
    stop: () => child.stdin.end(),
  };
}

/** Publishes a key set under a name. */
export function publish(place, name, keys) {
  writeFileSync(join(place, `${name}.json`), JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
}
