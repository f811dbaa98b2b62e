/**
 * The reader of requests against arbitrary messages: what it reads, and that neither splits nor caches nor
 * neighbouring requests change it.
 */
import test from 'ava';
import fc from 'fast-check';
import { FieldSections } from '../../runtime/http1/field-sections.ts';
import type { ReadLimits } from '../../runtime/http1/request-reader.ts';
import { writtenRequest } from './arbitrary-messages.ts';
import { cutAt, type Reading, ROOMY, readPieces, refusedAt } from './reading.ts';

const pipeline = fc.array(writtenRequest, { minLength: 1, maxLength: 4 });
const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** Mutations that break a message, or turn it into two. */
const WORDS: readonly string[] = [
  ...['\r\n', '\r', '\n', ' ', '\t', ':', ';', '"', '\\', '\0', '\x7f', '\xff', ',', '#', '*', '0', 'f', '_'],
  ...['\r\n\r\n', '\r\n ', '0\r\n\r\n', 'HTTP/1.1', 'HTTP/2.0', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ...['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: b\r\n', 'Expect: x\r\n', 'x\r\n'],
  ...['Connection: close\r\n', 'Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n'],
];
const mutation = fc.record({
  at: fc.nat(),
  remove: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 12 })),
  insert: fc.oneof(
    fc.constant(''),
    fc.constantFrom(...WORDS),
    fc.string({ unit: 'binary-ascii', maxLength: 3 }),
  ),
});
const spoiled = fc
  .tuple(pipeline, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([messages, mutations]) => {
    let text = messages.map((each) => each.text).join('');
    for (const { at, remove, insert } of mutations) {
      const place = at % (text.length + 1);
      text = text.slice(0, place) + insert + text.slice(place + remove);
    }
    return text;
  });

const tight: ReadLimits = {
  maxTargetBytes: 30,
  maxHeaderBytes: 160,
  maxFieldLines: 5,
  smallChunks: { burst: 1_000_000, perSecond: 0 },
};

test('property: a request written in any way that RFC 9112 allows is read as what it says, in a pipeline and however it is cut', (t) => {
  fc.assert(
    fc.property(pipeline, cuts, (messages, places) => {
      const text = messages.map((each) => each.text).join('');
      const expected: Reading = {
        requests: messages.map(({ request }) => request),
        refusal: null,
        isWithinMessage: false,
      };
      t.deepEqual(readPieces([text]), expected);
      t.deepEqual(readPieces(cutAt(text, places)), expected);
      t.deepEqual(readPieces([...text]), expected);
    }),
    { numRuns: 700 },
  );
});

for (const [name, limits, numRuns] of [
  ['', ROOMY, 1_500],
  [', at its limits too', tight, 1_500],
] as const) {
  test(`property: damaged input is read the same in one piece, byte by byte and cut at random${name}`, (t) => {
    fc.assert(
      fc.property(
        fc.oneof(spoiled, fc.string({ unit: 'binary-ascii', maxLength: 60 })),
        cuts,
        (text, places) => {
          const whole = readPieces([text], limits);
          t.deepEqual(readPieces([...text], limits), whole);
          t.deepEqual(readPieces(cutAt(text, places), limits), whole);
        },
      ),
      { numRuns },
    );
  });
}

test('property: what was read from other connections changes nothing', (t) => {
  // One table for all runs, so that it fills and entries replace each other.
  const sections = new FieldSections();
  fc.assert(
    fc.property(
      fc.oneof(
        spoiled,
        pipeline.map((all) => all.map(({ text }) => text).join('')),
      ),
      cuts,
      (text, places) => {
        const alone = readPieces([text], tight);
        t.deepEqual(readPieces([text], tight, sections), alone);
        t.deepEqual(readPieces(cutAt(text, places), tight, sections), alone);
      },
    ),
    { numRuns: 1_500 },
  );
});

test('property: bytes after the refused one change nothing, and no byte before it is refused', (t) => {
  fc.assert(
    fc.property(spoiled, fc.string({ unit: 'binary-ascii', maxLength: 30 }), (text, behind) => {
      const at = refusedAt(text);
      if (at === -1) return;
      const refused = readPieces([text]);
      t.deepEqual(readPieces([text.slice(0, at + 1) + behind]), refused);
      const before = readPieces([text.slice(0, at)]);
      t.is(before.refusal, null);
      t.deepEqual(before.requests, refused.requests);
    }),
    { numRuns: 700 },
  );
});
