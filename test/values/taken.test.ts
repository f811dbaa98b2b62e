/** Content of every kind that is taken arrives, whole and in pieces, with its right length. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ways } from '../adapters/ways.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { contents } from './applications/taken.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/taken.ts', import.meta.url));
  server = await startServer(scope, { pools: { taken: { application, threads: { min: 1, max: 1 } } } });
});
test.after.always(() => scope.end());

/** What has no place in UTF-8 is the replacement character (U+FFFD). */
const EXPECTED: { readonly [kind: string]: string } = {
  'lone surrogates': 'a\ufffdb\ufffd',
  'no bytes': '',
  'no text': '',
};

for (const [version, over] of Object.entries(ways)) {
  for (const kind of Object.keys(contents)) {
    test(`HTTP/${version}: content is taken: ${kind}`, async (t) => {
      const expected = EXPECTED[kind] ?? 'five!';
      const query = new URLSearchParams({ kind });
      const whole = await over(server).ask(t, `/whole?${query}`);
      t.deepEqual([whole.body, whole.how], [expected, 'whole']);
      t.is(whole.headers['content-length'], String(Buffer.byteLength(expected)));
      const pieces = await over(server).ask(t, `/pieces?${query}`);
      t.deepEqual([pieces.body, pieces.how], [expected + expected, 'whole']);
    });
  }
}
