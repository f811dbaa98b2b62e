/** `sluice start --watch`, edited as editors do: what changes is served at once, and what is wrong is shown. */
import { renameSync, rmSync } from 'node:fs';
import test from 'ava';
import { START_PATIENCE_MS } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { startProcess } from '../server/process.ts';
import { AppFolder } from './app-folder.ts';

const one = { threads: { min: 1, max: 1 }, startTimeoutMs: START_PATIENCE_MS, validate: false };

async function textOf(url: string, headers: Record<string, string> = {}): Promise<string> {
  return String((await requestHttp1(url, { headers })).body);
}

test.serial('a changed file of the import graph reloads its pool, and a wrong one is shown', async (t) => {
  const folder = new AppFolder(t);
  folder.write('inner.ts', `export const text: string = 'one';\n`);
  const application = folder.write(
    'app.ts',
    `import { text } from './inner.ts';
    export default (exchange: { respond(status: number, fields: object, body: string): void }): void =>
      exchange.respond(200, {}, text);\n`,
  );
  const other = folder.answering('other/app.mjs', 'other');
  const pools = { app: { ...one, application }, other: { ...one, application: other } };
  const { listening, log, child, ended } = startProcess(t, { pools }, ['--watch']);
  const origin = await listening();
  t.is(await textOf(origin), 'one');

  // As an editor does: beside it, and then into its place.
  renameSync(folder.write('inner.ts~', `export const text: string = 'two';\n`), `${folder.path}/inner.ts`);
  const reloaded = await log.until('reloaded: ');
  t.is(reloaded.msg, 'reloaded: pool app: 1 thread replaced');
  t.is(await textOf(origin), 'two');

  folder.write('inner.ts', `export const text: string = <b>three;\n`);
  const failed = await log.until('not reloaded, the running version stays');
  t.regex(String(failed.msg), /inner\.ts:1/);
  t.regex(String(failed.msg), /<b>three/);
  t.is(await textOf(origin), 'two');
  const page = await requestHttp1(origin, { headers: { accept: 'text/html' } });
  t.is(page.status, 500);
  t.regex(String(page.headers['content-security-policy']), /default-src 'none'/);
  t.regex(String(page.body), /It does not load[\s\S]*SyntaxError/);
  t.regex(String(page.body), /inner\.ts:1[\s\S]*&#60;b&#62;three/);
  t.notRegex(String(page.body), /<b>/);
  // Somebody else's name for this machine, and another pool.
  t.is(await textOf(origin, { accept: 'text/html', host: 'rebound.example' }), 'two');
  t.is(await textOf(`${origin}/other`, { accept: 'text/html' }), 'other');

  folder.write('inner.ts', `export const text: string = 'four';\n`);
  await log.until('reloaded: ', () => log.count('reloaded: ') === 2);
  t.is(await textOf(origin, { accept: 'text/html' }), 'four');
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
});

test.serial('a file that is imported before it exists is loaded when it has been written', async (t) => {
  const folder = new AppFolder(t);
  const application = folder.answering('app.mjs', 'one');
  const { listening, log } = startProcess(t, { pools: { app: { ...one, application } } }, ['--watch']);
  const origin = await listening();
  const app = (inner: string) => `import { text } from '${inner}'; export { default } from './answer.mjs';`;
  folder.write('answer.mjs', `export default (exchange) => exchange.respond(200, {}, 'two');\n`);
  folder.write('app.mjs', app('./lib/deep/inner.ts'));
  await log.until('not reloaded, the running version stays');
  t.is(await textOf(origin), 'one');
  folder.write('lib/deep/inner.ts', `export const text: string = '';\n`);
  await log.until('reloaded: ');
  t.is(await textOf(origin), 'two');

  // As another branch is checked out: the folder goes, and comes back.
  rmSync(`${folder.path}/lib`, { recursive: true });
  await log.until('not reloaded', () => log.count('not reloaded, the running version stays') === 2);
  folder.write('lib/deep/inner.ts', `export const text: string = '';\n`);
  await log.until('reloaded: ', () => log.count('reloaded: ') === 2);
  t.is(await textOf(origin), 'two');
});

test.serial('what the new version does not load any more is watched no longer', async (t) => {
  const folder = new AppFolder(t);
  const answering = (file: string) => `export { default } from './${file}';\n`;
  folder.answering('one.mjs', 'one');
  folder.answering('two.mjs', 'two');
  const application = folder.write('app.mjs', answering('one.mjs'));
  const { listening, log } = startProcess(t, { pools: { app: { ...one, application } } }, ['--watch']);
  const origin = await listening();
  t.is(await textOf(origin), 'one');
  folder.write('app.mjs', answering('two.mjs'));
  await log.until('reloaded: ');
  t.is(await textOf(origin), 'two');
  folder.answering('one.mjs', 'of no interest');
  folder.answering('two.mjs', 'changed');
  await log.until('reloaded: ', () => log.count('reloaded: ') === 2);
  t.is(await textOf(origin), 'changed');
  const changes = log.lines.filter(({ msg }) => msg === 'files have changed').flatMap(({ files }) => files);
  t.false(
    changes.some((file) => String(file).endsWith('one.mjs')),
    String(changes),
  );
});

test.serial('a changed configuration reloads all', async (t) => {
  const folder = new AppFolder(t);
  const pools = { app: { ...one, application: folder.answering('app.mjs', 'one') } };
  const { listening, log, file } = startProcess(t, { pools }, ['--watch']);
  const origin = await listening();
  const added = { ...one, application: folder.answering('added.mjs', 'added') };
  const config = {
    listeners: [{ address: '127.0.0.1:0' }],
    pools: { ...pools, added },
    routes: [
      { path: '/added', pool: 'added' },
      { path: '/*', pool: 'app' },
    ],
    log: { level: 'debug', format: 'json' },
  };
  renameSync(folder.write('new.json', JSON.stringify(config)), file);
  t.like(await log.until('reloaded: '), { pools: [{ pool: 'app' }, { pool: 'added', change: 'added' }] });
  t.is(await textOf(`${origin}/added`), 'added');
});

test.serial('files are not watched in production', async (t) => {
  const folder = new AppFolder(t);
  const pools = { app: { ...one, application: folder.answering('app.mjs', 'one') } };
  const { ended, errors } = startProcess(t, { pools }, ['--watch'], { NODE_ENV: 'production' });
  t.is((await ended).code, 2);
  t.regex(errors(), /--watch: expected no NODE_ENV=production beside it/);
});
