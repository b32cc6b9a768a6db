export function report(result) {
  for (const { name } of result.scenarios) for (const peer of result.names) {
    const all = result.samples[name][peer];
    console.log(name, peer, all.map((s) => `${s.cpuMicros.toFixed(0)}us ${s.perSecond.toFixed(0)}/s p50 ${s.p50} p99 ${s.p99}`).join(' | '));
  }
  console.log(result.starts, result.weights, result.memory && JSON.stringify(result.memory));
}
