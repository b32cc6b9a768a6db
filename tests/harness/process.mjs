//! What the operating system says of the workerd processes that a test has started.
import { readFileSync, readdirSync } from 'node:fs';

/** The kernel counts time in hundredths of a second (`sysconf(_SC_CLK_TCK)`), whatever the machine. */
const TICK_MS = 10;

/** Their ids. */
export const workerds = () =>
  readdirSync('/proc').filter((id) => {
    const [name, , parent] = statOf(id);
    return name === 'workerd' && Number(parent) === process.pid;
  });

/** The processor time that one has used, in its own code and in the kernel's, in milliseconds. */
export function cpuMs(id) {
  const [utime, stime] = statOf(id).slice(12, 14);
  return (Number(utime) + Number(stime)) * TICK_MS;
}

/** Name, state, parent, …: `/proc/ID/stat` (proc_pid_stat(5)) from its second field on; nothing of none. */
function statOf(id) {
  try {
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/.exec(readFileSync(`/proc/${id}/stat`, 'utf8').trim());
    return [name, ...rest.split(' ')];
  } catch {
    return []; // no process, or one that has just ended
  }
}
