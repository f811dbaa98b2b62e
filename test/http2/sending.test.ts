import test from 'ava';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { data, get, getFields, headers, post, rstStream, windowUpdate } from './frames.ts';
import { type Handlers, Peer } from './peer.ts';

const large = Buffer.alloc(1 << 20, 0x61);

/** A peer whose windows are never the limit. */
function wide(overrides = {}, handlers: Handlers = {}): Peer {
  const peer = Peer.open(overrides, handlers, SettingId.InitialWindowSize, 0x7fff_ffff);
  peer.send(windowUpdate(0, 0x7fff_ffff - 65_535));
  return peer;
}

function responding(peer: Peer, id: number): void {
  peer.send(get(id));
  peer.engine.respond(peer.stream(id), 200, [], false);
}

test('a complete response leaves in one chunk, and its stream is closed once', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  peer.engine.respond(peer.stream(1), 200, ['content-type', 'text/plain'], false);
  peer.engine.write(peer.stream(1), large, 0, 13, true);
  const chunk = peer.engine.takeOutput();
  t.is(peer.engine.takeOutput(), null);
  t.true((chunk?.length ?? 0) > 31);
  t.deepEqual(peer.lines, ['request 1 GET / end', 'close 1 complete 0']);
  t.is(peer.sentBytes.get(1), 13);
  t.is(peer.engine.streamCount, 0);
});

test('a response may end with its head, with its data, with an empty DATA frame or with trailers', (t) => {
  const peer = Peer.open();
  peer.send(get(1), get(3), get(5), get(7), get(9));
  peer.engine.respond(peer.stream(1), 404, [], true);
  for (const id of [3, 5, 7, 9]) peer.engine.respond(peer.stream(id), 200, [], false);
  peer.engine.write(peer.stream(3), large, 0, 3, true);
  peer.engine.write(peer.stream(5), large, 0, 3, false);
  peer.engine.write(peer.stream(5), large, 0, 0, false);
  peer.engine.write(peer.stream(5), large, 0, 0, true);
  peer.engine.write(peer.stream(7), large, 0, 3, false);
  peer.engine.trailers(peer.stream(7), ['grpc-status', '0']);
  peer.engine.trailers(peer.stream(9), []);
  t.deepEqual(peer.output(), [
    'HEADERS 1 end :status 404',
    'HEADERS 3 :status 200',
    'HEADERS 5 :status 200',
    'HEADERS 7 :status 200',
    'HEADERS 9 :status 200',
    'DATA 3 3 end',
    'DATA 5 3',
    'DATA 5 0 end',
    'DATA 7 3',
    'HEADERS 7 end grpc-status 0',
    'DATA 9 0 end',
  ]);
  t.is(peer.engine.streamCount, 0);
});

test('a bare end leaves although other streams wait for the output to drain', (t) => {
  const peer = wide({ outputLimitBytes: 16_384 });
  responding(peer, 1);
  responding(peer, 3);
  peer.engine.write(peer.stream(1), large, 0, large.length, false);
  peer.engine.write(peer.stream(3), large, 0, 0, true);
  t.true(peer.output().includes('DATA 3 0 end'));
  t.true(peer.lines.includes('close 3 complete 0'));
});

test('RFC 9113 section 8.1: interim responses come before the head', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  peer.engine.inform(peer.stream(1), 103, ['link', '</a.css>']);
  peer.engine.inform(peer.stream(1), 100, []);
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.deepEqual(peer.output(), [
    'HEADERS 1 :status 103 link </a.css>',
    'HEADERS 1 :status 100',
    'HEADERS 1 end :status 200',
  ]);
});

test('misuse by the owner throws and sends nothing', (t) => {
  const peer = Peer.open();
  peer.send(get(1), get(3));
  const stream = peer.stream(1);
  const wrong = (call: () => void) => {
    t.is((t.throws(call) as { code?: string }).code, 'SLUICE_HTTP2_MISUSE');
    t.deepEqual(peer.output(), []);
  };
  wrong(() => peer.engine.write(stream, large, 0, 1, false));
  wrong(() => peer.engine.trailers(stream, []));
  wrong(() => peer.engine.inform(stream, 101, []));
  wrong(() => peer.engine.inform(stream, 200, []));
  wrong(() => peer.engine.respond(stream, 100, [], false));
  wrong(() => peer.engine.respond(stream, 600, [], false));
  peer.engine.respond(stream, 200, [], false);
  peer.take();
  wrong(() => peer.engine.respond(stream, 200, [], false));
  wrong(() => peer.engine.inform(stream, 103, []));
  // Queued up to the end: nothing may follow, though the stream is still open.
  const waiting = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  responding(waiting, 1);
  waiting.take();
  waiting.engine.write(waiting.stream(1), large, 0, 5, true);
  t.throws(() => waiting.engine.write(waiting.stream(1), large, 0, 5, false));
  t.throws(() => waiting.engine.trailers(waiting.stream(1), []));
});

