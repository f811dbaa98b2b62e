/**
 * Servers other than Node: other runtimes from npm (`npm ci --prefix bench/others`), and servers written in
 * C, from the system's packages. One that is not installed is left out, with a line that says so.
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

/** What is required of a server: a version, over TLS if there is a certificate. */
export interface Asked {
  readonly protocol: Protocol;
  readonly certificate?: CertificateFiles;
  /** For the files that some servers read. */
  readonly directory: string;
}

/** One thread of Bun. It supports HTTP/2 only over TLS. */
export function bun({ protocol, certificate }: Asked): Contender {
  const command = join(folder, 'node_modules/.bin/bun');
  const tls = certificate === undefined ? [] : [certificate.cert, certificate.key];
  return other('Bun', protocol, certificate, installed(command), (port) => [
    command,
    join(folder, 'bun.ts'),
    String(port),
    ...tls,
  ]);
}

/** Deno's server, in one process with as many threads as it chooses. */
export function deno({ protocol, certificate }: Asked): Contender {
  const command = join(folder, 'node_modules/.bin/deno');
  const tls = certificate === undefined ? [] : [certificate.cert, certificate.key];
  return other('Deno', protocol, certificate, installed(command), (port) => [
    command,
    'run',
    '--quiet',
    '--no-config',
    '--allow-net',
    '--allow-read',
    join(folder, 'deno.ts'),
    String(port),
    ...tls,
  ]);
}

/** nghttp2's server, one thread, serving a file. It has no HTTP/1.1. */
export function nghttpd({ protocol, certificate, directory }: Asked): Contender {
  const root = files(directory);
  const tls = certificate === undefined ? ['--no-tls'] : [];
  const pair = certificate === undefined ? [] : [certificate.key, certificate.cert];
  const typed = other('nghttpd', protocol, certificate, onPath('nghttpd'), (port) => [
    'nghttpd',
    ...tls,
    '--workers=1',
    '--address=127.0.0.1',
    `--htdocs=${root}`,
    String(port),
    ...pair,
  ]);
  return { ...typed, start: async () => ({ ...(await typed.start()), isTypeless: true }) };
}

/** h2o, one thread, serving a file. */
export function h2o({ protocol, certificate, directory }: Asked): Contender {
  const root = files(directory);
  return other('h2o', protocol, certificate, onPath('h2o'), (port) => {
    const ssl =
      certificate === undefined
        ? ''
        : `\n  ssl:\n    certificate-file: ${certificate.cert}\n    key-file: ${certificate.key}`;
    const config = join(directory, `h2o-${port}.yaml`);
    writeFileSync(
      config,
      // Started as root, h2o would switch to another user, who cannot read the files.
      `user: ${userInfo().username}
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
`,
    );
    return ['h2o', '--mode', 'worker', '--conf', config];
  });
}

function other(
  name: string,
  protocol: Protocol,
  certificate: CertificateFiles | undefined,
  missing: string | null,
  commandOf: (port: number) => readonly string[],
): Contender {
  return {
    name,
    ...(missing !== null && { missing }),
    start: async () => {
      const port = await freePort();
      const [command = '', ...args] = commandOf(port);
      const program = new Program(name, command, args);
      return started(program, port, certificate === undefined ? 'http' : 'https', protocol);
    },
  };
}

function installed(command: string): string | null {
  return existsSync(command) ? null : 'npm ci --prefix bench/others has not been run';
}

function onPath(command: string): string | null {
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
