//! What a run came to: counts by class, the tests that were not passed, tables.

const KINDS = ['required', 'optimal', 'check'];

/** The suite's own signs for its results (`lib/display.mjs`), in words. */
const OUTCOMES = {
  '✅': 'pass',
  Y: 'yes',
  N: 'no',
  '⛔️': 'fail',
  '⚠️': 'fail',
  '🔹': 'setup failed',
  '⚪️': 'dependency failed',
  '⁉️': 'harness failed',
  '↻': 'retried',
  '-': 'not run',
};
const PASSED = ['pass', 'yes'];

/** Of each class how many passed, and how many there are. */
export function counted(judged) {
  return Object.fromEntries(
    KINDS.map((kind) => {
      const all = judged.filter((test) => test.kind === kind);
      return [kind, [all.filter(passed).length, all.length]];
    }),
  );
}

const outcomeOf = ({ symbol }) => OUTCOMES[symbol];
const passed = (test) => PASSED.includes(outcomeOf(test));

/** The tests that were not passed, required ones first. */
export function failing(judged) {
  return KINDS.flatMap((kind) => judged.filter((test) => test.kind === kind && !passed(test))).map(
    (test) => ({
      id: test.id,
      kind: test.kind,
      suite: test.suite,
      outcome: outcomeOf(test),
      reason: test.reason,
    }),
  );
}

/** Ours beside the published results of others, in Markdown. */
export function table(counts, { peers }) {
  const ours = { name: 'he2', version: 'this commit', counts };
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rows = [ours, ...peers].map(({ name, version, counts: of }) =>
    line([name, version, ...KINDS.map((kind) => of[kind][0])]),
  );
  const heads = KINDS.map((kind) => `${kind} of ${counts[kind][1]}`);
  return [line(['cache', 'version', ...heads]), line(['---', '---', '--:', '--:', '--:']), ...rows].join(
    '\n',
  );
}

/** The files that a run leaves, by name. */
export function written(judged, counts, peers) {
  const json = { passed: counts, notPassed: failing(judged) };
  const suites = [...new Set(judged.map((test) => test.suite))];
  const perSuite = suites.map((suite) => {
    const of = counted(judged.filter((test) => test.suite === suite));
    return `| ${suite} | ${KINDS.map((kind) => (of[kind][1] ? of[kind].join('/') : '')).join(' | ')} |`;
  });
  const markdown = [
    '# Results',
    '',
    'Written by `make conformance`; `README.md` says what is measured and why tests are not passed.',
    '',
    table(counts, peers),
    '',
    '| suite | required | optimal | check |',
    '|---|--:|--:|--:|',
    ...perSuite,
    '',
  ].join('\n');
  return { 'results.json': `${JSON.stringify(json, null, 2)}\n`, 'results.md': markdown };
}
