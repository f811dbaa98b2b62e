/**
 * An application may wait for one thing and ask for nothing else. What needs no credit reaches it, wherever the request was when it
 * came whole: at its thread, in the pool's queue, or at a thread that it was recalled from.
 */
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { RawClient } from '../http1/raw.ts';
import { application, startServer, type TestServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { data, fieldBlock, headers, ping, RawHttp2, requestHead, rstStream } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const CANCEL = 0x8;

/** Where a request is when its last part has come. */
const places = ['thread', 'queue', 'recall'] as const;
type Place = (typeof places)[number];

/** A server whose next requests come to the place, and what lets them go on from there. */
async function serverWith(
  t: ExecutionContext,
  place: Place,
): Promise<TestServer & { readonly goOn: () => Promise<void> }> {
  const threads = place === 'recall' ? 2 : 1;
  const server = await startServer(t, {
    pools: {
      awaits: {
        application: application('faults', 'awaits'),
        threads: { min: threads, max: threads },
        recallAfterMs: 1,
        ...(place === 'queue' ? { exchangesPerThread: 1 } : {}),
      },
    },
  });
  if (place === 'thread') return { ...server, goOn: async () => undefined };
  const session = await connectHttp2(t, server.origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: server.signals.name });
  if (place === 'recall') {
    // Every thread has one that it has begun, so that the requests are spread over both.
    for (const id of ['-0', '-1']) void ask(`/wait?id=${id}`);
    await Promise.all([server.signals.until('begun-0'), server.signals.until('begun-1')]);
  }
  void ask('/block?id=ed');
  await server.signals.until('beguned');
  // A queue moves on when the thread does; what is recalled moves on by itself, while the thread is held.
  return { ...server, goOn: async () => (place === 'queue' ? server.signals.tell('release') : undefined) };
}

/** The server has read everything that was sent before. */
async function untilRead(client: RawHttp2): Promise<void> {
  client.send(ping('is read?'));
  await client.until(({ type, flags }) => type === FrameType.Ping && (flags & Flag.Ack) !== 0);
}

const open = (id: number, path: string) => headers(id, requestHead('POST', path), false);
const trailers = (id: number) => headers(id, fieldBlock([['x-sum', '7']]), true);

/** How a request without content can end, and what an application that waits for `path` alone is to get. */
const endings: readonly [how: string, frames: (id: number) => Uint8Array[], answer: string][] = [
  ['trailers', (id) => [open(id, '/trailers'), trailers(id)], '[["x-sum","7"]]'],
  [
    'an empty DATA frame and trailers',
    (id) => [open(id, '/trailers'), data(id, ''), trailers(id)],
    '[["x-sum","7"]]',
  ],
  ['an empty DATA frame', (id) => [open(id, '/trailers'), data(id, '', true)], '[]'],
  ['its head', (id) => [headers(id, requestHead('GET', '/trailers'), true)], '[]'],
  ['an empty DATA frame, and its body is awaited', (id) => [open(id, '/body'), data(id, '', true)], '""'],
  ['trailers, and its body is awaited', (id) => [open(id, '/body'), trailers(id)], '""'],
  [
    'content and trailers, and its body is awaited',
    (id) => [open(id, '/body'), data(id, 'abc'), trailers(id)],
    '"abc"',
  ],
];

for (const place of places) {
  test.serial(
    `what an application awaits alone comes, whatever ended the request over HTTP/2: ${place}`,
    async (t) => {
      const { port, goOn } = await serverWith(t, place);
      const client = await RawHttp2.connect(t, port);
      // Four of each, so that some of each are given to the thread that is held.
      const asked = [...endings, ...endings, ...endings, ...endings].map(
        (ending, i) => [2 * i + 1, ...ending] as const,
      );
      for (const [id, , frames] of asked) client.send(...frames(id));
      await untilRead(client);
      await goOn();
      for (const [id, how, , answer] of asked) {
        const { payload } = await client.untilFrame(FrameType.Data, id);
        t.is(payload.toString(), answer, `ended by ${how}`);
      }
    },
  );

  test.serial(`trailers that an application awaits alone come over HTTP/1.1: ${place}`, async (t) => {
    const { port, goOn } = await serverWith(t, place);
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(t, port)));
    const head = 'POST /trailers HTTP/1.1\r\nHost: test.invalid\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const client of clients) await client.sendAll(`${head}0\r\nX-Sum: 7\r\n\r\n`);
    await goOn();
    for (const client of clients) t.is((await client.response()).body, '[["x-sum","7"]]');
  });

  test.serial(
    `an application that awaits its end alone hears of a reset, with content unread: ${place}`,
    async (t) => {
      const { port, signals, goOn } = await serverWith(t, place);
      const client = await RawHttp2.connect(t, port);
      const head = (path: string) => requestHead('POST', path, { [SIGNALS_FIELD]: signals.name });
      const kinds = [
        ['/signal', `aborted by peer code ${CANCEL}`],
        ['/closed', `reset by peer code ${CANCEL}`],
      ] as const;
      const asked = Array.from({ length: 4 }, (_, n) =>
        kinds.map(([path, end]) => [`${path}?${n}`, end] as const),
      ).flat();
      for (const [i, [path]] of asked.entries())
        client.send(headers(2 * i + 1, head(path), false), data(2 * i + 1, 'abc'));
      await untilRead(client);
      await goOn();
      // One after the other: a thread with one place begins the next when the last is over.
      for (const [i, [path, end]] of asked.entries()) {
        await signals.until(`begun ${path}`);
        client.send(rstStream(2 * i + 1, CANCEL));
        await signals.until(`${path} ${end}`);
      }
      t.pass();
    },
  );
}

test.serial('what was reset while it was queued is never begun, and its place serves the next', async (t) => {
  const { port, signals, goOn } = await serverWith(t, 'queue');
  const client = await RawHttp2.connect(t, port);
  const head = (path: string) => requestHead('POST', path, { [SIGNALS_FIELD]: signals.name });
  client.send(
    ...[headers(1, head('/signal'), false), data(1, 'abc'), rstStream(1, CANCEL)],
    ...[headers(3, head('/closed'), false), trailers(3), rstStream(3, CANCEL)],
    ...[open(5, '/trailers'), trailers(5)],
  );
  await untilRead(client);
  await goOn();
  t.is((await client.untilFrame(FrameType.Data, 5)).payload.toString(), '[["x-sum","7"]]');
  t.is(signals.heard('begun /signal') + signals.heard('begun /closed'), 0);
});
