/**
 * Encodings that are kept with their lists: they are those that the encoder would make, whatever was sent before
 * and for whatever peer.
 */
// Inside a property `assert` is used, not `t`: ava reports its own failures before fast-check can print the seed.
import assert from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import { createChannel, openChannel } from '../../wire/channel.ts';
import { Encoder } from '../../wire/encoder.ts';
import { keptFields, keptRequest, keptResponse } from '../../wire/kept-encoding.ts';
import { type Received, recordReactor, recordThread } from './record.ts';

/** Longer than what is kept, whether counted in bytes or by the bound for them. */
const LONG = 5_000;
const text = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.oneof(
      fc.constantFrom('', 'cookie', 'set-cookie', 'session=1', 'session=2', 'é'.repeat(31), 'é'.repeat(200)),
      fc.string({ maxLength: 34 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    ),
  },
  // Rare, because a list with one is not kept.
  { weight: 1, arbitrary: fc.constantFrom('v'.repeat(LONG), 'é'.repeat(700)) },
);
const flat = fc.array(fc.tuple(text, text), { maxLength: 9 }).map((pairs) => pairs.flat());
/** Few lists, so that they repeat. A list that is not frozen changes between its uses. */
const lists = fc.array(
  fc.tuple(flat, fc.boolean()).map(([list, isFrozen]) => (isFrozen ? Object.freeze(list) : list)),
  { minLength: 1, maxLength: 4 },
);
/** What a request has apart from its fields. */
const peer = fc.record({
  address: fc.constantFrom('10.0.0.1', '10.0.0.2', '::1'),
  port: fc.constantFrom(80, 1_024, 70_000),
  method: fc.constantFrom('GET', 'PUT'),
  scheme: fc.constantFrom('http', 'https'),
  authority: fc.constantFrom('a.example', 'b.example', 'c.example', 'x'.repeat(LONG)),
  version: fc.constantFrom('1.1', '2'),
  tls: fc.constantFrom('', 'one', 'two'),
});
type Peer = typeof peer extends fc.Arbitrary<infer Value> ? Value : never;
/** Peers that differ in one member at most, so that each of them must be told apart by every member. */
const uses = peer.chain((one) => {
  const members = Object.keys(one) as (keyof Peer)[];
  const like = fc
    .tuple(peer, fc.constantFrom(...members))
    .map(([other, key]): Peer => ({ ...one, [key]: other[key] }));
  const use = fc.record({
    list: fc.nat(),
    status: fc.constantFrom(200, 404, 70_000),
    peer: like,
    change: fc.option(fc.nat(), { freq: 3 }),
  });
  return fc.array(use, { minLength: 1, maxLength: 25 });
});

/** Changes a list, if it can be changed. */
function change(list: readonly string[], at: number): void {
  if (list.length > 0 && !Object.isFrozen(list)) (list as string[])[at % list.length] = `changed ${at}`;
}

/** What a new encoder writes. */
function encoded(write: (encoder: Encoder) => void): Uint8Array {
  const encoder = new Encoder(Buffer.alloc(400_000));
  write(encoder);
  return encoder.taken();
}

function assertEncoding(kept: Uint8Array | null, write: (encoder: Encoder) => void): void {
  if (kept !== null) assert.deepEqual(Buffer.from(kept), Buffer.from(encoded(write)));
}

test('property: an encoding that was kept is the one that the encoder makes, for any sequence of lists, statuses and peers', (t) => {
  let found = 0;
  fc.assert(
    fc.property(lists, uses, (all, sequence) => {
      for (const { list: index, status, peer: one, change: at } of sequence) {
        const list = all[index % all.length] as readonly string[];
        if (at !== null) change(list, at);
        const { address, port, method, scheme, authority, version, tls } = one;
        const response = keptResponse(status, list);
        if (response !== null) found++;
        assertEncoding(response, (encoder) => {
          encoder.integer(status);
          encoder.fields(list);
        });
        assertEncoding(keptFields(list), (encoder) => encoder.fields(list));
        const request = keptRequest(address, port, method, scheme, authority, version, list, tls);
        assertEncoding(request, (encoder) =>
          encoder.request(address, port, method, scheme, authority, version, list, tls),
        );
        for (const kept of [response, request]) assert.ok((kept?.length ?? 0) <= 4_096);
      }
    }),
    { numRuns: 200 },
  );
  t.true(found > 0, 'some were kept');
});

test('a request is kept up to 4,096 bytes', (t) => {
  const lengths = Array.from({ length: 40 }, (_, index) => {
    const authority = 'é'.repeat(2_010 + index);
    const list = Object.freeze(['a', 'b']);
    const kept = keptRequest('10.0.0.1', 80, 'GET', 'http', authority, '2', list, '');
    const { length } = encoded((encoder) =>
      encoder.request('10.0.0.1', 80, 'GET', 'http', authority, '2', list, ''),
    );
    t.is(kept !== null, length <= 4_096, `${length}`);
    return length;
  });
  t.true((lengths[0] as number) < 4_096 && (lengths.at(-1) as number) > 4_096);
});

test('property: any sequence of OPENs and HEADs over a few lists arrives as it was sent, each peer with its own fields', (t) => {
  fc.assert(
    fc.property(lists, uses, (all, sequence) => {
      const atReactor: Received[] = [];
      const atThread: Received[] = [];
      const faults: Error[] = [];
      const onCorrupt = (error: Error) => void faults.push(error);
      const rings = { requestRingBytes: 1_048_576, responseRingBytes: 1_048_576, slots: 1_024 };
      const { reactor, transfer } = createChannel(recordReactor(atReactor, { onCorrupt }), rings);
      const thread = openChannel(transfer, recordThread(atThread, { onCorrupt }));
      reactor.unref();
      thread.unref();
      const opens: unknown[] = [];
      const heads: unknown[] = [];
      for (const [slot, { list: index, status, peer: one, change: at }] of sequence.entries()) {
        const list = all[index % all.length] as readonly string[];
        if (at !== null) change(list, at);
        assert.ok(open(reactor, slot, one, list));
        assert.ok(thread.sendHead(slot, 0, status, list, null));
        const { address, port, method, scheme, authority, version, tls } = one;
        const head = [method, scheme, authority, '/', version, address, port, 7];
        opens.push(['open', slot, 1, 0, ...head, [...list], tls]);
        heads.push(['head', slot, 0, status, [...list], '']);
      }
      reactor.publish();
      thread.publish();
      thread.receive(sequence.length);
      reactor.receive(sequence.length);
      assert.deepEqual(faults, []);
      assert.deepEqual(atThread, opens);
      assert.deepEqual(atReactor, heads);
    }),
    { numRuns: 100 },
  );
  t.pass();
});

function open(
  reactor: ReturnType<typeof createChannel>['reactor'],
  slot: number,
  { address, port, method, scheme, authority, version, tls }: Peer,
  list: readonly string[],
): boolean {
  return reactor.sendOpen(slot, 1, 0, method, scheme, authority, '/', version, address, port, 7, list, tls);
}