test('calls on a closed stream do nothing', (t) => {
  const peer = Peer.open();
  peer.send(get(1), rstStream(1, 8));
  const stream = peer.stream(1);
  peer.engine.inform(stream, 103, []);
  peer.engine.respond(stream, 200, [], false);
  peer.engine.write(stream, large, 0, 10, true);
  peer.engine.trailers(stream, ['a', 'b']);
  peer.engine.reset(stream, 8);
  peer.engine.consume(stream, 100, peer.nowMs);
  peer.engine.dropRequest(stream);
  t.is(stream.sendableBytes, 0);
  t.deepEqual(peer.output(), []);
  t.deepEqual(peer.lines, ['request 1 GET / end', 'close 1 peer 8']);
});

for (const [name, method, status] of [
  ['HEAD', 'HEAD', 200],
  ['204', 'GET', 204],
  ['304', 'GET', 304],
] as const) {
  test(`RFC 9110 section 6.4.1: a response to ${name} has no content, whatever is written`, (t) => {
    const peer = Peer.open();
    const fields = [':method', method, ...getFields.slice(2)];
    peer.send(headers(1, fields, { endStream: true }), headers(3, fields, { endStream: true }));
    for (const id of [1, 3]) {
      peer.engine.respond(peer.stream(id), status, [], false);
      peer.engine.write(peer.stream(id), large, 0, 100_000, false);
      t.is(peer.sentBytes.get(id), 100_000, 'the owner’s credit goes on');
    }
    peer.engine.write(peer.stream(1), large, 0, 1, true);
    peer.engine.trailers(peer.stream(3), ['a', 'b']);
    t.deepEqual(peer.output(), [
      `HEADERS 1 :status ${status}`,
      `HEADERS 3 :status ${status}`,
      'DATA 1 0 end',
      'DATA 3 0 end',
    ]);
    t.is(peer.engine.streamCount, 0);
  });
}

test('RFC 9113 section 4.2: a field block longer than a frame goes out in HEADERS and CONTINUATIONs', (t) => {
  const peer = Peer.open();
  peer.send(get(1), get(3));
  const values = Array.from({ length: 40 }, (_, n) => [
    `x-${n}`,
    String.fromCharCode(33 + n).repeat(1500),
  ]).flat();
  peer.engine.respond(peer.stream(1), 200, values, true);
  peer.engine.respond(peer.stream(3), 200, ['a', 'b'], true);
  const frames = peer.take();
  const block = frames.filter((frame) => frame.id === 1);
  t.true(block.length >= 3);
  t.deepEqual(
    block.map((frame) => frame.type),
    [FrameType.Headers, ...block.slice(1).map(() => FrameType.Continuation)],
  );
  t.deepEqual(
    block.map((frame) => frame.flags & Flag.EndHeaders),
    [...block.slice(1).map(() => 0), Flag.EndHeaders],
  );
  t.is(block[0].flags & Flag.EndStream, Flag.EndStream);
  for (const { payload } of block.slice(0, -1)) t.is(payload.length, 16_384);
  t.deepEqual(peer.fields(Buffer.concat(block.map((frame) => frame.payload))), [':status', '200', ...values]);
  t.deepEqual(peer.describe(frames.at(-1) as (typeof frames)[0]), 'HEADERS 3 end :status 200 a b');
});

test('queued data leaves before the trailers', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 5);
  responding(peer, 1);
  peer.engine.write(peer.stream(1), large, 0, 8, false);
  peer.engine.trailers(peer.stream(1), ['a', 'b']);
  t.deepEqual(peer.output(), ['HEADERS 1 :status 200', 'DATA 1 5']);
  t.deepEqual(peer.exchange(windowUpdate(1, 100)), ['DATA 1 3', 'HEADERS 1 end a b']);
  t.is(peer.lines.at(-1), 'close 1 complete 0');
});

