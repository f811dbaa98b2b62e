/** Reloads as an operator asks for them: SIGHUP and `sluice reload`, whole, broken, twice, and with a SIGTERM in the middle. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { ownFolder } from '../control/control-server.ts';
import { START_PATIENCE_MS } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { LogLines } from '../server/log-lines.ts';
import { startProcess } from '../server/process.ts';
import { AppFolder } from './app-folder.ts';

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

const one = {
  threads: { min: 1, max: 1 },
  minUptimeMs: 0,
  startTimeoutMs: START_PATIENCE_MS,
  validate: false,
};

function rewrite(file: string, change: (config: ConfigInput) => ConfigInput): void {
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function reload(file: string, variables: Readonly<Record<string, string>>): Promise<Ended> {
  return new Promise((resolve) => {
    const words = [command, 'reload', '--config', file];
    const env = { ...process.env, ...variables };
    const child = execFile(process.execPath, words, { env }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}

async function textOf(url: string): Promise<string> {
  return String((await requestHttp1(url)).body);
}

test.serial('sluice reload says what has changed, or why nothing has', async (t) => {
  const folder = new AppFolder(t);
  const variables = { XDG_RUNTIME_DIR: ownFolder(t) };
  const pools = { app: { ...one, application: folder.answering('app.mjs', 'old') } };
  const { listening, file, log } = startProcess(t, { pools }, [], variables);
  const origin = await listening();
  folder.answering('app.mjs', 'new');
  rewrite(file, (config) => ({ ...config, limits: { maxConnections: 77 } }));
  const done = await reload(file, variables);
  t.is(done.exitCode, 0, done.stderr);
  t.regex(
    done.stdout,
    /^reloaded in \d+ ms\npool app: 1 thread replaced\nconfiguration: \$\.limits\.maxConnections\n$/,
  );
  t.is(await textOf(origin), 'new');

  folder.write('app.mjs', `throw new Error('not today');`);
  const broken = await reload(file, variables);
  t.is(broken.exitCode, 3);
  t.regex(
    broken.stderr,
    /^sluice: not reloaded: pool 'app': .*not today, at .*app\.mjs:1:7 \[SLUICE_APPLICATION_LOAD_FAILED\]\n$/,
  );

  folder.answering('app.mjs', 'newer');
  rewrite(file, (config) => ({ ...config, listeners: [{ address: '127.0.0.1:1' }] }));
  const fixed = await reload(file, variables);
  t.is(fixed.exitCode, 2);
  t.regex(
    fixed.stderr,
    /\$\.listeners\[0\]\.address: [^[]* restart the server to change it \[SLUICE_CONFIG_FIXED\]\n$/,
  );

  writeFileSync(file, '{');
  const wrong = await reload(file, variables);
  t.is(wrong.exitCode, 2);
  t.regex(wrong.stderr, /SLUICE_CONFIG_SYNTAX/);
  t.is(await textOf(origin), 'new');
  t.is(log.count('not reloaded, the running version stays'), 2);

  const none = await reload(
    folder.write('none.json', '{ "routes": [{ "path": "/*", "static": { "root": "." } }] }'),
    variables,
  );
  t.is(none.exitCode, 1);
  t.regex(none.stderr, /SLUICE_CONTROL_NO_SERVER/);
});

test.serial('sluice reload reloads all servers of the configuration', async (t) => {
  const folder = new AppFolder(t);
  const variables = { XDG_RUNTIME_DIR: ownFolder(t) };
  const pools = { app: { ...one, application: folder.answering('app.mjs', 'old') } };
  const first = startProcess(t, { pools }, [], variables);
  const origins = [await first.listening()];
  const second = spawn(process.execPath, [command, 'start', '--config', first.file], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => second.kill('SIGKILL'));
  const log = new LogLines();
  second.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
  origins.push(`http://${(await log.until('listening on')).address}`);
  folder.answering('app.mjs', 'new');
  const done = await reload(first.file, variables);
  t.is(done.exitCode, 0, done.stderr);
  t.is(done.stdout.match(/^pool app: 1 thread replaced$/gm)?.length, 2);
  t.deepEqual(await Promise.all(origins.map(textOf)), ['new', 'new']);
});

test.serial(
  'SIGHUP reloads, a wrong file changes nothing, and several in the middle of one make one more',
  async (t) => {
    const folder = new AppFolder(t);
    const application = folder.answering('app.mjs', 'old');
    const pools = { app: { ...one, application } };
    const { child, listening, log, file, ended } = startProcess(t, { pools });
    const origin = await listening();
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, '{ "pools": 3 }');
    child.kill('SIGHUP');
    const refused = await log.until('not reloaded, the running version stays');
    t.is(refused.code, 'SLUICE_CONFIG_INVALID');
    t.regex(String(refused.msg), /\$\.routes.*\$\.pools/s);
    writeFileSync(file, good);

    // It loads until the test has said that it may.
    const gate = folder.write('gate', 'shut');
    folder.write(
      'app.mjs',
      `import { readFileSync } from 'node:fs';
    import { setTimeout as delay } from 'node:timers/promises';
    while (readFileSync(${JSON.stringify(gate)}, 'utf8') === 'shut') await delay(5);
    export default (exchange) => exchange.respond(200, {}, 'first');\n`,
    );
    const asked = () => log.count('reload requested');
    child.kill('SIGHUP');
    await log.until('reload requested', () => asked() === 2);
    for (let count = 3; count <= 5; count++) {
      child.kill('SIGHUP');
      await log.until('reload requested', () => asked() === count);
    }
    t.is(await textOf(origin), 'old');
    t.is(log.count('reloaded: '), 0);
    folder.write('gate', 'open');
    await log.until('reloaded: ', () => log.count('reloaded: ') === 2);
    t.is(await textOf(origin), 'first');
    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
    t.is(log.count('reloaded: '), 2);
  },
);

test.serial(
  'SIGTERM in the middle of a reload ends it and the server, and so it does with more SIGHUPs',
  async (t) => {
    const folder = new AppFolder(t);
    const pools = {
      app: { ...one, startTimeoutMs: 600_000, application: folder.answering('app.mjs', 'old') },
    };
    const { child, listening, log, file, ended } = startProcess(t, { pools });
    const origin = await listening();
    const hanging = 'await new Promise(() => setInterval(() => {}, 1e6)); export default () => {};';
    folder.write('app.mjs', hanging);
    const added = { ...pools.app, application: folder.write('added.mjs', hanging) };
    rewrite(file, (config) => ({ ...config, pools: { ...config.pools, added } }));
    const answered = new Promise<string>((resolve) => {
      void textOf(origin).then(resolve);
    });
    child.kill('SIGHUP');
    await log.until('reload requested');
    child.kill('SIGHUP');
    await log.until('reload requested', () => log.count('reload requested') === 2);
    t.is(await answered, 'old');
    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
    t.is(log.count('not reloaded: the server stops'), 2);
    t.is(log.find('threads did not end in time'), undefined);
  },
);

const hasScript = process.platform === 'linux' ? test.serial : test.serial.skip;

hasScript('SIGHUP from a terminal that closes drains, and one that an operator sends reloads', async (t) => {
  const folder = new AppFolder(t);
  const application = folder.answering('app.mjs', 'x');
  const log = folder.write('log', '');
  const config = folder.write(
    'runtime.config.json',
    JSON.stringify({
      listeners: [{ address: '127.0.0.1:0' }],
      pools: { app: { ...one, application } },
      routes: [{ path: '/*', pool: 'app' }],
      log: { format: 'json' },
    }),
  );
  // The server's output goes to a file, as what it says when the terminal has gone could not be read there; its input is the terminal.
  const line = `exec ${JSON.stringify(process.execPath)} ${command} start --config ${config} > ${log} 2>&1`;
  const terminal = spawn('script', ['--quiet', '--command', line, '/dev/null'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.teardown(() => terminal.kill('SIGKILL'));
  const lines = new LogLines();
  let read = 0;
  const until = async (message: string) => {
    for (;;) {
      const text = readFileSync(log, 'utf8');
      lines.push(text.slice(read));
      read = text.length;
      const found = lines.find(message);
      if (found !== undefined) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const { pid } = await until('listening on');
  process.kill(Number(pid), 'SIGHUP');
  await until('reloaded: ');
  t.is(lines.find('draining'), undefined);
  terminal.kill('SIGKILL');
  await once(terminal, 'exit');
  await until('draining, because the terminal has closed');
  await until('stopped');
  t.is(lines.count('reload requested'), 1);
});
