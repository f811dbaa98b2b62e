/** What the control socket answers, over both protocols, and what clients that misbehave get. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { ControlCode, ControlRefusal } from '../../runtime/control/errors.ts';
import { connectControl } from '../../runtime/control/find.ts';
import { read } from '../docs/markdown.ts';
import { application } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';
import { configOf, ownFolder, startControl } from './control-server.ts';

const execute = promisify(execFile);

async function curl(path: string, ...words: string[]): Promise<string> {
  const { stdout } = await execute('curl', ['-s', '--unix-socket', path, ...words]);
  return stdout;
}

/** Status and error code of what curl was answered, over both protocols. */
async function refusals(path: string, ...words: string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const protocol of ['--http1.1', '--http2-prior-knowledge']) {
    const answer = await curl(path, protocol, '-w', '\n%{http_code} %{content_type}', ...words);
    const [body = '', , tail] = answer.split('\n');
    answers.push(`${tail} ${JSON.parse(body).error.code}`);
  }
  return answers;
}

test('the command’s server tells its status to curl, over HTTP/1.1 and HTTP/2, and to the client', async (t) => {
  const base = ownFolder(t);
  const path = join(base, 'c.sock');
  const { listening } = startProcess(t, {
    pools: { app: { application: application('server', 'pool-name') } },
    control: { path },
  });
  const origin = await listening();
  for (const protocol of ['--http1.1', '--http2-prior-knowledge']) {
    const status = JSON.parse(await curl(path, protocol, 'http://sluice/status'));
    t.like(status, { state: 'running', listeners: [{ address: new URL(origin).host, tls: false }] });
  }
  const client = await connectControl(configOf({ path }, join(base, 'runtime.config.json')));
  t.teardown(() => client.close());
  t.like(await client.ask('GET', '/status'), {
    state: 'running',
    pools: [{ name: 'app', state: 'running' }],
  });
  // The application answers everything on its own listener, and nothing here.
  t.is((await fetch(`${origin}/anything`)).status, 200);
  t.deepEqual(await refusals(path, 'http://sluice/anything'), [
    '404 application/json SLUICE_CONTROL_NOT_FOUND',
    '404 application/json SLUICE_CONTROL_NOT_FOUND',
  ]);
});

test('what is refused is JSON with a stable code', async (t) => {
  const { path, routes, log, client } = await startControl(t, ownFolder(t), { maxBodyBytes: 2_048 });
  routes.add('POST', '/echo', async (exchange) => exchange.answer(200, await exchange.json()));
  routes.add('GET', '/broken', () => {
    throw new Error('a secret');
  });
  routes.add('GET', '/refused', () => {
    throw new ControlRefusal(409, 'SLUICE_PROFILE_RUNS', 'one runs already');
  });
  const both = (answer: string) => [answer, answer];
  t.is(await curl(path, '-d', '{"a":1}', 'http://x/echo'), '{"a":1}\n');
  t.deepEqual(
    await refusals(path, 'http://x/echo'),
    both('405 application/json SLUICE_CONTROL_METHOD_NOT_ALLOWED'),
  );
  t.regex(await curl(path, '-i', 'http://x/echo'), /^allow: POST\r$/im);
  t.deepEqual(
    await refusals(path, '-d', '{', 'http://x/echo'),
    both('400 application/json SLUICE_CONTROL_BAD_JSON'),
  );
  const large = 'x'.repeat(3_000);
  for (const framing of ['content-length: 3000', 'transfer-encoding: chunked']) {
    const answer = await curl(path, '-w', '%{http_code}', '-H', framing, '-d', large, 'http://x/echo');
    t.is(answer, '{"error":{"code":"SLUICE_CONTROL_REFUSED","message":"413 Content Too Large"}}\n413');
  }
  await t.throwsAsync((await client()).ask('POST', '/echo', { body: large }), {
    code: 'SLUICE_CONTROL_REFUSED',
    message: '413 Content Too Large',
  });
  t.deepEqual(await refusals(path, 'http://x/refused'), both('409 application/json SLUICE_PROFILE_RUNS'));
  t.deepEqual(await refusals(path, 'http://x/broken'), both('500 application/json SLUICE_CONTROL_FAILED'));
  t.like(log.find('request to the control, monitoring or admin listener failed'), {
    level: 'error',
    path: '/broken',
  });
  t.false((await curl(path, 'http://x/broken')).includes('secret'));
});

