/**
 * HAProxy in front of a server, with HTTP/2 between the two: as a proxy it puts what many clients ask for on few
 * connections, and acknowledges in pieces what it is sent.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from '../server/harness.ts';

/** Where Debian installs it. SLUICE_HAPROXY names another, and says that it must be there. */
const executable = process.env.SLUICE_HAPROXY ?? '/usr/sbin/haproxy';

export const hasHaproxy = process.env.SLUICE_HAPROXY !== undefined || existsSync(executable);

const configuration = (socket: string, port: number): string => `
global
  maxconn 4000
defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  # What was sent in vain must be seen.
  retries 0
  http-reuse always
frontend clients
  bind unix@${socket}
  default_backend sluice
backend sluice
  server sluice 127.0.0.1:${port} proto h2
`;

/** @returns the path of the Unix domain socket on which it listens for HTTP/1.1 */
export async function startHaproxy(scope: Scope, serverPort: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-haproxy-'));
  const socket = join(directory, 'proxy');
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, configuration(socket, serverPort));
  const changes = watch(directory);
  const child = spawn(executable, ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close');
  scope.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true });
  });
  const dead = ended.then(() => Promise.reject(new Error(`HAProxy ended before it listened: ${errors}`)));
  // The socket is there when it is bound, and refuses until HAProxy listens.
  const listening = async (): Promise<void> => {
    while (!existsSync(socket)) await once(changes, 'change');
    while (!(await accepts(socket)));
  };
  await Promise.race([listening(), dead]);
  dead.catch(() => undefined);
  changes.close();
  return socket;
}

async function accepts(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused: the caller asks again.
    return false;
  } finally {
    socket.destroy();
  }
}
