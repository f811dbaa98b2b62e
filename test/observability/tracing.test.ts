/** Spans of requests, by a real SDK in the application's thread, and Server-Timing. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BroadcastChannel } from 'node:worker_threads';
import test from 'ava';
import { FileScope, type Scope, type ServerInput, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import type { Told } from './told.ts';

const application = (name: string) => fileURLToPath(new URL(`./applications/${name}.mjs`, import.meta.url));
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SERVER = 1;
const ERROR = 2;

class Spans {
  readonly told: Told[] = [];
  #wake: (() => void)[] = [];

  add(span: Told): void {
    this.told.push(span);
    for (const wake of this.#wake.splice(0)) wake();
  }

  async until(wanted: (span: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.told.find(wanted);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  childrenOf({ spanId }: Told): ReadonlyMap<string, Told> {
    return new Map(this.told.filter(({ parent }) => parent === spanId).map((span) => [span.name, span]));
  }
}

interface Traced extends TestServer {
  readonly spans: Spans;
}

async function start(scope: Scope, name: string, more: Partial<ServerInput> = {}): Promise<Traced> {
  const channel = new BroadcastChannel(randomUUID());
  const spans = new Spans();
  channel.onmessage = (event) => spans.add((event as unknown as { data: Told }).data);
  scope.teardown(() => channel.close());
  const server = await startServer(scope, {
    pools: {
      traced: {
        application: application(name),
        threads: { min: 1, max: 1 },
        env: { TEST_SPANS: channel.name },
      },
    },
    requestId: {},
    tracing: {},
    ...more,
  });
  return { ...server, spans };
}

const scope = new FileScope();
/** For all tests that need no setting of their own, each with paths of its own: a dozen servers that start at once keep each other waiting. */
let shared: Traced;

test.before(async () => {
  shared = await start(scope, 'traced');
});
test.after.always(() => scope.end());

const isServer = (path: string) => (span: Told) =>
  span.kind === SERVER && span.attributes['url.path'] === path;

test('a request has a span below the one that it came with, and the application goes on below that', async (t) => {
  const { origin, spans } = shared;
  const session = await connectHttp2(t, origin);
  const asked = { 'user-agent': 'a test', traceparent: `00-${TRACE}-${PARENT}-01` };
  const { headers, body } = await request(session, { ':path': '/here?secret', ...asked });
  const seen = JSON.parse(String(body));
  const server = await spans.until(isServer('/here'));
  t.is(server.scope, 'sluice');
  t.is(server.name, 'GET');
  t.is(server.traceId, TRACE);
  t.is(server.parent, PARENT);
  t.deepEqual(seen, {
    traceId: TRACE,
    spanId: server.spanId,
    traceparent: `00-${TRACE}-${server.spanId}-01`,
  });
  t.deepEqual(server.attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.path': '/here',
    'url.scheme': 'http',
    'network.protocol.name': 'http',
    'network.protocol.version': '2',
    'client.address': '127.0.0.1',
    'user_agent.original': 'a test',
    'sluice.pool': 'traced',
    'sluice.thread': 'traced-1',
    'sluice.request_id': headers['x-request-id'],
  });
  const own = spans.told.find(({ scope }) => scope === 'application');
  t.is(own?.parent, server.spanId);
});

test('its children say what was waiting and what was the application, one behind the other', async (t) => {
  const { origin, spans } = shared;
  await requestHttp1(`${origin}/large`);
  const server = await spans.until(isServer('/large'));
  const children = spans.childrenOf(server);
  t.deepEqual([...children.keys()], ['own work', 'accept', 'queue', 'claim', 'application', 'send']);
  const [accept, queue, claim, run, send] = ['accept', 'queue', 'claim', 'application', 'send'].map(
    (name) => children.get(name) as Told,
  ) as [Told, Told, Told, Told, Told];
  // The SDK keeps ends as durations, which costs fractions of a microsecond.
  const isSame = (one: number, other: number) => t.true(Math.abs(one - other) < 0.01, `${one} ${other}`);
  isSame(accept.startMs, server.startMs);
  isSame(accept.endMs, server.startMs);
  isSame(queue.startMs, accept.endMs);
  isSame(queue.endMs, claim.startMs);
  isSame(claim.endMs, run.startMs);
  t.true(queue.startMs <= queue.endMs && claim.startMs <= claim.endMs && run.startMs < run.endMs);
  t.true(send.startMs <= send.endMs);
  const own = children.get('own work') as Told;
  t.true(own.startMs >= run.startMs - 1 && own.endMs <= run.endMs + 1);
  isSame(server.endMs, Math.max(run.endMs, send.endMs));
});

