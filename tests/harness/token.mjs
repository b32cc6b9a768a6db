//! Access tokens as Supabase writes them, and the ways to write them wrong.
import { randomUUID } from 'node:crypto';
import { SignJWT, base64url, exportJWK, generateKeyPair } from 'jose';
import { secrets } from './secrets.mjs';

export const HOUR = 3600;
export const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A fresh signing key with the public half as a key set shows it. */
export async function newKey(alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig', key_ops: ['verify'], ext: true };
  return { kid, alg, privateKey, jwk };
}

/** The claims of a signed-in person; `changes` overrides, and a value of `undefined` leaves a claim out. */
export function userClaims(issuer, changes = {}) {
  const now = nowSeconds();
  return {
    iss: issuer,
    aud: 'authenticated',
    exp: now + HOUR,
    iat: now,
    sub: randomUUID(),
    role: 'authenticated',
    aal: 'aal1',
    session_id: randomUUID(),
    email: 'ada@example.com',
    phone: '',
    is_anonymous: false,
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: { name: 'Ada' },
    amr: [{ method: 'password', timestamp: now }],
    ...changes,
  };
}

/** Signs `claims` with `key` (of `newKey`, or `{ alg: 'HS256', secret }`); `header` overrides its fields. */
export async function signToken(claims, key, header = {}) {
  if (header.alg === 'none') return unsigned(claims, header);
  const material = key.privateKey ?? new TextEncoder().encode(key.secret);
  const token = await new SignJWT(withoutUndefined(claims))
    .setProtectedHeader(withoutUndefined({ alg: key.alg, typ: 'JWT', kid: key.kid, ...header }))
    .sign(material);
  return secrets.keep('a token', token);
}

/** `alg: none`, which no library signs: the classic forgery. */
function unsigned(claims, header) {
  const part = (value) => base64url.encode(JSON.stringify(withoutUndefined(value)));
  return `${part({ typ: 'JWT', ...header })}.${part(claims)}.`;
}

const withoutUndefined = (object) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
