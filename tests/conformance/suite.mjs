//! The suite as it is run: the npm package's tests as `changed.mjs` changes them, with those of `added.mjs`.
import packaged from 'http-cache-tests/tests/index.mjs';
import { added } from './added.mjs';
import { changes, kinds, needs, removed } from './changed.mjs';

/** How many tests of each class there are; more or fewer would be another suite. */
export const COUNTS = { required: 160, optimal: 105, check: 100 };

/** Every suite with the tests that concern a proxy. */
export const suites = [...packaged, { id: 'cdn-cache-control', tests: [] }, { id: 'interim', tests: [] }].map(
  (suite) => ({ ...suite, tests: testsOf(suite) }),
);

export const tests = suites.flatMap((suite) => suite.tests.map((test) => ({ ...test, suite: suite.id })));

for (const [kind, count] of Object.entries(COUNTS)) {
  const found = tests.filter((test) => test.kind === kind).length;
  if (found !== count) throw new Error(`${found} tests of class ${kind} in place of ${count}`);
}

function testsOf({ id, tests: old }) {
  const fresh = added[id] ?? [];
  const replaced = new Set([...removed, ...fresh.map((test) => test.id)]);
  const kept = old.filter((test) => !test.browser_only && !replaced.has(test.id));
  return [...kept.map(changed), ...fresh];
}

function changed(packagedTest) {
  const test = structuredClone(packagedTest);
  test.kind = lastOf(kinds, test.id) ?? test.kind ?? 'required';
  const needed = lastOf(needs, test.id);
  if (needed) test.depends_on = [needed];
  for (const [ids, change] of changes) if (ids.test(test.id)) change(test);
  return test;
}

/** What the last line of a table whose pattern fits says of a test. */
function lastOf(table, id) {
  const line = table.findLast(([ids]) => ids.test(id));
  if (!line) return undefined;
  const [ids, value] = line;
  return typeof value === 'function' ? value(ids.exec(id)[1]) : value;
}
