/**
 * Copies msgpackr's reader into the published package, in place of a dependency: `node
 * wire/vendor-msgpackr.ts [DIST]`. As a dependency, msgpackr brings an addon with an install script, which
 * npm reports to every user. The addon is a reader of strings that Sluice does not use.
 *
 * The reader is one module that imports nothing. The script takes the version that the lock file pins, and
 * puts its licence on top.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SPECIFIER = "'msgpackr/unpack'";

export function vendorMsgpackr(dist: string): void {
  const folder = fileURLToPath(new URL('.', import.meta.resolve('msgpackr/unpack')));
  const licence = readFileSync(join(folder, 'LICENSE'), 'utf8').trim();
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const reader = readFileSync(join(folder, 'unpack.js'), 'utf8');
  if (/^import\b|\bimport\(|\brequire\(/m.test(reader))
    throw new Error('expected a module of msgpackr that imports nothing');
  mkdirSync(join(dist, 'wire/vendor'), { recursive: true });
  writeFileSync(
    join(dist, 'wire/vendor/msgpackr-unpack.js'),
    `/*\nmsgpackr ${version}, unpack.js\n\n${licence}\n*/\n${reader}`,
  );
  const user = join(dist, 'wire/decoder.js');
  const source = readFileSync(user, 'utf8');
  if (!source.includes(SPECIFIER)) throw new Error(`expected ${user} to import ${SPECIFIER}`);
  writeFileSync(user, source.replaceAll(SPECIFIER, "'./vendor/msgpackr-unpack.js'"));
}

if (import.meta.main) vendorMsgpackr(process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url)));
