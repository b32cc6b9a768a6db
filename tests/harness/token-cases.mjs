//! Tokens, good and wrong in every way that is known to fool a verifier, for two issuers, from a seed.
//!
//! A case starts as a good token in stages (members, their text, its encoding, the signature, the whole), and
//! one or two mutations change a stage each.
import { KeyObject } from 'node:crypto';
import { MUTATIONS, signWith } from './mutations.mjs';
import { TEXT_MUTATIONS } from './mutations-of-text.mjs';
import { secrets } from './secrets.mjs';
import { newKey } from './token.mjs';

const ALL = { ...MUTATIONS, ...TEXT_MUTATIONS };
export const CATEGORIES = ['untouched', ...Object.keys(ALL)];

/** A key that can sign at once, without a promise. */
export const signing = (key) => (key.privateKey ? { ...key, object: KeyObject.from(key.privateKey) } : key);

/** Keys of nobody, one per algorithm. */
export async function strangers() {
  const entries = ['ES256', 'RS256', 'EdDSA'].map(async (alg) => [alg, signing(await newKey(alg))]);
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Endless cases of `world`: `supabase` and `cognito` (each `iss`, `keys`, `claims(random)`), `decoys` (keys
 * in Supabase's set that are not for signatures), `strangers`, `maxTokenBytes`.
 */
export function* cases(random, world) {
  const names = Object.keys(ALL);
  for (let index = 0; ; index += 1) {
    const draft = newDraft(random, world);
    const category = random.chance(20) ? 'untouched' : names[index % names.length];
    if (category !== 'untouched') random.pick(ALL[category])(draft, random, world);
    if (category !== 'untouched' && random.chance(6))
      random.pick(ALL[random.pick(names)])(draft, random, world);
    yield { category, token: secrets.keep('a token', finished(draft)) };
  }
}

function newDraft(random, world) {
  const by = random.chance(4) ? world.cognito : world.supabase;
  const key = random.pick(by.keys);
  const typ = by === world.cognito ? {} : { typ: 'JWT' };
  const draft = {
    by,
    key,
    header: { alg: key.alg, ...typ, ...(key.kid ? { kid: key.kid } : {}) },
    claims: by.claims(random),
    text: { header: JSON.stringify, payload: JSON.stringify },
    encode: { header: encode, payload: encode },
    signature: (message) => signWith(draft.key, message),
    after: [],
    finish: (token) => token,
  };
  return draft;
}

const encode = (text) => Buffer.from(text).toString('base64url');

function finished(draft) {
  const header = draft.encode.header(draft.text.header(draft.header));
  const payload = draft.encode.payload(draft.text.payload(draft.claims));
  const signature = draft.signature(`${header}.${payload}`).toString('base64url');
  const parts = draft.after.reduce((before, change) => change(before), { header, payload, signature });
  // White space around a field's value is not part of it (RFC 9110 §5.5).
  return draft.finish(`${parts.header}.${parts.payload}.${parts.signature}`).replace(/^[ \t]+|[ \t]+$/g, '');
}
