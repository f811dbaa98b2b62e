/** Each byte in flight was asked for: an application that does not read holds its peer, and the other way round. */
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { data, errorCode, headers, ping, RawHttp2, requestHead, windowUpdate } from '../server/raw-http2.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const STREAM_WINDOW = 32_768;
const RESPONSE_WINDOW = 65_536;
const INITIAL_WINDOW_SIZE = 0x4;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: {
      flowing: {
        application: application('faults', 'flowing'),
        // It does not wait for its writes, to see what the server says.
        validate: false,
        threads: { min: 1, max: 1 },
        requestWindowBytes: 16_384,
        responseWindowBytes: RESPONSE_WINDOW,
      },
    },
    http2: { streamWindowBytes: STREAM_WINDOW },
  });
});
test.after.always(() => scope.end());

function head(method: string, path: string): Buffer {
  return requestHead(method, path, { [SIGNALS_FIELD]: server.signals.name });
}

/** When this has come back, the server and the thread have seen all that was sent before. */
async function turn(client: RawHttp2, streamId: number): Promise<void> {
  client.send(headers(streamId, head('GET', '/nothing'), true));
  await client.untilFrame(FrameType.Headers, streamId);
  client.send(ping(`turn${String(streamId).padStart(4, '0')}`));
  await client.until(
    ({ type, payload }) => type === FrameType.Ping && payload.toString().endsWith(String(streamId)),
  );
}

const updates = (client: RawHttp2, streamId: number): number =>
  client.frames
    .filter((frame) => frame.type === FrameType.WindowUpdate && frame.streamId === streamId)
    .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);

test.serial(
  'an application that does not read holds its peer at the stream window until it does',
  async (t) => {
    const { signals } = server;
    const client = await RawHttp2.connect(t, server.port);
    client.send(headers(1, head('POST', '/read-later?id=later'), false));
    await signals.until('begunlater');
    client.send(data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)));
    await turn(client, 3);
    t.is(updates(client, 1), 0);
    signals.tell('go');
    await client.until(({ type, streamId }) => type === FrameType.WindowUpdate && streamId === 1);
    client.send(data(1, Buffer.alloc(16_384), true));
    await client.untilFrame(FrameType.Headers, 1);
    // It comes another way than the answer.
    await signals.until('readlater 49152');
    t.pass();
  },
);

test.serial('an application that reads one piece is granted what it has consumed and no more', async (t) => {
  const { signals } = server;
  const client = await RawHttp2.connect(t, server.port);
  client.send(
    headers(1, head('POST', '/read-one?id=one'), false),
    data(1, Buffer.alloc(16_384)),
    data(1, Buffer.alloc(16_384)),
  );
  await signals.until('begunone');
  await turn(client, 3);
  t.true(updates(client, 1) <= 16_384, `${updates(client, 1)} bytes were granted`);
});

test.serial('a peer that grants no window holds the application at its response window', async (t) => {
  const { signals } = server;
  const peerWindow = 1_000;
  const client = await RawHttp2.connect(t, server.port, { settings: { [INITIAL_WINDOW_SIZE]: peerWindow } });
  client.send(headers(1, head('GET', '/pump?id=pump'), true));
  await signals.until(`wrotepump ${RESPONSE_WINDOW}`);
  await client.until(() => client.dataBytes === peerWindow);
  await turn(client, 3);
  await turn(client, 5);
  t.is(client.dataBytes - 2 * 'nothing'.length, peerWindow);
  t.is(signals.heard(`wrotepump ${RESPONSE_WINDOW + 16_384}`), 0);
  t.is(signals.heard(`roompump ${RESPONSE_WINDOW}`), 1);
  t.is(signals.heard('roompump 0'), 1);
  client.send(windowUpdate(1, RESPONSE_WINDOW));
  await signals.until(`wrotepump ${RESPONSE_WINDOW + 16_384}`);
  client.send(windowUpdate(1, 1_000_000), windowUpdate(0, 1_000_000));
  await signals.until(`wrotepump ${RESPONSE_WINDOW + 786_432}`);
  t.true(client.dataBytes <= peerWindow + RESPONSE_WINDOW + 1_000_000 + 14);
});

test.serial(
  'an application that does not wait for its writes is refused them beyond the backlog',
  async (t) => {
    const { signals } = server;
    const client = await RawHttp2.connect(t, server.port, { settings: { [INITIAL_WINDOW_SIZE]: 0 } });
    client.send(headers(1, head('GET', '/flood?id=flood'), true));
    await signals.until('refusedflood SLUICE_WRITE_BACKLOG');
    const reset = await client.untilFrame(FrameType.RstStream, 1);
    t.is(errorCode(reset), 0x2, 'a body with a hole is not passed off as whole');
    t.is(client.dataBytes, 0);
  },
);
