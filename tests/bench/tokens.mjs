//! Access tokens by the ten thousand, as Supabase writes them; keys are made anew for each run.
import { createHmac, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';

const HOUR = 3600;
const KINDS = { ES256: ['ec', { namedCurve: 'P-256' }], RS256: ['rsa', { modulusLength: 2048 }] };
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signing key, with its public half as a key set shows it. */
export function newKey(alg) {
  const kid = randomUUID();
  if (alg === 'HS256') return { alg, kid, secret: randomBytes(32).toString('hex') };
  const { privateKey, publicKey } = generateKeyPairSync(...KINDS[alg]);
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

/** The token of user number `user`, signed with `key`; `forged`: with a signature that is none. */
export function newToken(key, issuer, user, { forged = false } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    aud: 'authenticated',
    exp: now + HOUR,
    iat: now,
    sub: `00000000-0000-4000-8000-${String(user).padStart(12, '0')}`,
    role: 'authenticated',
    aal: 'aal1',
    session_id: randomUUID(),
    email: `user${user}@example.com`,
    phone: '',
    is_anonymous: false,
    app_metadata: { provider: 'email', providers: ['email'] },
    user_metadata: { name: `User ${user}` },
    amr: [{ method: 'password', timestamp: now }],
  };
  const text = `${encoded({ alg: key.alg, kid: key.kid, typ: 'JWT' })}.${encoded(claims)}`;
  return `${text}.${(forged ? randomBytes(64) : signature(key, text)).toString('base64url')}`;
}

function signature({ alg, privateKey, secret }, text) {
  if (alg === 'HS256') return createHmac('sha256', secret).update(text).digest();
  return sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
}
