/**
 * The servers that are compared. Each is started in a fresh process on a free port of 127.0.0.1, and counts
 * as started when it has given a correct response.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HELLO } from './content.ts';
import { firstAnswer, type Protocol } from './probe.ts';
import { Program } from './processes.ts';

const START_TIMEOUT_MS = 20_000;
const repositoryDirectory = fileURLToPath(new URL('..', import.meta.url));

/** A running server. */
export interface Server {
  readonly program: Program;
  readonly port: number;
  /** Without a slash at its end. */
  readonly origin: string;
  /** The configuration file, if the server is a Sluice; otherwise empty. */
  readonly config: string;
  /** The server sends no content-type for its files. */
  readonly isTypeless?: boolean;
}

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A way to serve, under its name in the tables. */
export interface Contender {
  readonly name: string;
  /** Why the contender is not available; absent: it is available. */
  readonly missing?: string;
  /** The version of a server, or of the package that it is made of, if it is neither Node nor Sluice. */
  readonly version?: () => string;
  start(): Promise<Server>;
}

export function nodeHttp2(windows?: { initialBytes: number; connectionBytes: number }): Contender {
  const args = windows === undefined ? [] : [windows.initialBytes, windows.connectionBytes];
  return baseline(
    windows === undefined ? 'node:http2' : "node:http2, Sluice's windows",
    'node-http2.ts',
    args,
  );
}

/** The same contenders over TLS. */
export function nodeHttp2Secure({ cert, key }: CertificateFiles): Contender {
  return baseline('http2.createSecureServer', 'node-http2-secure.ts', [cert, key], 'https');
}

export function nodeCluster(processes: number): Contender {
  return baseline(`cluster of ${processes}`, 'node-cluster.ts', [processes]);
}

export function nodePiscina(threads: number): Contender {
  return withVersion(
    'piscina',
    baseline(`node:http2 + piscina, ${threads} threads`, 'node-piscina.ts', [threads]),
  );
}

export function fastifyPiscina(threads: number): Contender {
  return withVersion(
    'fastify',
    baseline(`fastify + piscina, ${threads} threads`, 'fastify-piscina.ts', [threads]),
  );
}

/** The compatibility server of node:http2 under Express. */
export function expressHttp2(): Contender {
  return withVersion('express', baseline('Express on node:http2', 'express-http2.ts', []));
}

export function fastifyHttp2(): Contender {
  return withVersion('fastify', baseline('Fastify on node:http2', 'fastify-http2.ts', []));
}

/** One thread of `node:http`. */
export function nodeHttp(): Contender {
  return baseline('node:http', 'node-http.ts', [], 'http', 'http/1.1');
}

/** The same with large bodies. */
export function nodeHttpBodies(): Contender {
  return baseline('node:http', 'node-http-bodies.ts', [], 'http', 'http/1.1');
}

export type Framework = 'express' | 'fastify';

/** A framework's application on `node:http`, in this many processes. */
export function frameworkHttp1(title: string, framework: Framework, processes: number): Contender {
  const name = `${title} on node:http${processes === 1 ? '' : `, cluster of ${processes}`}`;
  return withVersion(
    framework,
    baseline(name, 'framework-http1.ts', [framework, processes], 'http', 'http/1.1'),
  );
}

/** `node:http` with a CPU-heavy route, in this many processes. */
export function nodeHttpWork(processes: number): Contender {
  const name = processes === 1 ? 'node:http' : `cluster of ${processes}`;
  return baseline(name, 'node-http-work.ts', [processes], 'http', 'http/1.1');
}

/** `ws` on one thread, with rooms. */
export function wsRoom(): Contender {
  return withVersion('ws', baseline('ws, 1 thread', 'ws-room.ts', [], 'http', 'http/1.1'));
}

/** The cost of sockets alone, over HTTP/1.1. */
export function bareNet(): Contender {
  return baseline('bare node:net', 'bare-net.ts', [], 'http', 'http/1.1');
}

