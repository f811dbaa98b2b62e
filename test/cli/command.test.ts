/** The command as a person runs it: a child process, its output and its exit code. */

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const command = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'sluice-command-'));
test.after.always(() => rmSync(directory, { recursive: true }));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, ...environment };
    const child = execFile(
      process.execPath,
      [command, ...words],
      { cwd: directory, env },
      (_error, stdout, stderr) => {
        resolve({ exitCode: child.exitCode, stdout, stderr });
      },
    );
  });
}

function writeConfig(name: string, config: object): string {
  writeFileSync(join(directory, name), JSON.stringify(config));
  return name;
}

writeFileSync(
  join(directory, 'app.ts'),
  "export default (exchange) => exchange.respond(200, {}, 'served');\n",
);
writeFileSync(join(directory, 'broken.ts'), "throw new Error('cannot load');\n");
const routes = [{ path: '/*', pool: 'app' }];
const right = writeConfig('right.json', {
  pools: { app: { application: './app.ts', threads: { max: 2 } } },
  routes,
});
const wrong = writeConfig('wrong.json', {
  pools: { app: { application: './app.ts', thread: 2 } },
  routes: [],
});
const missing = writeConfig('missing.json', { pools: { app: { application: './gone.ts' } }, routes });

test('check prints what would run and exits 0', async (t) => {
  const { exitCode, stdout, stderr } = await run(['check', '--config', right]);
  t.is(stderr, '');
  t.is(
    stdout,
    `right.json is valid

Listeners
  127.0.0.1:8080  HTTP/2 and HTTP/1.1, cleartext
Pools
  app  1-2 threads, app.ts
Routes, the most specific first
  /*  app
Drain timeout  30s
libuv threads  6
Log level      info
Log format     auto
`,
  );
  t.is(exitCode, 0);
});

test('check shows the listeners for operators', async (t) => {
  const { exitCode, stdout } = await run([
    'check',
    '--config',
    writeConfig('operators.json', {
      pools: { app: { application: './app.ts' } },
      routes,
      admin: { address: '127.0.0.1:9001' },
      monitoring: { address: 'unix:/run/m.sock' },
    }),
  ]);
  t.is(exitCode, 0);
  t.regex(stdout, /^Admin\n {2}127\.0\.0\.1:9001 {2}links of sluice dashboard$/m);
  t.regex(stdout, /^Monitoring\n {2}unix:\/run\/m\.sock {2}\/livez, \/readyz, \/metrics$/m);
});

test('check shows what flags and variables have changed, and which', async (t) => {
  const environment = {
    SLUICE_LOG_LEVEL: 'warn',
    WEB_CONCURRENCY: '3',
    SLUICE_CONFIG: right,
    UV_THREADPOOL_SIZE: '32',
  };
  const { exitCode, stdout } = await run(
    ['check', '--address', '[::1]:0', '--drain-timeout', '90s'],
    environment,
  );
  t.regex(stdout, /^ {2}\[::1\]:0 {2}HTTP\/2 and HTTP\/1\.1, cleartext \(--address\)$/m);
  t.regex(stdout, /^ {2}app {2}3 threads \(WEB_CONCURRENCY\), app\.ts$/m);
  t.regex(stdout, /^Drain timeout {2}90s \(--drain-timeout\)$/m);
  t.regex(stdout, /^libuv threads {2}32 \(UV_THREADPOOL_SIZE\)$/m);
  t.regex(stdout, /^Log level {6}warn \(SLUICE_LOG_LEVEL\)$/m);
  t.is(exitCode, 0);
});

for (const name of ['check', 'start']) {
  test(`${name} lists every error of file, flags and variables and exits 2`, async (t) => {
    const words = [name, '--config', wrong, '--threads', '0', '--verbose'];
    const { exitCode, stdout, stderr } = await run(words, { SLUICE_LOG_LEVEL: 'loud' });
    t.is(exitCode, 2);
    t.is(stdout, '');
    t.regex(stderr, /^sluice: flags, variables and wrong\.json: 5 errors$/m);
    t.regex(
      stderr,
      /^ {2}--verbose: expected a known flag, got "--verbose".*\[SLUICE_CONFIG_UNKNOWN_FLAG\]$/m,
    );
    t.regex(stderr, /^ {2}--threads: expected a number of threads .*\[SLUICE_CONFIG_WRONG_VALUE\]$/m);
    t.regex(
      stderr,
      /^ {2}SLUICE_LOG_LEVEL: expected one of trace, .*got "loud" \[SLUICE_CONFIG_WRONG_VALUE\]$/m,
    );
    t.regex(
      stderr,
      /^ {2}\$\.pools\.app\.thread \(line 1, column \d+\): .*did you mean "threads"\? \[SLUICE_CONFIG_UNKNOWN_KEY\]$/m,
    );
    t.regex(
      stderr,
      /^ {2}\$\.routes \(line 1, column \d+\): expected at least one route.*\[SLUICE_CONFIG_WRONG_VALUE\]$/m,
    );
    t.regex(
      stderr,
      /^usage: sluice init\|start\|check\|reload\|stop\|ps\|top\|status\|exchanges\|config\|logs\|events\|log-level\|recycle\|resize\|drain\|dashboard\|profile\|doctor\|.*\|help\|version \[module] \[flags]$/m,
    );
  });
}

