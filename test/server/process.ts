/** The command line as a child process: what signals do to it and which exit code it ends with. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configInput, portOf, type Scope, type ServerInput } from './harness.ts';
import { LogLines } from './log-lines.ts';

const COMMAND = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Of its configuration. */
  readonly file: string;
  readonly log: LogLines;
  /** Everything on standard error when it has ended. */
  readonly errors: () => string;
  readonly ended: Promise<Ended>;
  /** When the server drains: sends the signal again until it ends, as one that comes too soon after the first is not counted. */
  endBySecond(signal: 'SIGTERM' | 'SIGINT'): Promise<Ended>;
  /** Resolves with the origin once it listens. */
  listening(): Promise<string>;
}

/** File descriptors that a process gets in place of pipes to the test; nothing is known of what it writes there. */
export interface Streams {
  readonly stdout?: number;
  readonly stderr?: number;
}

/**
 * Runs `sluice start` on this configuration.
 * @param flags of the command line
 * @param variables of its environment, over those of this process
 */
export function startProcess(
  scope: Scope,
  input: ServerInput,
  flags: readonly string[] = [],
  variables: { readonly [name: string]: string } = {},
  { stdout = undefined, stderr = undefined }: Streams = {},
): ServerProcess {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(directory, 'runtime.config.json');
  writeFileSync(file, JSON.stringify(configInput(input)));
  const child = spawn(process.execPath, [COMMAND, 'start', '--config', file, ...flags], {
    stdio: ['ignore', stdout ?? 'pipe', stderr ?? 'pipe'],
    env: { ...process.env, ...variables },
  });
  const log = new LogLines();
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => log.push(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal }));
  scope.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true });
  });
  const endBySecond = async (signal: 'SIGTERM' | 'SIGINT'): Promise<Ended> => {
    const heard = log.until('second signal: ending');
    const over = Promise.race([heard, ended]).then(() => true);
    do child.kill(signal);
    while (!(await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 1))])));
    return ended;
  };
  const listening = async (): Promise<string> => {
    const dead = ended.then(() =>
      Promise.reject(new Error(`the server ended before it listened: ${errors}`)),
    );
    await Promise.race([log.until('listening on'), dead]);
    return `http://127.0.0.1:${portOf(log)}`;
  };
  return { child, file, log, errors: () => errors, ended, endBySecond, listening };
}
