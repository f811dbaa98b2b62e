/** The real clinic, with the server as its child process, as a person runs both. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClinicTool } from '../../runtime/clinic/injected.ts';
import { configInput, portOf, type Scope } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';

const require = createRequire(import.meta.url);
const CLINIC = require.resolve('clinic/bin.js');
export const START = fileURLToPath(new URL('../../runtime/start.js', import.meta.url));
export const PRIMES = fileURLToPath(new URL('./applications/primes.ts', import.meta.url));

export interface ClinicRun {
  readonly child: ChildProcess;
  /** Flags for the server. */
  readonly log: LogLines;
  /** Everything that any of the processes printed. */
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** The working directory. Only the test and clinic's report may leave files in it. */
  readonly directory: string;
  /** The folder (or file) of the data; the page has the same name plus `.html`. */
  readonly data: string;
  /** Resolves with the origin once the server listens. */
  listening(): Promise<string>;
}

export interface ClinicOptions {
  /** Flags for clinic. */
  readonly words?: readonly string[];
  /** Flags for Node, before the command. */
  readonly nodeFlags?: readonly string[];
  readonly command?: string;
  readonly env?: { readonly [name: string]: string };
  readonly listeners?: readonly { readonly address: string }[];
  readonly monitoring?: { readonly address: string };
}

export function runClinic(scope: Scope, tool: ClinicTool, options: ClinicOptions = {}): ClinicRun {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-clinic-'));
  const input = configInput({
    pools: { primes: { application: PRIMES, threads: { min: 2, max: 2 } } },
    ...(options.listeners && { listeners: [...options.listeners] }),
    ...(options.monitoring && { monitoring: options.monitoring }),
  });
  writeFileSync(join(directory, 'runtime.config.json'), JSON.stringify(input));
  const { words = [], nodeFlags = [], command = START, env = {} } = options;
  const server = [process.execPath, ...nodeFlags, command, 'start', '--log-level', 'debug'];
  const child = spawn(
    process.execPath,
    [CLINIC, tool, '--open=false', '--dest', 'out', '--name', 'run', ...words, '--', ...server],
    {
      cwd: directory,
      // A process group of its own, as a terminal creates it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
        NO_INSIGHT: '1',
        NO_UPDATE_NOTIFIER: '1',
        ...env,
      },
    },
  );
  const log = new LogLines();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdout.on('data', (text: string) => log.push(text));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  scope.teardown(async () => {
    // Ends the server too, if clinic has not ended it.
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(directory, { recursive: true });
  });
  const listening = async (): Promise<string> => {
    const dead = ended.then(() => Promise.reject(new Error(`it ended before it listened: ${output}`)));
    await Promise.race([log.until('listening on'), dead]);
    dead.catch(() => undefined);
    return `http://127.0.0.1:${portOf(log)}`;
  };
  const data = join(directory, 'out', `run.clinic-${tool}`);
  return { child, log, output: () => output, ended, directory, data, listening };
}

/** Ctrl-C: the terminal signals the whole group, clinic and the server. */
export function pressCtrlC({ child }: ClinicRun): void {
  process.kill(-(child.pid as number), 'SIGINT');
}
