//! Processes under measurement: their start, their CPU time and memory as the kernel counts them, their end.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK']));
const children = new Set();
const folders = [];
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  // They hold keys.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

/** A folder for as long as this process lives. */
export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'he2-bench-'));
  folders.push(folder);
  return folder;
}

/** Starts a program whose output nobody reads but for its complaints, which are kept for `complaints`. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'], ...options });
  const said = [];
  child.stderr.on('data', (chunk) => said.length < 100 && said.push(chunk));
  children.add(child);
  child.once('exit', () => children.delete(child));
  child.once('error', (error) => said.push(String(error)));
  return {
    pid: child.pid,
    stdout: child.stdout,
    complaints: () => Buffer.concat(said.map((one) => Buffer.from(one))).toString(),
    exited: () => child.exitCode !== null || child.signalCode !== null,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** A port that is free now. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until something listens on the port; fails with what the process complained of. */
export async function listening(port, process) {
  for (let tries = 0; !(await connects(port)); tries += 1) {
    if (process.exited() || tries > 5000) throw new Error(`nothing listens: ${process.complaints()}`);
    await delay(2);
  }
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** CPU time so far, user and system, of a process and all its threads (ms). */
export function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, whatever it holds.
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return ((utime + stime) * 1000) / TICKS;
}

/** Memory that a process holds alone or shares (KiB): its resident set. */
export function residentKiB(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}
