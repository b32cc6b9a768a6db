//! `make soak`: 500 event streams through the built Worker, for minutes, with silent gaps; prints what came of it.
import { startGateway } from '../harness/gateway.mjs';
import { startIssuer } from '../harness/issuer.mjs';
import { startOrigin } from '../harness/origin.mjs';
import { manyStreams } from './streams.mjs';

const quick = Boolean(process.env.QUICK);
const seconds = quick ? 60 : 60 * Number(process.env.MINUTES || 5);
const streams = 500;
const [origin, issuer] = [await startOrigin(), await startIssuer()];
const gateway = await startGateway({ origin: origin.url, issuer: issuer.url });
try {
  const { all, memory, left } = await manyStreams({ origin, issuer, gateway }, { streams, seconds });
  const spoilt = all.filter(({ sent, got }) => sent.join() !== got.join()).length;
  const events = all.reduce((sum, { sent }) => sum + sent.length, 0);
  const latest = Math.max(...left);
  console.log(
    `${streams} streams for ${seconds} s: ${events} events, ${spoilt} streams lost or reordered any`,
  );
  console.log(
    `memory of workerd: ${memory.map((kib) => `${Math.round(kib / 1024)} MiB`).join(', ')} (once all were open, half-way, at the end)`,
  );
  console.log(`a client's leaving was seen by the origin after ${latest} ms at the latest`);
  process.exitCode = spoilt > 0 || latest > 2_000 ? 1 : 0;
} finally {
  await Promise.all([gateway.close(), origin.close(), issuer.close()]);
}
