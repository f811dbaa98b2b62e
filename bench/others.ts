/**
 * Other servers: runtimes and Watt from npm (`npm ci --prefix bench/others`), and servers written in C, Go
 * and Python from the system's packages. One that is not installed is left out, with a line that says so.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CertificateFiles, type Contender, freePort, started } from './contenders.ts';
import { HELLO } from './content.ts';
import type { Protocol } from './probe.ts';
import { Program } from './processes.ts';

const folder = fileURLToPath(new URL('./others/', import.meta.url));

/** What a contender is asked for: an HTTP version, over TLS if there is a certificate. */
export interface Asked {
  readonly protocol: Protocol;
  readonly certificate?: CertificateFiles;
  /** A folder for files that some servers read. */
  readonly directory: string;
}

/** One thread of Bun. It supports HTTP/2 only over TLS. */
export function bun(asked: Asked): Contender {
  return npmRuntime('Bun', 'bun', [], asked);
}

/** Deno's server, in one process with its own choice of threads. */
export function deno(asked: Asked): Contender {
  return npmRuntime('Deno', 'deno', ['run', '--quiet', '--no-config', '--allow-net', '--allow-read'], asked);
}

/** A runtime from npm that runs the program of its name in `bench/others`. */
function npmRuntime(
  name: string,
  binary: string,
  flags: readonly string[],
  { protocol, certificate }: Asked,
): Contender {
  const command = join(folder, 'node_modules/.bin', binary);
  const tls = certificate === undefined ? [] : [certificate.cert, certificate.key];
  return other({
    name,
    protocol,
    certificate,
    missing: installed(command),
    version: [command, '--version'],
    commandOf: (port) => [command, ...flags, join(folder, `${binary}.ts`), String(port), ...tls],
  });
}

/** nghttp2's server, one thread, serving a file. It has no HTTP/1.1. */
export function nghttpd({ protocol, certificate, directory }: Asked): Contender {
  const root = files(directory);
  const tls = certificate === undefined ? ['--no-tls'] : [];
  const pair = certificate === undefined ? [] : [certificate.key, certificate.cert];
  const flags = ['--workers=1', '--address=127.0.0.1', `--htdocs=${root}`];
  const typed = other({
    name: 'nghttpd',
    protocol,
    certificate,
    missing: onPath('nghttpd'),
    version: ['nghttpd', '--version'],
    commandOf: (port) => ['nghttpd', ...tls, ...flags, String(port), ...pair],
  });
  return { ...typed, start: async () => ({ ...(await typed.start()), isTypeless: true }) };
}

/** h2o, one thread, serving a file. */
export function h2o({ protocol, certificate, directory }: Asked): Contender {
  const root = files(directory);
  return other({
    name: 'h2o',
    protocol,
    certificate,
    missing: onPath('h2o'),
    version: ['h2o', '--version'],
    commandOf: (port) => {
      const config = join(directory, `h2o-${port}.yaml`);
      writeFileSync(config, h2oConfig(port, root, certificate));
      return ['h2o', '--mode', 'worker', '--conf', config];
    },
  });
}

function h2oConfig(port: number, root: string, certificate: CertificateFiles | undefined): string {
  const ssl =
    certificate === undefined
      ? ''
      : `\n  ssl:\n    certificate-file: ${certificate.cert}\n    key-file: ${certificate.key}`;
  // Started as root, h2o would switch to another user, who cannot read the files.
  return `user: ${userInfo().username}
num-threads: 1
listen:
  host: 127.0.0.1
  port: ${port}${ssl}
hosts:
  default:
    paths:
      /:
        file.dir: ${root}
        file.mime.setdefaulttype: text/plain
`;
}

/** Caddy, in one process with Go's default number of threads, answering from its configuration. */
export function caddy({ protocol, certificate, directory }: Asked): Contender {
  return other({
    name: 'Caddy',
    protocol,
    certificate,
    missing: onPath('caddy'),
    version: ['caddy', 'version'],
    // Caddy keeps its own state there.
    env: { HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory },
    commandOf: (port) => {
      const config = join(directory, `caddy-${port}.json`);
      writeFileSync(config, JSON.stringify(caddyConfig(port, certificate)));
      return ['caddy', 'run', '--config', config];
    },
  });
}