function baseline(
  name: string,
  file: string,
  args: readonly (number | string)[],
  scheme: 'http' | 'https' = 'http',
  protocol: Protocol = 'h2',
): Contender {
  const path = fileURLToPath(new URL(`./baselines/${file}`, import.meta.url));
  return {
    name,
    start: async () => {
      const port = await freePort();
      const program = new Program(name, process.execPath, [path, String(port), ...args.map(String)]);
      return started(program, port, scheme, protocol);
    },
  };
}

/** Adds the version of the package from npm that the contender is made of. */
function withVersion(name: string, contender: Contender): Contender {
  const file = join(repositoryDirectory, 'node_modules', name, 'package.json');
  return {
    ...contender,
    version: () => (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version,
  };
}

/** A pool of a Sluice under test, and the routes that lead to it. */
export interface BenchPool {
  /** A file in bench/applications. */
  readonly application: string;
  readonly threads: number;
  readonly paths: readonly string[];
  /** More options of the pool, as in the configuration file. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** More options of its routes. */
  readonly route?: Readonly<Record<string, unknown>>;
}

export interface SluiceOptions {
  readonly name: string;
  /** The directory of the configuration file. */
  readonly directory: string;
  readonly pools: Readonly<Record<string, BenchPool>>;
  /** Flags for Node. */
  readonly nodeOptions?: readonly string[];
  /** Absent: cleartext. */
  readonly certificate?: CertificateFiles;
  /** More top-level options of the configuration file. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The source tree to run; default: this one. */
  readonly tree?: string;
}

export function sluice(options: SluiceOptions): Contender {
  return {
    name: options.name,
    start: async () => {
      const port = await freePort();
      const file = writeConfig(options, port);
      const cli = join(options.tree ?? repositoryDirectory, 'runtime/cli.ts');
      const args = [...(options.nodeOptions ?? []), cli, 'start', '--config', file, '--log-level', 'warn'];
      const program = new Program(options.name, process.execPath, args);
      return started(program, port, options.certificate === undefined ? 'http' : 'https', 'h2', file);
    },
  };
}

/** Writes the configuration of a Sluice and returns the file's path. */
export function writeConfig(
  { directory, pools, certificate, options, tree = repositoryDirectory }: SluiceOptions,
  port: number,
): string {
  const entries = Object.entries(pools);
  const tls = certificate === undefined ? {} : { tls: { certificates: [certificate] } };
  const config = {
    listeners: [{ address: `127.0.0.1:${port}`, ...tls }],
    pools: Object.fromEntries(
      entries.map(([name, pool]) => [
        name,
        {
          application: join(tree, 'bench/applications', pool.application),
          threads: { min: pool.threads, max: pool.threads },
          ...pool.options,
        },
      ]),
    ),
    routes: entries.flatMap(([pool, { paths, route }]) =>
      paths.map((path) => ({ host: '*', path, pool, ...route })),
    ),
    ...options,
  };
  const file = join(directory, `sluice-${port}.json`);
  writeFileSync(file, JSON.stringify(config, null, 2));
  return file;
}

/** Waits for the first correct response to `/hello`, which every measured server has. */
export async function started(
  program: Program,
  port: number,
  scheme: 'http' | 'https',
  protocol: Protocol = 'h2',
  config = '',
): Promise<Server> {
  const origin = `${scheme}://127.0.0.1:${port}`;
  try {
    await firstAnswer({
      program,
      origin,
      path: '/hello',
      body: HELLO,
      timeoutMs: START_TIMEOUT_MS,
      protocol,
    });
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { program, port, origin, config };
}

/**
 * A port that nothing listens on now. Another process could take it in the meantime; the start would then
 * report that.
 */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => {
      if (address === null || typeof address === 'string') reject(new Error('expected a TCP address'));
      else resolve(address.port);
    });
  });
  return promise;
}
