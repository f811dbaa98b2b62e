/** What is looked at, and what is kept, for whoever asks: bounded, whatever the server has. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { ExchangeViews } from '../../runtime/admin/exchanges.ts';
import type { Exchange } from '../../runtime/exchange/exchange.ts';
import type { Pool, PoolObserver } from '../../runtime/pools/pool.ts';
import { RecentEvents } from '../../runtime/status/recent-events.ts';
import { ExchangeBench } from '../runtime/exchange-bench.ts';
import { bearer, startListener } from './admin-listener.ts';

function* repeated(exchange: Exchange, times: number): Generator<Exchange> {
  for (let i = 0; i < times; i++) yield exchange;
}

test('of more than 50,000 exchanges so many are looked at, and the answer says so', (t) => {
  const exchange = new ExchangeBench().exchange(true);
  const views = new ExchangeViews();
  const view = (times: number) =>
    views.view(
      { exchanges: repeated(exchange, times), pools: [], actors: null, nowMs: 0 },
      { olderThanMs: 0, limit: 10 },
    );
  t.like(view(50_000), { total: 50_000, isCut: false });
  const cut = view(50_001);
  t.like(cut, { total: 50_000, isCut: true });
  t.is(cut.exchanges.length, 10);
});

test('the last 200 events are kept, each with the beginning of its reason, and each is told to the observer', (t) => {
  const events = new RecentEvents(() => new Date(0));
  let told = 0;
  const observer = { onThreadNotRecycled: () => told++ } as unknown as PoolObserver;
  const following = events.follow(observer);
  const pool = { name: 'app' } as Pool;
  for (let i = 0; i < 250; i++)
    following.onThreadNotRecycled(pool, `app-${i}`, new Error('x'.repeat(10_000)));
  t.is(told, 250);
  t.is(events.all.length, 200);
  t.deepEqual(events.all.at(-1), {
    at: '1970-01-01T00:00:00.000Z',
    pool: 'app',
    thread: 'app-249',
    what: 'not-recycled',
    why: 'x'.repeat(500),
  });
  t.is(events.all[0]?.thread, 'app-50');
});

// Serial, because it blocks the event loop that the other tests measure time on.
test.serial(
  'the configuration says how many streams a connection has, and what answers may take',
  async (t) => {
    const { routes, origin } = await startListener(t, { maxStreams: 2, busyPercent: 5, busyBurstMs: 20 });
    const session = connectHttp2(origin);
    t.teardown(() => session.destroy());
    await once(session, 'remoteSettings');
    t.is(session.remoteSettings.maxConcurrentStreams, 2);
    const begun: number[] = [];
    let endedMs = 0;
    routes.add('GET', '/dear', (exchange) => {
      begun.push(performance.now());
      while (performance.now() - (begun[0] as number) < 120);
      endedMs ||= performance.now();
      exchange.answer(200, 'dear');
    });
    const ask = async () => JSON.parse(await text(session.request({ ':path': '/dear', ...bearer() })));
    t.deepEqual(await Promise.all([ask(), ask()]), ['dear', 'dear']);
    // 19 times the 100 ms beyond the burst; with the defaults it would be 9 times 70 ms.
    const waitedMs = (begun[1] as number) - endedMs;
    t.true(waitedMs >= 1_500, `${waitedMs} ms`);
  },
);
