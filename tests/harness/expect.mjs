//! Assertions that say what a refusal of the gateway looks like, and what an origin received.
import assert from 'node:assert/strict';

/** A refusal of the gateway's own: RFC 9457, a `detail` string for the app's clients, a request id. */
export function assertProblem(answer, status, note = '') {
  assert.equal(answer.status, status, `${note} ${answer.text}`);
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, note);
  const problem = answer.json;
  assert.equal(problem.status, status, note);
  for (const member of ['type', 'title', 'detail', 'request_id']) {
    assert.equal(typeof problem[member], 'string', `${note}: ${member} in ${answer.text}`);
    assert.notEqual(problem[member], '', `${note}: ${member}`);
  }
  assert.equal(answer.headers['x-request-id'], problem.request_id, note);
  return problem;
}

/** Runs `act`, then asserts that the origin received nothing meanwhile. */
export async function assertUnseen(origin, act) {
  const before = origin.requests.length;
  const result = await act();
  assert.deepEqual(
    origin.requests.slice(before).map(({ method, url }) => `${method} ${url}`),
    [],
  );
  return result;
}

/** The last request the origin received for a path; fails when there is none. */
export function lastSeen(origin, path) {
  const record = origin.seen(path).at(-1);
  assert.ok(record, `the origin saw no ${path}`);
  return record;
}

/** Every value of a field in the order it was sent (Node joins or drops repeated ones). */
export function valuesOf(rawHeaders, name) {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1].toLowerCase() === name);
}