test('how long the application waited for a client that does not read is an attribute', async (t) => {
  const { origin, spans, server } = shared;
  const session = await connectHttp2(t, origin);
  const stream = session.request({ ':path': '/large/stalled' });
  await once(stream, 'response');
  // The client's window is full, and what the server holds for it as well.
  while (!server.status().pools[0]?.threads.some(({ creditStalled }) => creditStalled > 0))
    await new Promise((resolve) => setImmediate(resolve));
  const stalledFromMs = performance.now();
  while (performance.now() - stalledFromMs < 5) await new Promise((resolve) => setImmediate(resolve));
  stream.resume();
  await once(stream, 'end');
  const { attributes } = await spans.until(isServer('/large/stalled'));
  const stalledMs = Number(attributes['sluice.credit_stalled_ms']);
  t.true(stalledMs >= 5, `${stalledMs} ms`);
});

/** A request without content: HEADERS of RFC 9113, HPACK with the static table and literals. */
function headersFrame(streamId: number, path: string): Buffer {
  const GET = 0x82;
  const HTTP = 0x86;
  const block = [GET, HTTP, 0x04, path.length, ...Buffer.from(path), 0x01, 4, ...Buffer.from('host')];
  const END_OF_ALL = 0x05;
  return Buffer.from([0, 0, block.length, 0x01, END_OF_ALL, 0, 0, 0, streamId, ...block]);
}

const CLIENT_PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 0x04, 0, 0, 0, 0, 0]),
]);

for (const { version, first, second } of [
  {
    version: 'HTTP/1.1',
    first: Buffer.from('GET /1/first HTTP/1.1\r\nhost: test\r\n\r\n'),
    second: Buffer.from('GET /1/second HTTP/1.1\r\nhost: test\r\n\r\n'),
  },
  {
    version: 'HTTP/2',
    first: Buffer.concat([CLIENT_PREFACE, headersFrame(1, '/2/first')]),
    second: headersFrame(3, '/2/second'),
  },
]) {
  test(`how long a client took to send its head is the first child, over ${version}`, async (t) => {
    const { origin, spans } = shared;
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname).resume();
    t.teardown(() => socket.destroy());
    const half = second.length >> 1;
    socket.write(Buffer.concat([first, second.subarray(0, half)]));
    const before = await spans.until(isServer(`/${version.at(5)}/first`));
    const whole = spans.childrenOf(before).get('accept') as Told;
    t.true(whole.endMs - whole.startMs < 0.01, 'a head that came at once has not been waited for');
    // The half had been read with the request that has been answered.
    const seenMs = performance.now();
    await new Promise(setImmediate);
    const heldMs = performance.now() - seenMs;
    socket.write(second.subarray(half));
    const server = await spans.until(isServer(`/${version.at(5)}/second`));
    const accept = spans.childrenOf(server).get('accept') as Told;
    t.true(
      accept.endMs - accept.startMs >= heldMs - 0.01,
      `${accept.endMs - accept.startMs} of ${heldMs} ms`,
    );
    t.true(Math.abs(accept.startMs - server.startMs) < 0.01);
  });
}

test('failures and resets have their span, with what went wrong', async (t) => {
  const { origin, spans } = shared;
  t.is((await requestHttp1(`${origin}/fail`)).status, 500);
  const failed = await spans.until(isServer('/fail'));
  t.like(failed, { status: ERROR, events: ['exception'] });
  t.like(failed.attributes, { 'error.type': 'TypeError', 'http.response.status_code': 500 });
  const session = await connectHttp2(t, origin);
  await request(session, { ':path': '/reset' });
  const reset = await spans.until(isServer('/reset'));
  t.false('http.response.status_code' in reset.attributes);
});

