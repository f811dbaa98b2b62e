/** What clients get through HAProxy with an HTTP/2 back end: everything, however much and however fast. */
import { createHash } from 'node:crypto';
import { Agent, get } from 'node:http';
import anyTest from 'ava';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { hasHaproxy, startHaproxy } from './haproxy.ts';

const scope = new FileScope();
const agent = new Agent({ keepAlive: true, maxSockets: 50 });
let server: TestServer;
let socketPath: string;

if (!hasHaproxy) anyTest.skip('HAProxy is not installed: apt-get install haproxy', () => undefined);
else {
  anyTest.before(async () => {
    server = await startServer(scope, {
      pools: { messages: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
    });
    socketPath = await startHaproxy(scope, server.port);
  });
}
anyTest.after.always(() => {
  agent.destroy();
  return scope.end();
});

const test = hasHaproxy ? anyTest.serial : anyTest.skip;

/** @returns what came: the status, the bytes of the body, and whether they are those that the trailers speak of. */
function download(path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = get({ socketPath, path, agent, headers: { te: 'trailers' } }, (response) => {
    const hash = createHash('sha256');
    let bytes = 0;
    response.on('data', (piece: Buffer) => {
      bytes += piece.length;
      hash.update(piece);
    });
    response.on('error', reject);
    response.on('end', () => {
      const verdict = response.trailers['x-digest'] === hash.digest('hex') ? 'right' : 'wrong';
      resolve(`${response.statusCode} ${bytes} ${verdict}`);
    });
  });
  request.on('error', reject);
  return promise;
}

test('downloads of 20 MB, one after another and four at once, come whole', async (t) => {
  for (let n = 0; n < 3; n++) t.is(await download('/bytes?count=20000000'), '200 20000000 right');
  const four = await Promise.all(Array.from({ length: 4 }, () => download('/bytes?count=20000000')));
  t.deepEqual(new Set(four), new Set(['200 20000000 right']));
  t.is(server.log.find('connection ended'), undefined);
});

test('2,000 downloads of 100 kB, 50 at once, come whole', async (t) => {
  const outcomes = new Map<string, number>();
  const client = async (): Promise<void> => {
    for (let n = 0; n < 40; n++) {
      const outcome = await download('/bytes?count=100000').catch(String);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 50 }, client));
  t.deepEqual([...outcomes], [['200 100000 right', 2_000]]);
  t.is(server.log.find('connection ended'), undefined);
});
