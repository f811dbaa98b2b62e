/**
 * The collection of messages that two servers could read differently, sent to a whole server. A refused
 * message is answered once with a response that announces the close, and the connection is closed. The
 * application never sees the bytes that follow.
 */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { RawClient, type RawResponse } from './raw.ts';
import { SMUGGLED, SMUGGLING_LIMITS, titleOf } from './smuggling/case.ts';
import { smugglingCases } from './smuggling/collection.ts';

const application = fileURLToPath(new URL('applications/seen.ts', import.meta.url));
const { maxTargetBytes, ...http1 } = SMUGGLING_LIMITS;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  server = await startServer(scope, {
    pools: { seen: { application, threads: { min: 1, max: 1 } } },
    limits: { maxTargetBytes },
    http1,
  });
});
test.after.always(() => scope.end());

async function finalResponse(client: RawClient, method: string): Promise<RawResponse> {
  for (;;) {
    const response = await client.response(method);
    if (response.status >= 200) return response;
  }
}

for (const [index, smuggling] of smugglingCases.entries()) {
  const { sent, seen, refused } = smuggling;
  test(titleOf(smuggling, ', over a socket'), async (t) => {
    const client = await RawClient.connect(t, server.port);
    client.send(sent + SMUGGLED.replace('/smuggled', `/smuggled-${index}`));
    for (const line of refused === null ? [...seen, `GET /smuggled-${index}`] : seen) {
      const method = line.slice(0, line.indexOf(' '));
      const { status, body } = await finalResponse(client, method);
      t.deepEqual([status, body], [200, method === 'HEAD' ? '' : line]);
    }
    if (refused === null) return;
    const { status, fields } = await finalResponse(client, 'GET');
    t.deepEqual([status, fields.connection], [refused, 'close']);
    t.is(await client.untilClosed(), '', 'nothing follows');
    const paths = JSON.parse((await requestHttp1(`${server.origin}/seen`)).body.toString());
    t.false(paths.includes(`/smuggled-${index}`), 'the application has seen what stands behind');
  });
}