test('without a context a trace begins here; one that is malformed or twice is none', async (t) => {
  const { origin, spans } = shared;
  for (const [path, traceparent] of [
    ['/none', undefined],
    ['/malformed', `00-${TRACE}-zzzz-01`],
    ['/twice', [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`]],
  ] as [path: string, traceparent: string | string[] | undefined][]) {
    await requestHttp1(`${origin}${path}`, traceparent === undefined ? {} : { headers: { traceparent } });
    const { parent, traceId } = await spans.until(isServer(path));
    t.is(parent, undefined, path);
    t.not(traceId, TRACE, path);
  }
});

test('what is not sampled is not recorded, and its context goes on all the same', async (t) => {
  const { origin, spans } = shared;
  const { body } = await requestHttp1(`${origin}/unsampled`, {
    headers: { traceparent: `00-${TRACE}-${PARENT}-00` },
  });
  const { traceparent } = JSON.parse(String(body));
  t.regex(traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  t.false(traceparent.includes(PARENT));
  await requestHttp1(`${origin}/sampled`);
  await spans.until(isServer('/sampled'));
  t.false(spans.told.some(isServer('/unsampled')));
});

test("OpenTelemetry's own instrumentation of node:http gets its server span, below ours", async (t) => {
  const { origin, spans } = await start(t, 'instrumented');
  const { body } = await requestHttp1(`${origin}/page`, {
    headers: { traceparent: `00-${TRACE}-${PARENT}-01` },
  });
  t.is(String(body), 'instrumented');
  const ours = await spans.until((span) => span.kind === SERVER && span.scope === 'sluice');
  const theirs = await spans.until((span) => span.kind === SERVER && span.scope !== 'sluice');
  t.is(ours.parent, PARENT);
  t.is(theirs.parent, ours.spanId);
  t.is(theirs.traceId, TRACE);
  t.is(theirs.scope, '@opentelemetry/instrumentation-http');
});

test('no more spans wait for their responses to be sent than may: the oldest ends without that', async (t) => {
  const { origin, spans } = await start(t, 'traced', { tracing: { maxUnsent: 1 } });
  // A client without a window is sent heads, and no content.
  const session = await connectHttp2(t, origin, { settings: { initialWindowSize: 0 } });
  for (const path of ['/held-1', '/held-2']) {
    const stream = session.request({ ':path': path });
    stream.on('error', () => undefined);
    await once(stream, 'response');
  }
  const oldest = await spans.until(isServer('/held-1'));
  t.deepEqual(
    [...spans.childrenOf(oldest).keys()],
    ['own work', 'accept', 'queue', 'claim', 'application'],
    'nothing of the response was sent',
  );
  t.is(spans.told.find(isServer('/held-2')), undefined);
});

test('a drain ends the spans that there are', async (t) => {
  const { origin, spans, server } = await start(t, 'traced');
  await requestHttp1(`${origin}/last`);
  await server.drain();
  t.truthy(await spans.until(isServer('/last')));
});

test('without the API beside the application the server says what to install', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-tracing-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'app.mjs');
  writeFileSync(file, 'export default (exchange) => exchange.respond(200);\n');
  const started = startServer(t, { pools: { plain: { application: file } }, tracing: {} });
  const error = await t.throwsAsync(started);
  t.regex(String(error?.message), /expected the package @opentelemetry\/api beside .*app\.mjs/);
  const without = await startServer(t, {
    pools: { plain: { application: file, threads: { min: 1, max: 1 } } },
    tracing: { spans: false },
  });
  t.is((await requestHttp1(without.origin)).status, 200);
});

test('Server-Timing is there where it is asked for', async (t) => {
  const { origin } = await start(t, 'traced', { tracing: { spans: false, serverTiming: true } });
  const session = await connectHttp2(t, origin);
  const overHttp1 = (await requestHttp1(origin)).headers['server-timing'];
  const overHttp2 = (await request(session, { ':path': '/' })).headers['server-timing'];
  for (const timing of [overHttp1, overHttp2])
    t.regex(String(timing), /^queue;dur=[\d.]+, claim;dur=[\d.]+, app;dur=[\d.]+$/);
  t.false('server-timing' in (await requestHttp1(`${shared.origin}/untimed`)).headers);
});
