/**
 * Everything between a scripted peer and a scripted application, in one thread: real exchanges, dispatcher, threads,
 * rings, hosts and reactor. Turns happen when the test says so, and a side that sleeps wakes only when it is rung.
 */

import { strict as assert } from 'node:assert';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Exchange } from '../../../runtime/exchange/exchange.ts';
import { OutcomeCounters } from '../../../runtime/exchange/outcomes.ts';
import { Dispatcher } from '../../../runtime/pools/dispatcher.ts';
import { Thread } from '../../../runtime/pools/thread.ts';
import { Reactor } from '../../../runtime/server/reactor.ts';
import type { AtomicWords } from '../../../wire/atomics.ts';
import { ClaimState } from '../../../wire/claims.ts';
import { Host } from '../../../workers/thread/host.ts';
import { stepped } from '../../wire/interleaving/peer.ts';
import { type ManualLoop, settle } from './manual-loop.ts';
import { ScriptedApplication } from './scripted-application.ts';
import { ScriptedStream } from './scripted-stream.ts';

export interface WorldOptions {
  readonly ringBytes: number;
  readonly slots: number;
  readonly requestWindowBytes: number;
  readonly responseWindowBytes: number;
  readonly writeBacklogBytes: number;
  readonly maxQueuedJobs: number;
}

interface HostedThread {
  readonly thread: Thread;
  readonly host: Host;
  /** The thread's doorbell: rung and not yet delivered. */
  readonly ringToReactor: { rung: number };
}

export class World {
  readonly loop: ManualLoop;
  readonly options: WorldOptions;
  readonly reactor: Reactor;
  readonly dispatcher: Dispatcher;
  readonly streams: ScriptedStream[] = [];
  readonly applications = new Map<number, ScriptedApplication>();
  readonly failures: unknown[] = [];
  readonly #live: HostedThread[] = [];
  /** Bytes of request bodies that have crossed, by exchange. */
  readonly #crossedBytes = new Map<number, number>();
  #spawned = 0;
  /** Shared accesses until the side that is not at them takes a turn in between; -1: it does not. */
  #accessesToRace = -1;
  #reactorsTurn: () => void = () => undefined;

  constructor(loop: ManualLoop, options: WorldOptions, threads: number) {
    this.loop = loop;
    this.options = options;
    loop.clear();
    this.reactor = new Reactor(5, () => this.dispatcher.rebalance());
    this.dispatcher = new Dispatcher(
      { maxQueuedJobs: options.maxQueuedJobs, maxWaitMs: 1000, recallAfterMs: 5 },
      this.reactor,
      () => undefined,
    );
    this.reactor.request();
    this.#reactorsTurn = loop.newest as () => void;
    for (let i = 0; i < threads; i++) this.spawn();
  }

  /**
   * Ahead of a shared access that one side makes after so many others, the other side of that channel takes a turn, if one is
   * pending then: as it may when each has a processor of its own.
   */
  race(accesses: number): void {
    this.#accessesToRace = accesses;
  }

  /** The accesses of one side. @param othersTurn the other side's function for its turns */
  #raced(othersTurn: () => () => void): AtomicWords {
    return stepped(() => {
      if (this.#accessesToRace === -1) return;
      if (this.#accessesToRace > 0) {
        this.#accessesToRace--;
        return;
      }
      // What that turn does is not raced in its turn.
      this.#accessesToRace = -1;
      if (!this.loop.runNow(othersTurn())) this.#accessesToRace = 0;
    });
  }

  spawn(): void {
    const { ringBytes, slots } = this.options;
    const owner = {
      onRoom: (thread: Thread) => this.dispatcher.onRoom(thread),
      onCorrupt: (_thread: Thread, error: Error) => {
        throw error;
      },
    };
    let hostsTurn: () => void = () => undefined;
    const thread = new Thread(
      `t-${++this.#spawned}`,
      owner,
      this.reactor,
      slots,
      ringBytes,
      this.#raced(() => hostsTurn),
    );
    thread.channel.unref();
    const ringToReactor = { rung: 0 };
    const host = new Host(
      (exchange) => this.#run(exchange),
      { ...thread.transfer, port: countingPort(ringToReactor) },
      {
        application: 'file:///scripted',
        pool: 'scripted',
        creditEveryBytes: this.options.requestWindowBytes >> 2,
        ...this.options,
      },
      { onFailure: (error) => this.failures.push(error) },
      this.#raced(() => this.#reactorsTurn),
    );
    // It has asked for its first turn.
    hostsTurn = this.loop.newest as () => void;
    this.#observe(host);
    thread.state = 'ready';
    this.#live.push({ thread, host, ringToReactor });
    this.reactor.addThread(thread);
    this.dispatcher.threads.push(thread);
    this.dispatcher.onRoom(thread);
  }

