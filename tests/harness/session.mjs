//! Session cookies as the app's frontend has them: written by Supabase's own library for servers.
import { randomUUID } from 'node:crypto';
import { createServerClient } from '@supabase/ssr';

/**
 * Signs a new person up and in, and gives the cookies that the library sets, by name. `claims` changes the
 * token's claims, `encoding` is the library's: `base64url`, or `raw` as its older versions wrote.
 */
export async function sessionCookies(issuer, { claims = {}, encoding = 'base64url' } = {}) {
  const jar = new Map();
  const client = createServerClient(issuer.url.replace('/auth/v1', ''), 'sb_publishable_tests', {
    cookieEncoding: encoding,
    cookies: {
      getAll: () => [...jar].map(([name, value]) => ({ name, value })),
      setAll: (cookies) => cookies.forEach(({ name, value }) => jar.set(name, value)),
    },
  });
  issuer.sessionClaims = claims;
  const { data, error } = await client.auth.signUp({
    email: `${randomUUID()}@example.com`,
    password: randomUUID(),
  });
  issuer.sessionClaims = {};
  if (error) throw error;
  return { jar, token: data.session.access_token, user: data.user.id };
}

/** A `Cookie` field of these cookies, each value escaped as browsers and Next.js keep it. */
export const cookieField = (jar) =>
  [...jar].map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('; ');
