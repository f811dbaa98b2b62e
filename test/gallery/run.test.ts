/** The gallery's application itself: its queries, and their limits. */
import test from 'ava';
import { FORMS } from '../../apps/middleware/catalogue.ts';
import { MAX_LAYERS, MAX_STACKS } from '../../apps/middleware/run.ts';
import { FileScope } from '../server/harness.ts';
import { exchange, type GalleryServer, RUN, reportOf, startGallery } from './gallery-server.ts';

const scope = new FileScope();
let server: GalleryServer;
test.before(async () => {
  server = await startGallery(scope);
});
test.after.always(() => scope.end());

test('the page offers every form', async (t) => {
  const page = await (await fetch(`${server.origin}/middleware`)).text();
  for (const form of FORMS) t.true(page.includes(`<option>${form}</option>`), form);
});

test('the query may name a stack, and an empty query means none', async (t) => {
  const answered = await fetch(`${server.origin}${RUN}/page?stack=native/compression,legacy/timing`);
  t.is(answered.headers.get('content-encoding'), 'gzip');
  t.true(answered.headers.has('x-response-time'));
  await answered.text();
  const bare = await exchange(server, { version: '2', stack: [] });
  t.deepEqual(reportOf(bare.text).withheld, []);
});

test('an unknown form is answered with the list of known ones', async (t) => {
  const got = await exchange(server, { version: '2', stack: ['native/etag', 'native/magic'] });
  t.is(got.status, 400);
  t.true(got.text.startsWith('There is no native/magic.'));
  for (const form of FORMS) t.true(got.text.includes(form));
});

test('a stack has at most the allowed number of layers', async (t) => {
  const most = await exchange(server, { version: '2', stack: Array(MAX_LAYERS).fill('native/cors') });
  t.is(most.status, 200);
  const more = await exchange(server, { version: '2', stack: Array(MAX_LAYERS + 1).fill('native/cors') });
  t.is(more.status, 400);
});

test('more stacks than are cached are all answered', async (t) => {
  const names = (count: number) => [...count.toString(2)].map((bit) => FORMS[Number(bit)] as string);
  for (let count = 0; count <= MAX_STACKS; count++) {
    const got = await exchange(server, { version: '1.1', stack: names(count) });
    if (got.status !== 200) t.fail(`${got.status} for ${names(count)}`);
  }
  t.is((await exchange(server, { version: '1.1', stack: names(0) })).status, 200);
});
