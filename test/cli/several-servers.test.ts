/** Commands that ask several servers of a configuration, one of which ends, stalls, refuses, or is something else. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import anyTest, { type ExecutionContext } from 'ava';
import type { Answer } from '../../runtime/cli/ask-servers.ts';
import { askReload } from '../../runtime/cli/reload.ts';
import { askStatus } from '../../runtime/cli/status.ts';
import { askStop } from '../../runtime/cli/stop.ts';
import { type Screen, showPools, watchPools } from '../../runtime/cli/top.ts';
import { ControlRefusal } from '../../runtime/control/errors.ts';
import { connectControl } from '../../runtime/control/find.ts';
import type { ControlExchange } from '../../runtime/control/routes.ts';
import { ownFolder, startControl, type TestControl } from '../control/control-server.ts';
import { runInside } from './inside.ts';

const test = anyTest.serial;

const healthy = {
  version: '1.2.3',
  pid: 42,
  state: 'running',
  uptimeMs: 1_000,
  connections: { open: 5, max: 100 },
  reactor: { utilization: 0.25 },
  pools: [],
};

/** Two servers of a configuration, of which the second is asked by the test's own routes. */
async function two(t: ExecutionContext) {
  const base = ownFolder(t);
  const good = await startControl(t, base);
  const other = await startControl(t, base);
  good.routes.add('GET', '/status', (exchange) => exchange.answer(200, healthy));
  return { good, other, find: { environment: good.environment, silence } };
}

/** By the path of the socket; the time is over when a test says so. */
const silences = new Map<string, AbortController>();

function silence(path: string): AbortSignal {
  const controller = new AbortController();
  silences.set(path, controller);
  return controller.signal;
}

type Broken = (other: TestControl, exchange: ControlExchange) => Promise<void> | void;

async function neverAnswer({ path }: TestControl, { signal }: ControlExchange): Promise<void> {
  silences.get(path)?.abort();
  await once(signal, 'abort');
}

/** What becomes of the second server when it is asked, and what is said of it. */
const fates: readonly (readonly [name: string, broken: Broken, said: RegExp])[] = [
  ['ends', ({ control }) => control.close(), /the server broke it off.* \[SLUICE_CONTROL_LOST\]$/],
  [
    'does not answer',
    neverAnswer,
    /expected an answer within \d000 ms, got none; is its process stopped .*\[SLUICE_CONTROL_UNAVAILABLE\]$/,
  ],
  [
    'refuses',
    () => {
      throw new ControlRefusal(429, 'SLUICE_CONTROL_TOO_MANY', 'expected at most 3 requests, got more');
    },
    /: expected at most 3 requests, got more \[SLUICE_CONTROL_TOO_MANY\]$/,
  ],
  [
    'answers garbage',
    async (_other, exchange) => {
      exchange.respond(200, 'text/plain');
      await exchange.write('220 mail.example ESMTP\r\n');
    },
    /expected an answer in JSON, got text that begins with "220 mail.*; run the command of the server's own version \[SLUICE_CONTROL_OTHER_VERSION\]$/,
  ],
];

function saysOf(t: ExecutionContext, { exitCode, complaints = [] }: Answer, path: string, said: RegExp) {
  t.is(exitCode, 1);
  t.is(complaints.length, 1);
  t.true(complaints[0]?.includes(`${path}: `), complaints[0]);
  t.regex(complaints[0] ?? '', said);
}

