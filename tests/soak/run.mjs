//! `make soak`: 500 event streams with silent gaps through the built Worker, for minutes, and then the pages' traffic for as
//! long; prints what came of it.
import { startGateway } from '../harness/gateway.mjs';
import { startIssuer } from '../harness/issuer.mjs';
import { startOrigin } from '../harness/origin.mjs';
import { manyStreams } from './streams.mjs';
import { pagesTraffic } from './traffic.mjs';

/** Memory that grows by no more is as flat as a collected heap gets. */
const FLAT = 1.1;
const quick = Boolean(process.env.QUICK);
const seconds = quick ? 60 : 60 * Number(process.env.MINUTES || 5);
const streams = 500;
/** Events of each stream before memory is looked at: V8 lets garbage pile up until it knows how much is usual. */
const warmUp = 400;
const [origin, issuer] = [await startOrigin(), await startIssuer()];
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url });
try {
  const { all, memory, left } = await manyStreams({ origin, issuer, gateway }, { streams, seconds, warmUp });
  const spoilt = all.filter(({ sent, got }) => sent.join() !== got.join()).length;
  const events = all.reduce((sum, { sent }) => sum + sent.length, 0);
  const latest = Math.max(...left);
  console.log(
    `${streams} streams for ${seconds} s: ${events} events, ${spoilt} streams lost or reordered any`,
  );
  const mib = memory.map((kib) => `${Math.round(kib / 1024)} MiB`).join(', ');
  console.log(`memory of workerd: ${mib} (once all were open and warm, half-way, at the end)`);
  console.log(`a client's leaving was seen by the origin after ${latest} ms at the latest`);
  const { count, outcomes, latencies, asked } = await pagesTraffic({ origin, issuer, gateway }, { seconds });
  const errors = Object.entries(outcomes).filter(([outcome]) => !(Number(outcome) < 500));
  const percentile = (part) => `p${part} ${latencies[Math.floor((count - 1) * part * 0.01)].toFixed(1)} ms`;
  console.log(`the pages' traffic for ${seconds} s: ${count} requests, ${JSON.stringify(outcomes)}`);
  console.log(`latency: ${[50, 90, 99, 99.9, 100].map(percentile).join(', ')}`);
  console.log(
    `the origin was asked ${asked} times: ${Math.round(100 - (100 * asked) / count)} % were kept from it`,
  );
  const grown = memory.at(-1) / memory[0] > FLAT;
  process.exitCode = spoilt > 0 || grown || latest > 2_000 || errors.length > 0 ? 1 : 0;
} finally {
  await Promise.all([gateway.close(), origin.close(), issuer.close()]);
}
