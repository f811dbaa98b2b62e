/**
 * Responses with long heads to a client that opens every allowed stream and stops reading: it gets all of
 * them when it reads again.
 */
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { headers, ping, RawHttp2, requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

/** As many as may be open. */
const REQUESTS = 128;
/** Less than all heads together (7.7 MB) minus what the buffers of the system take. */
const http2 = { maxUnsentBytes: 524_288, outputLimitBytes: 131_072 };
const KINDS = ['empty', 'content', 'trailers'];

const scope = new FileScope();
test.after.always(() => scope.end());
const unixPath = join(tmpdir(), `sluice-heads-${process.pid}.sock`);
let started: TestServer;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/long-heads.ts', import.meta.url));
  started = await startServer(scope, {
    listeners: [{ address: '127.0.0.1:0' }, { address: `unix:${unixPath}` }],
    pools: { heads: { application, threads: { min: 1, max: 1 } } },
    http2,
    // All requests begin before any response has been read.
    http1: { maxParallelRequests: REQUESTS },
  });
});

/** Waits for the reactor: when this answer has arrived, so has everything that the thread sent before it. */
async function untilHeard(): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${portOf(started)}/short`);
  await response.arrayBuffer();
}

function portOf({ log }: TestServer): number {
  const addresses = log.lines
    .filter(({ msg }) => msg?.includes('listening on'))
    .map((line) => String(line.address));
  return Number(
    addresses
      .find((one) => one.includes('127.0.0.1'))
      ?.split(':')
      .at(-1),
  );
}

for (const kind of KINDS) {
  for (const over of ['TCP', 'a Unix domain socket']) {
    test.serial(
      `HTTP/2 over ${over}: ${REQUESTS} long heads (${kind}) wait for a client that looks away`,
      async (t) => {
        const { signals, log } = started;
        const cutOff = log.until('ENHANCE_YOUR_CALM').then(({ msg }) => Promise.reject(new Error(msg)));
        const answered = signals.until('answered', signals.heard('answered') + REQUESTS);
        const to = over === 'TCP' ? portOf(started) : unixPath;
        const client = await RawHttp2.connect(t, to, { reads: false });
        const head = requestHead('GET', `/${kind}`, { [SIGNALS_FIELD]: signals.name });
        client.send(...Array.from({ length: REQUESTS }, (_, n) => headers(2 * n + 1, head, true)));
        await Promise.race([answered, cutOff]);
        await untilHeard();
        // The limit on unsent output is checked when the peer sends something.
        client.send(ping('12345678'));
        await untilHeard();
        /** Streams whose last frame has arrived, or whose last field block has begun. */
        const ended = new Set<number>();
        const ending = new Set<number>();
        const lengths = new Map<number, number>();
        const all = Promise.withResolvers<void>();
        client.onFrame = ({ type, flags, streamId, payload }) => {
          const isBlock = type === FrameType.Headers || type === FrameType.Continuation;
          if (type === FrameType.Goaway) all.reject(new Error(`GOAWAY ${payload.readUInt32BE(4)}`));
          if (!isBlock && type !== FrameType.Data) return;
          if (isBlock) lengths.set(streamId, (lengths.get(streamId) ?? 0) + payload.length);
          if (type !== FrameType.Continuation && (flags & Flag.EndStream) !== 0) ending.add(streamId);
          if (ending.has(streamId) && (!isBlock || (flags & Flag.EndHeaders) !== 0)) ended.add(streamId);
          if (ended.size === REQUESTS) all.resolve();
        };
        client.socket.once('close', () => all.reject(new Error('the connection ended')));
        client.socket.resume();
        await all.promise;
        const least = kind === 'trailers' ? 120_000 : 60_000;
        t.true([...lengths.values()].every((bytes) => bytes >= least));
        t.is(lengths.size, REQUESTS);
        client.send(headers(2 * REQUESTS + 1, requestHead('GET', '/content'), true));
        await client.until((frame) => frame.streamId === 2 * REQUESTS + 1 && frame.type === FrameType.Data);
      },
    );
  }
}

for (const over of ['TCP', 'a Unix domain socket']) {
  test.serial(`HTTP/1.1 over ${over}: ${REQUESTS} pipelined requests, whose long heads wait`, async (t) => {
    const { signals } = started;
    const answered = signals.until('answered', signals.heard('answered') + REQUESTS);
    const socket =
      over === 'TCP' ? connect({ port: portOf(started), host: '127.0.0.1' }) : connect({ path: unixPath });
    t.teardown(() => socket.destroy());
    socket.pause();
    const one = `GET /content HTTP/1.1\r\nHost: a\r\n${SIGNALS_FIELD}: ${signals.name}\r\n\r\n`;
    const last = `GET /content HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${SIGNALS_FIELD}: ${signals.name}\r\n\r\n`;
    socket.write(one.repeat(REQUESTS - 1) + last);
    await answered;
    await untilHeard();
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    await new Promise((resolve, reject) => socket.once('end', resolve).once('error', reject).resume());
    t.is(text.split('x-long: ').length - 1, REQUESTS);
    t.is(text.match(/\r\ncontent(?!-)/g)?.length, REQUESTS);
  });
}
