//! What the gateway's cache says of an answer, and waiting for what it does in the background.
import { Token, parseList } from 'structured-headers';
import { until } from './client.mjs';

/** The gateway's member of `Cache-Status` (RFC 9211): `{ hit: true, ttl: 30 }`. */
export function cacheStatus({ headers }) {
  const members = parseList(headers['cache-status'] ?? '').map(([name, parameters]) => [
    String(name),
    Object.fromEntries(
      [...parameters].map(([key, value]) => [key, value instanceof Token ? String(value) : value]),
    ),
  ]);
  return Object.fromEntries(members).he2;
}

/** Asks until the answer comes from the store: storing goes on after the first answer has left. */
export const untilHit = (ask) =>
  until(async () => {
    const answer = await ask();
    return cacheStatus(answer)?.hit && answer;
  }, 'a hit');