for (const [name, broken, said] of fates) {
  test(`status and ps show the others if one of several servers ${name} while it is asked`, async (t) => {
    for (const ask of [askStatus, showPools]) {
      const { good, other, find } = await two(t);
      other.routes.add('GET', '/status', (exchange) => broken(other, exchange));
      const answer = await ask(good.config, find, false);
      t.regex(answer.text, ask === showPools ? /^Sluice 1\.2\.3, process 42/ : /^\{"version":"1\.2\.3"/);
      saysOf(t, answer, other.path, said);
    }
  });

  test(`top shows the others if one of several servers ${name}`, async (t) => {
    const { good, other, find } = await two(t);
    let asked = 0;
    other.routes.add('GET', '/status', (exchange) => {
      asked++;
      return asked === 2 ? broken(other, exchange) : exchange.answer(200, { ...healthy, pid: 43 });
    });
    const pictures: string[] = [];
    const screen: Screen = {
      isTerminal: false,
      signal: new AbortController().signal,
      write: (text) => void pictures.push(text),
      next: async () => pictures.length < 3,
    };
    const { exitCode } = await watchPools(good.config, find, screen);
    t.is(exitCode, 0);
    t.true(pictures.every((picture) => picture.includes('process 42')));
    t.true(pictures[0]?.includes('process 43'));
    if (name === 'ends') t.is(asked, 2, 'one that has ended is not asked again');
    else {
      t.truthy(
        pictures[1]?.split('\n').find((line) => said.test(line)),
        pictures[1],
      );
      t.true(pictures[2]?.includes('process 43'), 'it answers again');
    }
  });

  // The commands below would take their five seconds.
  if (name === 'does not answer') continue;
  test(`config, events, exchanges, log-level and drain ask the others if one of several servers ${name}`, async (t) => {
    const words = [
      ['GET', '/config', ['config', '--json']],
      ['GET', '/events', ['events', '--json']],
      ['GET', '/exchanges', ['exchanges', '--json']],
      ['GET', '/log-level', ['log-level']],
      ['POST', '/drain', ['drain']],
    ] as const;
    for (const [method, path, [command, ...flags]] of words) {
      const { good, other } = await two(t);
      const answers = { level: 'info', file: '', values: [], pid: 42, open: 0, drainTimeoutMs: 1_000 };
      good.routes.add(method, path, (exchange) => exchange.answer(200, answers));
      other.routes.add(method, path, (exchange) => broken(other, exchange));
      const application = join(dirname(good.config.file), 'app.ts');
      writeFileSync(application, '');
      writeFileSync(
        good.config.file,
        JSON.stringify({ pools: { app: { application } }, routes: [{ path: '/*', pool: 'app' }] }),
      );
      const { exitCode, stdout, stderr } = await runInside(
        [command, ...flags, '--config', good.config.file],
        good.environment as Record<string, string>,
      );
      t.is(exitCode, 1);
      t.regex(stderr.trimEnd(), said);
      if (flags.length > 0) t.is(stdout, `${JSON.stringify(answers)}\n`, 'nothing but JSON');
      else t.regex(stdout, /^(info|draining: process 42, .*)$/m);
    }
  });
}

test('a server that cannot be reached is named, and the others are shown', async (t) => {
  const { good, other, find } = await two(t);
  other.control.close();
  const folder = dirname(good.path);
  const silent = join(folder, '900000001.sock');
  const mail = join(folder, '900000002.sock');
  const sockets = [
    createServer(() => silences.get(silent)?.abort()).listen(silent),
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('220 mail.example ESMTP\r\n');
    }).listen(mail),
  ];
  t.teardown(() => sockets.map((server) => server.close()));
  const answer = await askStatus(good.config, find, false);
  t.is(answer.exitCode, 1);
  t.is(JSON.parse(answer.text).pid, 42);
  const [first = '', second = ''] = answer.complaints?.toSorted() ?? [];
  t.true(first.startsWith(`${silent}: expected an answer within 5000 ms, got none`), first);
  t.true(second.startsWith(`${mail}: expected a control socket of Sluice, got what does not speak`), second);
  await t.throwsAsync(connectControl(good.config, find), {
    code: 'SLUICE_CONTROL_SEVERAL_SERVERS',
    message: /found 3, of the processes \d+, 900000001, 900000002; say which/,
  });
  let picture = '';
  const screen: Screen = {
    isTerminal: false,
    signal: new AbortController().signal,
    write: (text) => {
      picture = text;
    },
    next: async () => false,
  };
  await watchPools(good.config, find, screen);
  t.true(picture.includes('process 42') && picture.includes(silent) && picture.includes(mail), picture);
  const onlySilent = await askStatus(good.config, { ...find, pid: 900_000_001 }, false);
  t.regex(onlySilent.complaints?.[0] ?? '', /expected an answer within 5000 ms/);
});