test('outputLimitBytes: DATA waits while the socket has that much output, and heads and control frames do not', (t) => {
  const peer = wide({ outputLimitBytes: 40_000 });
  peer.take();
  responding(peer, 1);
  // The socket holds the head and has not taken it.
  const chunk = peer.engine.takeOutput();
  t.truthy(chunk);
  peer.engine.write(peer.stream(1), large, 0, 100_000, true);
  // At most one frame beyond the limit.
  t.true(peer.engine.unsentBytes >= 40_000 && peer.engine.unsentBytes < 40_000 + 16_393);
  t.true(peer.engine.isFull);
  t.is(peer.stream(1).sendableBytes, 0);
  peer.send(get(3));
  peer.engine.respond(peer.stream(3), 200, [], true);
  t.is(peer.engine.takeOutput(), null, 'the rest waits for the socket');
  t.false(peer.engine.hasOutput);
  peer.engine.sent(chunk?.length ?? 0);
  t.true(peer.engine.hasOutput);
  const lines = peer.output();
  t.is(lines[3], 'HEADERS 3 end :status 200', 'behind three frames, before all that waited');
  t.is(lines.at(-1)?.endsWith('end'), true);
  t.is(peer.sentBytes.get(1), 100_000);
});

test('outputLimitBytes: a quarter more leaves at once while the socket takes everything, within maxUnsentBytes', (t) => {
  for (const [maxUnsentBytes, batchBytes] of [
    [1_048_576, 50_000],
    [60_000, 45_000],
    [41_000, 40_000],
  ] as const) {
    const peer = wide({ outputLimitBytes: 40_000, maxUnsentBytes });
    peer.take();
    responding(peer, 1);
    peer.take();
    t.is(peer.stream(1).sendableBytes, batchBytes);
    peer.engine.write(peer.stream(1), large, 0, 200_000, true);
    t.true(peer.engine.unsentBytes >= batchBytes && peer.engine.unsentBytes < batchBytes + 16_393);
    t.true(peer.engine.isFull);
  }
});

test('takeOutput returns only full chunks on request, and a full one also while the socket is behind', (t) => {
  const peer = wide();
  peer.take();
  responding(peer, 1);
  t.is(peer.engine.takeOutput(true), null, 'a head alone fills no chunk');
  t.false(peer.engine.hasFullOutput);
  peer.engine.write(peer.stream(1), large, 0, 65_536, false);
  t.true(peer.engine.hasFullOutput);
  const first = peer.engine.takeOutput(true);
  t.is(first?.length, first?.buffer.length, 'filled to the brim');
  t.is(peer.engine.takeOutput(), null, 'the socket has one, and more would go into the next');
  peer.engine.write(peer.stream(1), large, 0, 65_536, false);
  t.not(peer.engine.takeOutput(), null);
});

test('sendableBytes is the number of bytes that write would place now', (t) => {
  const peer = wide({ outputLimitBytes: 40_000, maxUnsentBytes: 40_001 });
  peer.take();
  responding(peer, 1);
  peer.take();
  t.is(peer.stream(1).sendableBytes, 40_000);
  peer.engine.write(peer.stream(1), large, 0, 30_000, false);
  const used = peer.engine.unsentBytes;
  t.is(peer.stream(1).sendableBytes, 40_000 - used);
});

test('a stream with a gigabyte queued does not starve small ones', (t) => {
  let left = 1 << 30;
  const peer = wide(
    {},
    {
      onSent: (stream, bytes) => {
        if (stream.id !== 1) return;
        const more = Math.min(bytes, left);
        left -= more;
        peer.engine.write(stream, large, 0, more, false);
      },
    },
  );
  responding(peer, 1);
  peer.engine.write(peer.stream(1), large, 0, large.length, false);
  left -= large.length;
  for (let id = 3; id < 103; id += 2) {
    responding(peer, id);
    peer.engine.write(peer.stream(id), large, 0, 1000, true);
  }
  // The large stream fills the output; the small ones wait behind one turn of it, not behind its gigabyte.
  const order: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const chunk = peer.engine.takeOutput();
    if (chunk === null) break;
    peer.engine.sent(chunk.length);
    peer.buffers.release(chunk);
  }
  for (const [id, bytes] of peer.sentBytes) order.push(`${id}:${bytes}`);
  t.is(order.filter((entry) => entry.endsWith(':1000')).length, 50, order.join(' '));
  t.true(left > (1 << 30) - (4 << 20));
});

