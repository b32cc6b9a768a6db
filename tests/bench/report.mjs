//! What was measured, as Markdown for people, a chart, and JSON for whoever wants to look closer.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { bars, lines } from './chart.mjs';
import { goals, startCpuMs, verdict } from './goals.mjs';
import { median, ratios } from './measure.mjs';

const NAMES = {
  gateway: 'this gateway',
  bare: 'bare Worker',
  plain: 'plain JavaScript',
  hono: 'Hono + jose + limiter',
  nginx: 'nginx',
  haproxy: 'HAProxy',
  envoy: 'Envoy',
};
const nameOf = (peer) => NAMES[peer] ?? peer;

/** Writes the results into `folder`; gives their Markdown. */
export function report(result, folder) {
  mkdirSync(folder, { recursive: true });
  const text = markdown(result);
  writeFileSync(join(folder, 'results.md'), text);
  writeFileSync(join(folder, 'cpu.svg'), chart(result));
  if (result.growth)
    writeFileSync(join(folder, 'growth.svg'), lines({ title: 'How cost grows', panels: result.growth }));
  writeFileSync(join(folder, 'results.json'), JSON.stringify(data(result), null, 1));
  return text;
}

function markdown(result) {
  const parts = [
    heading(result),
    section('Goals', table(['goal', 'wanted', 'found', ''], goalRows(result))),
    section('CPU time per request', cpuIntro(result), cpuTable(result)),
    section('Throughput and latency', LOAD, loadTable(result)),
    section('Start and size', START, startTable(result)),
  ];
  parts.push(section('Crossings between JavaScript and Wasm', CROSSINGS, crossingsTable(result)));
  if (result.memory) parts.push(section('Memory', memoryTable(result)));
  if (result.growth)
    parts.push(section('Growth', '![How cost grows](growth.svg)', ...result.growth.map(growthTable)));
  if (result.skipped?.length)
    parts.push(section('Left out', result.skipped.map((why) => `- ${why}`).join('\n')));
  return parts.join('\n\n') + '\n';
}

const section = (title, ...paragraphs) => [`## ${title}`, ...paragraphs].join('\n\n');

function heading({ quick, rounds, seconds }) {
  const kind = quick ? ' (a quick run: figures are rough)' : '';
  return `# The gateway beside what people would write instead${kind}

${new Date().toISOString().slice(0, 10)}, ${machine()}. ${rounds} interleaved rounds of ${seconds} s for each scenario and peer; a ratio is
taken within a round, and of all rounds the median is shown, with the least and the greatest.

![CPU time per request](cpu.svg)`;
}

/** The kind of machine, and the programs that the figures depend on. */
function machine() {
  const [{ model }] = cpus();
  const version = (command, ...args) => execFileSync(command, args).toString().trim();
  const workerd = join(import.meta.dirname, '../node_modules/workerd/package.json');
  return [
    `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${version('uname', '-r').split('-')[0]}`,
    `workerd ${JSON.parse(readFileSync(workerd, 'utf8')).version}`,
  ].join(', ');
}

const goalRows = (result) => goals(result).map((goal) => [goal.what, goal.goal, goal.found, verdict(goal)]);

const cpuIntro = () =>
  'User and system time of the whole process, from `/proc`: in µs for the bare Worker (in ms from 10 ms), as ratios to it for the others.';

function cpuTable({ scenarios, samples, names }) {
  const others = names.filter((name) => name !== 'bare');
  const head = ['scenario', nameOf('bare'), ...others.map(nameOf), 'gateway / Hono'];
  const rows = scenarios.map(({ name, title }) => {
    const of = samples[name];
    const toHono = of.gateway?.length && of.hono?.length ? spread(ratios(of, 'gateway', 'hono')) : '';
    return [
      title,
      micros(of.bare),
      ...others.map((peer) => (of[peer]?.length ? spread(ratios(of, peer, 'bare')) : '–')),
      toHono,
    ];
  });
  return table(head, rows);
}

function micros(samples) {
  const middle = median(samples.map(({ cpuMicros }) => cpuMicros));
  return middle < 10_000 ? `${middle.toFixed(0)} µs` : `${(middle / 1000).toFixed(1)} ms`;
}

