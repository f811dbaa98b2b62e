/** What is published: its content, its types, its command, and applications on it. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { blocksOf, linksOf, modulesOf, read } from '../docs/markdown.ts';
import { FileScope, START_PATIENCE_MS } from '../server/harness.ts';
import { startInstalled } from './installed-server.ts';
import { execute, manifest, type Packed, packAndInstall, root } from './packed.ts';

const scope = new FileScope();
let packed: Packed;

test.before(async (t) => {
  t.timeout(120_000, 'npm pack on a busy machine');
  packed = await packAndInstall(scope);
});

test.after.always(() => scope.end());

test('it has what was built, the schema and the pages, and nothing else', (t) => {
  const expected =
    /^(dist\/.+\.(js|d\.ts)|docs\/(decisions\/)?[\w-]+\.md|docs\/pictures\/path-\w+\.svg|(bench|bench\/results|wire)\/README\.md|runtime\/config\/schema\.json|package\.json|[A-Z]+(\.md)?)$/;
  t.deepEqual(
    packed.files.filter((file) => !expected.test(file)),
    [],
  );
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs/configuration.md'])
    t.true(packed.files.includes(file));
  t.true(packed.unpackedBytes < 4 * 1024 * 1024, `${packed.unpackedBytes} bytes`);
});

test('every relative link and picture of the README leads to a file of the package', (t) => {
  const readme = read('README.md');
  const pictures = [...readme.matchAll(/ (?:src|srcset)="([^"]+)"/g)].map(([, path]) => path as string);
  const links = [...linksOf(readme), ...pictures].filter((link) => !/^(?:[a-z]+:|#)/.test(link));
  t.true(links.length > 30);
  const files = new Set(packed.files);
  t.deepEqual(
    links.filter((link) => !files.has(link.split('#')[0] as string)),
    [],
  );
});

test('what the dashboard serves is in it', async (t) => {
  const module = join(packed.installed, 'dist/runtime/admin/dashboard.js');
  const { addDashboard } = await import(pathToFileURL(module).href);
  const handlers = new Map<string, (exchange: object) => Promise<void>>();
  addDashboard({
    add: (method: string, path: string, handler: never) => handlers.set(`${method} ${path}`, handler),
  });
  for (const [key, handler] of handlers) {
    if (!key.startsWith('GET ')) continue;
    let text = '';
    await handler({
      respond: () => undefined,
      write: async (piece: string) => void (text += piece),
      end: () => undefined,
    });
    t.true(text.length > 100, key);
    // What it imports is served as well.
    for (const [, name] of text.matchAll(/^import .* from '\.\/(\w+\.js)';$/gm))
      t.true(handlers.has(`GET /assets/${name}`), name);
    t.notRegex(text, /from '\.\/\w+\.ts'|from 'uplot'/, key);
  }
  t.true(handlers.size > 20);
});

test('everything that package.json exports is there', (t) => {
  const targets = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  for (const target of [...targets, manifest.bin.sluice])
    t.true(existsSync(join(packed.installed, target)), target);
});

/** A statement from its start, or a call; what stands in a comment starts with an asterisk or slashes. */
const statement =
  /^\s*(?:import|export)\s+(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

test('what it imports is its own, a dependency or built in, and every dependency is imported', async (t) => {
  const used = new Set<string>();
  // The templates of `sluice init` are modules as text.
  const sources = packed.files.filter(
    (path) => /^dist\/.+\.(js|d\.ts)$/.test(path) && !path.includes('/init-templates.'),
  );
  for (const file of sources) {
    const source = await readFile(join(packed.installed, file), 'utf8');
    for (const [, named, called] of source.matchAll(statement)) {
      const specifier = (named ?? called) as string;
      if (specifier.startsWith('.') || isBuiltin(specifier)) continue;
      used.add(specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  t.deepEqual([...used].sort(), Object.keys(manifest.dependencies).sort());
});

test('its command tells version and help, and checks a configuration', async (t) => {
  const command = join(packed.installed, manifest.bin.sluice);
  const version = await execute(process.execPath, [command, 'version']);
  t.is(version.stdout, `${manifest.version}\n`);
  const help = await execute(process.execPath, [command, 'help']);
  t.regex(
    help.stdout,
    /^usage: sluice init\|start\|check\|reload\|stop\|ps\|top\|status\|.*\|profile\|doctor\|.*\|help\|version/,
  );
  const wrong = await t.throwsAsync(execute(process.execPath, [command, 'check'], { cwd: packed.installed }));
  t.like(wrong, { code: 2 });
});

test('the page of a profile that it makes has the whole script in it, with the licence', async (t) => {
  const module = join(packed.installed, 'dist/runtime/profiling/merged-page.js');
  const { pageOf } = (await import(pathToFileURL(module).href)) as { pageOf(data: object): string };
  const [, script = ''] = /<script type="module">(.*?)<\/script>/s.exec(pageOf({})) ?? [];
  t.regex(script, /Permission is hereby granted/);
  t.notRegex(script, /^(import|export) /m, 'it imports nothing');
  t.regex(script, /function drawFlame/);
});

test('its command can be run as npm links it', async (t) => {
  const command = join(packed.installed, manifest.bin.sluice);
  t.regex(await readFile(command, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  t.true((await stat(command)).isFile());
  const link = join(packed.project, 'sluice');
  await symlink(command, link);
  const { stdout } = await execute(process.execPath, [link, 'version']);
  t.is(stdout, `${manifest.version}\n`);
});

test('editors find the schema by the name that the help gives', (t) => {
  const resolve = createRequire(join(packed.project, 'any.js')).resolve;
  t.is(resolve('sluice/schema.json'), join(packed.installed, 'runtime/config/schema.json'));
});

test("README's quick start works in an empty folder as it is printed there", async (t) => {
  const readme = read('README.md');
  const [, section = ''] = /## Quick start\n([\s\S]*?)\n## /.exec(readme) ?? [];
  const commands = blocksOf(section)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'));
  // The first two are run in a clone, by shell-blocks.test.ts.
  const [ci, pack, ...others] = commands;
  t.deepEqual([ci, pack], ['npm ci', 'npm pack']);
  const [init, setType, install, start, curl] = others as [string, string, string, string, string];
  t.is(others.length, 5);
  // Nothing is fetched here: the folder finds the package that was packed, and its dependencies, in the folder above it.
  t.is(install, `npm install ../sluice/${manifest.name}-${manifest.version}.tgz`);
  const folder = join(packed.project, 'quick-start');
  await mkdir(folder);
  for (const command of [init, setType]) await execute('sh', ['-c', command], { cwd: folder });
  const modules = modulesOf(section);
  t.deepEqual([...modules.keys()], ['app.js', 'app.ts']);
  for (const [name, source] of modules) await writeFile(join(folder, name), source);
  const config = blocksOf(section).find(({ language }) => language === 'json')?.text ?? '';
  await writeFile(join(folder, 'runtime.config.json'), config);
  t.is(start, 'npx sluice start app.js');
  t.regex(curl, /^curl .*127\.0\.0\.1:8080/);
  for (const file of [...modules.keys(), 'runtime.config.json']) {
    const server = await startInstalled(t, packed, join(folder, file));
    const { stdout } = await execute('sh', [
      '-c',
      `${curl.replace('http://127.0.0.1:8080', server.origin)} -sS --max-time 30`,
    ]);
    t.regex(stdout, /^[0-9a-f]{32}:[0-9a-f]{64}\n$/, file);
    t.is(await server.stop(), 0, file);
  }
});

for (const [kind, language] of [
  ['native', 'typescript'],
  ['native', 'javascript'],
  ['fetch', 'javascript'],
  ['node', 'typescript'],
] as const) {
  // One after the other: a project that was just made has the default patience for its threads, and no more.
  test.serial(
    `what sluice init writes checks, and passes its own test: ${kind} in ${language}`,
    async (t) => {
      const command = join(packed.installed, manifest.bin.sluice);
      const words = ['--kind', kind, ...(language === 'javascript' ? ['--javascript'] : [])];
      const folder = join(packed.project, 'made', `${kind}-${language}`);
      const made = await execute(process.execPath, [command, 'init', folder, ...words]);
      t.regex(made.stdout, /npm run dev/);
      const checked = await execute(process.execPath, [command, 'check'], { cwd: folder });
      t.regex(checked.stdout, /app/);
      const { AVA_PATH: _ava, NODE_TEST_CONTEXT: _context, ...env } = process.env;
      const tested = await execute(process.execPath, ['--test'], { cwd: folder, env });
      t.regex(tested.stdout, /pass 1\b/);
      if (language === 'javascript') return;
      const types = ['--typeRoots', join(root, 'node_modules/@types')];
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      await t.notThrowsAsync(execute(process.execPath, [tsc, '-p', folder, ...types]));
    },
  );
}

test('applications in JavaScript and in TypeScript run on it side by side, with WebSockets', async (t) => {
  const write = (name: string, text: string) => writeFile(join(packed.project, name), text);
  await write('plain.js', `export default (exchange) => exchange.respond(200, {}, 'from JavaScript');\n`);
  await write(
    'socket.ts',
    `import type { Exchange } from 'sluice/gateway';
import { acceptWebSocket } from 'sluice/websocket';
export default async function echo(exchange: Exchange): Promise<void> {
  const socket = await acceptWebSocket(exchange);
  if (socket !== null) for await (const message of socket) await socket.send(message);
}\n`,
  );
  const startTimeoutMs = START_PATIENCE_MS;
  const pools = {
    plain: { application: './plain.js', startTimeoutMs },
    socket: { application: './socket.ts', startTimeoutMs },
  };
  const routes = [
    { path: '/plain', pool: 'plain' },
    { path: '/socket', pool: 'socket', websocket: true },
  ];
  await write('side-by-side.json', JSON.stringify({ pools, routes }));
  const server = await startInstalled(t, packed, join(packed.project, 'side-by-side.json'));
  t.is(await (await fetch(`${server.origin}/plain`)).text(), 'from JavaScript');
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/socket`);
  const { promise: echoed, resolve, reject } = Promise.withResolvers<unknown>();
  socket.onmessage = ({ data }) => resolve(data);
  socket.onerror = () => reject(new Error('expected the WebSocket to open'));
  socket.onopen = () => socket.send('hello');
  t.is(await echoed, 'hello');
  socket.close();
  t.is(await server.stop(), 0);
});

test('the page about embedding runs as it is printed there', async (t) => {
  const folder = join(packed.project, 'embedding');
  await mkdir(folder);
  for (const [name, source] of modulesOf(read('docs/embedding.md')))
    await writeFile(join(folder, name), source);
  const { stdout, stderr } = await execute(process.execPath, [join(folder, 'serve.ts')]);
  t.is(stdout, '200 hello from /world\n\n1 answered\n');
  t.is(stderr, '');
  const tested = await execute(process.execPath, [
    '--test',
    '--test-reporter=tap',
    join(folder, 'hello.test.ts'),
  ]);
  t.regex(tested.stdout, /^# pass 2$/m);
});

for (const [moduleResolution, module] of [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
] as const) {
  test(`its types stand by themselves under moduleResolution ${moduleResolution}`, async (t) => {
    const name = `types-${moduleResolution}`;
    const exported = Object.entries(manifest.exports).filter(([, entry]) => typeof entry === 'object');
    t.true(exported.length > 10);
    // Each of them, so that a declaration which one needs and the package has not is found.
    const imports = exported.map(
      ([path], index) => `import type * as all${index} from 'sluice${path.slice(1)}';`,
    );
    const used = exported.map((_, index) => `typeof all${index}`).join(' | ');
    await writeFile(
      join(packed.project, `${name}.ts`),
      `${imports.join('\n')}
export type All = ${used};
import { type Configuration, createServer, type ServerStatus, type SluiceServer } from 'sluice';
import type { Application, Exchange, GatewayError } from 'sluice/gateway';
import { GatewayErrorCode } from 'sluice/gateway';
import { acceptWebSocket, type ServerWebSocket } from 'sluice/websocket';
const application: Application = async (exchange: Exchange): Promise<void> => {
  const socket: ServerWebSocket | null = await acceptWebSocket(exchange, { protocols: ['chat'] });
  if (socket !== null) for await (const message of socket) await socket.send(message);
  // @ts-expect-error: the status is a number
  exchange.respond('200');
};
const configuration: Configuration = { pools: { app: { application: './app.js' } }, routes: [{ path: '/*', pool: 'app' }] };
export const server: SluiceServer = createServer(configuration, { directory: '.', log: ({ level, msg }) => console.log(level, msg) });
export const status: ServerStatus = server.status();
// @ts-expect-error: a route has a path
createServer({ routes: [{ pool: 'app' }] });
export const isTooLarge = (error: GatewayError): boolean => error.code === GatewayErrorCode.BodyTooLarge;
export default application;\n`,
    );
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2024', lib: ['es2024', 'esnext.disposable'] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
      ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
    };
    const file = join(packed.project, `${name}.json`);
    await writeFile(file, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
    const compile = execute(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', file]);
    const complaints = await compile.then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    );
    t.is(complaints, '');
  });
}
