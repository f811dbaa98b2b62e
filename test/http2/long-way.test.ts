import test, { type ExecutionContext } from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { DelayingProxy } from './delaying-proxy.ts';

const MIB = 1_048_576;

/**
 * Uploads with 50 ms of latency in each direction. @returns the number of round trips, and the most bytes in
 * one.
 */
async function upload(
  t: ExecutionContext,
  bytes: number,
  http2: { maxStreamWindowBytes?: number },
): Promise<{ roundTrips: number; mostBytes: number }> {
  const { port } = await startServer(t, {
    http2,
    pools: { app: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
  });
  const proxy = await DelayingProxy.listen(t, port, 50);
  const session = await connectHttp2(t, `http://127.0.0.1:${proxy.port}`);
  const answer = await request(session, { ':method': 'POST', ':path': '/digest' }, Buffer.alloc(bytes));
  t.is(answer.headers['x-length'], String(bytes));
  return { roundTrips: proxy.roundTrips, mostBytes: Math.max(...proxy.bytesByRound.filter((n) => n > 0)) };
}

test('an upload over a long way fills growing windows instead of waiting a round trip for every 64 KiB', async (t) => {
  const { roundTrips, mostBytes } = await upload(t, 16 * MIB, {});
  t.log({ roundTrips, mostBytes });
  // At 64 KiB a round trip it would take 256 of them.
  t.true(roundTrips <= 24, `${roundTrips} round trips`);
  t.true(mostBytes > 2 * MIB, `${mostBytes} bytes in one round trip`);
});

test('maxStreamWindowBytes: a window that may not grow limits an upload over a long way to one window per round trip', async (t) => {
  const { roundTrips, mostBytes } = await upload(t, 2 * MIB, { maxStreamWindowBytes: 1 });
  t.log({ roundTrips, mostBytes });
  t.true(roundTrips >= 16, `${roundTrips} round trips`);
  t.true(mostBytes < 256 * 1024, `${mostBytes} bytes in one round trip`);
});
