/**
 * Floods of frames against a live server: each attacker is disconnected for what it did, and an honest client
 * is served.
 */
import test from 'ava';
import { FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import {
  continuation,
  data,
  fieldBlock,
  frame,
  getFields,
  headers,
  headersOf,
  ping,
  priority,
  rstStream,
  settings,
  uint32,
  windowUpdate,
} from '../http2/frames.ts';
import { FileScope, type Scope } from '../server/harness.ts';
import { errorCode, RawHttp2 } from '../server/raw-http2.ts';
import { askHonestly, besiege, startTarget, type Target } from './siege.ts';

const scope = new FileScope();
let target: Target;

test.before(async () => {
  target = await startTarget(scope);
});
test.after.always(() => scope.end());

const hello = [...getFields.slice(0, -1), '/hello'];
const large = [...getFields.slice(0, -1), '/large'];
const read = [':method', 'POST', ...hello.slice(2, -1), '/read'];

/** This many strikes in one piece, as fast as a network delivers them. */
function many(count: number, strike: (n: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, n) => strike(n)));
}

interface Flood {
  readonly name: string;
  readonly bytes: Buffer;
  /** The connection ends with this code (RFC 9113 section 7). */
  readonly code: number;
}

const FLOW_CONTROL_ERROR = 3;
const ENHANCE_YOUR_CALM = 11;
const oddId = (n: number): number => 2 * n + 1;

/** A literal with incremental indexing (RFC 7541 section 6.2.1), of a field that just fits the table. */
const entry = Buffer.concat([
  fieldBlock(hello),
  Buffer.from([0x40, 1]),
  Buffer.from('x'),
  fieldBlock(['', 'y'.repeat(4_000)]).subarray(2),
]);
const bomb = Buffer.concat([fieldBlock(hello), Buffer.alloc(1_000, 0x80 | 62)]);

