//! What the gateway is to reach, and what it must not fall behind (`CHECK=1`), with room for a loaded machine.
import { median, ratios } from './measure.mjs';

/** CPU time per request, at most so much of another's: the goal, and the bound. */
const RATIOS = [
  { scenario: 'seen', other: 'bare', most: 1.35, bound: 7 },
  { scenario: 'seen', other: 'hono', most: 0.5, bound: 2 },
  { scenario: 'new ES256', other: 'hono', most: 0.9, bound: 2 },
  { scenario: 'no token', other: 'hono', most: 0.5, bound: 1.6 },
  { scenario: 'forged', other: 'hono', most: 0.5, bound: 1.6 },
  { scenario: 'limited', other: 'hono', most: 0.5, bound: 2.4 },
  { scenario: 'hit', other: 'bare', most: 0.6, bound: 3 },
  { scenario: 'download', other: 'bare', most: 1.05, bound: 2 },
];
const GZIPPED_KB = { most: 300, bound: 480 };
const START_MS = { most: 15, bound: 100 };
/** Growth of memory in the second half of the requests. */
const GROWTH = { most: 0.05, bound: 0.2 };

/** Each goal with what was found: `{ what, goal, found, off, beyond }`, `off` being how many times the goal it is. */
export function goals(result) {
  return [...ratioGoals(result), ...sizeGoals(result), ...memoryGoals(result)];
}

function ratioGoals({ scenarios, samples }) {
  const measured = RATIOS.filter(({ scenario }) => samples[scenario]);
  return measured.map(({ scenario, other, ...limits }) => {
    const { title } = scenarios.find(({ name }) => name === scenario);
    const found = median(ratios(samples[scenario], 'gateway', other));
    return judged(`${title}: CPU of ${other}`, found, limits, 2);
  });
}

function sizeGoals({ weights, starts }) {
  return [
    judged('bundle, gzipped (kB)', weights.gateway.gzipped / 1000, GZIPPED_KB, 0),
    judged("isolate's start-up CPU (ms)", startCpuMs(starts, 'gateway'), START_MS, 1),
  ];
}

/** What the Worker adds to the start of workerd with the bare Worker. */
export const startCpuMs = (starts, name) => starts[name].cpuMs - starts.bare.cpuMs;

function memoryGoals({ memory }) {
  if (!memory) return [];
  const [, half, end] = memory.gateway;
  const what = 'growth of memory from 50,000 to 100,000 requests of 10,000 users';
  return [judged(what, end.mib / half.mib - 1, GROWTH, 2)];
}

function judged(what, found, { most, bound }, digits) {
  return { what, goal: `≤ ${most}`, bound, found: found.toFixed(digits), off: found / most, beyond: found > bound };
}

/** `met`, or by how much not. */
export const verdict = ({ off }) => (off <= 1 ? 'met' : `missed by ${(100 * (off - 1)).toFixed(0)} %`);

/** What is beyond its bound. */
export const beyond = (result) => goals(result).filter((goal) => goal.beyond);
