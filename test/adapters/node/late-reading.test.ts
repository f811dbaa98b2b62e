/** A request that is read when its response has been sent already comes to its end, as with node:http. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { requestHttp1 } from '../../server/http1-client.ts';
import { connectHttp2, request } from '../../server/http2-client.ts';
import { lateReading, ways } from './applications/late-reading.ts';
import { type Address, listen } from './reference.ts';

const scope = new FileScope();
let server: TestServer;
let reference: Address;

test.before(async () => {
  const application = fileURLToPath(new URL('applications/late-reading.ts', import.meta.url));
  server = await startServer(scope, { pools: { late: { application, threads: { min: 1, max: 1 } } } });
  reference = await listen(scope, lateReading());
});
test.after.always(() => scope.end());

async function met(origin: string, path: string): Promise<string> {
  const { body } = await requestHttp1(`${origin}${path}`, { method: 'POST', body: Buffer.from('hello') });
  if (body.toString() !== 'answer') return `answered ${body}`;
  return (await requestHttp1(`${origin}/`)).body.toString();
}

for (const path of Object.keys(ways)) {
  test.serial(`${path} meets what it does with node:http`, async (t) => {
    const expected = await met(reference.origin, path);
    t.regex(expected, /^over/m);
    t.is(await met(server.origin, path), expected);
    const session = await connectHttp2(t, server.origin);
    const answer = await request(session, { ':method': 'POST', ':path': path }, Buffer.from('hello'));
    t.is(answer.body.toString(), 'answer');
    t.is((await request(session, { ':path': '/' })).body.toString(), expected);
  });
}