test('streams with much to send take turns of one frame', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  peer.send(windowUpdate(0, 1 << 30));
  for (const id of [1, 3, 5]) {
    responding(peer, id);
    peer.engine.write(peer.stream(id), large, 0, 50_000, false);
  }
  peer.take();
  const order = peer.exchange(...[1, 3, 5].map((id) => windowUpdate(id, 40_000)));
  t.deepEqual(
    order
      .map((line) => line.split(' ')[1])
      .slice(0, 6)
      .join(''),
    '135135',
  );
  // A stream that is reset leaves the queue.
  peer.engine.reset(peer.stream(3), 8);
  peer.send(windowUpdate(1, 20_000), windowUpdate(5, 20_000));
  const rest = peer.output();
  t.false(rest.some((line) => line.startsWith('DATA 3')));
  t.is(peer.sentBytes.get(1), 50_000);
  t.is(peer.sentBytes.get(5), 50_000);
});

test('a stream that writes later does not overtake those that wait', (t) => {
  const peer = wide({ outputLimitBytes: 1000 });
  peer.take();
  responding(peer, 1);
  responding(peer, 3);
  peer.engine.write(peer.stream(1), large, 0, 20_000, true);
  t.true(peer.stream(1).queuedBytes > 0);
  peer.engine.write(peer.stream(3), large, 0, 10, true);
  t.is(peer.sentBytes.get(3), undefined);
  const lines = peer.output().filter((line) => line.startsWith('DATA'));
  t.deepEqual(lines, ['DATA 1 16384', 'DATA 1 3616 end', 'DATA 3 10 end']);
});

test('onSent may write, end or reset the stream that it reports', (t) => {
  const actions = new Map<number, (peer: Peer, id: number) => void>([
    [1, (peer, id) => peer.engine.write(peer.stream(id), large, 0, 7, true)],
    [3, (peer, id) => peer.engine.trailers(peer.stream(id), ['a', 'b'])],
    [5, (peer, id) => peer.engine.reset(peer.stream(id), 2)],
    [7, (peer) => peer.engine.closed()],
  ]);
  for (const queued of [false, true]) {
    for (const [id, act] of actions) {
      let acted = false;
      const peer: Peer = Peer.open(
        {},
        {
          onSent: () => {
            if (acted) return;
            acted = true;
            act(peer, id);
          },
        },
        SettingId.InitialWindowSize,
        queued ? 0 : 1000,
      );
      responding(peer, id);
      peer.engine.write(peer.stream(id), large, 0, 10, false);
      peer.take();
      if (queued) peer.send(windowUpdate(id, 100));
      peer.take();
      t.true(acted);
      t.is(peer.lines.filter((line) => line.startsWith('close')).length, 1, `${id} ${queued}`);
      t.is(peer.engine.streamCount, 0);
    }
  }
});

test('a reset drops what is queued and gives its buffers back', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
  responding(peer, 1);
  peer.take();
  peer.engine.write(peer.stream(1), large, 0, 300_000, true);
  t.true(peer.buffers.heldCount > 0);
  peer.engine.reset(peer.stream(1), 8);
  t.deepEqual(peer.output(), ['RST_STREAM 1 8']);
  t.is(peer.buffers.heldCount, 0);
  t.deepEqual(peer.exchange(windowUpdate(1, 100_000)), []);
});

test('while the socket has output only full chunks are passed on, so small responses share one', (t) => {
  const peer = wide();
  peer.take();
  responding(peer, 1);
  const first = peer.engine.takeOutput();
  for (let id = 3; id < 43; id += 2) {
    responding(peer, id);
    t.is(peer.engine.takeOutput(), null);
  }
  t.is(peer.buffers.heldCount, 2);
  peer.engine.write(peer.stream(1), large, 0, 100_000, false);
  const full = peer.engine.takeOutput();
  t.is(full?.length, 65_536);
  peer.engine.sent(first?.length ?? 0);
  t.is(peer.engine.takeOutput(), null, 'the full one is still on its way');
  peer.engine.sent(full?.length ?? 0);
  t.true((peer.engine.takeOutput()?.length ?? 0) > 0);
});

test('an idle connection holds no buffer', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  peer.engine.respond(peer.stream(1), 200, [], true);
  t.is(peer.buffers.heldCount, 1);
  peer.take();
  t.is(peer.buffers.heldCount, 0);
});

test('bodies in both directions at once arrive complete', (t) => {
  const peer = wide(
    {},
    {
      onRequest: (stream) => peer.engine.respond(stream, 200, [], false),
      onData: (stream, bytes, start, end, endStream) => {
        peer.engine.write(stream, bytes, start, end, endStream);
        peer.engine.consume(stream, end - start, peer.nowMs);
      },
    },
  );
  peer.take();
  peer.send(post(1), data(1, 'hello '), data(1, 'world', true));
  t.deepEqual(peer.output().slice(1), ['DATA 1 6', 'DATA 1 5 end']);
  t.is(peer.lines.at(-1), 'close 1 complete 0');
});
