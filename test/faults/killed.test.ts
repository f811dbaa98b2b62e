/**
 * Threads that are killed from outside, again and again under load. Every request is counted: answered, refused so that it may be sent
 * again, or failed with a reason; none is lost, and none has run twice. `SLUICE_KILLS=300` makes it longer.
 */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';

const KILLS = Number(process.env.SLUICE_KILLS ?? 12);
const SIDE_BY_SIDE = 40;
const ANSWERS_BETWEEN_KILLS = 100;

test('threads are killed one after another under load: no request is lost, none runs twice', async (t) => {
  t.timeout(120_000 + 2_000 * KILLS);
  const { origin, server, signals, log } = await startServer(t, {
    pools: {
      pool: {
        application: application('faults', 'deadly'),
        threads: 2,
        queue: { maxWaitMs: 600_000 },
        restart: { intensity: 5, periodMs: 10_000, delayMs: 10, maxDelayMs: 200 },
      },
    },
  });
  const session = await connectHttp2(t, origin);
  const [pool] = server.parts.pools;
  const counts = { sent: 0, complete: 0, refused: 0, failed: 0, other: 0 };
  let kills = 0;
  /** Any thread that takes work; none while all are being replaced. */
  const kill = () => {
    const threads = pool?.dispatcher.threads ?? [];
    const thread = threads[Math.floor(Math.random() * threads.length)];
    if (thread === undefined) return;
    kills++;
    void pool?.workerOf(thread)?.terminate();
  };
  const client = async () => {
    while (kills < KILLS) {
      const id = `-${counts.sent++}`;
      const { status, body } = await request(session, {
        ':path': `/run?id=${id}`,
        [SIGNALS_FIELD]: signals.name,
      });
      if (status === 200 && body.toString() === `ran${id}`) counts.complete++;
      else if (status === 503) counts.refused++;
      else if (status === 502) counts.failed++;
      else counts.other++;
      if ((counts.complete + counts.refused + counts.failed) % ANSWERS_BETWEEN_KILLS === 0) kill();
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, client));
  t.log(counts);
  t.is(counts.other, 0);
  t.is(counts.complete + counts.refused + counts.failed, counts.sent, 'none is lost');
  const ran = Array.from({ length: counts.sent }, (_, id) => signals.heard(`ran-${id}`));
  t.deepEqual(
    ran.filter((times) => times > 1),
    [],
    'none runs twice',
  );
  t.true(counts.complete > counts.failed);
  const status = server.status().pools[0];
  t.is(status?.exchanges.lost, counts.failed);
  t.is(status?.exchanges.complete, counts.complete);
  t.true(log.count('thread died') > 0);
});
