/**
 * A server that a sluice command starts, by itself or under clinic. It has a process group of its own, so
 * that Ctrl-C only reaches the command, which ends the load first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { ControlClient } from '../control/client.ts';
import { ControlCode, ControlSocketError } from '../control/errors.ts';
import { connectControl } from '../control/find.ts';
import type { ServerStatus } from '../status/status-types.ts';
import type { Clinic } from './installed.ts';
import { directoryVariable, pidFileVariable } from './start-variables.ts';
import { threadsVariable } from './thread-files.ts';

const HERE = import.meta.url;
/** The modules are TypeScript in the source tree and JavaScript in the published package. */
const EXTENSION = HERE.slice(HERE.lastIndexOf('.'));
const START = fileURLToPath(new URL(`./start-here${EXTENSION}`, HERE));
const SAMPLER = new URL(`./thread-sampler${EXTENSION}`, HERE).href;
const POLL_MS = 50;

export class ServerRunError extends Error {
  /** The exit code of the server's process, if it has ended. */
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface UnderTool {
  readonly tool: 'doctor' | 'bubbleprof';
  readonly clinic: Clinic;
  /** Where clinic's data and page go. */
  readonly output: string;
}

export class ServerRun {
  /** Where clinic, Node and the threads leave their files. */
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-clinic-'));
  readonly #config: Config;
  #child: ChildProcess | null = null;
  #client: ControlClient | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  #hasEnded = false;

  constructor(config: Config) {
    this.#config = config;
    mkdirSync(this.threadsFolder);
  }

  get threadsFolder(): string {
    return join(this.folder, 'threads');
  }

  /**
   * Resolves when the server listens.
   * @param words of `sluice start`
   * @throws ServerRunError
   */
  async start(words: readonly string[], under: UnderTool | null): Promise<ServerStatus> {
    const server = [process.execPath, START, 'start', ...words];
    const command =
      under === null
        ? server
        : [
            ...[process.execPath, under.clinic.command, under.tool, '--open=false'],
            ...['--dest', under.output, '--name', 'reactor', '--', ...server],
          ];
    const child = spawn(command[0] as string, command.slice(1), {
      cwd: this.folder,
      detached: true,
      stdio: ['ignore', 2, 2],
      env: {
        ...process.env,
        NO_INSIGHT: '1',
        NO_UPDATE_NOTIFIER: '1',
        [directoryVariable]: process.cwd(),
        [pidFileVariable]: this.#pidFile,
        ...(under !== null && this.#traced(under.tool)),
      },
    });
    this.#child = child;
    this.#ended = once(child, 'exit').then(
      () => this.#end(),
      () => this.#end(),
    );
    return this.#listening();
  }

  #end(): void {
    this.#hasEnded = true;
  }

  get #pidFile(): string {
    return join(this.folder, 'pid');
  }

  /** clinic puts its own flags before these. */
  #traced(tool: UnderTool['tool']): NodeJS.ProcessEnv {
    const pattern = join(this.folder, 'node_trace.$').replaceAll(/["\\]/g, '\\$&');
    const options = [`--trace-event-file-pattern="${pattern}{rotation}.log"`];
    if (tool === 'doctor') options.push(`--import=${SAMPLER}`);
    if (process.env.NODE_OPTIONS) options.push(process.env.NODE_OPTIONS);
    return {
      NODE_OPTIONS: options.join(' '),
      ...(tool === 'doctor' && { [threadsVariable]: this.threadsFolder }),
    };
  }

  async #listening(): Promise<ServerStatus> {
    for (;;) {
      if (this.#hasEnded) {
        throw new ServerRunError('the server ended before it listened; its output is above', this.#exitCode);
      }
      const status = await this.#tryStatus();
      if (status?.state === 'running') return status;
      await delay(POLL_MS);
    }
  }

  async #tryStatus(): Promise<ServerStatus | null> {
    const pid = this.pid;
    if (pid === null) return null;
    try {
      this.#client ??= await connectControl(this.#config, { pid });
      return (await this.#client.ask('GET', '/status')) as ServerStatus;
    } catch (error) {
      if (error instanceof ControlSocketError && error.code === ControlCode.Disabled) throw error;
      // The server is still starting, or is ending, which is noticed elsewhere. It may do so at any moment,
      // so Node's own errors occur too.
      return null;
    }
  }

  /** Null: the server has not begun. */
  get pid(): number | null {
    const [pid] = this.#told();
    return pid ?? null;
  }

  get #exitCode(): number | null {
    return this.#told()[1] ?? null;
  }

  /** The server's process id and exit code. */
  #told(): number[] {
    try {
      return readFileSync(this.#pidFile, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      // The file is not written yet.
      return [];
    }
  }

  get client(): ControlClient {
    if (this.#client === null) throw new Error('expected a server that listens');
    return this.#client;
  }

  /** @throws ControlSocketError if the server has gone */
  async status(): Promise<ServerStatus> {
    return (await this.client.ask('GET', '/status')) as ServerStatus;
  }

  /**
   * Tells the server to drain, as Ctrl-C does. Resolves when the server has ended and clinic has made its
   * page.
   */
  async stop(): Promise<void> {
    const { pid } = this;
    if (pid !== null && !this.#hasEnded) signal(pid, 'SIGINT');
    await this.#ended;
    const code = this.#exitCode;
    if (code !== 0) throw new ServerRunError(`the server ended with ${code ?? 'a signal'}`, code);
  }

  /** Ends everything that still runs, at once, and removes the folder. Idempotent. */
  clear(): void {
    this.#client?.close();
    if (this.#child?.pid !== undefined && !this.#hasEnded) signal(-this.#child.pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has ended in the meantime.
  }
}
