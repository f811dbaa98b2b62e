/** The reader of requests against the collection of messages that two servers could read differently. */
import test from 'ava';
import { type Reading, readPieces } from './reading.ts';
import { requestLine, SMUGGLED, SMUGGLING_LIMITS, titleOf } from './smuggling/case.ts';
import { smugglingCases } from './smuggling/collection.ts';

const told = ({ requests, refusal, isWithinMessage }: Reading) => ({
  seen: requests
    .filter(({ isWhole }) => isWhole)
    .map(({ method, path, content }) => requestLine(method, path, content)),
  refused: refusal?.status ?? null,
  isWithinMessage,
});

for (const smuggling of smugglingCases) {
  const { sent, seen, refused } = smuggling;
  test(titleOf(smuggling), (t) => {
    const text = sent + SMUGGLED;
    const expected = {
      seen: refused === null ? [...seen, 'GET /smuggled'] : seen,
      refused,
      isWithinMessage: false,
    };
    const whole = readPieces([text], SMUGGLING_LIMITS);
    t.deepEqual(told(whole), expected);
    t.deepEqual(readPieces([...text], SMUGGLING_LIMITS), whole, 'byte by byte');
    t.deepEqual(readPieces([sent, SMUGGLED], SMUGGLING_LIMITS), whole, 'with what follows apart');
  });
}

test('the collection says each thing once', (t) => {
  t.true(smugglingCases.length > 400);
  t.is(new Set(smugglingCases.map(({ sent }) => sent)).size, smugglingCases.length);
});
