//! The JavaScript side of `metrics.rs`: a data point crosses once.

/** Whether there is a data set to write to. */
export const isBound = (env) => env.METRICS !== undefined;

/** Writes a data point; the blobs are a line each. */
export function write(env, index, blobs, doubles) {
  env.METRICS.writeDataPoint({ indexes: [index], blobs: blobs.split('\n'), doubles: [...doubles] });
}