  #run(exchange: ConstructorParameters<typeof ScriptedApplication>[0]): Promise<void> {
    const application = new ScriptedApplication(exchange);
    assert.ok(!this.applications.has(application.id), 'an exchange that runs twice');
    this.applications.set(application.id, application);
    return application.returned.promise;
  }

  /** Every body byte that crosses was granted: never more than a window beyond what the application has read. */
  #observe(host: Host): void {
    const onData = host.onData.bind(host);
    const slots = new Map<number, number>();
    const onOpen = host.onOpen.bind(host);
    host.onOpen = (...open) => {
      slots.set(open[0], Number(open[4].slice(1)));
      onOpen(...open);
    };
    host.onData = (slot, flags, bytes, start, end) => {
      const id = slots.get(slot) as number;
      const crossed = (this.#crossedBytes.get(id) ?? 0) + end - start;
      this.#crossedBytes.set(id, crossed);
      const read = this.applications.get(id)?.readBytes ?? 0;
      assert.ok(crossed - read <= this.options.requestWindowBytes, 'request bytes beyond the window');
      if (end > start) assert.ok(this.applications.get(id)?.body !== 'unread', 'bytes that nobody asked for');
      onData(slot, flags, bytes, start, end);
    };
  }

  open(method: string, ended: boolean, eager: boolean, peerWindowBytes: number): ScriptedStream {
    const id = this.streams.length;
    const stream = new ScriptedStream(id, eager, ended, peerWindowBytes);
    const destination = {
      dispatcher: this.dispatcher,
      responseWindowBytes: this.options.responseWindowBytes,
      maxResponseWindowBytes: 4 * this.options.responseWindowBytes,
      retryAfterSeconds: 1,
      maxBodyBytes: Infinity,
      minRequestBytesPerSecond: 0,
      websocket: false,
      connect: false,
      outcomes: new OutcomeCounters(),
    };
    stream.exchange = new Exchange(
      stream,
      null,
      destination,
      method,
      'http',
      '',
      `/${id}`,
      '2',
      '',
      0,
      ['x-heavy', 'h'.repeat(90)],
      ended,
    );
    this.streams.push(stream);
    stream.exchange.start();
    return stream;
  }

  /** Delivers the doorbells that were rung. False: there were none. */
  ring(): boolean {
    let wasRung = false;
    for (const { thread, host, ringToReactor } of this.#live) {
      if (receiveMessageOnPort(thread.transfer.port) !== undefined) {
        wasRung = true;
        host.onWake();
      }
      if (ringToReactor.rung > 0) {
        wasRung = true;
        ringToReactor.rung = 0;
        thread.onWake();
      }
    }
    return wasRung;
  }

  /** Turns until both sides sleep. */
  async calm(): Promise<void> {
    await settle();
    while (this.ring() || this.loop.pending > 0) {
      this.loop.runAll();
      await settle();
    }
    this.#checkStalls();
  }

  /** Both sides sleep: what could be sent has been. */
  #checkStalls(): void {
    for (const { thread, host } of this.#live) {
      assert.ok(thread.channel.isQuiet, 'both sides sleep');
      assert.equal(thread.stalledJobs, 0, 'jobs that wait for room in a ring that nobody fills');
      assert.equal(
        host.stats().stalledExchanges,
        0,
        'exchanges that wait for room in a ring that nobody fills',
      );
    }
  }

  /** The thread ends between two of its turns, as `terminate` would end it. */
  kill(index: number): void {
    const [dead] = this.#live.splice(index % this.#live.length, 1);
    if (dead === undefined) return;
    // Nothing that it scheduled runs any more.
    dead.host.close();
    this.dispatcher.threads.splice(this.dispatcher.threads.indexOf(dead.thread), 1);
    this.reactor.removeThread(dead.thread);
    const unbegun = dead.thread.die();
    assert.equal(dead.thread.outstanding, 0);
    this.spawn();
    this.dispatcher.resubmit(unbegun);
  }

  /**
   * Lets peers and applications go on until all is over, or nothing moves. Both sides sleep between any two events: so a
   * wake-up that is missing shows.
   */
  async finish(): Promise<void> {
    let still = 0;
    for (let round = 0, before = -1; still < 5 && !this.#isOver(); round++) {
      for (const stream of this.streams) {
        stream.drain(Number.POSITIVE_INFINITY);
        if (stream.peerData(50, round > 20)) this.reactor.request();
        await this.calm();
      }
      for (const application of this.applications.values()) finishApplication(application);
      await this.calm();
      const now = this.#progress();
      still = round > 20 && now === before ? still + 1 : 0;
      before = now;
    }
  }

  /** A number that grows with everything that moves. */
  #progress(): number {
    let moved = this.applications.size;
    for (const { receivedBytes, consumedBytes, writtenBytes, sentBytes, closed } of this.streams) {
      moved += receivedBytes + consumedBytes + writtenBytes + sentBytes + (closed === 'no' ? 0 : 1);
    }
    for (const { readBytes, offeredBytes, over } of this.applications.values()) {
      moved += readBytes + offeredBytes + (over ? 1 : 0);
    }
    return moved;
  }

  #isOver(): boolean {
    return (
      this.dispatcher.outstandingJobs === 0 &&
      this.streams.every((stream) => stream.closed !== 'no') &&
      [...this.applications.values()].every((application) => application.over && application.closed !== null)
    );
  }

  close(): void {
    for (const { thread, host } of this.#live) {
      host.close();
      thread.channel.close();
    }
  }

  /** What must hold once nothing moves any more. */
  checkOver(): void {
    assert.equal(this.dispatcher.queuedJobs, 0, 'nothing waits');
    for (const stream of this.streams) this.#checkStream(stream);
    for (const { thread, host } of this.#live) {
      assert.equal(thread.outstanding, 0, 'no job is left');
      assert.equal(host.stats().openExchanges, 0, 'no exchange is left in the thread');
      for (let slot = 0; slot < this.options.slots; slot++) {
        assert.equal(thread.channel.claims.stateOf(slot), ClaimState.Free, `slot ${slot} is free`);
      }
    }
  }

  #checkStream(stream: ScriptedStream): void {
    const where = `exchange ${stream.id}`;
    assert.notEqual(stream.closed, 'no', `${where} is over`);
    assert.equal(
      stream.receivedBytes,
      stream.consumedBytes + stream.givenBackBytes,
      `${where} conserves credit`,
    );
    const application = this.applications.get(stream.id);
    if (application === undefined) return;
    assert.ok(application.timesClosed <= 1, `${where} closes once`);
    if (stream.closed === 'complete' && stream.status === 200) {
      assert.equal(stream.writtenBytes, application.offeredBytes, `${where} was answered whole`);
    }
    // A thread that was killed says nothing more to its applications.
    if (application.closed === null) return;
    assert.equal(application.aborted, application.closed.how === 'reset' ? 1 : 0, `${where} signals a reset`);
    assert.notEqual(application.body, 'reading', `${where} leaves no pull behind`);
    assert.equal(application.pendingWrites, 0, `${where} leaves no write behind`);
  }
}

/** Reads to the end, answers, and returns. */
function finishApplication(application: ScriptedApplication): void {
  if (application.over) return;
  if (application.closed === null) {
    application.read();
    if (application.response === 'none') application.respond(null);
    else if (application.response === 'head' && application.pendingWrites === 0) application.end(false);
    if (application.body !== 'whole' && application.body !== 'cut') return;
  }
  application.return();
}

/** The thread's end of the doorbell: counts its rings, so that the test delivers them. */
function countingPort(bell: { rung: number }): MessagePort {
  const port = { on: () => port, postMessage: () => bell.rung++, ref() {}, unref() {}, close() {} };
  return port as unknown as MessagePort;
}
