//! Load by wrk: a fixed number of connections, each with its next request as soon as it has an answer.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cpuMs } from './processes.mjs';

const SCRIPT = join(import.meta.dirname, 'load.lua');

/** Writes requests (`{ method, path, size, headers }`) as `load.lua` reads them. */
export function writeRequests(file, requests) {
  writeFileSync(file, requests.map(line).join('\n'));
}

function line({ method = 'GET', path, size = 0, headers = {} }) {
  const fields = Object.entries({ Host: 'he2.ai', ...headers }).map(([name, value]) => `${name}: ${value}`);
  return [method, path, size, ...fields].join('\t');
}

/** Loads a peer with the requests of a file for so many seconds: what it did, and the CPU time that it took. */
export async function load({ pid, port }, file, { seconds, connections = 16 }) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', SCRIPT];
  const before = cpuMs(pid);
  const { stdout } = await promisify(execFile)('wrk', [...args, `http://127.0.0.1:${port}`, '--', file]);
  const cpu = cpuMs(pid) - before;
  const told = JSON.parse(stdout.slice(stdout.lastIndexOf('{')));
  return {
    ...told,
    cpuMicros: (cpu * 1000) / told.requests,
    perSecond: (told.requests * 1e6) / told.micros,
  };
}

/** One request and its whole answer, to see that a peer does what it is measured for. */
export async function one({ port }, { method = 'GET', path, size = 0, headers = {} }) {
  const options = {
    port,
    host: '127.0.0.1',
    method,
    path,
    headers: { Host: 'he2.ai', ...headers },
    agent: false,
  };
  const request = http.request(options);
  request.end('x'.repeat(size));
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({
        status: response.statusCode,
        headers: response.headers,
        text: Buffer.concat(chunks).toString(),
      });
    });
  });
}
