/** What the server refuses is thrown at the call of a native application also where a legacy layer is between. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startServer } from '../../server/harness.ts';
import { isCut, ways } from '../ways.ts';

for (const [version, over] of Object.entries(ways)) {
  test(`a native application below a patched response hears what is refused, over HTTP/${version}`, async (t) => {
    const application = fileURLToPath(new URL('applications/below.ts', import.meta.url));
    // The validator would refuse it before the server does.
    const pool = { application, threads: { min: 1, max: 1 }, validate: false };
    const server = await startServer(t, { pools: { below: pool } });
    const way = over(server);
    t.is((await way.ask(t, '/length')).status, 500);
    t.is((await way.ask(t, '/told')).body, 'length: SLUICE_FIELD_INVALID');
    t.true(await isCut(way.ask(t, '/trailers')));
    t.is((await way.ask(t, '/told')).body, 'trailers: SLUICE_FIELD_INVALID');
    t.is(server.log.count('thread died'), 0);
  });
}
