//! What the gateway is to reach, and how far off a loaded machine may be before that counts as a fault (`CHECK=1`).
import { median, ratios } from './measure.mjs';

/** CPU time per request, at most so much of another's. */
const RATIOS = [
  { scenario: 'seen', other: 'bare', most: 1.35 },
  { scenario: 'seen', other: 'hono', most: 0.5 },
  { scenario: 'new ES256', other: 'hono', most: 0.9 },
  { scenario: 'no token', other: 'hono', most: 0.5 },
  { scenario: 'forged', other: 'hono', most: 0.5 },
  { scenario: 'limited', other: 'hono', most: 0.5 },
  { scenario: 'hit', other: 'bare', most: 0.6 },
  { scenario: 'download', other: 'bare', most: 1.05 },
];
const GZIPPED_KB = 300;
const START_MS = 15;
/** Growth of memory in the second half of the requests. */
const GROWTH = 0.05;
/** A loaded machine may show so much more than is true. */
const MARGIN = 1.5;

/** Each goal with what was found: `{ what, goal, found, met }`. */
export function goals(result) {
  return [...ratioGoals(result), ...sizeGoals(result), ...memoryGoals(result)];
}

function ratioGoals({ scenarios, samples }) {
  const measured = RATIOS.filter(({ scenario }) => samples[scenario]);
  return measured.map(({ scenario, other, most }) => {
    const { title } = scenarios.find(({ name }) => name === scenario);
    const found = median(ratios(samples[scenario], 'gateway', other));
    return {
      what: `${title}: CPU of ${other}`,
      goal: `≤ ${most}`,
      found: found.toFixed(2),
      off: found / most,
    };
  });
}

function sizeGoals({ weights, starts }) {
  const kb = weights.gateway.gzipped / 1000;
  const ms = startCpuMs(starts, 'gateway');
  return [
    { what: 'bundle, gzipped (kB)', goal: `≤ ${GZIPPED_KB}`, found: kb.toFixed(0), off: kb / GZIPPED_KB },
    { what: "isolate's start-up CPU (ms)", goal: `≤ ${START_MS}`, found: ms.toFixed(1), off: ms / START_MS },
  ];
}

/** What the Worker adds to the start of workerd with the bare Worker. */
export const startCpuMs = (starts, name) => starts[name].cpuMs - starts.bare.cpuMs;

function memoryGoals({ memory }) {
  if (!memory) return [];
  const [, half, end] = memory.gateway;
  const grown = end.mib / half.mib - 1;
  const found = `${(100 * grown).toFixed(1)} %`;
  return [
    {
      what: 'memory from 50,000 to 100,000 requests of 10,000 users',
      goal: `≤ +${100 * GROWTH} %`,
      found,
      off: (1 + grown) / (1 + GROWTH),
    },
  ];
}

/** `met`, or by how much not. */
export const verdict = ({ off }) => (off <= 1 ? 'met' : `missed by ${(100 * (off - 1)).toFixed(0)} %`);

/** Goals that are missed by more than a loaded machine explains. */
export const farOff = (result) => goals(result).filter(({ off }) => off > MARGIN);
