/** A server for a test: one application, on a free port of the loopback address. */
import { fileURLToPath } from 'node:url';
import type { Configuration, ServerOptions, SluiceServer } from './create-server.ts';
import {
  type InlineApplication,
  type WrittenApplication,
  writeInlineApplication,
} from './inline-application.ts';
import type { LogLine } from './log.ts';

/** Lines of the log that are kept, the newest. */
const MOST_LINES = 1_000;
const KEPT_LEVELS: ReadonlySet<LogLine['level']> = new Set(['warn', 'error', 'fatal']);

type PoolConfiguration = NonNullable<Configuration['pools']>[string];

export interface TestServerOptions extends ServerOptions {
  /** Settings of the pool in addition to its application: `kind`, `env`, `threads` and so on. Default: one thread. */
  readonly pool?: Omit<PoolConfiguration, 'application' | 'module'>;
  /** Further settings of the configuration, such as `limits` and `http2`. */
  readonly configuration?: Omit<Configuration, 'listeners' | 'pools' | 'routes'>;
}

export interface TestServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** For its status, and to reload or drain it. */
  readonly server: SluiceServer;
  /** The newest 1,000 log lines of level `warn` and above: why a request was answered 500, for example. */
  readonly log: readonly LogLine[];
  /** Ends the server and its threads. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a server whose application gets every request.
 * @param application a module, as a URL or as a path within `directory`; or a function, which runs in a thread from its source text and
 * therefore knows no name of the file that it is written in
 * @throws as `createServer` and `start` do; TypeError for a function without source text, such as a bound one
 */
export async function testServer(
  application: string | URL | InlineApplication,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const { pool, configuration, directory = process.cwd(), log, prints } = options;
  const written =
    typeof application === 'function' ? await writeInlineApplication(application, directory) : null;
  const lines: LogLine[] = [];
  const keep = (line: LogLine): void => {
    if (KEPT_LEVELS.has(line.level)) lines.push(line);
    if (lines.length > MOST_LINES) lines.shift();
    log?.(line);
  };
  try {
    const { createServer } = await import('./create-server.ts');
    const server = createServer(
      {
        ...configuration,
        listeners: [{ address: '127.0.0.1:0' }],
        pools: { app: { threads: 1, ...pool, application: written?.file ?? pathOf(application) } },
        routes: [{ path: '/*', pool: 'app', websocket: true }],
      },
      { directory, log: keep, ...(prints && { prints }) },
    );
    await server.start();
    return new RunningTestServer(server, lines, written);
  } catch (error) {
    await written?.[Symbol.asyncDispose]();
    throw error;
  }
}

function pathOf(application: string | URL | InlineApplication): string {
  return application instanceof URL ? fileURLToPath(application) : String(application);
}

class RunningTestServer implements TestServer {
  readonly server: SluiceServer;
  readonly log: readonly LogLine[];
  readonly origin: string;
  readonly #written: WrittenApplication | null;
  #closed: Promise<void> | null = null;

  constructor(server: SluiceServer, log: readonly LogLine[], written: WrittenApplication | null) {
    this.server = server;
    this.log = log;
    this.origin = `http://${server.addresses[0]?.address}`;
    this.#written = written;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.server.close();
    await this.#written?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
