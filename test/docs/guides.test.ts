/** The guides' files do what the guides say, as whoever follows them would have them. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { blocksOf, modulesOf, read, root } from './markdown.ts';

const scope = new FileScope();
const directory = mkdtempSync(join(tmpdir(), 'sluice-guides-'));
scope.teardown(() => rmSync(directory, { recursive: true }));
symlinkSync(`${root}node_modules`, join(directory, 'node_modules'));
writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
test.after.always(() => scope.end());

const published: Readonly<Record<string, string>> = {
  'sluice/middleware': `${root}workers/middleware/compose.ts`,
  'sluice/node': `${root}workers/adapters/node/node.ts`,
  'sluice/gateway': `${root}workers/gateway.ts`,
};

test('bring your app: app.js and its configuration serve both pools, over both versions', async (t) => {
  const blocks = blocksOf(read('docs/bring-your-app.md'));
  const [before, after] = blocks.filter(({ language }) => language === 'js').map(({ text }) => text);
  const config = JSON.parse(blocks.find(({ language }) => language === 'json')?.text ?? '');
  t.is(
    String(before)
      .replace("import cluster from 'node:cluster';\nimport { availableParallelism } from 'node:os';\n", '')
      .split('\nif (cluster')[0],
    String(after).split('\nexport default')[0],
    'nothing but the end has changed',
  );
  writeFileSync(join(directory, 'app.js'), String(after));
  const pools = Object.fromEntries(
    Object.entries(config.pools as Record<string, { application: string }>).map(([name, pool]) => [
      name,
      { ...pool, application: join(directory, pool.application) },
    ]),
  );
  const server = await startServer(t, { pools, routes: config.routes });
  const report = await requestHttp1(`${server.origin}/report/3`);
  t.deepEqual(JSON.parse(report.body.toString()).rows.length, 3);
  const session = await connectHttp2(t, server.origin);
  const head = { ':method': 'POST', ':path': '/orders', 'content-type': 'application/json' };
  const ordered = await request(session, head, '{"item":"tea"}');
  t.deepEqual([ordered.status, ordered.body.toString()], [201, '{"ordered":"tea"}']);
});

async function serveStages(): Promise<TestServer> {
  const pools: Record<string, { application: string }> = {};
  for (const [name, source] of modulesOf(read('docs/upgrade-one-middleware.md'))) {
    const runnable = source.replaceAll(/'(sluice\/\w+)'/g, (_all, specifier) => `'${published[specifier]}'`);
    writeFileSync(join(directory, name), runnable);
    pools[name.replace(/\.\w+$/, '')] = { application: join(directory, name) };
  }
  return startServer(scope, { pools });
}

test('upgrade one middleware: every stage runs, and has what both layers set', async (t) => {
  const server = await serveStages();
  const session = await connectHttp2(t, server.origin);
  for (const [path, text] of [
    ['/old/ada', 'hello ada\n'],
    ['/mixed/ada', 'hello ada\n'],
  ] as const) {
    const { status, headers, body } = await request(session, { ':path': path });
    t.deepEqual([status, body.toString()], [200, text]);
    t.regex(String(headers['x-response-time']), /^\d+\.\d{3}ms$/);
    t.is(headers['x-dns-prefetch-control'], 'off');
  }
  const inside = await request(session, { ':method': 'POST', ':path': '/inside' }, 'eight by');
  t.deepEqual([inside.status, inside.body.toString()], [200, 'eight by']);
  t.is(inside.trailers['x-bytes'], '8');
  t.is(inside.headers['x-dns-prefetch-control'], 'off');
  t.truthy(inside.headers['x-response-time']);
});
