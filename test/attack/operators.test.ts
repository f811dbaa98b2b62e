/**
 * The operators' side under attack: commands and signals in any order and at the same time, and clients that abuse the listeners of `admin` and
 * `monitoring`. Meanwhile an honest client of the applications is answered every time, and so is an operator with the token.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import anyTest, { type ExecutionContext } from 'ava';
import { ControlRefusal } from '../../runtime/control/errors.ts';
import { connectControl } from '../../runtime/control/find.ts';
import { configOf, ownFolder } from '../control/control-server.ts';
import { frame, getFields, headers, ping, preface, rstStream, settings } from '../http2/frames.ts';
import { application, portOf } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';

// Each takes both cores.
const test = anyTest.serial;

/** Whole numbers below a bound, the same for the same seed (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Asks without a pause, on several streams of one connection, until it is told to end. */
class HonestClient {
  answered = 0;
  readonly wrong: string[] = [];
  #isOver = false;
  readonly #over: Promise<unknown>;

  constructor(session: ClientHttp2Session) {
    this.#over = Promise.all([1, 2, 3].map((stream) => this.#ask(session, stream)));
  }

  async #ask(session: ClientHttp2Session, stream: number): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const sent = `${stream}-${n}`;
      const answer = await request(session, { ':method': 'POST', ':path': '/echo' }, sent);
      if (answer.status === 200 && answer.body.toString() === sent) this.answered++;
      else this.wrong.push(`${answer.status} ${answer.resetCode} ${answer.how} ${answer.body}`);
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#over;
  }
}

const messages = application('server', 'messages');

test('commands and signals in any order, and at the same time, lose no request', async (t) => {
  const seed = Number(process.env.SLUICE_SEED ?? 20_261_130);
  t.log(`SLUICE_SEED=${seed}`);
  const random = numbers(seed);
  const folder = ownFolder(t);
  const variables = { XDG_RUNTIME_DIR: folder };
  const pool = { application: messages, minUptimeMs: 0, threads: { min: 2, max: 2 } };
  const server = startProcess(
    t,
    {
      pools: { app: pool, other: { ...pool, threads: { min: 1, max: 1 } } },
      routes: [
        { path: '/other/*', pool: 'other' },
        { path: '/*', pool: 'app' },
      ],
    },
    [],
    variables,
  );
  const honest = new HonestClient(await connectHttp2(t, await server.listening()));
  const client = await connectControl(configOf({}, server.file), { environment: variables });
  t.teardown(() => client.close());
  const threads = async () => {
    const answer = (await client.ask('GET', '/threads')) as { threads: { name: string }[] };
    return answer.threads.map(({ name }) => name);
  };
  const range = () => ({ min: 1 + random(2), max: 2 + random(2) });
  const commands: readonly (() => Promise<unknown> | unknown)[] = [
    () => client.ask('POST', '/reload'),
    () => client.ask('POST', '/pools/app/resize', { body: range() }),
    () => client.ask('POST', '/pools/other/resize', { body: range() }),
    () => client.ask('POST', '/pools/app/recycle'),
    async () => {
      const names = await threads();
      return client.ask('POST', `/threads/${names[random(names.length)]}/recycle`);
    },
    () => client.ask('PUT', '/log-level', { body: { level: ['debug', 'info'][random(2)] } }),
    () => client.ask('GET', '/exchanges'),
    () => client.ask('GET', '/status'),
    () => server.child.kill('SIGHUP'),
    () => server.child.kill('SIGUSR1'),
    () => server.child.kill('SIGUSR2'),
  ];
  const refusals = new Set<string>();
  for (let turn = 0; turn < 12; turn++) {
    await Promise.all(
      Array.from({ length: 5 }, async () => {
        try {
          await commands[random(commands.length)]?.();
        } catch (error) {
          if (!(error instanceof ControlRefusal)) throw error;
          refusals.add(error.code);
        }
      }),
    );
  }
  const before = honest.answered;
  while (honest.answered < before + 10 && honest.wrong.length === 0)
    await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(honest.wrong, []);
  const known = ['SLUICE_ADMIN_CONFLICT', 'SLUICE_ADMIN_UNKNOWN_THREAD'];
  t.deepEqual(
    [...refusals].filter((code) => !known.includes(code)),
    [],
  );
  t.is(server.log.count('internal error'), 0);

  // A drain while all of it goes on: what is open is answered, and the server ends in order.
  const last = requestHttp1(`http://127.0.0.1:${portOf(server.log)}/hello`);
  t.is((await last).status, 200);
  const reloading = client.ask('POST', '/reload').catch((error: unknown) => error);
  const recycling = client.ask('POST', '/pools/app/recycle').catch((error: unknown) => error);
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const)
    server.child.kill(signal);
  await honest.end();
  await Promise.all([reloading, recycling]);
  t.deepEqual(await server.ended, { code: 0, signal: null });
  const unsent = honest.wrong.filter((answer) => !answer.startsWith('NaN') && !answer.startsWith('0 '));
  t.deepEqual(unsent, [], 'what was begun was answered; what came after the GOAWAY was not begun');
});

