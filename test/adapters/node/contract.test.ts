/** What a Node handler may rely on, whichever framework it is mounted in and whichever version the peer speaks. */
import { once } from 'node:events';
import { request as sendHttp1 } from 'node:http';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { answer, connectHttp2, request } from '../../server/http2-client.ts';
import * as frames from '../../server/raw-http2.ts';
import { RawHttp2, requestHead } from '../../server/raw-http2.ts';
import { SIGNALS_FIELD, Signals } from '../../server/signals.ts';

const FRAMEWORKS = ['plain', 'connect', 'express', 'koa', 'fastify'] as const;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = (name: string): string =>
    fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
  server = await startServer(scope, {
    pools: Object.fromEntries(
      FRAMEWORKS.map((name) => [name, { application: application(name), threads: { min: 1, max: 1 } }]),
    ),
  });
});
test.after.always(() => scope.end());

interface Seen {
  readonly status: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly body: string;
  readonly trailers: { readonly [name: string]: unknown };
  readonly interim: readonly number[];
  readonly how: 'whole' | 'cut';
}
interface Ask {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string | string[] };
  readonly body?: string;
  readonly trailers?: { readonly [name: string]: string };
}
interface Way {
  readonly version: string;
  ask(t: ExecutionContext, path: string, ask?: Ask): Promise<Seen>;
  /** Begins an upload and gives what cuts it off. */
  upload(
    t: ExecutionContext,
    path: string,
    headers: { readonly [name: string]: string },
  ): Promise<() => void>;
  /** Asks and reads nothing until it is told to; then gives the length of the body. */
  slowly(
    t: ExecutionContext,
    path: string,
    headers: { readonly [name: string]: string },
  ): Promise<() => Promise<number>>;
}

async function lengthOf(stream: AsyncIterable<Buffer>): Promise<number> {
  let length = 0;
  for await (const piece of stream) length += piece.length;
  return length;
}

const http1: Way = {
  version: '1.1',
  async ask(_t, path, ask = {}) {
    const { body, ...rest } = await requestHttp1(`${server.origin}${path}`, ask);
    return { ...rest, body: body.toString() };
  },
  async upload(t, path, headers) {
    const outgoing = sendHttp1(`${server.origin}${path}`, { method: 'POST', headers, agent: false });
    outgoing.on('error', () => undefined);
    t.teardown(() => outgoing.destroy());
    outgoing.write('some');
    return () => void outgoing.destroy();
  },
  async slowly(t, path, headers) {
    const outgoing = sendHttp1(`${server.origin}${path}`, { headers, agent: false });
    t.teardown(() => outgoing.destroy());
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    return () => lengthOf(response);
  },
};

const http2: Way = {
  version: '2.0',
  async ask(t, path, { method = 'GET', headers, body, trailers } = {}) {
    const session = await connectHttp2(t, server.origin);
    const head = { ':method': method, ':path': path, ...headers };
    if (trailers === undefined) return seen(await request(session, head, body));
    const stream = session.request(head, { endStream: false, waitForTrailers: true } as object);
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
    return seen(await answer(stream));
  },
  async upload(t, path, headers) {
    // Node's own client would end the request before it resets the stream.
    const client = await RawHttp2.connect(t, server.port);
    client.send(frames.headers(1, requestHead('POST', path, headers), false), frames.data(1, 'some'));
    return () => client.send(frames.rstStream(1, 0x8));
  },
  async slowly(t, path, headers) {
    const session = await connectHttp2(t, server.origin);
    const stream = session.request({ ':path': path, ...headers });
    await once(stream, 'response');
    return () => lengthOf(stream);
  },
};

function seen({ status, headers, body, trailers, interim, how }: Awaited<ReturnType<typeof request>>): Seen {
  const statuses = interim.map((each) => Number(each[':status']));
  return { status, headers, body: body.toString(), trailers, interim: statuses, how };
}

/** The response's end as whoever asked can see it. */
async function isCut(answer: Promise<Seen>): Promise<boolean> {
  return answer.then(
    ({ how }) => how === 'cut',
    () => true,
  );
}

function listen(t: ExecutionContext): { signals: Signals; headers: { [name: string]: string } } {
  const signals = new Signals(`contract ${t.title}`);
  t.teardown(() => signals.close());
  return { signals, headers: { [SIGNALS_FIELD]: signals.name } };
}

