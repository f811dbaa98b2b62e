/**
 * Reading a record that ends before its message does. The bytes behind it in the ring must not appear
 * anywhere, not even in errors.
 */
import test from 'ava';
import { Decoder } from '../../wire/decoder.ts';

const KIND = 7;

const reads: readonly (readonly [
  what: string,
  head: readonly number[],
  read: (decoder: Decoder) => unknown,
])[] = [
  ['an integer', [], (decoder) => [decoder.integer(), decoder.finish()]],
  ['a long integer', [0xce, 1], (decoder) => [decoder.integer(), decoder.finish()]],
  ['a string', [], (decoder) => decoder.string()],
  ['a string whose length is cut', [0xda, 0], (decoder) => decoder.string()],
  ['a string that is skipped', [], (decoder) => decoder.skipString()],
  ['fields', [], (decoder) => decoder.fields()],
  ['fields whose count is cut', [0xdc, 0], (decoder) => decoder.fields()],
  ['content', [], (decoder) => decoder.content()],
  ['content whose length is cut', [0xc5, 0], (decoder) => decoder.content()],
  ['a bin', [], (decoder) => decoder.binary()],
];

for (const [what, head, read] of reads) {
  test(`${what} behind the record`, (t) => {
    const messages = new Set<string>();
    for (let behind = 0; behind < 256; behind++) {
      const bytes = Buffer.alloc(64, behind);
      bytes.set([0x91, KIND, ...head]);
      const decoder = new Decoder(bytes);
      decoder.start(0, 2 + head.length);
      const error = t.throws(() => read(decoder), { code: 'SLUICE_CHANNEL_CORRUPT' });
      messages.add(error?.message ?? '');
    }
    t.deepEqual(
      [...messages],
      ['channel: expected a message within its record, got one that continues past its end'],
    );
  });
}
