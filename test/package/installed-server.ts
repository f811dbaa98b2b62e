/** `sluice start` of an installed package, as a child process on a free port. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { portOf, type Scope } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';
import { manifest, type Packed } from './packed.ts';

export interface InstalledServer {
  readonly origin: string;
  /** Asks it to drain and resolves with its exit code. */
  stop(): Promise<number | null>;
}

export async function startInstalled(scope: Scope, packed: Packed, config: string): Promise<InstalledServer> {
  const words = ['start', '--config', config, '--address', '127.0.0.1:0', '--threads', '1'];
  const child = spawn(process.execPath, [join(packed.installed, manifest.bin.sluice), ...words], {
    cwd: packed.project,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const log = new LogLines();
  child.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const ended = once(child, 'close') as Promise<[number | null]>;
  scope.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const dead = ended.then(() =>
    Promise.reject(new Error(`expected it to listen: ${JSON.stringify(log.lines)}`)),
  );
  await Promise.race([log.until('listening on'), dead]);
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    return (await ended)[0];
  };
  // After it listens its end is no error any more.
  dead.catch(() => undefined);
  return { origin: `http://127.0.0.1:${portOf(log)}`, stop };
}