test('requests that are refused again and again fill no log: one line a second for each reason, and the rest are counted', async (t) => {
  const { path, log } = await startControl(t, ownFolder(t));
  const message = 'request to the control, monitoring or admin listener refused';
  const refused = async () => {
    const socket = connect(path);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n');
    t.regex(await text(socket), /^HTTP\/1\.1 400 /);
  };
  await Promise.all(Array.from({ length: 50 }, refused));
  const lines = log.lines.filter(({ msg }) => msg === message);
  t.like(lines[0], { level: 'debug', refusal: 'malformed', section: 'control' });
  t.true(lines.length < 50, `${lines.length} lines`);
  // The last ones have a line of their own a second later.
  const told = () =>
    log.lines.reduce((sum, { msg, suppressed, what }) => {
      const isOurs = msg === message || what === `${message}: malformed`;
      return isOurs ? sum + (msg === message ? 1 : 0) + Number(suppressed ?? 0) : sum;
    }, 0);
  if (told() < 50) await log.until('more lines of the same reason were left out');
  t.is(told(), 50);
});

test('a route that returns without an answer has answered 204, one that fails on its way is cut off', async (t) => {
  const { routes, client } = await startControl(t, ownFolder(t));
  routes.add('POST', '/nothing', () => undefined);
  routes.add('GET', '/half', async (exchange) => {
    exchange.respond(200, 'text/plain');
    await exchange.write('half');
    throw new Error('no more');
  });
  const asked = await client();
  t.is(await asked.ask('POST', '/nothing', { body: {} }), undefined);
  const { body, status, type } = await asked.request('GET', '/half');
  t.is(`${status} ${type}`, '200 text/plain');
  const pieces: string[] = [];
  await t.throwsAsync(
    async () => {
      for await (const piece of body) pieces.push(String(piece));
    },
    { code: 'SLUICE_CONTROL_LOST' },
  );
  t.deepEqual(pieces, ['half']);
});

/** A route that writes pieces of 16 KiB until it may not, or for ever. */
function flood(t: ExecutionContext, pieces: number) {
  const written = { bytes: 0 };
  const ended = Promise.withResolvers<unknown>();
  t.teardown(() => ended.promise);
  const run = async (
    exchange: Parameters<Parameters<Awaited<ReturnType<typeof startControl>>['routes']['add']>[2]>[0],
  ) => {
    try {
      exchange.respond(200, 'application/octet-stream');
      for (let piece = 0; piece < pieces; piece++) {
        await exchange.write(Buffer.alloc(16_384, 120));
        written.bytes += 16_384;
      }
      ended.resolve('all');
    } catch (error) {
      ended.resolve(exchange.signal.aborted ? 'aborted' : error);
    }
  };
  return { written, ended: ended.promise, run };
}

test('a stream comes whole, over both protocols', async (t) => {
  const { path, routes } = await startControl(t, ownFolder(t));
  routes.add('GET', '/flood', flood(t, 320).run);
  for (const protocol of ['--http1.1', '--http2-prior-knowledge']) {
    const { stdout } = await execute('sh', [
      '-c',
      `curl -s ${protocol} --unix-socket ${path} http://x/flood | wc -c`,
    ]);
    t.is(Number(stdout), 320 * 16_384);
  }
});

test('a client that does not read holds one window of a stream, and its leaving is heard', async (t) => {
  const { path, routes, client } = await startControl(t, ownFolder(t));
  const { run, written, ended } = flood(t, Number.POSITIVE_INFINITY);
  routes.add('GET', '/flood', run);
  routes.add('GET', '/here', (exchange) => exchange.answer(200, 'here'));
  const lazy = connectHttp2('http://x', { path, settings: { initialWindowSize: 0 } });
  t.teardown(() => lazy.destroy());
  const stream = lazy.request({ ':path': '/flood' });
  stream.on('error', () => undefined);
  await once(stream, 'response');
  // Others are answered meanwhile; by then the route has written what it may.
  const other = await client();
  for (let i = 0; i < 20; i++) t.is(await other.ask('GET', '/here'), 'here');
  t.true(written.bytes <= 65_536, `${written.bytes}`);
  stream.close(8);
  t.is(await ended, 'aborted');
});

