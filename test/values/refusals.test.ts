/** Values that no call takes are refused alike by every server that gives exchanges: ours, and each adapter over somebody else's. */
import { createServer as createHttp1, type RequestListener } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { toFetch } from '../../workers/adapters/fetch/to-fetch.ts';
import { toNode } from '../../workers/adapters/node/to-node.ts';
import { type Way, ways } from '../adapters/ways.ts';
import { FileScope, startServer } from '../server/harness.ts';
import refusing from './applications/refusing.ts';

const application = (name: string): string =>
  fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
// The server is to refuse them, not the validator.
const POOL = { threads: { min: 1, max: 1 }, validate: false };
const scope = new FileScope();
/** By name and version. */
const servers: { [name: string]: Way } = {};

const names = ['ours', 'below-layer', 'node:http', 'node:http2'] as const;
const versions = {
  ours: ['1.1', '2.0'],
  'below-layer': ['2.0'],
  'node:http': ['1.1'],
  'node:http2': ['2.0'],
};
const layers = ['native', 'fields-set', 'head-patched', 'body-patched', 'fetch', 'fetch-wrapped'];

test.before(async () => {
  const server = await startServer(scope, {
    pools: {
      ours: { application: application('refusing'), ...POOL },
      'below-layer': { application: application('below-layer'), ...POOL },
    },
  });
  const handler = toNode(refusing) as RequestListener;
  const places = {
    ours: server,
    'below-layer': server,
    'node:http': await listen(createHttp1(handler)),
    'node:http2': await listen(createHttp2(handler as never)),
  };
  for (const name of names) {
    for (const version of versions[name])
      servers[`${name} ${version}`] = (ways[version] as (typeof ways)[string])(places[name]);
  }
});
test.after.always(() => scope.end());

async function listen(server: ReturnType<typeof createHttp1> | ReturnType<typeof createHttp2>) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, origin: `http://127.0.0.1:${port}` };
}

for (const name of names) {
  for (const version of versions[name]) {
    for (const layer of name === 'below-layer' ? layers : ['']) {
      for (const way of ['whole', 'streamed']) {
        const path = `/${name}/${layer}/${way}`;
        test(`a wrong value is refused at its call and leaves the exchange as it was: HTTP/${version} ${path}`, async (t) => {
          const server = servers[`${name} ${version}`] as Way;
          const { status, how, body } = await server.ask(t, path, { method: 'POST', body: 'x' });
          t.deepEqual([status, how], [200, 'whole']);
          t.deepEqual(JSON.parse(body), []);
        });
      }
    }
  }
}

for (const way of ['whole', 'streamed']) {
  test(`a wrong value is refused at its call and leaves the exchange as it was: Fetch, ${way}`, async (t) => {
    const request = new Request(`http://test.invalid/${way}`, { method: 'POST', body: 'x' });
    const response = await toFetch(refusing)(request);
    t.is(response.status, 200);
    t.deepEqual(await response.json(), []);
  });
}