const TOKEN = 'a-token-that-is-long-enough-for-anybody';

interface Besieged {
  readonly server: ServerProcess;
  readonly origin: string;
  readonly ports: { readonly admin: number; readonly monitoring: number };
}

/** A server whose listeners for operators are on. */
async function besieged(t: ExecutionContext): Promise<Besieged> {
  const folder = ownFolder(t);
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  const server = startProcess(
    t,
    {
      pools: { app: { application: messages, threads: { min: 1, max: 1 } } },
      admin: { address: '127.0.0.1:0', tokenFile },
      monitoring: { address: '127.0.0.1:0' },
    },
    [],
    { XDG_RUNTIME_DIR: folder },
  );
  const portIn = async (msg: string) => Number(String((await server.log.until(msg)).address).split(':')[1]);
  const ports = { admin: await portIn('admin on'), monitoring: await portIn('monitoring on') };
  return { server, origin: await server.listening(), ports };
}

/** From an address of its own, as the attacker's requests count by address. */
function connectFrom(t: ExecutionContext, port: number, localAddress: string): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  // That the server ends the connection is the point.
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  return socket;
}

/** The status of an HTTP/1.1 answer; 0 if the connection was closed without one. */
async function statusOf(t: ExecutionContext, port: number, bytes: string | Buffer): Promise<number> {
  const socket = connectFrom(t, port, '127.0.0.66');
  socket.end(bytes);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await text(socket))?.[1] ?? 0);
}

const authorization = { authorization: `Bearer ${TOKEN}` };

