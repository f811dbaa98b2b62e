/**
 * Padding of sent frames (RFC 9113 sections 6.1, 6.2, 6.9.1 and 10.7), and marks on fields (RFC 7541 section
 * 6.2).
 */

import test from 'ava';
import fc from 'fast-check';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { HpackEncoder } from '../../runtime/http2/hpack/encoder.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { FieldMark } from '../../wire/field-marks.ts';
import { type Frame, get, windowUpdate } from './frames.ts';
import { Peer } from './peer.ts';

const bytes = Buffer.alloc(200_000, 0x61);

/** A frame's payload without its padding, which must be zeros. */
function unpadded({ flags, payload }: Frame): Buffer {
  if ((flags & Flag.Padded) === 0) return payload;
  const end = payload.length - payload[0];
  if (payload.subarray(end).some((byte) => byte !== 0)) throw new Error('padding is not zeros');
  return payload.subarray(1, end);
}

test('heads, content and trailers are padded to the requested multiple and decode to the same', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  const stream = peer.stream(1);
  peer.engine.pad(stream, 64);
  peer.engine.inform(stream, 103, ['link', '</a>']);
  peer.engine.respond(stream, 200, ['x-a', '1'], false);
  peer.engine.write(stream, bytes, 0, 100, false);
  peer.engine.write(stream, bytes, 0, 1, false);
  peer.engine.trailers(stream, ['x-b', '2']);
  const frames = peer.take();
  t.deepEqual(
    frames.map(({ payload }) => payload.length % 64),
    [0, 0, 0, 0, 0],
  );
  t.true(frames.every(({ flags }) => (flags & Flag.Padded) !== 0));
  const [inform, head, first, second, trailers] = frames.map(unpadded);
  t.deepEqual(peer.fields(inform), [':status', '103', 'link', '</a>']);
  t.deepEqual(peer.fields(head), [':status', '200', 'x-a', '1']);
  t.is(first.length, 100);
  t.is(second.length, 1);
  t.deepEqual(peer.fields(trailers), ['x-b', '2']);
  t.is(peer.sentBytes.get(1), 101, 'credit is told of content');
});

test('padding uses flow-control room like content, and other streams are not padded', (t) => {
  const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 1000);
  peer.send(get(1), get(3));
  peer.engine.pad(peer.stream(1), 256);
  for (const id of [1, 3]) {
    peer.engine.respond(peer.stream(id), 200, [], false);
    peer.engine.write(peer.stream(id), bytes, 0, 10, false);
  }
  t.is(peer.stream(1).sendWindow.available, 1000 - 256);
  t.is(peer.stream(3).sendWindow.available, 1000 - 10);
});

test('a head longer than a frame is not padded', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  peer.engine.pad(peer.stream(1), 256);
  peer.engine.respond(peer.stream(1), 200, ['x-long', 'ü'.repeat(40_000)], true);
  const frames = peer.take();
  t.true(frames.length > 1);
  t.true(frames.every(({ flags }) => (flags & Flag.Padded) === 0));
  t.deepEqual(peer.fields(Buffer.concat(frames.map(({ payload }) => payload))).slice(2, 3), ['x-long']);
});

test('whatever the windows, padding never holds content back, overruns a window or changes content', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 256 }),
      fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 60 }),
      (multiple, sizes, grants) => {
        const peer = Peer.open({}, {}, SettingId.InitialWindowSize, 0);
        peer.send(get(1));
        const stream = peer.stream(1);
        peer.engine.pad(stream, multiple);
        peer.engine.respond(stream, 200, [], false);
        for (const size of sizes) peer.engine.write(stream, bytes, 0, size, false);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        let granted = 0;
        let used = 0;
        let content = 0;
        const settle = () => {
          for (const frame of peer.take()) {
            if (frame.type !== FrameType.Data) continue;
            used += frame.payload.length;
            content += unpadded(frame).length;
          }
        };
        settle();
        for (const grant of grants) {
          const before = content;
          peer.send(windowUpdate(1, grant));
          granted += grant;
          settle();
          if (used > granted) throw new Error('a window was overrun');
          if (content === before && content < total) throw new Error('content was held back');
        }
        // The connection's own window is 65,535, so no more can have arrived.
        if (content < total && used < Math.min(granted, 65_535)) throw new Error('room was left');
      },
    ),
  );
  t.pass();
});

test('RFC 7541 section 7.1.3: a marked value is a literal never indexed, whatever it is and however often it is sent', (t) => {
  const encoder = new HpackEncoder({ maxTableBytes: 4096, huffman: false });
  const out = new Uint8Array(200);
  const fields = [`${FieldMark.Never}x-token`, 'secret'];
  for (let time = 0; time < 3; time++) {
    const end = encoder.encodeFields(fields, out, 0);
    t.is(Buffer.from(out.subarray(0, end)).toString('latin1'), '\x10\x07x-token\x06secret');
  }
  // Static table entry 16 is accept-encoding: gzip, deflate. The name may be indexed, the value never.
  const end = encoder.encodeFields([`${FieldMark.Never}accept-encoding`, 'gzip, deflate'], out, 0);
  t.is(Buffer.from(out.subarray(0, end)).toString('latin1'), '\x1f\x01\x0dgzip, deflate');
  t.is(encoder.table.inserted, 0);
});

test('a preferred value is indexed at once although the policy would wait for a repeat', (t) => {
  const encoder = new HpackEncoder({ maxTableBytes: 4096 });
  const out = new Uint8Array(200);
  encoder.encodeFields(['etag', '"1"'], out, 0);
  t.is(encoder.table.inserted, 0);
  encoder.encodeFields([`${FieldMark.Prefer}etag`, '"2"'], out, 0);
  t.is(encoder.table.inserted, 1);
  t.is(encoder.encodeFields([`${FieldMark.Prefer}etag`, '"2"'], out, 0), 1, 'an index');
});

test('RFC 9218 section 5: the priority field of a response changes those parameters of the client that it contains', (t) => {
  const peer = Peer.open();
  peer.send(get(1));
  const stream = peer.stream(1);
  t.is(stream.urgency, 3);
  peer.engine.prioritise(stream, 'u=0');
  t.deepEqual([stream.urgency, stream.incremental], [0, false]);
  peer.engine.prioritise(stream, 'i');
  t.deepEqual([stream.urgency, stream.incremental], [0, true]);
  peer.engine.prioritise(stream, 'u=7, i=?0');
  t.deepEqual([stream.urgency, stream.incremental], [7, false]);
});