const floods: readonly Flood[] = [
  {
    name: 'rapid reset: requests that are reset as they are sent (CVE-2023-44487)',
    bytes: many(2_000, (n) =>
      Buffer.concat([headers(oddId(n), hello, { endStream: true }), rstStream(oddId(n), 8)]),
    ),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'MadeYouReset by WINDOW_UPDATEs of nothing (CVE-2025-8671)',
    bytes: many(1_000, (n) => Buffer.concat([headers(oddId(n), read), windowUpdate(oddId(n), 0)])),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'MadeYouReset by stream windows that overflow',
    bytes: many(1_000, (n) => Buffer.concat([headers(oddId(n), read), windowUpdate(oddId(n), 0x7fff_ffff)])),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'MadeYouReset by DATA behind the end of the request',
    bytes: many(1_000, (n) =>
      Buffer.concat([headers(oddId(n), hello, { endStream: true }), data(oddId(n), 'x')]),
    ),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'MadeYouReset by requests that are malformed',
    bytes: many(1_000, (n) => headers(oddId(n), hello.slice(2), { endStream: true })),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'streams beyond what is allowed at once',
    bytes: many(5_000, (n) => headers(oddId(n), [...read.slice(0, -1), '/unread'])),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'CONTINUATIONs without an end (CVE-2024-27316)',
    bytes: Buffer.concat([
      headers(1, hello, { endHeaders: false }),
      many(10_000, () => continuation(1, fieldBlock(['a', 'b']), false)),
    ]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'CONTINUATIONs that are empty',
    bytes: Buffer.concat([
      headers(1, hello, { endHeaders: false }),
      many(10_000, () => continuation(1, Buffer.alloc(0), false)),
    ]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'SETTINGS (CVE-2019-9515)',
    bytes: many(10_000, (n) => settings(SettingId.InitialWindowSize, 65_535 + n)),
    code: ENHANCE_YOUR_CALM,
  },
  { name: 'PINGs (CVE-2019-9512)', bytes: many(10_000, () => ping()), code: ENHANCE_YOUR_CALM },
  {
    name: 'PRIORITY (CVE-2019-9513)',
    bytes: many(10_000, (n) => priority(oddId(n), 0)),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'PRIORITY_UPDATE (RFC 9218 section 7.1)',
    bytes: many(10_000, (n) => frame(0x10, 0, 0, Buffer.concat([uint32(oddId(n)), Buffer.from('u=1')]))),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'frames of types that nobody knows',
    bytes: many(10_000, () => frame(0xfa, 0, 0, Buffer.alloc(16))),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'DATA that is empty (CVE-2019-9518)',
    bytes: Buffer.concat([headers(1, read), many(10_000, () => data(1, ''))]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'DATA that is all padding',
    bytes: Buffer.concat([headers(1, read), many(200, () => data(1, '', false, 255))]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'field sections on a stream that the server has reset',
    bytes: Buffer.concat([
      headers(1, read),
      windowUpdate(1, 0),
      many(10_000, () => headers(1, ['x-late', '1'], { endStream: true })),
    ]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'a response cut into crumbs (CVE-2019-9511)',
    bytes: Buffer.concat([
      settings(SettingId.InitialWindowSize, 0),
      headers(1, large, { endStream: true }),
      many(10_000, () => windowUpdate(1, 1)),
    ]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'updates of a byte, which a response that is sent whole earns some of',
    bytes: Buffer.concat([
      windowUpdate(0, 0x3fff_0000),
      settings(SettingId.InitialWindowSize, 0x3fff_0000),
      headers(1, large, { endStream: true }),
      many(20_000, () => windowUpdate(1, 1)),
    ]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'HPACK bombs, one after another',
    bytes: Buffer.concat([
      headersOf(1, entry, { endStream: true }),
      many(1_000, (n) => headersOf(oddId(n + 1), bomb, { endStream: true })),
    ]),
    code: ENHANCE_YOUR_CALM,
  },
  {
    name: 'a connection window that overflows',
    bytes: windowUpdate(0, 0x7fff_ffff),
    code: FLOW_CONTROL_ERROR,
  },
];

/** Sends everything and waits for the end of the connection. */
async function flood(at: Scope, port: number, bytes: Buffer): Promise<string> {
  const client = await RawHttp2.connect(at, port, { keep: false });
  let outcome = 'closed';
  client.onFrame = (came) => {
    if (came.type === FrameType.Goaway) outcome = `GOAWAY ${errorCode(came)}`;
  };
  client.send(bytes);
  await client.closed;
  return outcome;
}

for (const { name, bytes, code } of floods) {
  test.serial(`a flood: ${name}`, async (t) => {
    const outcomes = await besiege(t, target, {
      attackers: 2,
      rounds: 2_000,
      strike: (at, port) => flood(at, port, bytes),
    });
    t.true(outcomes.includes(`GOAWAY ${code}`), [...new Set(outcomes)].join());
  });
}

/**
 * A field as large as the peer's table allows, and then field blocks with lines of one byte that reference it
 * repeatedly: 4 MiB in every frame (RFC 7541 section 7.3).
 */
test.serial('an HPACK bomb is answered 431, and nothing is expanded', async (t) => {
  const statuses = new Set<string>();
  await besiege(t, target, {
    attackers: 2,
    rounds: 2_000,
    strike: async (at, port) => {
      const client = await RawHttp2.connect(at, port);
      client.send(
        headersOf(1, entry, { endStream: true }),
        many(100, (n) => headersOf(oddId(n + 1), bomb, { endStream: true })),
      );
      await client.untilFrame(FrameType.Headers, 201);
      for (const came of client.frames.filter(({ type }) => type === FrameType.Headers)) {
        const status = client.decode(came).get(':status') ?? '';
        if (came.streamId > 1) statuses.add(status);
      }
      client.socket.destroy();
      return 'answered';
    },
  });
  t.deepEqual([...statuses], ['431']);
});

test.serial('100 unread responses of one mebibyte hold no more than their windows', async (t) => {
  const outcomes = await besiege(t, target, {
    attackers: 2,
    rounds: 2_000,
    strike: async (at, port) => {
      const client = await RawHttp2.connect(at, port, { reads: false });
      client.send(many(100, (n) => headers(oddId(n), large, { endStream: true })));
      client.send(
        windowUpdate(0, 0x7fff_0000),
        many(100, (n) => windowUpdate(oddId(n), 0x3fff_0000)),
      );
      // By then the server has written as much as the system's buffers take, which is less than was
      // requested.
      await askHonestly(at, target);
      client.socket.destroy();
      return 'gone';
    },
  });
  t.true(outcomes.includes('gone'));
});