function caddyConfig(port: number, certificate: CertificateFiles | undefined): object {
  const answer = {
    handler: 'static_response',
    status_code: 200,
    headers: { 'Content-Type': ['text/plain'] },
    body: HELLO,
  };
  return {
    admin: { disabled: true, config: { persist: false } },
    logging: { logs: { default: { level: 'ERROR' } } },
    apps: {
      http: {
        servers: {
          hello: {
            listen: [`127.0.0.1:${port}`],
            protocols: ['h1', 'h2', 'h2c'],
            automatic_https: { disable: true },
            routes: [{ match: [{ path: ['/hello'] }], handle: [answer] }],
            ...(certificate !== undefined && { tls_connection_policies: [{ default_sni: 'localhost' }] }),
          },
        },
      },
      ...(certificate !== undefined && {
        tls: {
          certificates: { load_files: [{ certificate: certificate.cert, key: certificate.key }] },
        },
      }),
    },
  };
}

/** Hypercorn, the ASGI server that speaks HTTP/2: one process, with uvloop if the system has it. */
export function hypercorn({ protocol, certificate, directory }: Asked): Contender {
  const tls = certificate === undefined ? [] : ['--certfile', certificate.cert, '--keyfile', certificate.key];
  return other({
    name: 'Hypercorn',
    protocol,
    certificate,
    missing: onPath('hypercorn'),
    version: [PYTHON, '-c', "import importlib.metadata as m; print(m.version('hypercorn'))"],
    env: { PYTHONPATH: folder, PYTHONPYCACHEPREFIX: directory },
    commandOf: (port) => [
      ...['hypercorn', '--bind', `127.0.0.1:${port}`, '--workers', '1'],
      ...['--worker-class', hasUvloop() ? 'uvloop' : 'asyncio', ...tls, 'hypercorn_app:app'],
    ],
  });
}

/** The Python for which Debian's packages are installed. */
const PYTHON = '/usr/bin/python3';

function hasUvloop(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import uvloop'], { stdio: 'ignore' });
    return true;
  } catch {
    // The exit code says that uvloop is missing.
    return false;
  }
}

/**
 * Watt with an application in this many workers, between which the kernel balances connections. It has no
 * cleartext HTTP/2.
 */
export function watt(workers: number, directory: string): Contender {
  const command = join(folder, 'node_modules/.bin/wattpm');
  return other({
    name: `Watt, ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
    protocol: 'http/1.1',
    certificate: undefined,
    missing: installed(command),
    version: [command, '--version'],
    commandOf: (port) => {
      const own = join(directory, `watt-${port}`);
      mkdirSync(own);
      writeFileSync(join(own, 'watt.json'), JSON.stringify(wattConfig(port, workers)));
      return [process.execPath, command, 'start', own];
    },
  });
}

function wattConfig(port: number, workers: number): object {
  return {
    // Watt recognises the content of the file by its name.
    $schema: 'https://schemas.platformatic.dev/wattpm/3.67.0.json',
    server: { hostname: '127.0.0.1', port },
    logger: { level: 'error' },
    watch: false,
    entrypoint: 'work',
    applications: [{ id: 'work', path: join(folder, 'watt'), workers }],
  };
}

interface Other {
  readonly name: string;
  readonly protocol: Protocol;
  readonly certificate: CertificateFiles | undefined;
  readonly missing: string | null;
  /** The command that prints the version. */
  readonly version: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly commandOf: (port: number) => readonly string[];
}

function other({ name, protocol, certificate, missing, version, env, commandOf }: Other): Contender {
  return {
    name,
    ...(missing !== null && { missing }),
    version: () => firstVersion(execFileSync(version[0], version.slice(1), { encoding: 'utf8' })),
    start: async () => {
      const port = await freePort();
      const [command = '', ...args] = commandOf(port);
      const program = new Program(name, command, args, env === undefined ? {} : { env });
      return started(program, port, certificate === undefined ? 'http' : 'https', protocol);
    },
  };
}

/** The version within a program's own output: `nghttpd nghttp2/1.52.0`, `v2.6.2 h1:…`. */
export function firstVersion(text: string): string {
  const [version] = /\d+(?:\.\d+)+/.exec(text) ?? [];
  if (version === undefined) throw new Error(`expected a version, got ${JSON.stringify(text)}`);
  return version;
}

function installed(command: string): string | null {
  return existsSync(command) ? null : 'npm ci --prefix bench/others has not been run';
}

export function onPath(command: string): string | null {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return null;
  } catch {
    // The exit code says that it is missing.
    return `${command} is not installed`;
  }
}

/** The directory of the files that are served. */
function files(directory: string): string {
  const root = join(directory, 'files');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'hello'), HELLO);
  return root;
}
