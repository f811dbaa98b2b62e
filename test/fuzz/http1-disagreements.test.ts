/**
 * The smuggling collection, read by `node:http` and our reader. Where the two differ, the list says why, and
 * each listed difference occurs.
 */
import test from 'ava';
import { smugglingCases } from '../http1/smuggling/collection.ts';
import { type Disagreement, disagreements } from './disagreements.ts';
import { disagreementOn } from './http1-differential.ts';
import { NodeReader } from './node-reading.ts';

const chunked = 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
/** Messages that the collection does not have, since its cases are about our limits and not Node's. */
const more: readonly string[] = [
  'GET /a\nHost: a\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n',
  `${chunked}1\r\na\r\n0\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n`,
  'GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
];

test('every difference from node:http has its reason in the list, and every reason its difference', async (t) => {
  const node = new NodeReader();
  const found = new Set<Disagreement | null>();
  for (const text of [...smugglingCases.map(({ sent }) => sent), ...more]) {
    // A limit that Node sets differently, or not at all, is not a difference of grammar.
    if (text.length > 2_000) continue;
    found.add(await disagreementOn(text, node));
  }
  const unused = disagreements
    .filter((each) => each.until === undefined && !found.has(each))
    .map(({ reason }) => reason);
  // Another version of Node's parser may behave like our reader.
  if (process.versions.llhttp?.startsWith('9.4')) t.deepEqual(unused, []);
  t.true(found.size > 15);
});