test('a configuration file that is not there exits 2 and says how to name another', async (t) => {
  const { exitCode, stderr } = await run(['start']);
  t.is(exitCode, 2);
  t.regex(
    stderr,
    /\.\/runtime\.config\.json: 1 error\n {2}\$: .*got no such file; .*--config FILE or SLUICE_CONFIG/,
  );
});

test('an application that is not there is exit code 2 for check, which is about the file', async (t) => {
  const { exitCode, stderr } = await run(['check', '-c', missing]);
  t.is(exitCode, 2);
  t.regex(stderr, /\$\.pools\.app\.application: .*gone\.ts.*\[SLUICE_CONFIG_APPLICATION_MISSING\]/);
});

test('an application that is not there is exit code 3 for start, as one that fails to load', async (t) => {
  const { exitCode, stderr } = await run(['start', '-c', missing]);
  t.is(exitCode, 3);
  t.regex(stderr, /\$\.pools\.app\.application: .*gone\.ts.*\[SLUICE_CONFIG_APPLICATION_MISSING\]/);
});

test('start serves until SIGTERM, logs JSON lines to a pipe, and exits 0', async (t) => {
  const words = [command, 'start', '-c', right, '--address', '127.0.0.1:0', '--threads', '1'];
  const child = spawn(process.execPath, words, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(() => child.kill('SIGKILL'));
  const records: { msg: string; level: string; address?: string }[] = [];
  for await (const line of createInterface(child.stdout)) {
    const record = JSON.parse(line);
    records.push(record);
    if (!record.msg.startsWith('listening')) continue;
    const response = await fetch(`http://${record.address}/`);
    t.is(await response.text(), 'served');
    child.kill('SIGTERM');
  }
  t.is(await ended, 0);
  t.deepEqual(
    records.filter(({ level }) => level !== 'info'),
    [],
  );
});

test('an application that throws while it loads is exit code 3, with the module and the cause', async (t) => {
  const broken = writeConfig('broken.json', { pools: { app: { application: './broken.ts' } }, routes });
  const { exitCode, stdout } = await run([
    'start',
    '-c',
    broken,
    '--address',
    '127.0.0.1:0',
    '--threads',
    '1',
  ]);
  t.is(exitCode, 3);
  t.regex(stdout, /broken\.ts/);
  t.regex(stdout, /cannot load/);
});

test('no command and an unknown command exit 2 with a hint and the usage', async (t) => {
  for (const words of [[], ['sart']]) {
    const { exitCode, stdout, stderr } = await run(words);
    t.is(exitCode, 2);
    t.is(stdout, '');
    t.regex(
      stderr,
      /command: (missing, )?expected one of init, start, check, reload, stop, ps, top, status, exchanges, config, logs, events, log-level, recycle, resize, drain, dashboard, profile, doctor, .*, help, version(, got "sart"; did you mean start\?)?/,
    );
    t.regex(stderr, /^usage: .*\n"sluice help" says more\.$/m);
  }
});

test('help goes to standard output and exits 0, without a configuration file', async (t) => {
  const { exitCode, stdout, stderr } = await run(['--help']);
  t.is(exitCode, 0);
  t.is(stderr, '');
  t.regex(
    stdout,
    /^usage: sluice init\|start\|check\|reload\|stop\|ps\|top\|status\|exchanges\|config\|logs\|events\|log-level\|recycle\|resize\|drain\|dashboard\|profile\|doctor\|.*\|help\|version \[module\] \[flags\]\n/,
  );
});

test('version is the package version', async (t) => {
  const { exitCode, stdout } = await run(['version']);
  t.is(exitCode, 0);
  t.regex(stdout, /^\d+\.\d+\.\d+\n$/);
});

test('a warning says that windows do not fit into their connection, and nothing changes', async (t) => {
  const file = writeConfig('overcommitted.json', {
    pools: { app: { application: './app.ts', threads: { max: 1 } } },
    routes,
    http2: { maxConcurrentStreams: 1_000, connectionWindowBytes: 1_048_576 },
  });
  const { exitCode, stderr } = await run(['check', '-c', file]);
  t.is(exitCode, 0);
  t.is(
    stderr,
    'sluice: warning: $.http2.connectionWindowBytes: 8 uploads that nobody reads take all of 1048576 bytes, and the other uploads of their ' +
      'connection wait; maxConcurrentStreams × streamWindowBytes is 131072000: raise it to that, or lower one of them ' +
      '[SLUICE_CONFIG_OVERCOMMITTED]\n',
  );
});

test('a mistyped variable causes a warning on standard error, and nothing changes', async (t) => {
  const { exitCode, stderr } = await run(['check', '-c', right], { SLUICE_THREDS: '4' });
  t.is(exitCode, 0);
  t.is(stderr, 'sluice: warning: the variable SLUICE_THREDS is not read; did you mean SLUICE_THREADS?\n');
});
