/** The application gets the same messages however the peer's bytes are split and its messages are framed. */

import test from 'ava';
import fc from 'fast-check';
import { acceptWith } from '../../workers/websocket/accept.ts';
import { close, frame, HandshakeExchange, settled } from './memory-tunnel.ts';

interface Sent {
  readonly content: string;
  readonly isText: boolean;
  /** Where the message is split into frames, as fractions of its length. */
  readonly cuts: readonly number[];
  /** Whether a Ping comes between its frames. */
  readonly pinged: boolean;
}

const sent: fc.Arbitrary<Sent> = fc.record({
  content: fc.string({ maxLength: 200, unit: 'grapheme' }),
  isText: fc.boolean(),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
  pinged: fc.boolean(),
});

function framesOf({ content, isText, cuts, pinged }: Sent): Buffer[] {
  const bytes = Buffer.from(content);
  const at = [...cuts].sort((a, b) => a - b).map((part) => Math.floor(part * bytes.length));
  const starts = [0, ...at];
  return starts.flatMap((start, index) => {
    const end = starts[index + 1] ?? bytes.length;
    const opcode = index > 0 ? 0 : isText ? 1 : 2;
    const fin = index === starts.length - 1;
    const piece = frame(opcode, bytes.subarray(start, end), { fin });
    return pinged && !fin ? [piece, frame(9, 'between')] : [piece];
  });
}

function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length];
    cut.push(bytes.subarray(at, at + length));
    at += length;
  }
  return cut;
}

test('property: messages are the same however they are framed and however the bytes are split', async (t) => {
  const property = fc.asyncProperty(
    fc.array(sent, { maxLength: 6 }),
    fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
    async (messages, lengths) => {
      const { exchange, tunnel, timers } = new HandshakeExchange();
      const socket = acceptWith(exchange, { maxUnreadBytes: 200 }, timers);
      if (socket === null) return false;
      const bytes = Buffer.concat([...messages.flatMap(framesOf), close(1000, 'all')]);
      for (const piece of pieces(bytes, lengths)) tunnel.feed(piece);
      tunnel.feedEnd();
      const received: (string | Uint8Array)[] = [];
      for await (const message of socket) received.push(message);
      const expected = messages.map(({ content, isText }) => (isText ? content : Buffer.from(content)));
      t.deepEqual(received, expected);
      t.deepEqual(await socket.closed, { code: 1000, reason: 'all', wasClean: true });
      await tunnel.returned(false);
      t.is(timers.pending, 0);
      return true;
    },
  );
  await fc.assert(property, { numRuns: 200 });
});

test('property: whatever bytes arrive, the socket ends, says why and keeps no timer', async (t) => {
  const property = fc.asyncProperty(
    fc.uint8Array({ maxLength: 64 }),
    fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1, maxLength: 3 }),
    async (bytes, lengths) => {
      const { exchange, tunnel, timers } = new HandshakeExchange();
      const socket = acceptWith(exchange, {}, timers);
      if (socket === null) return false;
      for (const piece of pieces(Buffer.from(bytes), lengths)) tunnel.feed(Buffer.from(piece));
      tunnel.feedEnd();
      for await (const _ of socket);
      const { code } = await socket.closed;
      t.true(code >= 1000 && code <= 4999);
      await tunnel.returned(false);
      await settled();
      t.is(timers.pending, 0);
      return true;
    },
  );
  await fc.assert(property, { numRuns: 500 });
});
