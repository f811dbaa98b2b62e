/** An application of a framework, started by `node` or by `sluice start` on a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../server/free-port.ts';
import { build } from './built.ts';

const COMMAND = fileURLToPath(new URL('../../runtime/start.js', import.meta.url));
const PATIENCE_MS = 60_000;
const BETWEEN_TRIES_MS = 50;

/** What is started, as `applications.ts` has it. */
export interface Startable {
  /** As docs/frameworks.md calls it. */
  readonly name: string;
  /** Its folder in apps/. */
  readonly folder: string;
  /** Within its folder; some look for their files in the working directory. */
  readonly startedIn?: string;
  /** What `node` and `sluice start` are given. */
  readonly module: string;
  /** What Sluice is given where it can do without the server around it. */
  readonly exported?: string;
}

export interface Started {
  readonly origin: string;
  /** What it has printed so far. */
  readonly printed: () => string;
  /** Sends SIGTERM and waits for its end. */
  stop(): Promise<number | null>;
}

/** As in production, where one `node` serves it. */
export async function startNode(application: Startable): Promise<Started> {
  return start(application, await freePort(), [application.module]);
}

export async function startSluice(application: Startable, threads: number): Promise<Started> {
  const port = await freePort();
  return start(application, port, [
    ...[
      COMMAND,
      'start',
      application.exported ?? application.module,
      '--port',
      String(port),
      '--threads',
      String(threads),
    ],
    ...['--log-format', 'json', '--log-level', 'info'],
  ]);
}

async function start(application: Startable, port: number, args: readonly string[]): Promise<Started> {
  const { name, folder, startedIn = '.' } = application;
  const child = spawn(process.execPath, args, {
    cwd: join(build(folder), startedIn),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PORT: String(port),
      HOST: '127.0.0.1',
      HOSTNAME: '127.0.0.1',
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  }
  const ended = once(child, 'close').then(([code]): number | null => code);
  try {
    await untilListening(port, child);
  } catch (error) {
    child.kill('SIGKILL');
    await ended;
    throw new Error(`expected ${name} to listen on port ${port}; it printed: ${text}`, {
      cause: error,
    });
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    printed: () => text,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** A program says nothing that all of them would say, so this asks. */
async function untilListening(port: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (performance.now() > until) throw new Error(`nothing listens after ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // Refused, so not yet.
    return false;
  } finally {
    socket.destroy();
  }
}
