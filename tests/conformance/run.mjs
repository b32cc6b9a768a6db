//! `make conformance`: runs the public suite of HTTP cache tests through the Worker that `suite.toml` makes of
//! he2.toml, in workerd, and compares with the floor and with other caches. `--id=TEST` runs one test and shows its
//! messages. `README.md` says what is measured.
import { readFileSync, writeFileSync } from 'node:fs';
import { determineTestResult } from 'http-cache-tests/lib/display.mjs';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import { startGateway } from '../harness/gateway.mjs';
import { clientOf } from './client.mjs';
import { startSuiteOrigin } from './origin.mjs';
import { counted, failing, table, written } from './report.mjs';
import { suites, tests } from './suite.mjs';

/** As many at once as the suite's own results were made with. */
const AT_ONCE = 25;

const only = process.argv.find((argument) => argument.startsWith('--id='))?.slice('--id='.length);
const chosen = only ? tests.filter((test) => test.id === only) : tests;
if (!chosen.length) throw new Error(`there is no test ${only}`);
await through(chosen, only !== undefined);
const results = getResults();
const judged = chosen.map((test) => {
  const [, , symbol] = determineTestResult(suites, test.id, results, only === undefined);
  return { ...test, symbol, reason: results[test.id]?.[1] ?? '' };
});
if (only) console.log(`${judged[0].symbol} ${only}: ${judged[0].reason || 'as it should be'}`);
else process.exitCode = report(judged);

/** Runs them through a gateway of their own. */
async function through(wanted, shown) {
  const origin = await startSuiteOrigin();
  const onLog = ({ message }) => shown && console.error(message);
  const gateway = await startGateway({ origin: origin.url, issuer: origin.url, build: 'build-suite', onLog });
  for (const test of wanted) if (shown) test.dump = true;
  let begun = 0;
  const client = clientOf(wanted, () => {
    begun += 1;
    if (!shown) progress(begun, wanted.length);
  });
  try {
    const base = `http://127.0.0.1:${gateway.rawPort}`;
    await runTests([{ id: 'all', tests: wanted }], client, false, base, AT_ONCE);
  } finally {
    await gateway.close();
    await origin.stop();
  }
}

function progress(begun, all) {
  if (process.stderr.isTTY) process.stderr.write(`\r${begun}/${all} tests${begun === all ? '\n' : ''}`);
  else if (begun % 100 === 0 || begun === all) console.error(`${begun}/${all} tests`);
}

/** Prints and writes what came of it; 1 when it is less than the floor, or not explained. */
function report(all) {
  const peers = readJson('peers.json');
  const counts = counted(all);
  console.log(table(counts, peers));
  for (const { id, kind, outcome, reason } of failing(all))
    console.log(`${kind} ${outcome}: ${id}: ${reason}`);
  const [required, optimal, check] = ['required', 'optimal', 'check'].map((kind) => counts[kind]);
  console.log(`required ${required.join('/')} optimal ${optimal.join('/')} check ${check.join('/')}`);
  for (const [name, text] of Object.entries(written(all, counts, peers)))
    writeFileSync(new URL(name, import.meta.url), text);
  const floor = readJson('floor.json');
  const below = Object.keys(floor).filter((kind) => counts[kind][0] < floor[kind]);
  for (const kind of below)
    console.error(`${kind}: ${counts[kind][0]} passed, and the floor is ${floor[kind]}`);
  const explained = readText('README.md');
  const unexplained = failing(all).filter(({ id }) => !explained.includes(`\`${id}\``));
  for (const { id } of unexplained) console.error(`${id} is not passed, and README.md does not say why`);
  return below.length + unexplained.length ? 1 : 0;
}

function readText(name) {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

function readJson(name) {
  return JSON.parse(readText(name));
}
