/** One exchange on real rings: its transport writes down what it is told, and the test speaks for the thread. */

import { Exchange, type Transport } from '../../runtime/exchange/exchange.ts';
import { OutcomeCounters } from '../../runtime/exchange/outcomes.ts';
import { Dispatcher } from '../../runtime/pools/dispatcher.ts';
import { Thread } from '../../runtime/pools/thread.ts';
import { openChannel } from '../../wire/channel.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import { DepthLane } from '../pools/depth-lane.ts';
import { ManualTurns } from '../pools/manual-turns.ts';
import { type Received, recordThread } from '../wire/record.ts';

export class RecordingTransport implements Transport {
  readonly calls: Received[] = [];
  consumedBytes = 0;

  inform(_exchange: Exchange, status: number, fields: readonly string[]): void {
    this.calls.push(['inform', status, [...fields]]);
  }

  respond(_exchange: Exchange, status: number, fields: string[], end: boolean): void {
    this.calls.push(['respond', status, [...fields], end]);
  }

  accept(_exchange: Exchange, fields: string[]): void {
    this.calls.push(['accept', [...fields]]);
  }

  write(_exchange: Exchange, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.calls.push(['write', Buffer.from(bytes.subarray(start, end)).toString(), last]);
  }

  trailers(_exchange: Exchange, fields: readonly string[]): void {
    this.calls.push(['trailers', [...fields]]);
  }

  reset(_exchange: Exchange, code: number): void {
    this.calls.push(['reset', code]);
  }

  consume(_exchange: Exchange, bytes: number): void {
    this.consumedBytes += bytes;
  }

  stopReading(): void {
    this.calls.push(['stopReading']);
  }

  letsContentCome(): boolean {
    return true;
  }

  takenBytes(): number {
    return -1;
  }

  fail(_exchange: Exchange, error: unknown): void {
    throw error;
  }
}

export interface BenchOptions {
  readonly ringBytes?: number;
  readonly responseWindowBytes?: number;
  /** Default: the window does not grow. */
  readonly maxResponseWindowBytes?: number;
  readonly maxQueuedJobs?: number;
}

export class ExchangeBench {
  readonly turns = new ManualTurns();
  readonly transport: RecordingTransport;
  readonly dispatcher: Dispatcher;
  readonly threads: Thread[] = [];
  /** What the host of each thread would hold. */
  readonly hosts: ThreadEnd[] = [];
  readonly received: Received[][] = [];
  readonly #options: Required<BenchOptions>;

  constructor(options: BenchOptions = {}, transport = new RecordingTransport()) {
    this.transport = transport;
    const { responseWindowBytes = 1000, maxResponseWindowBytes = responseWindowBytes } = options;
    this.#options = {
      ringBytes: 65_536,
      maxQueuedJobs: 10,
      ...options,
      responseWindowBytes,
      maxResponseWindowBytes,
    };
    this.dispatcher = new Dispatcher(
      { maxQueuedJobs: this.#options.maxQueuedJobs, maxWaitMs: 1000, recallAfterMs: 5 },
      this.turns,
      () => undefined,
    );
  }

  /** A thread that is ready for exchanges; its end of the channel is `hosts` at the same index. */
  addThread(slots = 4): Thread {
    const owner = {
      onRoom: (thread: Thread) => this.dispatcher.onRoom(thread),
      onCorrupt: (_thread: Thread, error: Error) => {
        throw error;
      },
    };
    const thread = new Thread(`t-${this.threads.length}`, owner, this.turns, slots, this.#options.ringBytes);
    const received: Received[] = [];
    const host = openChannel(thread.transfer, recordThread(received));
    thread.channel.unref();
    host.unref();
    thread.state = 'ready';
    this.threads.push(thread);
    this.hosts.push(host);
    this.received.push(received);
    this.dispatcher.threads.push(thread);
    this.dispatcher.onRoom(thread);
    return thread;
  }

  exchange(requestEnded: boolean, method = 'GET'): Exchange {
    const { responseWindowBytes, maxResponseWindowBytes } = this.#options;
    const destination = {
      dispatcher: this.dispatcher,
      responseWindowBytes,
      maxResponseWindowBytes,
      retryAfterSeconds: 7,
      maxBodyBytes: Infinity,
      minRequestBytesPerSecond: 0,
      websocket: false,
      connect: false,
      outcomes: new OutcomeCounters(),
      lane: new DepthLane(),
    };
    const exchange = new Exchange(
      this.transport,
      null,
      destination,
      method,
      'https',
      'example.org',
      '/a?b',
      '2',
      '127.0.0.1',
      4711,
      ['accept', '*/*'],
      requestEnded,
    );
    exchange.start();
    return exchange;
  }

  /** What the thread has received since the last call; it claims what it is given. */
  atThread(index = 0): Received[] {
    const received = this.received[index] as Received[];
    const from = received.length;
    this.threads[index]?.channel.publish();
    this.hosts[index]?.receive(1000);
    const news = received.slice(from);
    for (const [kind, slot, generation] of news) {
      if (kind === 'open') this.hosts[index]?.claims.claim(slot as number, generation as number);
    }
    return news;
  }

  /** The reactor receives what the thread has sent. */
  fromThread(index = 0): void {
    this.hosts[index]?.publish();
    this.threads[index]?.channel.receive(1000);
  }
}
