/**
 * What an application sends outside flow control to a peer that does not read is bounded, however busy the
 * server is.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { Http2Engine } from '../../runtime/http2/engine.ts';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { application, startServer } from '../server/harness.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const MAX_UNSENT_BYTES = 262_144;
/** As many concurrent loops as both threads run. */
const STREAMS = 4;
const informing = {
  application: application('faults', 'informing'),
  // Without the validator, the application continues after it is told that too many are waiting.
  validate: false,
  threads: { min: 1, max: 1 },
};

for (const [status, what] of [
  [103, 'hints are left out'],
  [100, '100 is sent once'],
] as const) {
  test.serial(
    `over HTTP/2 ${what} for a client that neither reads nor writes, and the response comes`,
    async (t) => {
      const { port, signals, log } = await startServer(t, {
        pools: { informing: { ...informing, threads: { min: 2, max: 2 } } },
        http2: { maxUnsentBytes: MAX_UNSENT_BYTES, outputLimitBytes: 65_536 },
      });
      const { endTurn } = Http2Engine.prototype;
      t.teardown(() => {
        Http2Engine.prototype.endTurn = endTurn;
      });
      let mostUnsentBytes = 0;
      // At the end of a turn, all its output is in the queue.
      Http2Engine.prototype.endTurn = function (this: Http2Engine, nowMs: number): void {
        mostUnsentBytes = Math.max(mostUnsentBytes, this.unsentBytes);
        endTurn.call(this, nowMs);
      };
      const informed = signals.until('informed', STREAMS);
      const client = await RawHttp2.connect(t, port, { reads: false, keep: false });
      const path = `/?count=10000&status=${status}`;
      for (let id = 1; id < 2 * STREAMS; id += 2)
        client.send(headers(id, requestHead('GET', path, { [SIGNALS_FIELD]: signals.name }), true));
      await informed;
      let bytes = 0;
      let informs = 0;
      let answers = 0;
      const all = Promise.withResolvers<void>();
      client.onFrame = ({ type, flags, payload }) => {
        bytes += payload.length;
        if (type === FrameType.Headers) informs++;
        if (type !== FrameType.Data || (flags & Flag.EndStream) === 0) return;
        t.is(payload.toString(), 'informed');
        if (++answers === STREAMS) all.resolve();
      };
      client.socket.resume();
      await all.promise;
      t.true(mostUnsentBytes <= MAX_UNSENT_BYTES, `${mostUnsentBytes} bytes wait for the socket`);
      // Of 40 MB, only what the buffers of the system and the server hold.
      t.true(bytes < 20_000_000, `${bytes} bytes`);
      if (status === 100) t.is(informs, 2 * STREAMS, 'one, and the head');
      t.is(log.find('ENHANCE_YOUR_CALM'), undefined);
    },
  );
}

test('over HTTP/1.1 interim responses are left out for a client that reads none, and the response comes', async (t) => {
  const { port, signals } = await startServer(t, { pools: { informing } });
  const informed = signals.until('informed');
  const socket = connect({ port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.pause();
  socket.write('GET /?count=40000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n');
  socket.write(`${SIGNALS_FIELD}: ${signals.name}\r\n\r\n`);
  await informed;
  let bytes = 0;
  let last = '';
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    last = chunk.toString('latin1');
  });
  socket.resume();
  await once(socket, 'end');
  t.regex(last, /informed$/);
  // Of 40 MB, only what the buffers of the system and the server hold.
  t.true(bytes < 20_000_000, `${bytes} bytes`);
});
