/**
 * Content that the application does not read: it is answered before the content arrives, or never asks for
 * it. A server that forgets such content takes it for the next request. A client behind a proxy could then
 * send requests in its neighbour's name (RFC 9112 section 9.3).
 */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { message, RawClient } from './raw.ts';

const application = fileURLToPath(new URL('applications/seen.ts', import.meta.url));

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: { seen: { application, threads: { min: 1, max: 1 } } },
    routes: [
      { path: '/limited', pool: 'seen', maxBodyBytes: 5 },
      ...['/early', '/next/*', '/seen', '/smuggled/*'].map((path) => ({ path, pool: 'seen' })),
    ],
  });
});
test.after.always(() => scope.end());

const whom: readonly (readonly [what: string, line: string, status: number, ...fields: string[]])[] = [
  ['an application that answers without reading it', 'POST /early', 200],
  ['GET', 'GET /early', 200],
  ['HEAD', 'HEAD /early', 200],
  ['a path without a route', 'POST /nowhere', 404],
  ['a route that takes less', 'POST /limited', 413],
  ['a client that was to wait for 100', 'POST /early', 200, 'Expect: 100-continue'],
  ['an Upgrade that is ignored', 'GET /early', 200, 'Connection: Upgrade', 'Upgrade: websocket'],
  ['a client that says close', 'POST /early', 200, 'Connection: close'],
];
/** A request used as content, with the field that frames it. */
const framings: readonly (readonly [name: string, frame: (content: string) => readonly [string, string]])[] =
  [
    ['with a length', (content) => [`Content-Length: ${content.length}`, content]],
    [
      'in one chunk',
      (content) => [
        'Transfer-Encoding: chunked',
        `${content.length.toString(16)}\r\n${content}\r\n0\r\n\r\n`,
      ],
    ],
    [
      'in chunks of a byte',
      (content) => [
        'Transfer-Encoding: chunked',
        `${[...content].map((char) => `1\r\n${char}\r\n`).join('')}0\r\n\r\n`,
      ],
    ],
  ];

let count = 0;
for (const [what, line, status, ...fields] of whom) {
  for (const [framing, frame] of framings) {
    for (const order of ['at once', 'behind the answer'] as const) {
      // Until its content has arrived, it is not known to be too much.
      if (status === 413 && order === 'behind the answer' && framing !== 'with a length') continue;
      test(`content ${framing}, sent ${order}, is never a request: ${what} (RFC 9112 section 9.3)`, async (t) => {
        const number = ++count;
        const [field, content] = frame(message([`GET /smuggled/${number} HTTP/1.1`, 'Host: smuggled']));
        const client = await RawClient.connect(t, server.port);
        const head = message([`${line} HTTP/1.1`, 'Host: a', field, ...fields]);
        const next = message([`GET /next/${number} HTTP/1.1`, 'Host: a', 'Connection: close']);
        if (order === 'at once') client.send(head + content + next);
        else client.send(head);
        const answer = await client.response(line.slice(0, line.indexOf(' ')));
        t.is(answer.status, status);
        if (order === 'behind the answer') client.send(content + next);
        const rest = await client.untilClosed();
        // Either the connection ended with the answer, or the next request is the one after the content.
        if (answer.fields.connection === 'close') t.is(rest, '');
        else t.regex(rest, new RegExp(`^HTTP/1\\.1 200 [^]*GET /next/${number}$`));
        const seen = JSON.parse((await requestHttp1(`${server.origin}/seen`)).body.toString());
        t.false(seen.includes(`/smuggled/${number}`));
      });
    }
  }
}
