/**
 * An npm registry on loopback that has the packages of this checkout's node_modules, so that `npm install` of a page runs as it is
 * printed and asks nobody else. A package is packed when it is asked for.
 *
 *   node registry.ts      prints its address and serves until it is killed
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const nodeModules = fileURLToPath(new URL('../../../node_modules/', import.meta.url));

interface Found {
  readonly folder: string;
  readonly manifest: { readonly name: string; readonly version: string };
}

/** Name → version → where it is. */
const packages = new Map<string, Map<string, Found>>();

function collect(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.name.startsWith('@')) {
      collect(path);
      continue;
    }
    const file = join(path, 'package.json');
    if (existsSync(file)) add({ folder: path, manifest: JSON.parse(readFileSync(file, 'utf8')) });
    const inner = join(path, 'node_modules');
    if (existsSync(inner)) collect(inner);
  }
}

function add(found: Found): void {
  const { name, version } = found.manifest;
  const versions = packages.get(name) ?? new Map<string, Found>();
  versions.set(version, found);
  packages.set(name, versions);
}

/** A file of the package, without the packages that npm has put below it. */
async function pack({ folder }: Found): Promise<Buffer> {
  const name = basename(folder);
  const { stdout } = await execute(
    'tar',
    [
      ...['-czf', '-', '-C', dirname(folder), '--exclude', `${name}/node_modules`],
      ...['--transform', `s,^${name},package,`, name],
    ],
    { encoding: 'buffer', maxBuffer: 256 * 2 ** 20 },
  );
  return stdout;
}

const packed = new Map<Found, Promise<Buffer>>();

function tarball(found: Found): Promise<Buffer> {
  const made = packed.get(found) ?? pack(found);
  packed.set(found, made);
  return made;
}

/** What npm reads of a package: its versions, with the checksum of each. */
async function describe(name: string, origin: string): Promise<object | null> {
  const versions = packages.get(name);
  if (versions === undefined) return null;
  const described: Record<string, object> = {};
  for (const [version, found] of versions) {
    const integrity = `sha512-${createHash('sha512')
      .update(await tarball(found))
      .digest('base64')}`;
    const file = `${origin}/-/${encodeURIComponent(name)}/${version}.tgz`;
    described[version] = { ...found.manifest, dist: { tarball: file, integrity } };
  }
  return { name, 'dist-tags': { latest: latestOf([...versions.keys()]) }, versions: described };
}

function latestOf(versions: readonly string[]): string {
  return versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1) as string;
}

collect(nodeModules);
const server = createServer(async (request, response) => {
  const origin = `http://${request.headers.host}`;
  const path = decodeURIComponent(new URL(request.url ?? '/', origin).pathname);
  const [, name = '', version = ''] = /^\/-\/(.+)\/([^/]+)\.tgz$/.exec(path) ?? [];
  const found = packages.get(name)?.get(version);
  if (found !== undefined) return response.end(await tarball(found));
  const description = await describe(path.slice(1), origin);
  response.statusCode = description === null ? 404 : 200;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(description ?? { error: 'not found' }));
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