test('another version among several servers is named', async (t) => {
  const { good, other, find } = await two(t);
  other.control.close();
  const path = join(dirname(good.path), '900000001.sock');
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'sluice-control': '99', 'sluice-version': '9.0.0' });
    stream.end('{}');
  });
  server.listen(path);
  t.teardown(() => server.close());
  const answer = await askStatus(good.config, find, false);
  t.is(JSON.parse(answer.text).pid, 42);
  saysOf(t, answer, path, /got 99, of Sluice 9\.0\.0; run the command of the server's own version/);
});

test('a reload reaches the others if one of several servers ends or is stopping', async (t) => {
  const report = { changed: [], pools: [], certificates: false, durationMs: 7 };
  const fates: readonly (readonly [Broken, RegExp])[] = [
    [({ control }) => control.close(), /^not reloaded: .*\[SLUICE_CONTROL_LOST\]$/],
    [
      () => {
        throw new ControlRefusal(503, 'SLUICE_RELOAD_STOPPED', 'reload: expected a running server');
      },
      /^not reloaded: .*: reload: expected a running server \[SLUICE_RELOAD_STOPPED\]$/,
    ],
  ];
  for (const [broken, said] of fates) {
    const { good, other, find } = await two(t);
    // Whichever is asked first, the other one is asked too.
    good.routes.add('POST', '/reload', (exchange) => exchange.answer(200, report));
    other.routes.add('POST', '/reload', (exchange) => broken(other, exchange));
    let printed = '';
    const answer = await askReload(good.config, find, (text) => {
      printed += text;
    });
    t.regex(printed, /^reloaded in 7 ms$/m);
    saysOf(t, answer, other.path, said);
  }
});

test('what one server refuses because of the disk is not asked of the others', async (t) => {
  const { good, other, find } = await two(t);
  let asked = 0;
  for (const { routes } of [good, other]) {
    routes.add('POST', '/reload', () => {
      asked++;
      throw new ControlRefusal(422, 'SLUICE_APPLICATION_LOAD_FAILED', 'pool app: not today');
    });
  }
  const { exitCode, complaints = [] } = await askReload(good.config, find, () => undefined);
  t.is(asked, 1);
  t.is(exitCode, 3);
  t.regex(complaints[0] ?? '', /^not reloaded: .*: pool app: not today \[SLUICE_APPLICATION_LOAD_FAILED\]$/);
  t.regex(complaints[1] ?? '', /^not asked because of that: .*\.sock$/);
});

test('stop waits for the others if one of several servers was ending already, or does not answer', async (t) => {
  const ending = await two(t);
  ending.good.routes.add('POST', '/stop', (exchange) => {
    exchange.answer(202, { pid: 42 });
    setImmediate(() => ending.good.control.close());
  });
  ending.other.routes.add('POST', '/stop', () => ending.other.control.close());
  const answer = await askStop(ending.good.config, ending.find);
  t.is(answer.exitCode, 0, answer.complaints?.join());
  t.deepEqual(answer.text.trimEnd().split('\n').toSorted(), [
    `stopped: ${ending.other.path}`,
    'stopped: process 42',
  ]);

  const stalled = await two(t);
  stalled.good.routes.add('POST', '/stop', (exchange) => {
    exchange.answer(202, { pid: 42 });
    setImmediate(() => stalled.good.control.close());
  });
  stalled.other.routes.add('POST', '/stop', (exchange) => neverAnswer(stalled.other, exchange));
  const half = await askStop(stalled.good.config, stalled.find);
  t.is(half.text, 'stopped: process 42\n');
  saysOf(t, half, stalled.other.path, /^not stopped: .*expected an answer within 5000 ms, got none/);
});
