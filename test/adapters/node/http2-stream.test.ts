/**
 * Streams of node:http2: `req.stream` and `res.stream`, and a server that listens to `stream`. Each way of using one is held against
 * node:http2 itself, where the same runs.
 */
import { once } from 'node:events';
import type { Http2Server, IncomingHttpHeaders } from 'node:http2';
import type { Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { type Answer, answer, connectHttp2, request } from '../../server/http2-client.ts';
import { asked, byRequest, byStream, ways } from './applications/http2-stream.ts';
import { listen } from './reference.ts';

interface Mode {
  readonly ours: TestServer;
  readonly node: string;
}

const scope = new FileScope();
const modes: { [mode: string]: Mode } = {};
const MODES = ['of a request', 'of a listener'] as const;

test.before(async () => {
  const start = async (name: string, reference: Http2Server): Promise<Mode> => {
    const application = fileURLToPath(new URL(`applications/${name}`, import.meta.url));
    const { origin } = await listen(scope, reference as unknown as Server as never);
    const pools = { streams: { application, threads: { min: 1, max: 1 } } };
    return { ours: await startServer(scope, { pools }), node: origin };
  };
  modes['of a request'] = await start('http2-stream.ts', byRequest());
  modes['of a listener'] = await start('http2-stream-listener.ts', byStream());
});
test.after.always(() => scope.end());

interface Whole extends Pick<Answer, 'status' | 'resetCode' | 'interim'> {
  readonly body: string;
  readonly fields: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly pushed: readonly unknown[];
}

/** What differs between two servers in any case, or is said by one alone that may. */
const UNCOMPARED = new Set(['date', 'content-length', 'server']);
const BODY = { '/echo': 'an echo', '/of-request': 'content' } as { readonly [path: string]: string };

async function ask(t: ExecutionContext, origin: string, path: string): Promise<Whole> {
  const session = await connectHttp2(t, origin, { settings: { enablePush: path !== '/push-refused' } });
  const pushes: Promise<unknown>[] = [];
  session.on('stream', (stream, promised) => {
    // The head of a promised response comes as an event of its own.
    const head = once(stream, 'push');
    pushes.push(
      Promise.all([head, answer(stream)]).then(([[headers], { body }]) => ({
        path: promised[':path'],
        method: promised[':method'],
        fields: fieldsOf(headers),
        body: body.toString(),
      })),
    );
  });
  const body = BODY[path];
  const stream = session.request(
    { ':path': path, ':method': body === undefined ? 'GET' : 'POST', 'x-own': 'a field' },
    { endStream: body === undefined, waitForTrailers: path === '/of-request' },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sent': 'by the client' }));
  if (body !== undefined) stream.end(body);
  const { status, headers, interim, trailers, resetCode, ...given } = await answer(stream);
  return {
    status,
    resetCode,
    interim: interim.map((each) => ({ ...each })),
    body: given.body.toString(),
    fields: fieldsOf(headers),
    trailers: fieldsOf(trailers),
    pushed: await Promise.all(pushes),
  };
}

function fieldsOf(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !UNCOMPARED.has(name)));
}

const ALONE = new Set([
  ...['/hold', '/ended', '/session', '/cut', '/late', '/told-late'],
  // Node sends a negative length.
  ...['/file-beyond', '/file-before'],
]);
/** The compatibility interface of node:http2 sends the trailers of its streams itself. */
const OF_LISTENERS = new Set(['/trailers']);

for (const mode of MODES) {
  const isCompatible = mode === 'of a request';
  const own = Object.keys(ways).filter(
    (path) => !ALONE.has(path) && !(isCompatible && OF_LISTENERS.has(path)),
  );
  const ofRequests = Object.keys(asked).filter((path) => !ALONE.has(path));
  for (const path of isCompatible ? [...own, ...ofRequests] : own) {
    test(`a stream ${mode}: ${path} does what it does on node:http2`, async (t) => {
      const { ours, node } = modes[mode] as Mode;
      const expected = await ask(t, node, path);
      t.deepEqual(await ask(t, ours.origin, path), expected);
    });
  }

  test(`a stream ${mode} hears that its peer has reset it, with the code`, async (t) => {
    const { ours, node } = modes[mode] as Mode;
    const heard: string[] = [];
    for (const origin of [node, ours.origin]) {
      const session = await connectHttp2(t, origin);
      const stream = session.request({ ':path': '/hold' });
      stream.on('error', () => undefined);
      await once(stream.resume(), 'response');
      stream.close(8);
      // The reset is on its way before the next request.
      for (let told = '{}'; ; ) {
        told = (await request(session, { ':path': '/ended' })).body.toString();
        if (told === '{}') continue;
        heard.push(told);
        break;
      }
    }
    t.is(heard[0], JSON.stringify({ aborted: true, rstCode: 8, destroyed: true }));
    t.is(heard[1], heard[0]);
  });

  test(`a stream ${mode} that is closed with a code within its response is reset, where node:http2 ends it first`, async (t) => {
    const { ours } = modes[mode] as Mode;
    t.like(await ask(t, ours.origin, '/cut'), { status: 200, body: 'a part', resetCode: 2 });
  });

  test(`a stream ${mode}: what acts on its session fails the exchange by its code`, async (t) => {
    const { ours } = modes[mode] as Mode;
    const session = await connectHttp2(t, ours.origin);
    t.is((await request(session, { ':path': '/session' })).status, 500);
    const line = await ours.log.until('application failed', ({ path }) => path === '/session');
    t.like(line.err, { code: 'SLUICE_NO_SOCKET' });
    t.is(ours.log.count('thread died'), 0);
  });
}

test('a part that is none of its file is empty beyond its end, and an error before its beginning', async (t) => {
  const { ours } = modes['of a listener'] as Mode;
  t.like(await ask(t, ours.origin, '/file-beyond'), { status: 200, body: '' });
  t.like(await ask(t, ours.origin, '/file-before'), { status: 200, body: 'ERR_OUT_OF_RANGE' });
});

test('what comes late on a response throws what it throws on node:http2', async (t) => {
  const { ours, node } = modes['of a request'] as Mode;
  const heard: string[] = [];
  for (const origin of [node, ours.origin]) {
    const session = await connectHttp2(t, origin);
    t.is((await request(session, { ':path': '/late' })).body.toString(), 'answered');
    let told = '';
    while (!told.includes('INVALID_STREAM'))
      told = (await request(session, { ':path': '/told-late' })).body.toString();
    heard.push(told);
  }
  t.is(heard[1], heard[0]);
  t.is(ours.log.count('thread died'), 0);
});

test('a listener of streams serves HTTP/1.1 as well, which node:http2 refuses', async (t) => {
  const { ours } = modes['of a listener'] as Mode;
  const { status, headers, body } = await requestHttp1(`${ours.origin}/lists`);
  t.deepEqual([status, headers['set-cookie'], body.toString()], [201, ['a=1', 'b=2'], 'in lists']);
  const asked = await requestHttp1(`${ours.origin}/headers`, { headers: { 'x-own': 'a field' } });
  t.is(asked.body.toString(), JSON.stringify(['GET', '/headers', 'http', true, 'a field']));
});

test('a request over HTTP/1.1 has no stream, as on Node', async (t) => {
  const { ours } = modes['of a request'] as Mode;
  const { status } = await requestHttp1(`${ours.origin}/told`);
  t.is(status, 500);
});
