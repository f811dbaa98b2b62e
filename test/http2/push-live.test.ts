/** Server push through the whole server, to third-party clients. */
import { execFile } from 'node:child_process';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { type Answer, answer, connectHttp2, request } from '../server/http2-client.ts';

const run = promisify(execFile);
const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      pushes: {
        application: fileURLToPath(new URL('./applications/pushes.ts', import.meta.url)),
        threads: { min: 1, max: 1 },
        // It pushes after the end to see how the server reacts.
        validate: false,
      },
    },
    http2: { maxConcurrentPushes: 50 },
  });
});
test.after.always(() => scope.end());

interface Pushed {
  readonly promised: IncomingHttpHeaders;
  readonly answer: Promise<Answer>;
}

/** The pushed responses of a session, by path. */
function collect(session: ClientHttp2Session): Map<string, Pushed> {
  const pushed = new Map<string, Pushed>();
  session.on('stream', (stream, promised) => {
    const whole = answer(stream);
    let head: IncomingHttpHeaders = {};
    stream.on('push', (headers) => {
      head = headers;
    });
    const withHead = whole.then((each) => ({ ...each, status: Number(head[':status'] ?? 0), headers: head }));
    pushed.set(String(promised[':path']), { promised, answer: withHead });
  });
  return pushed;
}

test('node:http2 gets a page and what goes with it, each with its own fields, content and trailers', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const pushed = collect(session);
  const page = await request(session, { ':path': '/page' });
  t.is(page.body.toString(), '<p>2');
  const style = pushed.get('/style.css');
  t.like(style?.promised, { ':method': 'GET', ':authority': server.origin.slice(7), accept: 'text/css' });
  t.like(await style?.answer, { status: 200, how: 'whole' });
  t.is((await style?.answer)?.body.toString(), 'p { color: red }');
  const script = await pushed.get('/script.js?a=1')?.answer;
  t.is(script?.body.toString(), 'let a = 1;');
  t.is(script?.trailers['x-checksum'], 'abc');
});

test('nghttp accepts pushed responses', async (t) => {
  const { stdout } = await run('nghttp', ['--verbose', `${server.origin}/page`]);
  t.is(stdout.match(/recv PUSH_PROMISE frame/g)?.length, 2);
  const content = await run('nghttp', [`${server.origin}/page`]);
  t.is(content.stdout, '<p>2p { color: red }let a = 1;');
});

test('a peer that disables push gets none, and the application knows', async (t) => {
  const session = await connectHttp2(t, server.origin, { settings: { enablePush: false } });
  const pushed = collect(session);
  t.is((await request(session, { ':path': '/page' })).body.toString(), '<p>0');
  t.is((await request(session, { ':path': '/capabilities' })).body.toString(), 'false');
  t.is(pushed.size, 0);
  const other = await connectHttp2(t, server.origin);
  t.is((await request(other, { ':path': '/capabilities' })).body.toString(), 'true');
  const { stdout } = await run('curl', ['-sS', '--http1.1', `${server.origin}/capabilities`]);
  t.is(stdout, 'false');
});

test('a pushed response may follow its complete page, under its own flow control', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const pushed = collect(session);
  t.is((await request(session, { ':path': '/outlive' })).body.toString(), 'page');
  const late = await pushed.get('/late')?.answer;
  t.is(late?.body.length, 1_000_000);
  t.is(late?.how, 'whole');
});

test('a promise without a complete response is reset when the application’s function is over', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const pushed = collect(session);
  t.is((await request(session, { ':path': '/forgotten' })).body.toString(), 'page');
  t.like(await pushed.get('/never')?.answer, { status: 0, resetCode: 8 });
  t.like(await pushed.get('/begun')?.answer, { status: 200, resetCode: 8 });
  const thrown = collect(session);
  t.is((await request(session, { ':path': '/thrown' })).status, 500);
  t.like(await thrown.get('/never')?.answer, { resetCode: 8 });
});

test('a promise that a scope leaves before its response is complete is reset at once', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const pushed = collect(session);
  t.is((await request(session, { ':path': '/scoped' })).body.toString(), 'page');
  t.like(await pushed.get('/left')?.answer, { status: 200, resetCode: 8 });
});

test('an application is told that the peer does not want a push', async (t) => {
  const session = await connectHttp2(t, server.origin);
  session.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.close(5);
  });
  const { body } = await request(session, { ':path': '/reset' });
  t.is(body.toString(), 'peer reset 5 SLUICE_EXCHANGE_CLOSED');
});

test('a push after the end of the response is an error of the application, and harms nobody', async (t) => {
  const session = await connectHttp2(t, server.origin);
  t.is((await request(session, { ':path': '/late' })).body.toString(), 'page');
  t.is((await request(session, { ':path': '/late-code' })).body.toString(), 'SLUICE_RESPONSE_ENDED');
});

// Serial, since it takes nearly all of the thread's slots.
test.serial(
  'maxConcurrentPushes: a push beyond the limit is refused, and an ended push makes room',
  async (t) => {
    const session = await connectHttp2(t, server.origin);
    const pushed = collect(session);
    for (let round = 0; round < 30; round++) {
      t.is((await request(session, { ':path': '/many?count=60' })).body.toString(), '50');
      await Promise.all([...pushed.values()].map((each) => each.answer));
      pushed.clear();
      t.is((await request(session, { ':path': '/unawaited' })).body.toString(), 'page');
      await Promise.all([...pushed.values()].map((each) => each.answer));
      pushed.clear();
    }
    t.is(server.log.count('thread died'), 0);
  },
);

test('the application sees the priority that its peer requests (RFC 9218)', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const seen = async (priority: string | undefined) => {
    const fields = priority === undefined ? {} : { priority };
    return JSON.parse((await request(session, { ':path': '/priority', ...fields })).body.toString());
  };
  t.deepEqual(await seen(undefined), { urgency: 3, incremental: false });
  t.deepEqual(await seen('u=0, i'), { urgency: 0, incremental: true });
  t.deepEqual(await seen('u=7'), { urgency: 7, incremental: false });
  const { stdout } = await run('curl', ['-sS', '--http1.1', `${server.origin}/priority`]);
  t.deepEqual(JSON.parse(stdout), { urgency: 3, incremental: false });
});

test('the loss of a connection ends its pushes', async (t) => {
  const session = await connectHttp2(t, server.origin);
  session.on('stream', (stream) => {
    stream.on('error', () => undefined);
    session.destroy();
  });
  await request(session, { ':path': '/reset' });
  const next = await connectHttp2(t, server.origin);
  t.is((await request(next, { ':path': '/many?count=1' })).body.toString(), '1');
});
