/** A server as a separate process, and `sluice profile` as another process that connects to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import type { CpuProfile } from '../../runtime/profiling/cpu-profile.ts';
import type { PoolInput, Scope } from '../server/harness.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';

const COMMAND = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
export const heavy = fileURLToPath(new URL('applications/heavy.ts', import.meta.url));

export interface ProfiledServer extends ServerProcess {
  readonly origin: string;
  /** The configuration with which a command finds the server. */
  readonly config: string;
  /** A folder of the test. */
  readonly folder: string;
}

/** @param pools two threads of `render` and one of `light`, by default */
export async function startProfiledServer(
  scope: Scope,
  profiling: ConfigInput['profiling'] = {},
  pools: Readonly<Record<string, PoolInput>> = {
    render: { application: heavy, threads: { min: 2, max: 2 }, validate: false },
    light: { application: heavy, threads: { min: 1, max: 1 }, validate: false },
  },
): Promise<ProfiledServer> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-p-')));
  scope.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const control = { path: join(folder, 'control.sock') };
  const server = startProcess(scope, {
    pools,
    control,
    profiling,
  });
  const config = join(folder, 'runtime.config.json');
  writeFileSync(
    config,
    JSON.stringify({
      control,
      pools: { any: { application: heavy } },
      routes: [{ path: '/*', pool: 'any' }],
    }),
  );
  return { ...server, origin: await server.listening(), config, folder };
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Names of the files in the folder. */
  readonly files: readonly string[];
}

export interface ProfileCommand {
  readonly child: ChildProcess;
  /** The folder that the command writes to. */
  readonly output: string;
  /** Resolves when the server is profiling. Rejects if the command ends first. */
  readonly running: Promise<void>;
  readonly ended: Promise<Ended>;
  /** Sends Ctrl-C. */
  interrupt(): Promise<Ended>;
}

let commands = 0;

/**
 * Runs `sluice profile WORDS`. The profile has no time limit, so a test interrupts it when it has seen
 * enough.
 */
export function runProfile(
  scope: Scope,
  { config, folder }: Pick<ProfiledServer, 'config' | 'folder'>,
  words: readonly string[],
  shell = 'exec "$@"',
): ProfileCommand {
  const output = join(folder, `output-${++commands}`);
  const flags = ['--seconds', '250', '--output', output, '--config', config];
  const command = [process.execPath, COMMAND, 'profile', ...flags, ...words];
  const child = spawn('sh', ['-c', shell, 'sh', ...command], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OUTPUT: output },
  });
  scope.teardown(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  const running = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (/is profiled for|stands still while/.test(stderr)) running.resolve();
  });
  const ended = once(child, 'close').then(([code]): Ended => {
    running.reject(new Error(`the command ended: ${stderr}`));
    return { code, stdout, stderr, files: filesIn(output) };
  });
  running.promise.catch(() => undefined);
  const interrupt = (): Promise<Ended> => {
    child.kill('SIGINT');
    return ended;
  };
  return { child, output, running: running.promise, ended, interrupt };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // The folder was not created, or has been removed.
    return [];
  }
}

export function readProfile(output: string, thread: string): CpuProfile {
  return JSON.parse(readFileSync(join(output, `${thread}.cpuprofile`), 'utf8'));
}

/** The CPU time of a function itself, in microseconds. */
export function selfUs({ nodes, samples, timeDeltas }: CpuProfile, functionName: string): number {
  const ids = new Set(
    nodes.filter(({ callFrame }) => callFrame.functionName === functionName).map(({ id }) => id),
  );
  let us = 0;
  for (let i = 0; i + 1 < samples.length; i++) {
    if (ids.has(samples[i] as number)) us += timeDeltas[i + 1] as number;
  }
  return us;
}
