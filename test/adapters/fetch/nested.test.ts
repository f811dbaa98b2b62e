/** Native applications below Fetch layers (docs/sgi.md, rule 12.6). */
import { once } from 'node:events';
import { type IncomingHttpHeaders, sensitiveHeaders } from 'node:http2';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { answer, connectHttp2 } from '../../server/http2-client.ts';
import { ways } from '../ways.ts';

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/nested.ts', import.meta.url));
  server = await startServer(scope, { pools: { nested: { application, threads: { min: 1, max: 1 } } } });
});
test.after.always(() => scope.end());

for (const [version, over] of Object.entries(ways)) {
  for (const [path, body, trailer, layer] of [
    ['/alone', 'text|', 'native', undefined],
    ['/field', 'text|', 'native', 'hono'],
    // It had begun to be taken when it was asked what is withheld. Padding and push there are over HTTP/2 only.
    ['/rewritten', 'TEXT|TRAILERS PADDING PUSH STREAMING', undefined, undefined],
  ] as const) {
    test(`over HTTP/${version} ${path}: the layer costs what it takes, and nothing else`, async (t) => {
      const seen = await over(server).ask(t, path, { method: 'POST', body: 'text' });
      // Where there is no push, a second one preloads what would have been pushed.
      const interim = version === '1.1' ? [103, 103] : [103];
      t.deepEqual([seen.status, seen.interim, seen.headers['x-layer']], [200, interim, layer]);
      t.is(seen.body, version === '1.1' ? body.replace(' PADDING PUSH', '') : body);
      t.is(seen.trailers['x-trailer'], trailer);
    });
  }
}

test('a push of the application goes out below a layer that leaves the exchange alone', async (t) => {
  const session = await connectHttp2(t, server.origin);
  const promised = new Promise<[string, string]>((resolve) =>
    session.once('stream', (stream, headers) => {
      let text = '';
      stream.setEncoding('utf8');
      stream.on('data', (piece: string) => {
        text += piece;
      });
      stream.on('end', () => resolve([String(headers[':path']), text]));
    }),
  );
  const whole = await answer(session.request({ ':path': '/alone' }));
  t.is(whole.body.toString(), '|');
  t.deepEqual(await promised, ['/pushed.css', 'pushed']);
});

for (const path of ['/alone', '/field', '/rewritten']) {
  for (const query of ['secret', 'secret-streaming']) {
    test(`${path}?${query}: a field that the application marks as secret is never indexed, whoever looked at it`, async (t) => {
      const session = await connectHttp2(t, server.origin);
      const { headers } = await answer(session.request({ ':path': `${path}?${query}` }));
      t.deepEqual(headers['set-cookie'], ['secret=1']);
      const { [sensitiveHeaders]: sensitive } = headers as IncomingHttpHeaders & {
        [sensitiveHeaders]?: string[];
      };
      t.deepEqual(sensitive, ['set-cookie']);
    });
  }

  test(`${path}: a write that nobody waits for ends no thread when the exchange is cut off`, async (t) => {
    const session = await connectHttp2(t, server.origin);
    const stream = session.request({ ':path': `${path}?unheard` });
    stream.on('error', () => undefined);
    await once(stream, 'data');
    stream.close(8);
    // On one connection, so behind the reset; and once more, behind whatever that one has met.
    for (let i = 0; i < 2; i++) t.is((await answer(session.request({ ':path': '/alone' }))).status, 200);
    t.is(server.log.count('thread started'), 1);
  });
}
