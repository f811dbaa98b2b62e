/** Every TypeScript block of the pages compiles, strictly, against what the package exports, as a reader would paste it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { fragmentsOf, modulesOf, pages, read, root } from './markdown.ts';
import { published } from './published.ts';

const declarations = `
import type { Exchange, TlsConnection } from 'sluice/gateway';
`;

/**
 * What stands around the fragments of a page, so that they compile: the page's text says it, and the block does not repeat it. The
 * fragments of any other page need nothing.
 */
const AROUND: Readonly<Record<string, string>> = {
  'docs/actors.md': `${declarations}
import { actor } from 'sluice/actors';
import { carry } from 'sluice/actors';
import type { Counter } from './counter.ts';
declare const exchange: Exchange;
declare const texts: readonly string[];
declare const signal: AbortSignal;
declare const propagation: {
  inject(context: object, fields: Record<string, string>): void;
  extract(root: object, fields: object): object;
};
declare const context: { active(): object; with<T>(context: object, callback: () => T): T };
declare const ROOT_CONTEXT: object;
const counters = actor<typeof Counter>('counter');
void [carry, counters, exchange, texts, signal, propagation, context, ROOT_CONTEXT];
`,
  'docs/tls.md': `${declarations}
declare const exchange: { readonly request: { readonly tls: TlsConnection } };
`,
  'docs/websockets.md': `
declare const wss: { readonly clients: Set<{ close(code: number): void }> };
`,
  'wire/README.md': `
import { Worker } from 'node:worker_threads';
import { createChannel, openChannel } from '${root}wire/channel.ts';
declare const reactorHandler: Parameters<typeof createChannel>[0];
declare const threadHandler: Parameters<typeof openChannel>[1];
declare const workerData: Parameters<typeof openChannel>[0];
declare const file: URL;
`,
};

/** Two import statements may bring the same name: the fragment's own is the reader's, so ours goes. */
function around(page: string, fragment: string): string {
  const own = new Set(
    [...fragment.matchAll(/^import (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.trim().replace('type ', '')),
    ),
  );
  const lines = (AROUND[page] ?? '').split('\n');
  return lines
    .filter((line) => !/^import/.test(line) || !namesOf(line).some((name) => own.has(name)))
    .join('\n');
}

function namesOf(line: string): string[] {
  return (/\{([^}]*)\}/.exec(line)?.[1] ?? '').split(',').map((name) => name.trim());
}

test('every block of TypeScript on the pages compiles', async (t) => {
  const own = await mkdtemp(join(tmpdir(), 'sluice-docs-types-'));
  t.teardown(() => rm(own, { recursive: true }));
  const names: string[] = [];
  /** The modules of all pages: a page may go on with those of another. */
  const everywhere = new Map<string, string>();
  const sources: { readonly page: string; readonly name: string; readonly text: string }[] = [];
  const texts = (await pages()).map((page) => ({ page, text: read(page) }));
  for (const { page, text } of texts) {
    for (const [name, module] of modulesOf(text)) {
      if (!name.endsWith('.ts')) continue;
      const file = `${sources.length}-${name}`;
      everywhere.set(`${page}/${name}`, file);
      everywhere.set(name, everywhere.get(name) ?? file);
      sources.push({ page, name: file, text: module });
    }
    for (const fragment of fragmentsOf(text, 'ts')) {
      sources.push({
        page,
        name: `${sources.length}-${basename(page, '.md')}.ts`,
        text: `${around(page, fragment)}\n${fragment}\nexport {};\n`,
      });
    }
  }
  for (const { page, name, text } of sources) {
    names.push(name);
    const runnable = text
      .replaceAll(/'\.\/([\w-]+\.ts)'/g, (all, other) => {
        const known = everywhere.get(`${page}/${other}`) ?? everywhere.get(other);
        return known === undefined ? all : `'./${known}'`;
      })
      .replaceAll(/'\.\/(apps\/[\w/-]+\.ts)'/g, (_all, path) => `'${root}${path}'`);
    await writeFile(join(own, name), runnable);
  }
  t.true(names.length >= 30, `${names.length}`);
  await symlink(`${root}node_modules`, join(own, 'node_modules'));
  await writeFile(join(own, 'package.json'), '{ "type": "module" }');
  const options = {
    ...JSON.parse(read('tsconfig.json')).compilerOptions,
    noUnusedLocals: false,
    rewriteRelativeImportExtensions: false,
    typeRoots: [`${root}node_modules/@types`],
    paths: Object.fromEntries(Object.entries(published).map(([name, file]) => [name, [file]])),
  };
  const untyped = ['wire/comlink-node-adapter.d.ts', 'workers/websocket/ws.d.ts'];
  const files = [...names, ...untyped.map((file) => `${root}${file}`)];
  await writeFile(join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  const compile = promisify(execFile)(process.execPath, [
    `${root}node_modules/typescript/bin/tsc`,
    '-p',
    own,
  ]);
  await t.notThrowsAsync(
    compile.catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    }),
  );
});