test('tricks with paths, hosts, cookies and protocols open nothing', async (t) => {
  const { server, ports } = await besieged(t);
  const { admin, monitoring } = ports;
  const ask = (port: number, line: string, fields: Readonly<Record<string, string>> = {}) => {
    const all = { host: `127.0.0.1:${port}`, connection: 'close', ...fields };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return statusOf(t, port, `${line} HTTP/1.1\r\n${lines.join('')}\r\n`);
  };
  t.is(await ask(admin, 'GET /status', authorization), 200, 'the token works');
  for (const path of [
    '/../status',
    '//status',
    '/status/',
    '/STATUS',
    '/%73tatus',
    '/status%00',
    '/assets/../../package.json',
    '/assets/%2e%2e/status',
    '/assets/..%2f..%2fpackage.json',
    '/pools/__proto__',
    '/pools/constructor',
    '/threads/..%2f..%2fstatus',
    '/pools/%ff',
  ]) {
    t.is(await ask(admin, `GET ${path}`, authorization), 404, path);
    t.true([401, 404].includes(await ask(admin, `GET ${path}`)), `${path} without a token`);
    t.is(await ask(monitoring, `GET ${path}`), 404, path);
  }
  for (const port of [admin, monitoring]) {
    const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    t.true((await ask(port, 'GET /status', { ...upgrade, ...key })) >= 400);
    t.true(
      (await ask(port, 'GET /', { connection: 'upgrade', upgrade: 'h2c', 'http2-settings': '' })) !== 101,
    );
    t.true([0, 400, 404, 405, 501].includes(await ask(port, 'CONNECT 127.0.0.1:22')));
    t.true((await ask(port, 'TRACE /')) >= 400);
    t.is(await ask(port, 'GET http://evil.example/livez'), port === admin ? 421 : 200);
    t.is(await statusOf(t, port, `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`), 431);
    t.true([0, 400].includes(await statusOf(t, port, Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]))));
  }
  // Each address has ten wrong tokens a minute; none of these is one.
  for (const cookie of [
    `sluice-admin-${admin}=${'A'.repeat(43)}`,
    `sluice-admin-${admin}=`,
    `sluice-admin-${admin}=__proto__`,
    `sluice-admin-0=${TOKEN}`,
    `sluice-admin-${admin}=${TOKEN}`,
  ])
    t.is(await ask(admin, 'GET /status', { cookie }), 401, cookie);
  for (const host of [
    'evil.example',
    `evil.example:${admin}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
  ])
    t.is(await ask(admin, 'GET /status', { ...authorization, host }), 421, host);
  const foreign = { origin: 'http://evil.example', 'content-type': 'text/plain', 'content-length': '0' };
  for (const line of ['POST /drain', 'POST /stop', 'POST /reload', 'POST /pools/app/recycle'])
    t.is(await ask(admin, line, foreign), 403, line);
  // The control socket alone has these.
  for (const line of ['POST /stop', 'POST /profiles', 'POST /dashboard-links'])
    t.is(await ask(admin, line, { ...authorization, 'content-length': '0' }), 404, line);
  t.is(server.log.count('internal error'), 0);
  t.is(server.log.count('failed'), 0);
});

const hello = [...getFields.slice(0, -1), '/livez'];

/** What each hostile client sends; the server ends its connection, or leaves it waiting. */
const hostile: Readonly<Record<string, readonly (string | Buffer)[]>> = {
  'a head that does not end': ['GET / HTTP/1.1\r\nhost: x\r\n', ...Array<string>(20).fill('x: y\r\n')],
  'a body that does not come': [
    'POST /session HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 60000\r\n\r\n',
    '{',
  ],
  'pipelined requests': ['GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.repeat(500)],
  nothing: [],
  'a rapid reset': [
    preface,
    settings(),
    ...Array.from({ length: 3_000 }, (_, n) =>
      Buffer.concat([headers(2 * n + 1, hello), rstStream(2 * n + 1, 8)]),
    ),
  ],
  'a flood of pings': [preface, settings(), ...Array.from({ length: 3_000 }, () => ping())],
  'a flood of settings': [preface, ...Array.from({ length: 3_000 }, () => settings())],
  'unknown frames': [preface, settings(), ...Array.from({ length: 3_000 }, () => frame(0xee, 0, 0))],
  'more streams than there may be': [
    preface,
    settings(),
    ...Array.from({ length: 1_000 }, (_, n) => headers(2 * n + 1, hello)),
  ],
};

test('hostile clients of the operators’ listeners cost applications and operators nothing', async (t) => {
  const { server, origin, ports } = await besieged(t);
  const honest = new HonestClient(await connectHttp2(t, origin));
  const operator = connectHttp2Session(`http://127.0.0.1:${ports.admin}`);
  t.teardown(() => operator.destroy());
  await once(operator, 'connect');
  const status = () => request(operator, { ':path': '/status', ...authorization });
  t.is((await status()).status, 200);
  let state: 'on' | 'over' = 'on';
  let strikes = 0;
  const attack = async (port: number, pieces: readonly (string | Buffer)[], localAddress: string) => {
    while (state === 'on') {
      const sockets = Array.from({ length: 5 }, () => connectFrom(t, port, localAddress));
      await Promise.all(
        sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])),
      );
      for (const socket of sockets) for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
      strikes++;
      // The next ones come while these are open: they are more than there may be.
      await new Promise((resolve) => setImmediate(resolve));
      if (strikes % 3 === 0) for (const socket of sockets) socket.destroy();
    }
  };
  const attacks = Object.values(ports).flatMap((port) =>
    Object.values(hostile).map((pieces, index) => attack(port, pieces, `127.0.1.${index + 1}`)),
  );
  const before = honest.answered;
  for (let n = 0; n < 8; n++) {
    t.is((await status()).status, 200, 'the operator is answered');
    t.is(
      (await requestHttp1(`http://127.0.0.1:${ports.monitoring}/livez`)).status,
      200,
      'the probe is answered',
    );
  }
  while (honest.answered < before + 100 && honest.wrong.length === 0)
    await new Promise((resolve) => setImmediate(resolve));
  state = 'over';
  await Promise.all(attacks);
  t.deepEqual(honest.wrong, []);
  t.true(strikes > Object.keys(hostile).length);
  t.is(server.log.count('internal error'), 0);
  await honest.end();
  t.deepEqual(honest.wrong, []);
  server.child.kill('SIGTERM');
  t.deepEqual(await server.ended, { code: 0, signal: null });
});
