/** `exchangesPerThread: 1`: what a crash costs when a thread has one exchange at a time. */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

test('with one exchange for each thread a crash costs that exchange and no other', async (t) => {
  const { origin, server, signals, log } = await startServer(t, {
    pools: {
      pool: {
        application: application('faults', 'deadly'),
        threads: 2,
        exchangesPerThread: 1,
        queue: { maxWaitMs: 600_000 },
        restart: { intensity: 100 },
      },
    },
  });
  const session = await connectHttp2(t, origin);
  const ask = (path: string) => request(session, { ':path': path, [SIGNALS_FIELD]: signals.name });
  const waiting = ask('/wait?id=other');
  await signals.until('begunother');
  const crashes = Array.from({ length: 3 }, () => ask('/exit'));
  const others = Array.from({ length: 10 }, () => ask('/run'));
  for (const { status } of await Promise.all(crashes)) t.is(status, 502);
  for (const { status } of await Promise.all(others)) t.is(status, 200);
  signals.tell('release');
  t.is((await waiting).status, 200);
  t.is(log.count('thread died'), 3);
  for (const line of log.lines.filter(({ msg }) => msg?.includes('thread died'))) {
    t.is((line.begun as object[]).length, 1);
  }
  t.is(server.status().pools[0]?.exchanges.lost, 3);
});