for (const framework of FRAMEWORKS) {
  for (const way of [http1, http2]) {
    const title = (what: string): string => `${framework}, HTTP/${way.version}: ${what}`;
    const at = (step: string): string => `/${framework}${step}`;

    test(title('a body and its trailers come back'), async (t) => {
      const body = 'streaming '.repeat(40_000);
      const trailers = { 'x-last': 'yes' };
      const answer = await way.ask(t, at('/echo'), { method: 'POST', body, trailers });
      t.is(answer.how, 'whole');
      t.true(answer.body === body);
      t.is(answer.trailers['x-last'], 'yes');
    });

    test(title('interim responses go before the final one'), async (t) => {
      const answer = await way.ask(t, at('/interim'));
      t.deepEqual([answer.interim, answer.status, answer.body], [[102, 103], 200, 'final']);
    });

    test(title('HEAD, 204 and 304 have no body'), async (t) => {
      const head = await way.ask(t, at('/length'), { method: 'HEAD' });
      t.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '5']);
      for (const status of [204, 304]) {
        const answer = await way.ask(t, at(`/empty/${status}`));
        t.deepEqual([answer.status, answer.body, answer.how], [status, '', 'whole']);
      }
    });

    test(title('the request and its socket say what is known of the peer'), async (t) => {
      const answer = await way.ask(t, at('/facts?a=%20b'), { headers: { 'x-many': ['1', '2'] } });
      t.deepEqual(JSON.parse(answer.body), {
        method: 'GET',
        url: at('/facts?a=%20b'),
        httpVersion: way.version,
        host: `127.0.0.1:${server.port}`,
        many: '1, 2',
        complete: true,
        remoteAddress: '127.0.0.1',
        remoteFamily: 'IPv4',
        rawPort: 'number',
      });
      t.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    });

    test(title('write() refuses while the peer reads nothing, and drain follows when it does'), async (t) => {
      const { signals, headers } = listen(t);
      const full = signals.until('full');
      const drained = signals.until('drain');
      const read = await way.slowly(t, at('/drain'), headers);
      await full;
      t.is(await read(), 1_048_576);
      await drained;
      t.pass();
    });

    test(title('2 MiB in crumbs arrive though no write was waited for'), async (t) => {
      const answer = await way.ask(t, at('/crumbs'));
      t.deepEqual([answer.how, answer.body.length], ['whole', 2_097_152]);
    });

    test(title('what is thrown before the head is answered with 500'), async (t) => {
      const answer = await way.ask(t, at('/throw'));
      // Koa does not answer where it was told to leave the response alone.
      if (framework !== 'koa') t.is(answer.status, 500);
      else t.true(answer.status >= 500 || answer.status === 0);
    });

    test(title('res.destroy() cuts off a response that has begun'), async (t) => {
      t.true(await isCut(way.ask(t, at('/destroy-response'))));
    });

    test(title('req.destroy() cuts off the exchange'), async (t) => {
      t.true(await isCut(way.ask(t, at('/destroy-request'))));
    });

    test(title('a peer that resets its upload is told as Node tells it'), async (t) => {
      const { signals, headers } = listen(t);
      const words = ['req aborted', 'req error ECONNRESET', 'req close', 'res close false'];
      const begun = signals.until('begun');
      const told = words.map((word) => signals.until(word));
      const cut = await way.upload(t, at('/upload'), headers);
      await begun;
      cut();
      await Promise.all(told);
      t.deepEqual(
        words.map((word) => signals.heard(word)),
        words.map(() => 1),
      );
    });

    test(title('finish and close are told of a whole response'), async (t) => {
      const { signals, headers } = listen(t);
      const told = [signals.until('finish'), signals.until('close')];
      t.is((await way.ask(t, at('/finish'), { headers })).body, 'done');
      await Promise.all(told);
    });

    if (framework === 'plain' || framework === 'koa') continue;
    test(title('an error passed on is answered by the framework'), async (t) => {
      const answer = await way.ask(t, at('/next'));
      t.deepEqual([answer.status, answer.how], [500, 'whole']);
    });
  }
}

for (const way of [http1, http2]) {
  test(`what is thrown behind the head cuts the response off over HTTP/${way.version}`, async (t) => {
    t.true(await isCut(way.ask(t, '/plain/throw-late')));
  });
}
