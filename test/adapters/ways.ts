/** Two ways to ask the applications of a contract, told apart by nothing but the version of HTTP. */
import { once } from 'node:events';
import { request as sendHttp1 } from 'node:http';
import type { ExecutionContext } from 'ava';
import type { TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, connectHttp2, request } from '../server/http2-client.ts';
import * as frames from '../server/raw-http2.ts';
import { RawHttp2, requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD, Signals } from '../server/signals.ts';

type Address = Pick<TestServer, 'origin' | 'port'>;

export interface Seen {
  readonly status: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly body: string;
  readonly trailers: { readonly [name: string]: unknown };
  readonly interim: readonly number[];
  readonly how: 'whole' | 'cut';
}
export interface Ask {
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string | string[] };
  readonly body?: string;
  readonly trailers?: { readonly [name: string]: string };
}
export interface Way {
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

/** By version. A server is there once the tests begin. */
export const ways: { readonly [version: string]: (server: Address) => Way } = {
  '1.1': (server) => http1(server),
  '2.0': (server) => http2(server),
};

async function lengthOf(stream: AsyncIterable<Buffer>): Promise<number> {
  let length = 0;
  for await (const piece of stream) length += piece.length;
  return length;
}

const http1 = (server: Address): Way => ({
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
});

const http2 = (server: Address): Way => ({
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
});

function seen({ status, headers, body, trailers, interim, how }: Awaited<ReturnType<typeof request>>): Seen {
  const statuses = interim.map((each) => Number(each[':status']));
  return { status, headers, body: body.toString(), trailers, interim: statuses, how };
}

/** The response's end as whoever asked can see it. */
export async function isCut(answer: Promise<Seen>): Promise<boolean> {
  return answer.then(
    ({ how }) => how === 'cut',
    () => true,
  );
}

export function listen(t: ExecutionContext): { signals: Signals; headers: { [name: string]: string } } {
  const signals = new Signals(`contract ${t.title}`);
  t.teardown(() => signals.close());
  return { signals, headers: { [SIGNALS_FIELD]: signals.name } };
}
