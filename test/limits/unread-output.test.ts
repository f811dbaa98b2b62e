/** What an application sends under no flow control to a peer that does not read: it has a bound, whoever is busy. */
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { application, startServer } from '../server/harness.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const MAX_UNSENT_BYTES = 262_144;
const informing = {
  application: application('faults', 'informing'),
  // It goes on when it is told that too many wait.
  validate: false,
  threads: { min: 1, max: 1 },
};

test('over HTTP/2 interim responses are left out for a client that reads none, and the response comes', async (t) => {
  const { port, signals, log } = await startServer(t, {
    pools: { informing },
    http2: { maxUnsentBytes: MAX_UNSENT_BYTES, outputLimitBytes: 65_536 },
  });
  const informed = signals.until('informed');
  const client = await RawHttp2.connect(t, port, { reads: false, keep: false });
  client.send(headers(1, requestHead('GET', '/?count=40000', { [SIGNALS_FIELD]: signals.name }), true));
  await informed;
  let bytes = 0;
  const last = new Promise<string>((resolve) => {
    client.onFrame = ({ type, flags, payload }) => {
      bytes += payload.length;
      if (type === FrameType.Data && (flags & Flag.EndStream) !== 0) resolve(payload.toString());
    };
  });
  client.socket.resume();
  t.is(await last, 'informed');
  // Of 40 MB no more than the buffers of the system and ours.
  t.true(bytes < 20_000_000, `${bytes} bytes`);
  t.is(log.find('ENHANCE_YOUR_CALM'), undefined);
});

test('maxUnsentBytes: 100 (Continue) without end to a peer that neither reads nor writes ends its connection', async (t) => {
  const { port, log, signals } = await startServer(t, {
    pools: { informing },
    http2: { maxUnsentBytes: MAX_UNSENT_BYTES, outputLimitBytes: 65_536 },
  });
  const closed = signals.until('closed by server');
  const client = await RawHttp2.connect(t, port, { reads: false });
  client.send(headers(1, requestHead('GET', '/?status=100', { [SIGNALS_FIELD]: signals.name }), true));
  const line = await log.until('connection ended with ENHANCE_YOUR_CALM');
  t.is(line.budget, 'unsentOutput');
  await t.notThrowsAsync(closed, 'the application hears of it');
});

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
  // Of 40 MB no more than the buffers of the system and ours.
  t.true(bytes < 20_000_000, `${bytes} bytes`);
});
