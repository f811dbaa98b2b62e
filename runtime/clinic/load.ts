/**
 * The load on a server that is being profiled: the user's command, or one made from the tools that are
 * installed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Clinic } from './installed.ts';

export interface Origin {
  /** Without a path: `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
}

/** The first listener with a port; null: there are only Unix domain sockets. */
export function originOf(
  listeners: readonly { readonly address: string; readonly tls: boolean }[],
): Origin | null {
  for (const { address, tls } of listeners) {
    const [, host, port] = /^(?!unix:)(.+):(\d+)$/.exec(address) ?? [];
    if (host === undefined || port === undefined) continue;
    const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '[::]' ? '[::1]' : host;
    return { url: `${tls ? 'https' : 'http'}://${reachable}:${port}`, port: Number(port) };
  }
  return null;
}

export interface OwnLoad {
  readonly path: string;
  readonly seconds: number;
  readonly connections: number;
}

/** Streams that h2load keeps open on each connection. */
const STREAMS = 10;

/** HTTP/2 with h2load if it is installed, otherwise HTTP/1.1 with the autocannon that comes with clinic. */
export function ownLoad(
  { path, seconds, connections }: OwnLoad,
  { url }: Origin,
  clinic: Clinic,
  searched: string | undefined,
): readonly string[] {
  const target = url + path;
  if (isInstalled('h2load', searched)) {
    return ['h2load', '-D', String(seconds), '-c', String(connections), '-m', String(STREAMS), target];
  }
  const autocannon = clinic.require.resolve('autocannon/autocannon.js');
  return [process.execPath, autocannon, '-d', String(seconds), '-c', String(connections), target];
}

function isInstalled(name: string, searched = ''): boolean {
  return searched.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return directory !== '';
    } catch {
      // Not in this folder.
      return false;
    }
  });
}

/**
 * Replaces `$URL` and `$PORT` in a command's words, which no shell expands. The environment contains them,
 * too.
 */
export function withOrigin(words: readonly string[], { url, port }: Origin): string[] {
  return words.map((word) =>
    word.replace(/\$(?:\{(URL|PORT)\}|(URL|PORT)\b)/g, (_, a, b) =>
      (a ?? b) === 'URL' ? url : String(port),
    ),
  );
}

export class LoadError extends Error {}

/**
 * A running command, in a process group of its own: Ctrl-C only reaches the sluice command, which passes it
 * on.
 */
export class Load {
  readonly #child: ChildProcess;
  readonly #words: readonly string[];
  #isInterrupted = false;

  constructor(words: readonly string[], { url, port }: Origin, clinic: Clinic) {
    const [program = '', ...rest] = words;
    this.#words = words;
    const searched = [process.env.PATH ?? '', clinic.commands].join(delimiter);
    this.#child = spawn(program, rest, {
      detached: true,
      // Standard output is for what the sluice command itself prints, so the load's report goes elsewhere.
      stdio: ['ignore', 2, 2],
      env: { ...process.env, PATH: searched, URL: url, PORT: String(port) },
    });
  }

  /**
   * Resolves when the load has ended well or was interrupted.
   * @throws LoadError
   */
  async done(): Promise<void> {
    let how: number | string;
    try {
      const [code, by] = await once(this.#child, 'exit');
      how = code ?? by;
    } catch (error) {
      throw new LoadError(`the load could not be started: ${error instanceof Error ? error.message : error}`);
    }
    if (how !== 0 && !this.#isInterrupted) {
      throw new LoadError(`the load ended with ${how}: ${this.#words.join(' ')}`);
    }
  }

  interrupt(): void {
    this.#isInterrupted = true;
    this.#signal('SIGINT');
  }

  kill(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The process has ended in the meantime.
    }
  }
}