test('the client’s signal cancels what the server does', async (t) => {
  const { routes, client } = await startControl(t, ownFolder(t));
  const { run, ended } = flood(t, Number.POSITIVE_INFINITY);
  routes.add('GET', '/flood', run);
  const cancel = new AbortController();
  const { body } = await (await client()).request('GET', '/flood', { signal: cancel.signal });
  await t.throwsAsync(async () => {
    for await (const _piece of body) cancel.abort();
  });
  t.is(await ended, 'aborted');
});

test('the end of the server cuts streams off, and both sides hear of it', async (t) => {
  const { control, routes, client } = await startControl(t, ownFolder(t));
  const { run, ended } = flood(t, Number.POSITIVE_INFINITY);
  routes.add('GET', '/flood', run);
  const { body } = await (await client()).request('GET', '/flood');
  await t.throwsAsync(
    async () => {
      for await (const _piece of body) control.close();
    },
    { code: 'SLUICE_CONTROL_LOST', message: /the server broke it off/ },
  );
  t.is(await ended, 'aborted');
});

test('beyond maxExchanges requests are answered 503, beyond maxConnections connections are closed', async (t) => {
  const { path, routes, client } = await startControl(t, ownFolder(t), {
    maxConnections: 2,
    maxExchanges: 1,
  });
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  routes.add('GET', '/held', async (exchange) => {
    begun.resolve();
    await held.promise;
    exchange.answer(200, 'held');
  });
  const one = await client();
  const waiting = one.ask('GET', '/held');
  await begun.promise;
  const two = await client();
  await t.throwsAsync(two.ask('GET', '/held'), {
    code: 'SLUICE_CONTROL_BUSY',
    message: /control\.maxExchanges/,
  });
  const third = connect(path).resume();
  await once(third, 'close');
  held.resolve();
  t.is(await waiting, 'held');
  t.is(await two.ask('GET', '/held'), 'held');
});

test('a client that is silent is closed by the deadline for heads', async (t) => {
  const { path } = await startControl(t, ownFolder(t), {}, { limits: { headerTimeoutMs: 50 } });
  await once(connect(path).resume(), 'close');
  t.pass();
});

test('a client that is slow with its body is answered 408', async (t) => {
  const limits = { requestRate: { bytesPerSecond: 1_000, windowMs: 1_000 } };
  const { path, routes } = await startControl(t, ownFolder(t), {}, { limits });
  routes.add('POST', '/echo', async (exchange) => exchange.answer(200, await exchange.json()));
  const slow = connect(path);
  slow.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{');
  t.regex(await text(slow), /^HTTP\/1\.1 408 /);
});

test('what is no HTTP is closed, and nobody else notices', async (t) => {
  const { path, routes, client } = await startControl(t, ownFolder(t));
  routes.add('GET', '/here', (exchange) => exchange.answer(200, 'here'));
  const socket = connect(path);
  socket.on('error', () => undefined).resume();
  socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1]));
  await once(socket, 'close');
  t.is(await (await client()).ask('GET', '/here'), 'here');
});

test('nothing is kept of clients that have left', async (t) => {
  const { control, path, routes, client } = await startControl(t, ownFolder(t));
  routes.add('GET', '/here', (exchange) => exchange.answer(200, 'here'));
  const opened = await client();
  t.is(await opened.ask('GET', '/here'), 'here');
  opened.close();
  control.close();
  control.close();
  t.false(existsSync(path));
  await t.throwsAsync(connectControl(configOf({ path }, '/nowhere/runtime.config.json')), {
    code: 'SLUICE_CONTROL_NO_SERVER',
  });
});

test('the page about the control socket names every code', (t) => {
  const page = read('docs/control-socket.md');
  const missing = Object.values(ControlCode).filter((code) => !page.includes(`\`${code}\``));
  t.deepEqual(missing, []);
});

test('every answer says which version gave it', async (t) => {
  const { path, routes } = await startControl(t, ownFolder(t));
  routes.add('GET', '/here', (exchange) => exchange.answer(200, 'here'));
  const session = connectHttp2('http://x', { path });
  t.teardown(() => session.destroy());
  const [head] = (await once(session.request({ ':path': '/here' }), 'response')) as [IncomingHttpHeaders];
  t.like(head, { 'sluice-control': '1', 'cache-control': 'no-store' });
  t.regex(String(head['sluice-version']), /^\d+\.\d+\.\d+/);
});