function spread(values) {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  return `**${median(values).toFixed(2)}** (${least.toFixed(2)}–${greatest.toFixed(2)})`;
}

const LOAD = `wrk on the same machine keeps its connections busy, so this is at full load: requests per second, then p50 / p99 in
ms. Where load and origin share the cores with the peer, latency is mostly theirs.`;

function loadTable({ scenarios, samples, names }) {
  const cell = (of) =>
    of?.length
      ? `${median(of.map(({ perSecond }) => perSecond)).toFixed(0)}; ${ms(of, 'p50')} / ${ms(of, 'p99')}`
      : '–';
  const rows = scenarios.map(({ name, title }) => [title, ...names.map((peer) => cell(samples[name][peer]))]);
  return table(['scenario', ...names.map(nameOf)], rows);
}

const ms = (samples, name) => (median(samples.map((sample) => sample[name])) / 1000).toFixed(1);

const START = `From the start of workerd to its first answer, and what the Worker adds to its CPU time until then.`;

function startTable({ starts, weights }) {
  const kb = (bytes) => (bytes / 1000).toFixed(1);
  const rows = Object.entries(starts).map(([name, { wallMs }]) => [
    nameOf(name),
    wallMs.toFixed(0),
    startCpuMs(starts, name).toFixed(1),
    kb(weights[name].raw),
    kb(weights[name].gzipped),
  ]);
  return table(['', 'first answer (ms)', 'start-up CPU (ms)', 'modules (kB)', 'gzipped (kB)'], rows);
}

function memoryTable({ memory }) {
  const steps = Object.values(memory)[0];
  const head = ['resident MiB after', ...steps.map((_, at) => `${[10, 50, 100][at]},000 requests`)];
  return table(
    head,
    Object.entries(memory).map(([name, found]) => [nameOf(name), ...found.map(({ mib }) => mib.toFixed(0))]),
  );
}

const CROSSINGS = 'Calls per request, both ways, of the gateway; and the five that are made most often.';

function crossingsTable({ scenarios, crossings }) {
  const short = (name) =>
    name.replace(/^(js|wasm) (__wbg_)?(__wbindgen_)?/, '').replace(/_[0-9a-f]{16}$/, '');
  const most = (list) =>
    list
      .slice(0, 5)
      .map(([name, each]) => `${short(name)} ${each.toFixed(0)}`)
      .join(', ');
  const counted = scenarios.filter(({ name }) => crossings[name]);
  const rows = counted.map(({ name, title }) => [
    title,
    crossings[name].total.toFixed(0),
    most(crossings[name].most),
  ]);
  return table(['scenario', 'crossings', 'most often'], rows);
}

/** Where the time goes, as a table. */
export function reportProfile({ requests, shares }) {
  const rows = shares.slice(0, 60).map(([name, share]) => [`\`${name}\``, `${(100 * share).toFixed(1)} %`]);
  return `${requests} requests\n\n${table(['function', 'share of CPU time'], rows)}`;
}

function growthTable({ title, unit, series }) {
  const head = [`${title}: ${unit}`, ...series[0].points.map(([size]) => size.toLocaleString('en'))];
  return table(
    head,
    series.map(({ name, points }) => [name, ...points.map(([, value]) => value.toFixed(0))]),
  );
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at ? '---:' : '---'))), ...rows.map(line)].join('\n');
}

function chart({ scenarios, samples, names }) {
  const groups = scenarios.map(({ name, title }) => ({
    title,
    bars: names
      .filter((peer) => samples[name][peer]?.length)
      .map((peer) => ({ name: nameOf(peer), value: median(ratios(samples[name], peer, 'bare')) })),
  }));
  return bars({ title: 'CPU time per request, bare Worker = 1', groups, names: names.map(nameOf) });
}

function data(result) {
  const { quick, rounds, seconds, samples, starts, weights, crossings, memory, growth } = result;
  return { machine: machine(), quick, rounds, seconds, samples, starts, weights, crossings, memory, growth };
}
