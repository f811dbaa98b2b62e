/** What a program has hung on the end of its process is done in its thread when that is drained. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request as sendHttp1 } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';

interface Told extends TestServer {
  told(): Promise<string[]>;
}

async function start(t: ExecutionContext, name: string, drainTimeoutMs = 60_000): Promise<Told> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-shutdown-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'told');
  const application = fileURLToPath(new URL(`programs/shutdown/${name}.mjs`, import.meta.url));
  const started = await startServer(t, {
    pools: { app: { application, threads: { min: 1, max: 1 }, env: { TOLD: file } } },
    drainTimeoutMs,
  });
  t.is((await requestHttp1(`${started.origin}/`)).body.toString(), 'ok');
  return { ...started, told: async () => (await readFile(file, 'utf8')).trim().split('\n') };
}

const ends: Readonly<Record<string, readonly string[]>> = {
  'by-exit': ['SIGTERM 15', 'close', 'closed', 'exit'],
  'by-kill': ['beforeApplicationShutdown', 'onApplicationShutdown SIGINT', 'stop'],
  'by-nothing': ['close'],
  fastify: ['onClose'],
};

for (const [name, expected] of Object.entries(ends)) {
  test(`${name}: a drain does what the program does when its process is told to end`, async (t) => {
    const { server, told, log } = await start(t, name);
    await server.drain();
    t.deepEqual(await told(), expected);
    t.is(log.count('did not stop') + log.count('thread died'), 0);
  });
}

for (const [name, expected] of [
  ['by-exit', ['answered', 'close', 'closed', 'exit']],
  ['by-kept-exit', ['exit', 'answered']],
] as const) {
  test(`an exit of a listener waits for the exchanges that are open, ${name}`, async (t) => {
    const { server, told, origin } = await start(t, name);
    const outgoing = sendHttp1(origin, { method: 'POST' });
    outgoing.flushHeaders();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const drained = server.drain();
    // The listener has been called when the connection is told to close; the exchange goes on.
    outgoing.end('rest');
    t.is(Buffer.concat(await response.toArray()).toString(), 'begun');
    t.true(response.complete);
    await drained;
    t.deepEqual((await told()).slice(-expected.length).toSorted(), expected.toSorted());
  });
}

test('a program that does not come to its end is ended at the deadline', async (t) => {
  const { server, told, log } = await start(t, 'for-ever', 500);
  await server.drain();
  t.deepEqual(await told(), ['SIGTERM']);
  t.is(log.count('applications that have not stopped are ended'), 1);
});

test('what a listener throws is told, and the others are called', async (t) => {
  const { server, told, log } = await start(t, 'throwing');
  await server.drain();
  t.deepEqual(await told(), ['the next listener']);
  const messages = log.lines
    .filter(({ msg }) => msg?.includes('did not stop'))
    .map(({ err }) => (err as Error).message);
  t.deepEqual(messages.toSorted(), ['rejected by a listener', 'thrown by a listener']);
  t.is(log.count('thread died'), 0);
});
