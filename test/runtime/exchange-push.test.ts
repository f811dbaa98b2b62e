/** An exchange that its thread has asked for: the thread hears in which slot it is before it hears anything else of it. */
import test from 'ava';
import type { Exchange } from '../../runtime/exchange/exchange.ts';
import { pushedExchange } from '../../runtime/exchange/pushed-exchange.ts';
import { ResetBy } from '../../wire/messages.ts';
import { ExchangeBench, RecordingTransport } from './exchange-bench.ts';

const NUMBER = 7;

class PushingTransport extends RecordingTransport {
  readonly pushed: Exchange[] = [];

  push(parent: Exchange, number: number, method: string, path: string, fields: readonly string[]): Exchange {
    const exchange = pushedExchange(this, null, parent, number, method, path, fields);
    this.pushed.push(exchange);
    return exchange;
  }
}

/** A thread has begun an exchange, and asks for a push when `ask` is called. */
function begun(ringBytes: number) {
  const transport = new PushingTransport();
  const bench = new ExchangeBench({ ringBytes }, transport);
  bench.addThread();
  const exchange = bench.exchange(false, 'POST');
  bench.atThread();
  const { slot } = exchange.job;
  const ask = (): Exchange => {
    bench.hosts[0]!.sendPush(slot, NUMBER, 'GET', '/style.css', []);
    bench.fromThread();
    return transport.pushed[0]!;
  };
  return { bench, exchange, slot, ask };
}

test('a push gets a slot of the thread that asked for it, which it has begun', (t) => {
  const { bench, exchange, slot, ask } = begun(65_536);
  const pushed = ask();
  t.is(pushed.job.thread, exchange.job.thread);
  t.false(bench.threads[0]!.takeBack(pushed.job), 'it never moves');
  t.deepEqual(bench.atThread(), [['promised', slot, NUMBER, true, pushed.job.slot]]);
});

test('a ring that is full holds the slot of a push up, and what follows waits behind it', (t) => {
  const { bench, slot, ask } = begun(1_024);
  // Messages as small as the one that tells the slot, so that it does not fit behind the last one.
  const { channel } = bench.threads[0]!;
  for (let isSent = true; isSent; ) isSent = channel.sendCredit(slot, 1);
  const pushed = ask();
  t.true(pushed.job.isUnsent);
  pushed.onTransportClosed(true, 8, true);
  const news: unknown[] = [];
  for (let i = 0; i < 20; i++) {
    news.push(...bench.atThread().filter(([kind]) => kind !== 'credit'));
    bench.threads[0]!.onRingRoom();
  }
  t.deepEqual(news, [
    ['promised', slot, NUMBER, true, pushed.job.slot],
    ['reset', pushed.job.slot, 8, ResetBy.Peer],
  ]);
  t.false(pushed.job.isUnsent);
});
