/**
 * Attackers that use HTTP/1.1: messages that trickle at any point, crumbs of content that cost more than they
 * carry, and requests whose answers nobody reads. Each is disconnected or limited in cost, while an honest
 * client is served.
 */
import { connect } from 'node:net';
import test from 'ava';
import { FileScope, type Scope } from '../server/harness.ts';
import { besiege, rawSocket, startTarget, type Target } from './siege.ts';

const CONNECTIONS = 100;
/** As short as the server's clock can resolve. */
const rate = { bytesPerSecond: 1_000, windowMs: 1_000 };
const limits = { headerTimeoutMs: 1_000, requestRate: rate, responseRate: rate };
const http1 = { keepAliveTimeoutMs: 1_000, discardTimeoutMs: 1_000 };

const scope = new FileScope();
/** One target with short deadlines, and one with the default ones. */
let hasty: Target;
let patient: Target;

test.before(async () => {
  hasty = await startTarget(scope, { limits, http1 });
  patient = await startTarget(scope);
});
test.after.always(() => scope.end());

const head = (method: string, path: string, ...lines: string[]): string =>
  `${[`${method} ${path} HTTP/1.1`, 'host: a', ...lines].join('\r\n')}\r\n\r\n`;
const chunked = (path: string): string => head('POST', path, 'transfer-encoding: chunked');

/** The statuses of all responses on a connection, and how it ended. */
const statuses = (text: string): string =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status).join(' ');

/** Sends the start, then one drop ten times a second, until the server ends the connection. */
async function drip(at: Scope, port: number, start: string, drop: string): Promise<string> {
  const socket = rawSocket(at, port);
  socket.send(start);
  const dripping = setInterval(() => socket.send(drop), 100);
  await socket.closed;
  clearInterval(dripping);
  return statuses(socket.text());
}

for (const [where, start, drop, outcome] of [
  ['the request line', 'GET /', 'x', '408'],
  ['a field name', 'GET /hello HTTP/1.1\r\nx', 'x', '408'],
  ['white space before a value', 'GET /hello HTTP/1.1\r\nx:', ' ', '408'],
  ['field lines', 'GET /hello HTTP/1.1\r\n', 'x: y\r\n', '408'],
  ['empty lines before any request', '', '\r\n', ''],
  ['empty lines behind a request', head('GET', '/hello'), '\r\n', '200'],
  ['a head behind a request', `${head('GET', '/hello')}GET /`, 'x', '200 408'],
  ['a chunk extension', `${chunked('/read')}5;a=`, 'x', '408'],
  ['chunks of a byte', chunked('/read'), '1\r\nx\r\n', '408'],
  ['trailer lines', `${chunked('/read')}0\r\n`, 'x: y\r\n', '408'],
  ['a trailer value', `${chunked('/read')}5\r\nhello\r\n0\r\nx: `, 'y', '408'],
  ['trailers of a request that was answered', `${chunked('/hello')}0\r\nx: `, 'y', '200'],
  ['content of a request that was answered', head('POST', '/hello', 'content-length: 1000'), 'x', '200'],
] as const) {
  test.serial(`slow loris: ${where}`, async (t) => {
    const strike = async (at: Scope, port: number): Promise<string> => {
      const outcomes = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => drip(at, port, start, drop)),
      );
      return [...new Set(outcomes)].join();
    };
    const outcomes = new Set(
      (await besiege(t, hasty, { attackers: 1, rounds: 50, strike })).join().split(','),
    );
    // A busy machine may read a connection's first byte after its deadline, when there is no request to
    // answer yet.
    if (outcome !== '') outcomes.delete('');
    t.deepEqual([...outcomes], [outcome]);
  });
}

/** The response to bytes that are sent at once. */
async function flood(at: Scope, port: number, bytes: Buffer): Promise<string> {
  const socket = rawSocket(at, port);
  socket.send(bytes);
  await Promise.race([socket.closed, socket.answered]);
  socket.destroy();
  return socket.text().slice(9, 12);
}

/** The size of the crumbs on the wire, for each upload. */
const CRUMB_BYTES = 1_200_000;
for (const [name, attackers, path, chunk, outcome] of [
  // As many as made a server on node:http grow by 364 MB.
  ['one byte', 200, '/read', '1\r\nx\r\n', '200'],
  ['one byte with a size of sixteen digits', 50, '/read', '0000000000000001\r\nx\r\n', '200'],
  ['one byte to an application that has answered', 50, '/hello', '1\r\nx\r\n', '200'],
  ['one byte with an extension', 50, '/read', '1;a=b\r\nx\r\n', '400'],
] as const) {
  test.serial(`uploads in chunks of ${name}, on many connections at once`, async (t) => {
    // All of them have to be read once before the honest client sends its requests.
    t.timeout(300_000);
    const crumbs = chunk.repeat(Math.floor(CRUMB_BYTES / chunk.length));
    const bytes = Buffer.from(`${chunked(path)}${crumbs}0\r\n\r\n`);
    const strike = (at: Scope, port: number): Promise<string> => flood(at, port, bytes);
    const outcomes = await besiege(t, patient, { attackers, rounds: 100, strike });
    t.deepEqual([...new Set(outcomes)], [outcome]);
  });
}

/** Against a server with a smaller budget. */
for (const [name, chunk, outcome] of [
  ['fewer than four bytes', '3\r\nxxx\r\n', '400'],
  ['four bytes', '4\r\nxxxx\r\n', '200'],
] as const) {
  test.serial(`more chunks of ${name} than the budget has`, async (t) => {
    const strict = await startTarget(t, { http1: { smallChunks: { burst: 10_000, perSecond: 1 } } });
    const bytes = Buffer.from(`${chunked('/read')}${chunk.repeat(100_000)}0\r\n\r\n`);
    const strike = (at: Scope, port: number): Promise<string> => flood(at, port, bytes);
    const outcomes = await besiege(t, strict, { attackers: 20, rounds: 200, strike });
    t.deepEqual([...new Set(outcomes)], [outcome]);
  });
}

/**
 * Sends the same bytes for as long as the server takes them, and reads nothing. @returns how the server ended
 * it
 */
function press(at: Scope, port: number, words: string): Promise<string> {
  const bytes = Buffer.from(words.repeat(Math.ceil(65_536 / words.length)));
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    at.teardown(() => socket.destroy());
    socket.pause();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve('closed'));
    const send = (error?: Error | null): void => {
      if (error == null) socket.write(bytes, send);
    };
    send();
  });
}

/** Of eight connections, `http1.maxParallelRequests` exchanges each, with a `responseWindowBytes` each. */
const WINDOWS_BYTES = 8 * 32 * 262_144;
for (const [name, words, heldBytes = 0] of [
  ['requests in a pipeline whose answers without content nobody reads', head('HEAD', '/hello')],
  ['requests in a pipeline whose answers with content nobody reads', head('GET', '/hello')],
  ['requests in a pipeline for what there is not, whose answers nobody reads', head('GET', '/nowhere')],
  ['requests in a pipeline whose large answers nobody reads', head('GET', '/large'), WINDOWS_BYTES],
  ['empty lines without end', '\r\n'],
] as const) {
  test.serial(name, async (t) => {
    const strike = (at: Scope, port: number): Promise<string> => press(at, port, words);
    const outcomes = await besiege(t, hasty, { attackers: 8, rounds: 50, heldBytes, strike });
    t.deepEqual([...new Set(outcomes)], ['closed']);
  });
}
