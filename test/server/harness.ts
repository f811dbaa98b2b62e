/**
 * A whole server in the test's own process: real threads, real sockets on loopback, a port that the system chooses, and its
 * log at hand. It ends with its test.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../runtime/config/load.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { createLog } from '../../runtime/logging/log.ts';
import { Server } from '../../runtime/server/server.ts';
import { LogLines } from './log-lines.ts';
import { Signals } from './signals.ts';
import { watchForStalls } from './stalls.ts';

/** A machine that is busy with other tests starts threads slowly; no test but those of the limit depends on it. */
export const START_PATIENCE_MS = 55_000;

export type PoolInput = NonNullable<ConfigInput['pools']>[string];

/** A configuration; a listener and routes are filled in, one route `/NAME/*` for each pool and `/*` for the first. */
export interface ServerInput extends Omit<ConfigInput, 'routes' | 'pools'> {
  /** By name. */
  readonly pools: { readonly [name: string]: PoolInput };
  readonly routes?: ConfigInput['routes'];
}

/** What is opened is closed at the end of a test (`t` itself) or of a file (`FileScope`). */
export interface Scope {
  teardown(close: () => unknown): void;
}

/** For a server that all tests of a file share: threads take time to start. End it in `test.after.always`. */
export class FileScope implements Scope {
  readonly #closing: (() => unknown)[] = [];

  teardown(close: () => unknown): void {
    this.#closing.push(close);
  }

  async end(): Promise<void> {
    for (let close = this.#closing.pop(); close !== undefined; close = this.#closing.pop()) await close();
  }
}

export interface TestServer {
  readonly server: Server;
  readonly port: number;
  readonly origin: string;
  readonly log: LogLines;
  /** Told and heard by applications on whose requests `signals.name` stands in the `x-signals` field. */
  readonly signals: Signals;
}

/** The absolute path of `test/AREA/applications/NAME.ts`. */
export function application(area: 'server' | 'faults', name: string): string {
  return fileURLToPath(new URL(`../${area}/applications/${name}.ts`, import.meta.url));
}

/** What a configuration file would say. Applications run under the validator, unless a pool says `validate: false` and why. */
export function configInput({ pools, routes, ...rest }: ServerInput): ConfigInput {
  const names = Object.keys(pools);
  const byName = names.map((name) => ({ path: `/${name}/*`, pool: name }));
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    pools: Object.fromEntries(
      names.map((name) => [name, { startTimeoutMs: START_PATIENCE_MS, validate: true, ...pools[name] }]),
    ),
    routes: routes ?? [{ path: '/*', pool: names[0] as string }, ...byName],
    log: { level: 'debug', format: 'json' },
    ...rest,
  };
}

/** @param onStall what to do when the watchdog finds that the server stands still; default: the test file fails */
export async function startServer(
  scope: Scope,
  input: ServerInput,
  onStall?: (what: string) => void,
): Promise<TestServer> {
  const config = parseConfig(JSON.stringify(configInput(input)), 'test.config.json');
  const log = new LogLines();
  const server = new Server(
    config,
    createLog(config.log, { stream: log.stream, isTerminal: false, colour: false }),
  );
  const signals = new Signals(randomUUID());
  const stopWatching = watchForStalls(server, onStall);
  scope.teardown(async () => {
    stopWatching();
    // Applications that wait for the test wait no longer.
    signals.tell('release');
    await server.destroy();
    signals.close();
  });
  await server.start();
  const port = portOf(log);
  return { server, port, origin: `http://127.0.0.1:${port}`, log, signals };
}

/** The port that the log says a server listens on. */
export function portOf(log: LogLines): number {
  const address = log.find('listening on')?.address;
  return Number(String(address).split(':').at(-1));
}
